"""Whom a task waits for: a host or a domain that does not answer, and since when."""

from __future__ import annotations

import time

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.widgets.text import age

OPEN = (TaskState.RUNNING, TaskState.PENDING)
"""A task that has not ended."""


def waits_for(task: Task, fleet: Fleet) -> str:
    """``no answer for 12 s: waits for host srv1``; '' where the task goes on, or has ended.

    Since when stands first: a narrow column cuts the end.
    """
    host = fleet.hosts.get(task.target.host)
    if task.state not in OPEN or host is None:
        return ""
    if host.link is not Link.CONNECTED:
        lost = "" if host.link is Link.STALLED else f", which is {host.link}"
        return f"{_silent(host.data_at)}: waits for host {host.name}{lost}"
    domain = fleet.domain(task.target)
    if domain is not None and domain.stalled_since is not None:
        return f"{_silent(domain.stalled_since)}: waits for {domain.name}"
    return ""


def _silent(since: float | None) -> str:
    return "no answer" if since is None else f"no answer for {age(time.monotonic() - since)}"
