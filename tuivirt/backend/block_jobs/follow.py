"""A block job under way: begun, followed by libvirt's events, gone over to, ended."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, NotFound, TuivirtError, from_libvirt, is_gone, is_open
from ..events import DomainEvent
from ..lifecycle import Progress, touch
from ..model.block_job import told
from ..waiters import Waiter, domain_event
from .read import chains_of, job_on

if TYPE_CHECKING:
    from ..host import Host

LOOK_S = 0.5
"""How often it is asked how far it is."""
MISSES = 10
"""How often in turn there may be no answer of an open connection."""
LOST_S = 5.0
"""How long the event of a job that is over may take to come."""


class End(Enum):
    """How a job stands once there is nothing to wait for."""

    READY = "ready"
    """Both images are equal, and are kept so."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    OFF = "off"
    """The domain has stopped, and the job with it."""
    GONE = "gone"
    """It is over; how, no event has told."""


_STATUS = {
    libvirt.VIR_DOMAIN_BLOCK_JOB_COMPLETED: End.COMPLETED,
    libvirt.VIR_DOMAIN_BLOCK_JOB_FAILED: End.FAILED,
    libvirt.VIR_DOMAIN_BLOCK_JOB_CANCELED: End.CANCELED,
    libvirt.VIR_DOMAIN_BLOCK_JOB_READY: End.READY,
}


class Followed:
    """One job on one disk. The waiter is there before the job is begun, as ``with`` begins."""

    def __init__(
        self, host: Host, domain: Any, target: str, *, saying: str, progress: Progress | None = None
    ) -> None:
        self._host = host
        self._domain = domain
        self._name = domain.name()
        self._uuid = domain.UUIDString()
        self._target = target
        self._saying = saying
        self._progress = progress
        self._end: End | None = None
        self._misses = 0
        wanted = domain_event(self._uuid, "block-job-2", "lifecycle")
        self._waiter = Waiter(host, wanted)

    def __enter__(self) -> Followed:
        self._waiter.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._waiter.__exit__(*error)
        touch(self._host, self._uuid)

    def begin(self, call: Callable[[], Any], what: str) -> None:
        """Begin it. Raises TuivirtError with libvirt's reason where it cannot be."""
        if self._progress is not None:
            self._progress(self._saying, None)
        try:
            call()
        except libvirt.libvirtError as error:
            raise from_libvirt(error, what, advice_for(error)) from error

    def wait(self, aborted: threading.Event | None = None, *, ready: bool = False) -> End:
        """Wait until it is over, or ``ready``. Raises Aborted, when the job still runs.

        Raises TuivirtError where it cannot be asked any more: it then goes on by itself.
        """
        self._end = None

        def over() -> bool:
            self._end = self._look(ready)
            return self._end is not None

        self._waiter.until(over, math.inf, aborted=aborted, look_again_s=LOOK_S)
        assert self._end is not None
        if self._end is not End.GONE:
            return self._end
        # What it did is done; the event that says how comes right after.
        self._waiter.until(lambda: self._told(ready=False) is not None, LOST_S)
        return self._told(ready=False) or End.GONE

    def pivot(self, what: str) -> End:
        """Go over to the other image; how the job ended. Raises TuivirtError.

        Source: virDomainBlockJobAbort with PIVOT.
        """
        self.begin(
            lambda: self._domain.blockJobAbort(
                self._target, libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT
            ),
            what,
        )
        return self.wait()

    def cancel(self, what: str) -> End:
        """End it where it is: the guest stays on the image that it had. Raises TuivirtError.

        Source: virDomainBlockJobAbort.
        """
        try:
            self._domain.blockJobAbort(self._target, 0)
        except libvirt.libvirtError as error:
            if self._look(ready=False) is None:
                raise from_libvirt(error, what) from error
        return self.wait()

    def _told(self, *, ready: bool) -> End | None:
        """What the events have said so far."""
        said = None
        for event in self._waiter.events:
            if isinstance(event, DomainEvent) and event.family == "block-job-2":
                status = event.detail.get("status")
                if event.detail.get("disk") == self._target and isinstance(status, int):
                    end = _STATUS.get(status)
                    if end is not End.READY or ready:
                        said = end or said
        return said

    def _look(self, ready: bool) -> End | None:
        said = self._told(ready=ready)
        if said is not None:
            return said
        try:
            if not self._domain.isActive():
                return End.OFF
            chain = chains_of(self._domain).get(self._target)
            job = job_on(self._domain, chain) if chain is not None else None
        except libvirt.libvirtError as error:
            if is_gone(error) or _is_off(error):
                return End.OFF
            self._unanswered(from_libvirt(error, ""))
            return None
        except NotFound:
            return End.OFF  # A transient domain that has stopped.
        except TuivirtError as error:
            self._unanswered(error)
            return None
        self._misses = 0
        if job is None:
            return End.GONE
        if self._progress is not None:
            self._progress(f"{self._saying}: {told(job)}", job.fraction)
        return End.READY if ready and job.ready else None

    def _unanswered(self, error: TuivirtError) -> None:
        """A hypervisor that ends breaks off its answers before libvirt knows it to be off.

        Raises TuivirtError where it is more than that.
        """
        self._misses += 1
        if self._misses < MISSES and is_open(self._domain.connect()):
            return
        raise TuivirtError(
            f"cannot tell how far the job on {self._target} of {self._name} is",
            error.why or str(error),
            f"it goes on by itself; see: tuivirt blockjob {self._name} {self._target}",
            code=error.code,
        ) from error


def stop(job: Followed, aborted: Aborted, what: str, left: str) -> End:
    """End a job whose operator has aborted it. Raises Aborted, with what is ``left``.

    Returns COMPLETED where it had come to its end by itself just then. Raises TuivirtError where
    it cannot be ended.
    """
    try:
        end = job.cancel(f"{what} could not be aborted")
    except TuivirtError as error:
        error.done = "it goes on"
        raise
    if end is End.COMPLETED:
        return end
    off = "the domain has stopped; " if end is End.OFF else ""
    raise Aborted(f"{what} was aborted", off + left) from aborted


def _is_off(error: libvirt.libvirtError) -> bool:
    return bool(error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID)


def advice_for(error: libvirt.libvirtError) -> str:
    """What to do where libvirt's words say little."""
    text = (error.get_error_message() or "").lower()
    if "already in use" in text or "block copy job" in text or "block job" in text:
        return "another job runs on this disk: tuivirt blockjob tells which, and ends it"
    if "no space" in text:
        return "make room where the image lies"
    if "no such file" in text:
        return (
            "the hypervisor does not see it: what is mounted after a guest's start may not be there"
        )
    if re.search(r"\block\b", text):  # Not that of blockdev-add.
        return "another process has the image: find out which (fuser -v on the host)"
    if "permission denied" in text:
        return "the hypervisor's user may not write there: another folder, or other rights"
    if "read-only file system" in text:
        return "nothing can be written there: name another folder"
    if "read-only" in text:
        return "the image cannot be written to"
    return ""
