"""An action on the caller's own thread: checked as a task is, and with all that a run has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.actions.here import run_here
from tuivirt.actions.registry import ACTIONS, Action, Run
from tuivirt.backend.errors import BadInput, NotFound, ReadOnly, TuivirtError
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.ref import Kind, Ref

WEB = Domain("h", "uuid-1", "web-01", 1, DomainState.RUNNING)


def host(refuse: Callable[[], None] = lambda: None) -> Any:
    snapshot = HostSnapshot("h", "x:", domains={WEB.uuid: WEB})
    return SimpleNamespace(name="h", snapshot=snapshot, require_write=refuse)


def console(function: Callable[..., str], **changes: Any) -> Action:
    return replace(ACTIONS["console"], function=function, **changes)


def never(*_args: Any, **_values: Any) -> str:
    raise AssertionError("it was called")


def test_it_is_given_all_that_a_run_promises_and_the_object_as_known_now() -> None:
    def use(run: Run, domain: Domain, **values: Any) -> str:
        run.progress("half way", 0.5)
        run.chose(devname="serial0")
        assert not run.aborted.is_set()
        return f"{run.host.name}: {domain.name} {values['devname']} {values['force']}"

    said = run_here(console(use), host(), WEB.ref, {"force": "yes"})
    assert said == "h: web-01 None True"


def test_values_that_do_not_fit_call_nothing() -> None:
    with pytest.raises(BadInput):
        run_here(console(never), host(), WEB.ref, {"force": "perhaps"})


def test_what_changes_something_is_not_begun_on_a_readonly_connection() -> None:
    def refuse() -> None:
        raise ReadOnly("read-only")

    with pytest.raises(ReadOnly):
        run_here(console(never), host(refuse), WEB.ref, {})
    shown = console(lambda _run, domain: f"<{domain.name}/>", changes=False, told=tuple)
    assert run_here(shown, host(refuse), WEB.ref, {}) == "<web-01/>"


def test_what_cannot_be_done_now_is_refused_with_the_reason() -> None:
    unavailable = console(never, unavailable=lambda domain: f"{domain.name} is busy")
    with pytest.raises(TuivirtError, match="cannot console web-01: web-01 is busy"):
        run_here(unavailable, host(), WEB.ref, {})


def test_an_object_that_is_gone_is_told_as_that() -> None:
    with pytest.raises(NotFound):
        run_here(console(never), host(), Ref("h", Kind.DOMAIN, "uuid-2"), {})
