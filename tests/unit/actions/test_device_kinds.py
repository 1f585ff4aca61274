"""The verbs of each kind of device follow from its declaration."""

from __future__ import annotations

from typing import Any

import pytest

from tuivirt.actions import device_kinds
from tuivirt.actions.catalog import ACTIONS, everything, find_action
from tuivirt.actions.device_kinds import device_actions
from tuivirt.actions.registry import Action
from tuivirt.backend import devices
from tuivirt.backend.devices import DeviceOutcome
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.when import When
from tuivirt.backend.xml.catalog import kinds
from tuivirt.commands.parser import action_parser

WEB = Domain("h", "u" * 32, "web-01", None, DomainState.SHUTOFF)


@pytest.fixture(params=device_actions().values(), ids=list(device_actions()))
def each(request: pytest.FixtureRequest) -> Action:
    found: Action = request.param
    return found


class FakeRun:
    host = None
    aborted = None

    def progress(self, text: str, fraction: float | None = None) -> None: ...


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the backend was asked for."""
    calls: list[tuple[Any, ...]] = []

    def note(*args: Any) -> DeviceOutcome:
        calls.append(args[1:])
        return DeviceOutcome("done", "it")

    monkeypatch.setattr(devices, "attach_device", note)
    monkeypatch.setattr(devices, "update_device", note)
    return calls


def do(verb: str, **given: Any) -> str:
    action = find_action(verb)
    assert action is not None
    return action.function(FakeRun(), WEB, **action.convert(given))


def test_every_kind_can_be_added_changed_and_removed_by_some_verb() -> None:
    for kind in kinds():
        for verb in ("attach", "update", "detach"):
            assert find_action(f"{verb}-{kind}") is not None


def test_a_verb_written_by_hand_is_not_made_again_and_no_menu_lists_those_that_are() -> None:
    assert not device_actions().keys() & ACTIONS.keys()
    assert everything()["attach-disk"] is ACTIONS["attach-disk"]


def test_a_made_verb_says_of_itself_and_its_options_what_they_are(each: Action) -> None:
    assert each.help.endswith(".")
    assert each.title[0].isupper()
    assert each.api.startswith("vir")
    assert "{when}" in each.virsh
    for parameter in each.parameters:
        assert parameter.help, parameter.name
        assert not parameter.help.endswith("."), parameter.name
        assert parameter.label, parameter.name


def test_a_made_verb_has_a_command_line(each: Action) -> None:
    text = action_parser(each).format_help()
    for parameter in each.parameters:
        assert parameter.type is When or parameter.name.replace("_", "-") in text.lower().replace(
            "_", "-"
        )


def test_what_destroys_asks_first(each: Action) -> None:
    assert each.destructive == each.name.startswith("detach-") == bool(each.confirm)


def test_only_what_was_said_is_asked_of_the_backend(asked: list[tuple[Any, ...]]) -> None:
    assert do("attach-rng", model="virtio", bytes="1024") == "done"
    uuid, kind, values, when, _progress = asked[0]
    assert (uuid, kind, when) == (WEB.uuid, "rng", When.AUTO)
    assert values == {"model": "virtio", "bytes": 1024}


def test_a_field_whose_name_is_taken_has_another_option(asked: list[tuple[Any, ...]]) -> None:
    do("attach-filesystem", source="/srv", target="srv", read_only="yes")
    assert asked[0][2] == {"source": "/srv", "target": "srv", "readonly": "yes"}


def test_options_are_taken_out_again_by_their_names(asked: list[tuple[Any, ...]]) -> None:
    do("update-filesystem", which="srv", clear="--read-only, boot_order", driver="virtiofs")
    assert asked[0][2] == "srv"
    assert asked[0][3] == {"driver": "virtiofs", "readonly": None, "boot_order": None}


def test_what_a_device_cannot_be_without_must_be_given() -> None:
    action = find_action("attach-shmem")
    assert action is not None
    with pytest.raises(BadInput, match="Name is missing"):
        action.convert({"size": "4 MiB"})


def test_the_help_tells_what_a_new_device_gets_by_itself() -> None:
    action = find_action("attach-video")
    assert action is not None
    assert "(virtio unless given)" in action.parameters[0].help


def test_it_is_made_when_it_is_asked_for() -> None:
    assert device_kinds.device_actions() is device_actions()
