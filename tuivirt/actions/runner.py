"""Runs actions on their host's actions lane, and tells of each run as a task."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuivirt.backend.errors import Aborted, NotConnected, NotFound, TuivirtError, from_libvirt
from tuivirt.backend.events import Publish, TaskChanged
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task, TaskState

from .catalog import ACTIONS
from .registry import Action, Pending

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.lanes import Lane
    from tuivirt.backend.roster import Roster

PROGRESS_EVERY_S = 0.1
"""A task tells of its progress at most this often; the last word is never left out."""
HEED_EVERY_S = 0.5
"""For so long an interrupt may go unheard."""

_log = logging.getLogger(__name__)


class _Run:
    """One task under way: what its action is given, and where it stands."""

    def __init__(
        self,
        owner: Tasks,
        action: Action,
        host: Host,
        task: Task,
        given: Mapping[str, Any],
        where: Mapping[str, str],
        on_change: Callable[[Task], None] | None,
    ) -> None:
        self.action = action
        self.host = host
        self.task = task
        self.given = given
        self.where = where
        """The host, for the equivalent command."""
        self.aborted = threading.Event()
        self.rested = threading.Event()
        """Set when it has ended, or is pending: nothing runs for it any more."""
        self.on_change = on_change
        self.begun = False
        """A worker has taken it up."""
        self.then: list[_Run] = []
        """What is begun once this one has rested."""
        self._owner = owner
        self._told = float("-inf")

    @property
    def roster(self) -> Roster:
        """The hosts of this run."""
        return self._owner.roster()

    def begin(self, action: str, ref: Ref, name: str, values: Mapping[str, Any]) -> _Run:
        """Begin another action on this host, as a task of its own."""
        return self._owner.begin(action, self.host, ref, name, values)

    def stop(self) -> None:
        """Ask it to stop; again does nothing."""
        if not self.aborted.is_set():
            self._owner.abort(self.task.id)

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Say what is being done now, and how far it is (0 to 1)."""
        now = time.monotonic()
        throttled = now - self._told < PROGRESS_EVERY_S
        if not throttled:
            self._told = now
        self._owner.change(self, quiet=throttled, text=text, fraction=fraction, begun=True)

    def tell(self, text: str) -> None:
        """Say what whoever waits has to know before it ends."""
        self._owner.change(self, told=text)

    def chose(self, **values: Any) -> None:
        """Say what became of values that were left open, for the equivalent command."""
        said = {**self.given, **values, **self.where}
        virsh = self.action.equivalent(self.task.target_name, said)
        self._owner.change(self, virsh=virsh)


