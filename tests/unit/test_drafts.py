"""What was typed is kept for the same objects, and never for what destroys."""

from __future__ import annotations

import pytest

from tuivirt.actions.catalog import find_action
from tuivirt.actions.registry import Action
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.screens.drafts import Drafts

WEB, DB = (Ref("here", Kind.DOMAIN, name) for name in ("web", "db"))


def action(name: str) -> Action:
    found = find_action(name)
    assert found is not None
    return found


def test_it_is_kept_for_the_same_objects_until_it_is_carried_out() -> None:
    drafts, create, typed = Drafts(), action("snapshot-create"), {("", "name_"): "one"}
    drafts.keep(create, [WEB, DB], {}, typed)
    assert drafts.of(create, [DB, WEB], {}) == typed
    assert not drafts.of(create, [WEB], {})
    assert not drafts.of(action("migrate"), [WEB, DB], {})
    drafts.drop(create, [WEB, DB])
    assert not drafts.of(create, [WEB, DB], {})


def test_what_was_typed_for_one_volume_is_not_there_for_another_of_its_pool() -> None:
    drafts, resize, pool = Drafts(), action("vol-resize"), Ref("here", Kind.POOL, "default")
    drafts.keep(resize, [pool], {"vol": "a"}, {("", "capacity"): "20G", ("", "shrink"): True})
    assert drafts.of(resize, [pool], {"vol": "a"})
    assert not drafts.of(resize, [pool], {"vol": "b"})
    assert not drafts.of(resize, [pool], {})


@pytest.mark.parametrize("name", ["undefine", "snapshot-delete"])
def test_of_what_destroys_nothing_is_chosen_beforehand(name: str) -> None:
    drafts = Drafts()
    drafts.keep(action(name), [WEB], {}, {("", "remove_storage"): True})
    assert not drafts.of(action(name), [WEB], {})
