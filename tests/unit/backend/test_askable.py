"""Whom the sampler can ask is found out anew when something changes, and only then."""

from __future__ import annotations

from dataclasses import replace

from tuivirt.backend.askable import Askable
from tuivirt.backend.model.domain import Domain, DomainState

WEB = Domain("lab", "u1", "web", 1, DomainState.RUNNING)
DB = Domain("lab", "u2", "db", 2, DomainState.RUNNING)
OFF = Domain("lab", "u3", "off", None, DomainState.SHUTOFF)
NOBODY: frozenset[str] = frozenset()


def test_those_that_run_and_have_a_handle_are_asked_but_not_those_to_be_avoided() -> None:
    askable = Askable()
    domains = {d.uuid: d for d in (WEB, DB, OFF)}
    askable.update(domains, {"u1": 1, "u2": 1, "u3": 1}, NOBODY)
    assert askable.uuids == ["u1", "u2"]
    askable.update(domains, {"u1": 1}, NOBODY)
    assert askable.uuids == ["u1"]
    askable.update(domains, {"u1": 1, "u2": 1}, frozenset({"u1"}))
    assert askable.uuids == ["u2"]


def test_the_list_is_the_same_one_until_something_changes() -> None:
    askable = Askable()
    domains, handles = {"u1": WEB}, {"u1": 1}
    askable.update(domains, handles, NOBODY)
    before = askable.uuids
    askable.update(domains, handles, frozenset())
    assert askable.uuids is before
    askable.update({**domains, "u2": DB}, {"u1": 1, "u2": 1}, NOBODY)
    assert askable.uuids == ["u1", "u2"]


def test_a_domain_is_fresh_until_its_sizes_are_known_and_again_in_its_next_run() -> None:
    askable = Askable()
    handles = {"u1": 1, "u2": 1}
    askable.update({"u1": WEB, "u2": DB}, handles, NOBODY)
    assert askable.fresh == {"u1", "u2"}
    askable.complete("u1", 1)
    assert askable.fresh == {"u2"}
    askable.update({"u1": replace(WEB, id=7), "u2": DB}, handles, NOBODY)
    assert askable.fresh == {"u1", "u2"}