class Tasks:
    """Runs wishes as tasks, each on its host's actions lane; ``publish`` hears of each change.

    ``roster`` gives the hosts of this run, for what changes those.
    """

    def __init__(self, publish: Publish, roster: Callable[[], Roster] | None = None) -> None:
        self._publish = publish
        self._roster = roster
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._runs: dict[int, _Run] = {}

    def roster(self) -> Roster:
        """The hosts of this run. Raises TypeError where nobody gave any."""
        if self._roster is None:
            raise TypeError("these tasks know of no hosts to change")
        return self._roster()

    @property
    def desk(self) -> Host:
        """In a host's place for what is about no host yet."""
        desk: Any = self.roster().desk
        return desk  # type: ignore[no-any-return]

    def submit(
        self,
        action: Action | str,
        host: Host,
        ref: Ref,
        name: str,
        values: Mapping[str, Any] | None = None,
    ) -> Task:
        """Run ``action`` on ``ref``, whose name is ``name``, in the background.

        Returns the task as it starts; its end comes as TaskChanged. Raises BadInput when the
        values do not fit, and ReadOnly when the connection is, before anything was called.
        """
        return self.begin(action, host, ref, name, values).task

    def run_sync(
        self,
        action: Action | str,
        host: Host,
        ref: Ref,
        name: str,
        values: Mapping[str, Any] | None = None,
        *,
        on_change: Callable[[Task], None] | None = None,
    ) -> Task:
        """Run it and wait until it has ended, or is pending; returns the task as it then is.

        ``on_change`` hears of what it is doing, on the thread it happens on. An interrupt asks
        it to stop; a second one leaves without waiting. Raises as ``submit`` does.
        """
        run, starts = self._enter(action, host, ref, name, values, on_change=on_change)
        try:
            if starts:
                self._start(run)
            _wait(run)
        except KeyboardInterrupt:
            self.abort(run.task.id)
            _wait(run)
        return run.task

    def begin(
        self,
        action: Action | str,
        host: Host,
        ref: Ref,
        name: str,
        values: Mapping[str, Any] | None = None,
        *,
        on_change: Callable[[Task], None] | None = None,
    ) -> _Run:
        """As ``submit``, but returns the run itself, whose end can be waited for."""
        run, starts = self._enter(action, host, ref, name, values, on_change=on_change)
        if starts:
            self._start(run)
        return run

    def _enter(
        self,
        action: Action | str,
        host: Host,
        ref: Ref,
        name: str,
        values: Mapping[str, Any] | None,
        *,
        on_change: Callable[[Task], None] | None,
    ) -> tuple[_Run, bool]:
        """A run that is known and told of; whether it may start now, or waits for another."""
        chosen = ACTIONS[action] if isinstance(action, str) else action
        given = chosen.convert(values or {})
        if chosen.view:
            raise TypeError(f"{chosen.name} shows something: it is no background task")
        if chosen.changes:
            host.require_write()
        where = _told_of(host) if chosen.virsh else {}
        task = Task(
            id=next(self._numbers),
            action=chosen.name,
            target=ref,
            target_name=name,
            started=time.time(),
            since=time.monotonic(),
            virsh=chosen.equivalent(name, {**given, **where}, known(host, ref)),
            abortable=True,
            other=given.get(chosen.other) or "",
            text="waits for its turn" if chosen.lane != "actions" else "",
        )
        run = _Run(self, chosen, host, task, given, where, on_change)
        with self._lock:
            before = self._before(run)
            if before is not None:
                before.then.append(run)
            self._runs[task.id] = run
        self._tell(task, host)
        return run, before is None

    def _before(self, run: _Run) -> _Run | None:
        """The one that ``run`` has to wait for.

        Where an object's parts are told by their numbers, each that goes moves those behind it:
        such tasks have to be done in the order in which they were asked for.
        """
        if not _is_numbered(run):
            return None
        others = (each for each in self._runs.values() if each.task.target == run.task.target)
        waited = [each for each in others if _is_numbered(each) and not each.rested.is_set()]
        return waited[-1] if waited else None

    def _start(self, run: _Run) -> None:
        try:
            lane: Lane = getattr(run.host, run.action.lane)
            lane.submit(lambda: self._work(run))
        except RuntimeError:
            # The lane is closed: nobody would ever end it.
            self._settle(run, NotConnected(f"host {run.host.name} was closed"))

    def _rest(self, run: _Run) -> None:
        with self._lock:
            run.rested.set()
            begun, run.then = run.then, []
        for each in begun:
            self._start(each)

    def abort(self, task_id: int) -> bool:
        """Ask a task to stop; False when it has ended already."""
        with self._lock:
            run = self._runs.get(task_id)
        if run is None:
            return False
        with self._lock:
            run.aborted.set()
            waits = not run.begun
        if waits:
            # Those before it may take long.
            self._settle(run, _not_begun(run.task))
        elif run.task.state is TaskState.PENDING:
            # Nobody runs it any more: what was asked of the guest may still happen.
            self._settle(run, Aborted(f"no longer followed: {run.task.text}"))
        return True

    @property
    def under_way(self) -> tuple[Task, ...]:
        """The tasks that have not ended, oldest first."""
        with self._lock:
            return tuple(run.task for run in self._runs.values())

    def _work(self, run: _Run) -> None:
        with self._lock:
            run.begun = not run.aborted.is_set()
        if not run.begun:
            return  # Settled by whoever aborted it.
        try:
            named = run.task.target, run.task.target_name
            thing = None if run.action.new else find(run.host, *named)
            text = run.action.function(run, thing, **run.given)
        except Pending as pending:
            self.change(run, state=TaskState.PENDING, text=pending.text, advice=pending.advice)
            self._rest(run)
            pending.on_settled(lambda outcome: self._settle(run, outcome))
        except BaseException as error:
            self._settle(run, error)
        else:
            self._settle(run, text)

    def _settle(self, run: _Run, outcome: str | BaseException) -> None:
        if isinstance(outcome, str):
            state, text, advice = TaskState.DONE, outcome, ""
        else:
            state, text, advice = _failure(outcome, run.task)
        with self._lock:
            if self._runs.pop(run.task.id, None) is None:
                return
        self.change(
            run,
            state=state,
            text=text,
            advice=advice,
            ended=run.task.started + run.task.so_far_s(),
            fraction=None,
            abortable=False,
        )
        self._rest(run)

    def change(self, run: _Run, *, quiet: bool = False, **changes: Any) -> None:
        """Replace what is known of the task and, unless ``quiet``, tell it."""
        with self._lock:
            run.task = replace(run.task, **changes)
            task = run.task
        if not quiet:
            self._tell(task, run.host)
            if run.on_change is not None:
                run.on_change(task)

    def _tell(self, task: Task, host: Host) -> None:
        self._publish(TaskChanged(host=host.name, task=task))


def _told_of(host: Host) -> dict[str, str]:
    from .by_hand import told_of  # When something is done for the first time.

    return told_of(host)


def _wait(run: _Run) -> None:
    """Until it has ended, or is pending.

    In short turns: a signal that comes just before a wait without an end does not end it, and
    ctrl+c would be heard of when the task is over.
    """
    while not run.rested.wait(HEED_EVERY_S):
        pass


def _not_begun(task: Task) -> Aborted:
    return Aborted(f"{task.action} {task.target_name} was not begun")


def _is_numbered(run: _Run) -> bool:
    return any(isinstance(value, str) and value.startswith("#") for value in run.given.values())


def known(host: Host, ref: Ref) -> Any:
    """The model object that ``ref`` names, as known now; None when there is none."""
    return Fleet(hosts={host.name: host.snapshot}).find(ref)


def find(host: Host, ref: Ref, name: str = "") -> Any:
    """The model object that ``ref`` names, as known now. Raises NotFound, with its ``name``."""
    thing = known(host, ref)
    if thing is None:
        raise NotFound(f"host {host.name} has no {ref.kind} {name or ref.key!r} any more")
    return thing


def _failure(error: BaseException, task: Task) -> tuple[TaskState, str, str]:
    """Its state, sentence and advice; nothing of an error is left out."""
    what = f"{task.action} {task.target_name}"
    if hasattr(error, "get_error_code"):
        error = from_libvirt(error, f"{what} failed")
    if isinstance(error, Aborted):
        return TaskState.ABORTED, str(error), error.advice
    if isinstance(error, TuivirtError):
        return TaskState.FAILED, str(error), error.advice
    _log.error("%s: unexpected %s", what, type(error).__name__, exc_info=error)
    text = f"{what}: unexpected {type(error).__name__}: {error}"
    return TaskState.FAILED, text, "this is a defect of tuivirt; its log has the details"
