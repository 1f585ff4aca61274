"""A job under way: asked about, aborted, hurried. Anybody's job, not only ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from ..errors import TuivirtError, from_libvirt
from ..lifecycle import domain_to_change
from .gather import OPERATIONS
from .job import MIB, Figures, figures_of
from .options import MOST_DOWNTIME_MS, MOST_MIB_PER_S, check_most

if TYPE_CHECKING:
    from ..host import Host


def job_info(host: Host, uuid: str, *, completed: bool = False) -> str:
    """What a domain is busy with, or (``completed``) what its last job was, as lines.

    Source: virDomainGetJobStats.
    """
    domain = host.domain(uuid)
    # The figures of the last job are forgotten once they were read, unless they are kept.
    flags = libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED | libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED
    try:
        figures = figures_of(domain.jobStats(flags if completed else 0))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID and not domain.isActive():
            return f"{domain.name()} is off, and has no job"
        raise from_libvirt(error, f"cannot ask about the job of {domain.name()}") from error
    if not figures.type:
        return f"{domain.name()} has had no job" if completed else f"{domain.name()} has no job"
    return "\n".join(_lines(figures))


def _lines(figures: Figures) -> list[str]:
    rows = [("job", OPERATIONS.get(figures.operation, "another job"))]
    rows.append(("for", f"{figures.elapsed_ms / 1000:.1f} s"))
    if figures.disk_total:
        rows.append(("images", _share(figures.disk_done, figures.disk_total, figures.disk_per_s)))
    if figures.memory_total:
        done = figures.memory_total - figures.memory_remaining
        rows.append(("memory", _share(done, figures.memory_total, figures.memory_per_s)))
    if figures.iteration:
        rows.append(("round", str(figures.iteration)))
    if figures.downtime_ms is not None:
        rows.append(("downtime", f"{figures.downtime_ms} ms"))
    if figures.throttle_percent:
        rows.append(("guest slowed", f"{figures.throttle_percent} %"))
    if figures.postcopy_requests:
        rows.append(("post-copy", f"{figures.postcopy_requests} pages asked for"))
    if figures.error:
        rows.append(("error", figures.error))
    return [f"{title:<14}{value}" for title, value in rows]


def _share(done: int, total: int, per_s: int) -> str:
    rate = f", {per_s / MIB:.0f} MiB/s" if per_s else ""
    return f"{done / MIB:.0f} of {total / MIB:.0f} MiB{rate}"


def abort_job(host: Host, uuid: str) -> str:
    """End what a domain is busy with; the guest goes on where it is. Source: virDomainAbortJob."""
    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        figures = figures_of(domain.jobStats(0))
        domain.abortJob()
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot abort the job of {name}", _advice(error)) from error
    what = OPERATIONS.get(figures.operation, "its job")
    return f"{what} of {name} is being aborted; it goes on where it is"


def set_max_downtime(host: Host, uuid: str, milliseconds: int) -> str:
    """For how long the guest may stand still at the end. Source: virDomainMigrateSetMaxDowntime."""
    check_most("the downtime", milliseconds, MOST_DOWNTIME_MS)
    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        domain.migrateSetMaxDowntime(milliseconds, 0)
        now = int(domain.migrateGetMaxDowntime(0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot limit the downtime of {name}") from error
    if now != milliseconds:
        raise TuivirtError(f"the downtime of {name} is limited to {now} ms still")
    return f"moving {name} may stop it for {now} ms at most"


def set_speed(host: Host, uuid: str, mib_per_s: int, *, postcopy: bool = False) -> str:
    """How much of the line a migration may take. Source: virDomainMigrateSetMaxSpeed."""
    check_most("the speed", mib_per_s, MOST_MIB_PER_S)
    domain = domain_to_change(host, uuid)
    name = domain.name()
    flags = libvirt.VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY if postcopy else 0
    try:
        domain.migrateSetMaxSpeed(mib_per_s, flags)
        now = int(domain.migrateGetMaxSpeed(flags))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot limit the speed at which {name} is moved") from error
    if now != mib_per_s:
        raise TuivirtError(f"{name} is moved at {now} MiB/s at most still")
    return f"{name} is moved at {now} MiB/s at most{' in post-copy' if postcopy else ''}"


def start_postcopy(host: Host, uuid: str) -> str:
    """Let the guest run on the target at once, its memory following.

    From here on it cannot be aborted. Source: virDomainMigrateStartPostCopy.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        domain.migrateStartPostCopy(0)
    except libvirt.libvirtError as error:
        raise from_libvirt(
            error, f"cannot switch {name} to post-copy", "it must be moved with --postcopy"
        ) from error
    return f"{name} is in post-copy: it runs on the target, and its memory follows"


def _advice(error: libvirt.libvirtError) -> str:
    if "post-copy" in str(error).lower() or "postcopy" in str(error).lower():
        return "in post-copy its memory lies on both hosts: it can only come to its end"
    return ""
