"""A run of an action, as the tasks panel shows it."""

from __future__ import annotations

import time
from enum import StrEnum

from .record import record
from .ref import Ref


class TaskState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    PENDING = "pending"
    """Asked for, but the guest has not done it yet; it is being followed."""
    FAILED = "failed"
    ABORTED = "aborted"


@record(frozen=True, slots=True)
class Task:
    """One run of one action on one object."""

    id: int
    action: str
    """The action's name, as in ``attach-disk``."""
    target: Ref
    target_name: str
    started: float
    """Wall clock, seconds since the epoch."""
    state: TaskState = TaskState.RUNNING
    ended: float | None = None
    """As long after ``started`` as it took, whatever was done to the clock meanwhile."""
    fraction: float | None = None
    """0 to 1; None when it cannot be told."""
    text: str = ""
    """What it is doing, or how it ended, in a sentence."""
    advice: str = ""
    virsh: str = ""
    """The command that would have done the same."""
    abortable: bool = False
    other: str = ""
    """Another host, by name, whose connection it needs as well; several with commas between."""
    since: float | None = None
    """``started`` by the monotonic clock."""
    begun: bool = False
    """It told what it does: more was done than to look whether it may."""
    told: str = ""
    """What has to be known while it is under way, as where something is offered; a sentence."""

    def so_far_s(self) -> float:
        """For how long it has been under way."""
        if self.since is None:
            return max(0.0, time.time() - self.started)
        return time.monotonic() - self.since
