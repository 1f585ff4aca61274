"""A volume is deleted, or what is in it is: never while somebody has it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt, is_gone
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..snapshots.judge import refuse
from .create import advice_for
from .find import Found, find, human, touch
from .judge import in_use
from .slow import call_slowly
from .unfinished import findings as of_uploads
from .unfinished import settle

if TYPE_CHECKING:
    from ..host import Host

ALGORITHMS = {
    "zero": libvirt.VIR_STORAGE_VOL_WIPE_ALG_ZERO,
    "nnsa": libvirt.VIR_STORAGE_VOL_WIPE_ALG_NNSA,
    "dod": libvirt.VIR_STORAGE_VOL_WIPE_ALG_DOD,
    "bsi": libvirt.VIR_STORAGE_VOL_WIPE_ALG_BSI,
    "gutmann": libvirt.VIR_STORAGE_VOL_WIPE_ALG_GUTMANN,
    "schneier": libvirt.VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER,
    "pfitzner7": libvirt.VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7,
    "pfitzner33": libvirt.VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33,
    "random": libvirt.VIR_STORAGE_VOL_WIPE_ALG_RANDOM,
    "trim": libvirt.VIR_STORAGE_VOL_WIPE_ALG_TRIM,
}
"""virsh's words; all but zero and trim need the program scrub on the host."""
_IMAGES = frozenset(("qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx"))


def _lost(found: Found) -> list[str]:
    volume = found.volume
    words = [human(volume.capacity_bytes), volume.format, volume.path]
    said = [f"   {', '.join(word for word in words if word)}"]
    if volume.backing:
        said.append(f"   {volume.backing}, on which it lies, stays as it is")
    return said


def _against(host: Host, found: Found, lost: str) -> list[Finding]:
    users = in_use(host, found, refresh=True)
    said = users.findings(Weight.REFUSED, found.name)
    said += of_uploads(host, found.volume, writing=True)
    return [*said, Finding(Weight.NOTE, lost)]


def plan_delete(host: Host, pool_key: str, values: Mapping[str, Any]) -> Plan:
    """What would be lost, and who has it. Raises TuivirtError."""
    found = find(host, pool_key, str(values["vol"]))
    findings = _against(host, found, f"{found.name} and what is in it are gone for good")
    steps = [f"{found.name} is deleted from pool {found.volume.pool}:", *_lost(found)]
    return Plan(found.name, tuple(steps), tuple(findings))


def delete(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Delete a volume, unless somebody has it; a sentence. Source: virStorageVolDelete.

    ``values``: vol, delete_snapshots. Raises Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    plan = plan_delete(host, pool_key, values)
    found = find(host, pool_key, str(values["vol"]))
    what = f"cannot delete {found.label}"
    refuse(plan, what, force)
    flags = libvirt.VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS if values.get("delete_snapshots") else 0
    try:
        call_slowly(
            lambda: found.handle.delete(flags),
            named=f"the deletion of {found.name}",
            saying="deleting it",
            far=lambda: None,
            aborted=aborted,
            progress=progress,
        )
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, what, advice_for(error)) from error
    finally:
        touch(host, found.pool)
    if _is_there(found):
        raise TuivirtError(what, "libvirt took the call, but it is still there")
    settle(host, found.volume)
    return f"{found.label} is deleted"


def _is_there(found: Found) -> bool:
    try:
        found.pool.storageVolLookupByName(found.name)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return False
        raise from_libvirt(error, f"cannot tell whether {found.label} is gone") from error
    return True


def plan_wipe(host: Host, pool_key: str, values: Mapping[str, Any]) -> Plan:
    """What would be lost, and who has it. Raises TuivirtError."""
    found = find(host, pool_key, str(values["vol"]))
    findings = _against(host, found, f"what is in {found.name} is lost for good")
    if found.volume.format in _IMAGES:
        text = f"it is no {found.volume.format} image any more then, but raw"
        findings.append(Finding(Weight.NOTE, text, "delete it and make it anew for an empty one"))
    steps = [f"{found.name} of pool {found.volume.pool} is written over:", *_lost(found)]
    return Plan(found.name, tuple(steps), tuple(findings))


def wipe(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Write over a volume, unless somebody has it. Source: virStorageVolWipePattern.

    ``values``: vol, algorithm. libvirt tells no progress of it, and cannot stop it. Raises
    Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    found = find(host, pool_key, str(values["vol"]))
    what = f"cannot wipe {found.label}"
    refuse(plan_wipe(host, pool_key, values), what, force)
    algorithm = str(values.get("algorithm") or "zero")
    try:
        call_slowly(
            lambda: found.handle.wipePattern(ALGORITHMS[algorithm], 0),
            named=f"the wiping of {found.name}",
            saying="writing over it",
            far=lambda: None,
            aborted=aborted,
            progress=progress,
            advice="until it ends there is neither the old in it nor nothing",
        )
    except libvirt.libvirtError as error:
        scrub = "" if algorithm in ("zero", "trim") else "--algorithm zero needs no program of it"
        failure = from_libvirt(error, what, advice_for(error) or scrub)
        if "failed to open" not in failure.why.lower():  # Else nothing has begun.
            failure.done = "a part of it may be overwritten"
        raise failure from error
    finally:
        touch(host, found.pool)
    settle(host, found.volume)
    return f"{found.label} is wiped ({algorithm})"
