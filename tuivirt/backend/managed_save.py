"""Managed save: the guest's memory on the host's disk, taken up again by the next start."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import libvirt

from .errors import Aborted, TuivirtError, from_libvirt
from .job_call import call_as_job
from .lifecycle import Progress, domain_to_change, touch

if TYPE_CHECKING:
    from .host import Host


def managed_save(
    host: Host,
    uuid: str,
    *,
    bypass_cache: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Save the running guest's memory and stop it; the next start goes on from there.

    Aborting ends libvirt's job; the guest then goes on running. Source: virDomainManagedSave,
    progress from virDomainGetJobStats.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    flags = libvirt.VIR_DOMAIN_SAVE_BYPASS_CACHE if bypass_cache else 0
    error, asked = call_as_job(
        domain,
        lambda: domain.managedSave(flags),
        named=f"the saving of {name}",
        saying="saving its memory",
        aborted=aborted,
        progress=progress,
    )
    touch(host, domain.UUIDString())
    if error is not None:
        if not isinstance(error, libvirt.libvirtError):
            raise error
        if asked:
            raise Aborted(f"saving {name} was aborted", "it goes on running") from error
        raise from_libvirt(error, f"cannot save {name}") from error
    return f"{name} is saved and off; its next start goes on from here"


def managed_save_remove(host: Host, uuid: str) -> str:
    """Throw a managed save away: the next start boots afresh.

    Source: virDomainManagedSaveRemove.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    try:
        if not domain.hasManagedSaveImage(0):
            raise TuivirtError(f"{name} has no managed save")
        domain.managedSaveRemove(0)
        left = bool(domain.hasManagedSaveImage(0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot remove the managed save of {name}") from error
    finally:
        touch(host, domain.UUIDString())
    if left:
        raise TuivirtError(f"the managed save of {name} is still there")
    return f"the managed save of {name} is removed"
