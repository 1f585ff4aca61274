"""What the footer says of a task, and when a host's age is told."""

from __future__ import annotations

import time

from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.task import Task, TaskState

_SEVERITY = {
    TaskState.DONE: "information",
    TaskState.FAILED: "error",
    TaskState.ABORTED: "warning",
    TaskState.PENDING: "warning",
}


def notice_of(task: Task) -> tuple[str, str] | None:
    """The text and severity of a task's news; None while there is nothing to say."""
    if task.state is TaskState.RUNNING:
        return (f"{task.target_name}: {task.text}", "information") if task.text else None
    text = f"{task.text}. {task.advice}" if task.advice else task.text
    return text or f"{task.action} {task.target_name}", _SEVERITY[task.state]


def counts_on(host: HostSnapshot) -> bool:
    """Whether its screen changes with time alone: an age, or the next try, is told."""
    at = host.data_at
    late = at is not None and time.monotonic() - at > 3 * host.sampling.interval_s
    return at is None or host.retry_at is not None or late
