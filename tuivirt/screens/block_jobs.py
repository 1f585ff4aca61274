"""Block jobs that no task of this session follows, as rows among the tasks.

Others began them: virsh, a backup program, a tuivirt that is gone. libvirt tells when one ends,
not when one begins, so they are looked for as long as somebody looks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from tuivirt.actions import lookups
from tuivirt.actions.by_hand import where
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.happenings import Event, about_jobs
from tuivirt.actions.template import fill
from tuivirt.backend.model.block_job import Running, told
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.task import Task, TaskState

LOOK_S = 2.0
"""How often those that are known are asked how far they are."""
FIND_S = 10.0
"""How often others are looked for, at most."""
SHARE = 20
"""Looking for them may take a part of the time as small as this."""
_WHOLE = frozenset({"snapshot-delete", "snapshot-create", "backup-begin", "migrate"})
"""Tasks whose own jobs run on any of the domain's disks."""
_OF_DISK = frozenset({"blockcopy", "blockcommit", "blockpull", "blockresize"})

LookUp = Callable[..., None]


class BlockJobs:
    """What is known of them; the screen says when to look, and draws."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._known: dict[str, tuple[Running, ...]] = {}
        self._wrong: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        """By host, when all were asked for."""
        self._took: dict[str, float] = {}
        self._asking: set[str] = set()
        self._stale: dict[str, set[str]] = {}
        """By host, the domains that something happened to."""
        self._last: Event | None = None

    def hear(self, events: Sequence[Event] | deque[Event]) -> bool:
        """Take note of whose jobs have ended, or may have begun, since the last time.

        Whether there are any.
        """
        heard = False
        for event in reversed(events):
            if event is self._last:
                break
            if (ref := about_jobs(event)) is not None:
                self._stale.setdefault(ref.host, set()).add(ref.key)
                heard = True
        if events:
            self._last = events[-1]
        return heard

    def look(self, fleet: Fleet, look_up: LookUp) -> None:
        """Ask what has to be asked now."""
        now = time.monotonic()
        for gone in {*self._known, *self._wrong, *self._stale} - fleet.hosts.keys():
            for about in (self._known, self._wrong, self._stale):
                about.pop(gone, None)
        for name, host in fleet.hosts.items():
            if host.link is not Link.CONNECTED or name in self._asking:
                continue
            every = max(FIND_S, self._took.get(name, 0.0) * SHARE)
            if now - self._asked.get(name, float("-inf")) >= every:
                self._asked[name] = now
                self._stale.pop(name, None)
                self._ask(name, None, look_up)
                continue
            wanted = self._stale.pop(name, set())
            wanted |= {each.ref.key for each in self._known.get(name, ())}
            if wanted:
                self._ask(name, frozenset(wanted), look_up)

    def _ask(self, host: str, uuids: frozenset[str] | None, look_up: LookUp) -> None:
        self._asking.add(host)
        began = time.monotonic()

        def taken(answer: Sequence[Running] | TuivirtError) -> None:
            self._asking.discard(host)
            if uuids is None:
                self._took[host] = time.monotonic() - began
            if isinstance(answer, TuivirtError):
                self._wrong[host] = str(answer)
            else:
                self._wrong.pop(host, None)
                others = self._known.get(host, ()) if uuids is not None else ()
                kept = (each for each in others if uuids and each.ref.key not in uuids)
                self._known[host] = (*kept, *answer)
            self._changed()

        look_up(host, lookups.block_jobs, uuids, then=taken)

    @property
    def wrong(self) -> str:
        """Why those of a host are not known; ''."""
        return next(iter(self._wrong.values()), "")

    def tasks(self, fleet: Fleet) -> dict[tuple[str, str, str, str], Task]:
        """Those that none of its tasks follows, as tasks without a number and a beginning."""
        followed = [task for task in fleet.tasks if task.ended is None]
        return {
            ("job", each.ref.host, each.ref.key, each.job.target): _task(each, fleet)
            for running in self._known.values()
            for each in running
            if not any(_follows(task, each) for task in followed)
        }


def _follows(task: Task, running: Running) -> bool:
    if task.target != running.ref:
        return False
    return task.action in _WHOLE or (
        task.action in _OF_DISK and f" {running.job.target} " in f"{task.virsh} "
    )


def _task(running: Running, fleet: Fleet) -> Task:
    job, host = running.job, fleet.hosts.get(running.ref.host)
    backup = job.kind == "backup"
    to = f" to {job.other}" if job.other else ""
    return Task(
        id=0,
        action=f"{job.kind[:1].upper()}{job.kind[1:]} of {job.target}",
        target=running.ref,
        target_name=running.name,
        started=0.0,
        state=TaskState.PENDING if job.ready else TaskState.RUNNING,
        fraction=None if job.ready else job.fraction,
        text=f"{told(job)}: {job.target}{to}; no task of this session follows it",
        advice="it goes over, or stays, by: tuivirt blockjob" if job.ready else "",
        virsh=fill(
            "virsh domjobinfo {name}" if backup else "virsh blockjob {name} {path} --info",
            running.name,
            {"path": job.target, **(where(host, several=fleet.several) if host else {})},
        ),
        abortable=True,
    )


def ends_by(task: Task) -> tuple[str, dict[str, object]]:
    """The action, and all of its options, that ends a job which no task follows."""
    if task.action.startswith("Backup"):
        return "backup-end", {"force": True}
    disk = task.action.rpartition(" ")[2]
    return "blockjob", {"path": disk, "abort": True, "pivot": False, "bandwidth": None}
