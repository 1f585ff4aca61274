"""Events in the words of a list: when, where, of what, what."""

from __future__ import annotations

from tuivirt.backend.events import (
    Event,
    LibvirtEvent,
    LinkChanged,
    Noticed,
    TaskChanged,
)
from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import TaskState

__all__ = ["Event", "Happening", "about_jobs", "about_snapshots", "happening", "is_progress"]


def is_progress(event: Event) -> bool:
    """A task tells how far it is, and no more than that."""
    if not isinstance(event, TaskChanged):
        return False
    return event.task.state is TaskState.RUNNING and event.task.fraction is not None


_OF_JOBS = frozenset({"block-job-2", "job-completed", "metadata-change"})


def about_jobs(event: Event) -> Ref | None:
    """The domain whose jobs have ended by this, or may have begun; None: it is of no jobs.

    tuivirt notes a block job in the domain's metadata before it begins; libvirt has no event.
    """
    if isinstance(event, LibvirtEvent) and event.family in _OF_JOBS:
        return event.ref
    return None


def about_snapshots(event: Event) -> bool:
    """Whether a domain went back to a snapshot; of all else about them libvirt has no event."""
    return (
        isinstance(event, LibvirtEvent)
        and event.family == "lifecycle"
        and "from snapshot" in event.what
    )


@record(frozen=True, slots=True)
class Happening:
    """An event as a row."""

    at: float
    """Wall clock, seconds since the epoch."""
    host: str
    family: str
    ref: Ref | None
    """What it is about; None where it is about no object."""
    name: str
    what: str
    detail: str
    severity: str = "information"
    """information, warning or error."""


def happening(event: Event) -> Happening | None:
    """The event as a row; None for what is no news to an operator (a task's progress)."""
    if isinstance(event, LibvirtEvent):
        # The reason is part of `what` already, in words.
        detail = " ".join(
            f"{key}={value}"
            for key, value in event.detail.items()
            if key not in ("event", "detail", "reason") and value not in (None, "")
        )
        bad = event.what.startswith(("crashed", "io-error", "I/O error")) or "failed" in event.what
        level = "warning" if bad else "information"
        return Happening(
            event.at, event.host, event.family, event.ref, event.name, event.what, detail, level
        )
    if isinstance(event, LinkChanged):
        well = event.link in ("connected", "connecting")
        ref = Ref(event.host, Kind.HOST, event.host)
        level = "information" if well else "error"
        return Happening(
            event.at, event.host, "connection", ref, event.host, event.link, event.reason, level
        )
    if isinstance(event, Noticed):
        return Happening(
            event.at, event.host, "notice", event.target, "", event.text, "", event.severity
        )
    if isinstance(event, TaskChanged):
        task = event.task
        if task.state is TaskState.RUNNING:
            return None
        level = {TaskState.FAILED: "error", TaskState.DONE: "information"}.get(
            task.state, "warning"
        )
        return Happening(
            event.at,
            event.host,
            f"task {task.action}",
            task.target,
            task.target_name,
            f"{task.state}: {task.text}" if task.text else str(task.state),
            "",
            level,
        )
    return None
