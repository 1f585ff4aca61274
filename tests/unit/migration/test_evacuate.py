"""Who leaves a host that is emptied, and how a dry run of it ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.ui import factory
from tuivirt.actions.evacuations import _outcome, evacuate
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.migration import evacuate as emptying
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.finding import Finding, Weight
from tuivirt.backend.model.migration import EvacuationPlan, Going
from tuivirt.backend.model.task import TaskState

from .things import plan

GOES = Going("1", "web-01", 2048 << 10, "srv2", plan())
STAYS = Going("2", "gpu", 1024 << 10, "", why="srv2: it has a device of its host")


def dry_run(monkeypatch: pytest.MonkeyPatch, *goings: Going, findings: Any = ()) -> str:
    made = EvacuationPlan("srv1", goings, 2, findings)
    monkeypatch.setattr(emptying, "plan_for", lambda *_args, **_more: made)
    run: Any = SimpleNamespace(host=None, progress=lambda _text: None)
    host = factory.host([], name="srv1")
    return str(evacuate(run, host, dry_run=True))


def test_a_dry_run_by_which_all_would_go_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dry_run(monkeypatch, GOES).splitlines() == [
        "web-01 → srv2, 2048 MiB",
        "1 of 1 running domains go, 2048 MiB in all, 2 at a time",
    ]


def test_a_dry_run_by_which_one_would_stay_fails_with_the_whole_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BadInput, match="srv1 would not be empty") as refused:
        dry_run(monkeypatch, GOES, STAYS)
    assert refused.value.why.splitlines() == [
        "",
        "gpu stays: srv2: it has a device of its host",
        "web-01 → srv2, 2048 MiB",
        "1 of 2 running domains go, 2048 MiB in all, 2 at a time",
    ]


def test_a_dry_run_that_is_refused_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    none = (Finding(Weight.REFUSED, "none of what runs on srv1 can go"),)
    with pytest.raises(BadInput, match="srv1 would not be evacuated"):
        dry_run(monkeypatch, STAYS, findings=none)


def test_what_stays_or_failed_is_told_before_what_has_gone() -> None:
    failed = Going("3", "db", 1024 << 10, "srv2", plan())
    made = EvacuationPlan("srv1", (GOES, STAYS, failed), 2, ())
    ended = [
        (GOES, TaskState.DONE, "web-01 runs on srv2 now"),
        (failed, TaskState.FAILED, "db was not moved"),
    ]
    with pytest.raises(TuivirtError, match="srv1 is not empty") as told:
        _outcome(made, ended, [], aborted=False)
    assert told.value.why.splitlines() == [
        "1 of 3 domains have left srv1",
        "db was not moved",
        "gpu stays on srv1: srv2: it has a device of its host",
        "web-01 runs on srv2 now",
    ]


def planned(monkeypatch: pytest.MonkeyPatch, *states: DomainState) -> EvacuationPlan:
    """The plan for guests in these states, each with a process; all could go to srv2."""
    domains = [
        factory.domain(number, f"vm-{number}", state, id=number)
        for number, state in enumerate(states, 1)
    ]
    target = SimpleNamespace(name="srv2")
    monkeypatch.setattr(emptying, "targets_of", lambda _host, _to: [target])
    monkeypatch.setattr(emptying, "_free_kib", lambda _target: 1 << 40)
    monkeypatch.setattr(emptying, "make_plan", lambda *_args: plan())
    host = SimpleNamespace(name="srv1", snapshot=factory.host(domains, name="srv1"))
    return emptying.plan_for(cast(Host, host), None, {}, limit=2)


def test_one_that_crashed_is_neither_counted_nor_moved_but_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = planned(monkeypatch, DomainState.RUNNING, DomainState.CRASHED, DomainState.PAUSED)
    assert {going.name for going in made.leaving} == {"vm-1", "vm-3"}
    assert "Note: vm-2 has crashed, and stays" in made.lines
    assert made.lines[-1].startswith("2 of 2 running domains go")


def test_where_all_crashed_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planned(monkeypatch, DomainState.CRASHED)
    assert [each.text for each in made.of(Weight.REFUSED)] == ["nothing runs on srv1"]
