"""Managed save: the guest's memory on the host's disk, taken up again by the next start."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import Aborted, TuivirtError, from_libvirt, is_gone
from .lifecycle import Progress, domain_to_change, touch

if TYPE_CHECKING:
    from .host import Host

PROGRESS_EVERY_S = 0.5


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
    ended = threading.Event()
    failure: list[BaseException] = []

    def save() -> None:
        try:
            domain.managedSave(flags)
        except BaseException as error:
            failure.append(error)
        finally:
            ended.set()

    # The call blocks until all is written; a thread of its own, so that this one can tell how
    # far it is and abort it.
    threading.Thread(target=save, name=f"managed-save {name}", daemon=True).start()
    asked = False
    while not ended.wait(PROGRESS_EVERY_S):
        if aborted is not None and aborted.is_set() and not asked:
            asked = _abort_job(domain, name)
        elif progress is not None:
            progress("saving its memory", _fraction(domain))
    touch(host, domain.UUIDString())
    if failure:
        error = failure[0]
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


def _fraction(domain: Any) -> float | None:
    """How far the job is, 0 to 1; None where the driver does not tell."""
    try:
        stats = domain.jobStats(0)
    except libvirt.libvirtError:
        # Not offered by this driver, or the job ended just now: the save itself tells.
        return None
    total = stats.get("data_total") or stats.get("memory_total") or 0
    done = stats.get("data_processed") or stats.get("memory_processed") or 0
    return min(1.0, done / total) if total else None


def _abort_job(domain: Any, name: str) -> bool:
    """Whether the job was told to end; False when it cannot be yet (it is asked again)."""
    try:
        domain.abortJob()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID or is_gone(error):
            return False  # No job to abort: not begun, or over.
        raise from_libvirt(error, f"cannot abort the saving of {name}") from error
    return True
