"""libvirt's backup job, watched to its end: by its event, and by looks where that got lost."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import libvirt

from ..errors import (
    NotConnected,
    NotFound,
    TuivirtError,
    from_libvirt,
    is_gone,
    is_open,
    is_unsupported,
)
from ..events import DomainEvent
from ..lifecycle import Progress
from ..model.record import record
from ..model.size import spelled
from ..waiters import Waiter, domain_event, lifecycle

if TYPE_CHECKING:
    from ..host import Host

EVERY_S = 0.5
"""How often it is asked how far it is."""
AWAY_S = 120.0
"""How long a connection that broke is waited for, as the job goes on without it."""
_EVENT_S = 3.0
"""How long the event of a job that is over may take."""


@record(frozen=True, slots=True)
class Ended:
    """How a job ended."""

    how: str
    """completed, failed, cancelled, or unknown: it is over, and nobody can tell how."""
    why: str = ""


def waiter_for(host: Host, uuid: str) -> Waiter:
    """To be entered before the job is begun, so that its end is not missed."""
    return Waiter(host, domain_event(uuid, "job-completed", "lifecycle"))


def follow(
    host: Host,
    uuid: str,
    waiter: Waiter,
    *,
    saying: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> Ended:
    """Wait until the backup of a domain is over, and end it when ``aborted`` is set.

    Where the connection breaks it is waited for: the job does not need it. Raises TuivirtError
    when it does not come back. Source: the event VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
    virDomainGetJobStats, virDomainAbortJob.
    """
    asked = False
    away_since: float | None = None
    if progress is not None:
        progress(saying, None)  # It has begun, however soon it ends.
    while True:
        known = _told(waiter)
        if known is not None:
            return _as_meant(known, asked)
        try:
            runs, said, fraction = _look(host, uuid)
            away_since = None
        except _Away as error:
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > AWAY_S:
                raise NotConnected("libvirt could not be asked any more", str(error)) from error
            runs, said, fraction = True, f"it cannot be asked now ({error})", None
        if not runs:
            waiter.until(lambda: _told(waiter) is not None, _EVENT_S)
            known = _told(waiter) or remembered(host, uuid)
            return _as_meant(known, asked)
        if progress is not None:
            progress(": ".join(word for word in (saying, said) if word), fraction)
        if aborted is not None and aborted.is_set() and not asked and away_since is None:
            asked = end(host, uuid)
        waiter.until(lambda: _told(waiter) is not None, EVERY_S)


class _Away(Exception):
    """libvirt cannot be asked now."""


def _look(host: Host, uuid: str) -> tuple[bool, str, float | None]:
    """Whether a backup runs, and how far it is."""
    try:
        stats = host.domain(uuid).jobStats(0)
    except NotFound:
        return False, "", None
    except TuivirtError as error:
        raise _Away(str(error)) from error
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID or is_gone(error):
            return False, "", None
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_TIMEOUT:
            return True, "", None  # Another job holds the domain, for a moment.
        if is_unsupported(error):
            raise from_libvirt(error, "cannot ask about the backup") from error
        raise _Away(str(error)) from error
    if not stats.get("type"):
        return False, "", None
    total, done = int(stats.get("disk_total") or 0), int(stats.get("disk_processed") or 0)
    if not total:
        return True, "", None
    return True, f"{spelled(done)} of {spelled(total)}", min(1.0, done / total)


def _told(waiter: Waiter) -> Ended | None:
    """What events said of its end."""
    for event in waiter.events:
        if not isinstance(event, DomainEvent):
            continue
        detail = event.detail
        if event.family == "job-completed":
            if detail.get("operation") != libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP:
                continue
            if detail.get("success"):
                return Ended("completed")
            why = str(detail.get("errmsg") or "")
            return Ended("failed" if why else "cancelled", why)
        if lifecycle(event, libvirt.VIR_DOMAIN_EVENT_STOPPED):
            return Ended("failed", "the guest stopped meanwhile")
    return None


def remembered(host: Host, uuid: str) -> Ended:
    """How libvirt remembers the last job, where its event got lost."""
    flags = libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED | libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED
    try:
        stats = host.domain(uuid).jobStats(flags)
    except (libvirt.libvirtError, TuivirtError) as error:
        return Ended("unknown", f"it is over, and libvirt does not know how it ended: {error}")
    if stats.get(libvirt.VIR_DOMAIN_JOB_OPERATION) != libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP:
        return Ended("unknown", "it is over, and libvirt does not know any more how it ended")
    kinds = {
        libvirt.VIR_DOMAIN_JOB_COMPLETED: "completed",
        libvirt.VIR_DOMAIN_JOB_FAILED: "failed",
        libvirt.VIR_DOMAIN_JOB_CANCELLED: "cancelled",
    }
    return Ended(kinds.get(stats.get("type"), "unknown"), str(stats.get("errmsg") or ""))


def _as_meant(ended: Ended, asked: bool) -> Ended:
    return Ended("cancelled", ended.why) if asked and ended.how == "failed" else ended


def end(host: Host, uuid: str) -> bool:
    """Ask libvirt to end the job; False when it cannot be yet, or is over. virDomainAbortJob."""
    try:
        host.domain(uuid).abortJob()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID or is_gone(error):
            return False
        if is_away(host):
            return False
        raise from_libvirt(error, "cannot end the backup") from error
    except TuivirtError:
        return False  # It cannot be asked now; it is asked again.
    return True


def is_away(host: Host) -> bool:
    """Whether the connection does not stand."""
    try:
        return not is_open(host.conn)
    except TuivirtError:
        return True
