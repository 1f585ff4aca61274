"""Tasks: each run is told from start to end, and no failure is lost."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, cast

import pytest

from tuivirt.actions import registry
from tuivirt.actions.registry import ACTIONS, Action, Option, Parameter, Pending, Run, action
from tuivirt.actions.runner import Tasks
from tuivirt.backend.errors import Aborted, BadInput, ReadOnly, TuivirtError
from tuivirt.backend.events import Event, TaskChanged
from tuivirt.backend.host import Host
from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.backend.model.when import When

LONG = 10.0
WEB = Domain("h", "uuid-1", "web-01", 1, DomainState.RUNNING)


class FakeHost:
    """As much of a Host as the runner uses."""

    def __init__(self) -> None:
        self.name = "h"
        self.actions = Lane("test-actions", 2)
        self.moves = Lane("test-moves", 1)
        self.readonly = False
        self.snapshot = HostSnapshot("h", "x:", domains={WEB.uuid: WEB})

    def require_write(self) -> None:
        if self.readonly:
            raise ReadOnly("read-only")

    def started(self) -> tuple[FakeHost, ...]:
        return (self,)


class Told:
    """What was published, in order."""

    def __init__(self) -> None:
        self._tasks: queue.Queue[Task] = queue.Queue()

    def __call__(self, event: Event) -> None:
        assert isinstance(event, TaskChanged)
        self._tasks.put(event.task)

    def next(self) -> Task:
        return self._tasks.get(timeout=LONG)

    def until(self, state: TaskState) -> Task:
        while (task := self.next()).state is not state:
            pass
        return task

    @property
    def is_empty(self) -> bool:
        return self._tasks.empty()


@pytest.fixture
def host() -> Iterator[FakeHost]:
    made = FakeHost()
    yield made
    made.actions.close()
    made.moves.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def tasks(told: Told) -> Tasks:
    return Tasks(told)


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., str]], Action]:
    """An action that calls the function given, with one number beside the object."""
    monkeypatch.setattr(registry, "ACTIONS", dict(ACTIONS))

    def declare(function: Callable[..., str]) -> Action:
        @action("domain", virsh="virsh try {name}[ --n {n}]", api="virTry")
        def try_it(
            run: Run, domain: Domain, *, n: Annotated[int | None, Option("a number")] = None
        ) -> str:
            """Try it."""
            return function(run, domain, n)

        return registry.ACTIONS["try-it"]

    return declare


def submit(tasks: Tasks, host: FakeHost, it: Action, **values: Any) -> Task:
    return tasks.submit(it, cast(Host, host), WEB.ref, WEB.name, values)


def run_sync(tasks: Tasks, host: FakeHost, it: Action, **values: Any) -> Task:
    return tasks.run_sync(it, cast(Host, host), WEB.ref, WEB.name, values)


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_is_set_meanwhile_makes_no_task_longer_or_shorter(
    tasks: Tasks,
    host: FakeHost,
    told: Told,
    doing: Any,
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
) -> None:
    def set_clock(*_: Any) -> str:
        wall = time.time() + hours * 3600
        monkeypatch.setattr(time, "time", lambda: wall)
        return "set"

    begun = submit(tasks, host, doing(set_clock))
    done = told.until(TaskState.DONE)
    assert done.ended is not None
    assert 0 <= done.ended - done.started < LONG
    assert 0 <= begun.so_far_s() < LONG


def fail(error: BaseException) -> Callable[..., str]:
    def function(*_: Any) -> str:
        raise error

    return function


def test_a_task_is_told_when_it_starts_and_when_it_is_done(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    begun = submit(tasks, host, doing(lambda run, domain, n: f"{domain.name} got {n}"), n="7")
    assert begun.state is TaskState.RUNNING
    assert begun.virsh == "virsh -c x: try web-01 --n 7"
    assert told.next() == begun
    done = told.next()
    assert (done.id, done.state, done.text) == (begun.id, TaskState.DONE, "web-01 got 7")
    assert done.ended is not None
    assert done.ended >= done.started
    assert not done.abortable
    assert tasks.under_way == ()


def test_two_tasks_have_different_numbers(tasks: Tasks, host: FakeHost, doing: Any) -> None:
    it = doing(lambda *_: "")
    assert submit(tasks, host, it).id != submit(tasks, host, it).id


def test_a_value_that_does_not_fit_calls_nothing_and_makes_no_task(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    it = doing(fail(AssertionError("called")))
    with pytest.raises(BadInput, match="whole number"):
        submit(tasks, host, it, n="seven")
    assert told.is_empty


def test_nothing_is_begun_on_a_readonly_connection(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    host.readonly = True
    with pytest.raises(ReadOnly):
        submit(tasks, host, doing(fail(AssertionError("called"))))
    assert told.is_empty


def test_progress_is_told_while_it_runs(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    heard = threading.Event()

    def work(run: Run, *_: Any) -> str:
        run.progress("copying", 0.5)
        assert heard.wait(LONG)
        return "copied"

    submit(tasks, host, doing(work))
    assert told.next().text == ""
    now = told.next()
    assert (now.state, now.text, now.fraction) == (TaskState.RUNNING, "copying", 0.5)
    heard.set()
    end = told.next()
    assert (end.state, end.text, end.fraction) == (TaskState.DONE, "copied", None)


def test_a_flood_of_progress_is_throttled_but_never_the_end(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuivirt.actions.runner.PROGRESS_EVERY_S", 3600.0)

    def work(run: Run, *_: Any) -> str:
        for i in range(1000):
            run.progress(f"step {i}", i / 1000)
        return "done"

    done = run_sync(tasks, host, doing(work))
    assert (done.state, done.text) == (TaskState.DONE, "done")
    assert [told.next().text for _ in range(3)] == ["", "step 0", "done"]
    assert told.is_empty


def test_an_error_keeps_the_code_the_text_and_the_advice(
    tasks: Tasks, host: FakeHost, doing: Any
) -> None:
    error = TuivirtError("cannot do it", "no space", "make some", code=38)
    failed = run_sync(tasks, host, doing(fail(error)))
    assert failed.state is TaskState.FAILED
    assert failed.text == "cannot do it: no space (libvirt error 38)"
    assert failed.advice == "make some"


def test_an_unexpected_exception_is_shown_with_its_type_and_logged(
    tasks: Tasks, host: FakeHost, doing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    failed = run_sync(tasks, host, doing(fail(KeyError("vdb"))))
    assert failed.state is TaskState.FAILED
    assert failed.text == "try-it web-01: unexpected KeyError: 'vdb'"
    assert caplog.records[0].exc_info is not None


def test_even_an_exit_within_an_action_ends_its_task(
    tasks: Tasks, host: FakeHost, doing: Any
) -> None:
    assert "SystemExit" in run_sync(tasks, host, doing(fail(SystemExit(3)))).text


def test_an_object_that_is_gone_fails_the_task(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    it = doing(fail(AssertionError("called")))
    tasks.submit(it, cast(Host, host), Ref("h", Kind.DOMAIN, "other"), "db-01", {})
    assert told.until(TaskState.FAILED).text == "host h has no domain 'db-01' any more"


def test_aborting_sets_the_event_and_the_task_ends_as_aborted(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    began = threading.Event()

    def work(run: Run, *_: Any) -> str:
        began.set()
        assert run.aborted.wait(LONG)
        raise Aborted("stopped half-way")

    task = submit(tasks, host, doing(work))
    assert began.wait(LONG)
    assert [t.id for t in tasks.under_way] == [task.id]
    assert tasks.abort(task.id)
    assert told.until(TaskState.ABORTED).text == "stopped half-way"
    assert not tasks.abort(task.id)


def test_a_task_that_was_aborted_before_its_turn_is_never_begun(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    gate = threading.Event()
    for _ in range(2):
        host.actions.submit(lambda: gate.wait(LONG))
    task = submit(tasks, host, doing(fail(AssertionError("called"))))
    tasks.abort(task.id)
    # At once: those before it may take long.
    assert "not begun" in told.until(TaskState.ABORTED).text
    gate.set()
    assert host.actions.submit(lambda: True).result(LONG)
    assert told.is_empty


def test_what_takes_long_runs_on_a_lane_that_holds_nothing_else_up(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    gate = threading.Event()
    host.moves.submit(lambda: gate.wait(LONG))
    quick = doing(lambda *_: "done")
    long = replace(quick, lane="moves")
    waiting = submit(tasks, host, long)
    assert waiting.text == "waits for its turn"
    assert run_sync(tasks, host, quick).text == "done"
    assert [task.id for task in tasks.under_way] == [waiting.id]
    gate.set()
    assert told.until(TaskState.DONE)
    assert told.until(TaskState.DONE).id == waiting.id


def test_a_task_names_the_other_host_that_it_needs(
    tasks: Tasks, host: FakeHost, doing: Any
) -> None:
    it = doing(lambda *_: "done")
    assert submit(tasks, host, it, n=7).other == ""
    to = Parameter("dest", str, "where to", "To", required=True)
    moving = replace(it, other="dest", told=lambda: (*it.parameters, to))
    assert submit(tasks, host, moving, dest="far").other == "far"


def test_a_task_that_another_began_is_one_of_its_own_and_stops_when_told(
    tasks: Tasks, host: FakeHost, doing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(run: Run, domain: Domain, number: int | None) -> str:
        if number:
            assert run.aborted.wait(LONG)
            raise Aborted("stopped")
        begun = run.begin("try-it", domain.ref, domain.name, {"n": 7})
        begun.stop()
        assert begun.rested.wait(LONG)
        return f"{begun.task.state}, {begun.task.action}"

    it = doing(work)
    monkeypatch.setitem(ACTIONS, it.name, it)
    assert run_sync(tasks, host, it).text == "aborted, try-it"


class TestPending:
    def begin(self, tasks: Tasks, host: FakeHost, told: Told, doing: Any) -> tuple[Task, Pending]:
        pending = Pending("the guest has not let go of vdb", "force it off")
        submit(tasks, host, doing(fail(pending)))
        return told.until(TaskState.PENDING), pending

    def test_it_is_told_and_stays_under_way(
        self, tasks: Tasks, host: FakeHost, told: Told, doing: Any
    ) -> None:
        task, _ = self.begin(tasks, host, told, doing)
        assert (task.text, task.advice) == ("the guest has not let go of vdb", "force it off")
        assert task.ended is None
        assert [t.id for t in tasks.under_way] == [task.id]

    @pytest.mark.parametrize(
        ("outcome", "state", "text"),
        [
            ("vdb is detached", TaskState.DONE, "vdb is detached"),
            (TuivirtError("refused", "busy"), TaskState.FAILED, "refused: busy"),
        ],
    )
    def test_it_ends_when_it_settles(
        self,
        tasks: Tasks,
        host: FakeHost,
        told: Told,
        doing: Any,
        outcome: str | BaseException,
        state: TaskState,
        text: str,
    ) -> None:
        task, pending = self.begin(tasks, host, told, doing)
        pending.settle(outcome)
        end = told.next()
        assert (end.id, end.state, end.text) == (task.id, state, text)
        pending.settle("a second word")
        assert told.is_empty
        assert tasks.under_way == ()

    def test_it_ends_at_once_when_it_settled_before_it_was_raised(
        self, tasks: Tasks, host: FakeHost, told: Told, doing: Any
    ) -> None:
        pending = Pending("waits")
        pending.settle("done after all")
        submit(tasks, host, doing(fail(pending)))
        assert told.until(TaskState.DONE).text == "done after all"

    def test_aborting_it_stops_the_following(
        self, tasks: Tasks, host: FakeHost, told: Told, doing: Any
    ) -> None:
        task, pending = self.begin(tasks, host, told, doing)
        assert tasks.abort(task.id)
        assert "no longer followed" in told.next().text
        pending.settle("too late")
        assert told.is_empty

    def test_the_command_line_does_not_wait_for_it(
        self, tasks: Tasks, host: FakeHost, doing: Any
    ) -> None:
        assert run_sync(tasks, host, doing(fail(Pending("waits")))).state is TaskState.PENDING


def test_a_task_of_a_host_that_was_closed_fails_and_is_not_under_way_for_ever(
    tasks: Tasks, host: FakeHost, told: Told, doing: Any
) -> None:
    host.actions.close()
    submit(tasks, host, doing(lambda *_: "done"))
    assert "host h was closed" in told.until(TaskState.FAILED).text
    assert not tasks.under_way


def test_what_was_left_open_is_told_by_the_equivalent_command_once_it_is_chosen(
    tasks: Tasks, host: FakeHost, told: Told
) -> None:
    def detach(run: Run, _domain: Domain, *, when: When, **_rest: Any) -> str:
        assert when is When.AUTO
        run.chose(when=When.NOW)
        return "vdb is detached"

    declared = replace(ACTIONS["detach-disk"], function=detach)
    begun = submit(tasks, host, declared, target="vdb")
    assert begun.virsh == "virsh -c x: detach-disk web-01 vdb --live --config"
    assert told.until(TaskState.DONE).virsh == "virsh -c x: detach-disk web-01 vdb --live"


def test_a_view_is_never_run_in_the_background(tasks: Tasks, host: FakeHost) -> None:
    with pytest.raises(TypeError, match="shows something"):
        submit(tasks, host, ACTIONS["console"])


def test_what_is_told_by_its_number_is_done_in_the_order_in_which_it_was_asked_for(
    tasks: Tasks, host: FakeHost, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ACTIONS", dict(ACTIONS))
    parts, first_goes = ["a", "b", "c", "d"], threading.Event()

    @action("domain", virsh="virsh take {name} --part {part}", api="virTake")
    def take(run: Run, domain: Domain, *, part: Annotated[str, Option("a part")]) -> str:
        """Take a part away."""
        if part == "#3":
            first_goes.wait(LONG)
        if part.startswith("#"):
            return parts.pop(int(part[1:]) - 1)
        parts.remove(part)
        return part

    it = registry.ACTIONS["take"]
    for part in ("#3", "#1", "d"):
        submit(tasks, host, it, part=part)
    # What has a name of its own waits for nothing.
    assert told.until(TaskState.DONE).text == "d"
    assert parts == ["a", "b", "c"]
    first_goes.set()
    assert [told.until(TaskState.DONE).text for _ in range(2)] == ["c", "a"]
    assert parts == ["b"]


def test_what_waits_for_another_is_begun_however_that_one_ends(
    tasks: Tasks, host: FakeHost, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ACTIONS", dict(ACTIONS))
    going = threading.Event()

    @action("domain", virsh="virsh take {name} --part {part}", api="virTake")
    def take(run: Run, domain: Domain, *, part: Annotated[str, Option("a part")]) -> str:
        """Take a part away."""
        going.wait(LONG)
        if part == "#2":
            raise TuivirtError("the guest keeps it")
        return part

    it = registry.ACTIONS["take"]
    submit(tasks, host, it, part="#2")
    submit(tasks, host, it, part="#1")
    going.set()
    assert told.until(TaskState.FAILED).text == "the guest keeps it"
    assert told.until(TaskState.DONE).text == "#1"
