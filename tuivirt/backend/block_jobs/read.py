"""What the disks of a domain lie on now, and which jobs run on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, TuivirtError, from_libvirt, if_offered
from ..model.block_job import BlockJob, Chain
from ..xml.chain import parse_chains
from ..xml.errors import XmlError

if TYPE_CHECKING:
    from ..host import Host

_KINDS = {
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_PULL: "pull",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_COPY: "copy",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT: "commit",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT: "active commit",
    libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP: "backup",
}
_DOMAIN_JOBS = {
    libvirt.VIR_DOMAIN_JOB_OPERATION_START: "it is started",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE: "it is saved",
    libvirt.VIR_DOMAIN_JOB_OPERATION_RESTORE: "it is restored",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: "it arrives from another host",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: "it is moved to another host",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT: "a snapshot of it is taken",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT: "it goes back to a snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_DUMP: "its memory is dumped",
    libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP: "it is backed up",
}


def chains_of(domain: Any, *, saved: bool = False) -> dict[str, Chain]:
    """By target: the chains as libvirt tells them now, or of the ``saved`` configuration.

    Of that one and of a domain that is off only the uppermost image is told, mostly.
    Source: virDomainGetXMLDesc. Raises TuivirtError.
    """
    what = f"cannot read the disks of {domain.name()}"
    try:
        return parse_chains(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if saved else 0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def chain_of(domain: Any, path: str) -> Chain:
    """The chain of the disk with that target, or with that image. Raises BadInput, TuivirtError."""
    found = chains_of(domain)
    for target, chain in found.items():
        if path == target or (path.startswith("/") and path == chain.source):
            return chain
    raise BadInput(
        f"{domain.name()} has no disk {path!r}", f"it has {', '.join(sorted(found)) or 'none'}"
    )


def job_on(domain: Any, chain: Chain) -> BlockJob | None:
    """The job on that disk now, or None. Raises libvirtError.

    Source: virDomainGetBlockJobInfo.
    """
    if not chain.source or chain.device in ("cdrom", "floppy"):
        return None
    flags = libvirt.VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES
    info = if_offered(lambda: domain.blockJobInfo(chain.target, flags), None)
    mirror = chain.mirror
    if not info:
        return None
    return BlockJob(
        target=chain.target,
        kind=_KINDS.get(info.get("type"), "unknown"),
        done=int(info.get("cur", 0)),
        end=int(info.get("end", 0)),
        bytes_per_s=int(info.get("bandwidth", 0)),
        ready=mirror is not None and mirror.ready,
        other=mirror.path if mirror is not None else "",
    )


def jobs_of(domain: Any) -> tuple[BlockJob, ...]:
    """All of a domain's block jobs; () while it is off. One call for each disk.

    Raises TuivirtError.
    """
    try:
        if not domain.isActive():
            return ()
        found = [job_on(domain, chain) for chain in chains_of(domain).values()]
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot read the block jobs of {domain.name()}") from error
    return tuple(job for job in found if job is not None)


def busy_with(domain: Any) -> str:
    """What job of the whole domain runs now, a clause; '' for none.

    Source: virDomainGetJobStats. A driver that tells none has none.
    """
    try:
        stats = domain.jobStats(0)
    except libvirt.libvirtError:
        return ""
    if stats.get("type", libvirt.VIR_DOMAIN_JOB_NONE) == libvirt.VIR_DOMAIN_JOB_NONE:
        return ""
    return _DOMAIN_JOBS.get(stats.get("operation", 0), "another job of it runs")


def running(host: Host, uuid: str, what: str) -> Any:
    """The virDomain of one that runs. Raises BadInput for one that is off, NotFound."""
    domain = host.domain(uuid)
    try:
        active = bool(domain.isActive())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    if not active:
        raise BadInput(
            what,
            f"{domain.name()} is off: block jobs are its hypervisor's work",
            f"start it, paused if it shall do nothing: tuivirt start {domain.name()} --paused",
        )
    return domain
