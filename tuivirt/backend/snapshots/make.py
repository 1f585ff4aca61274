"""A snapshot is taken."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, TuivirtError, from_libvirt, with_rest
from ..here import is_here
from ..job_call import call_as_job
from ..lifecycle import Progress, domain_to_change, touch
from ..lookups import domain_detail
from ..model.finding import Finding, Plan, Weight
from ..owners import against_overwriting
from ..xml.snapshot import new_snapshot
from . import bitmaps
from .judge import Taken, as_virsh, refuse, settle
from .offered import facts_of
from .read import snapshots_of

if TYPE_CHECKING:
    from ..host import Host


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be taken, and what speaks against it. Raises TuivirtError."""
    taken = settled(host, uuid, values)
    name = host.domain(uuid).name()
    return Plan(name, taken.steps, taken.findings, (("name_", taken.name),))


def settled(host: Host, uuid: str, values: Mapping[str, Any]) -> Taken:
    """The options as they are meant for this domain as it is now. Raises TuivirtError."""
    names = [each.name for each in snapshots_of(host, uuid)]
    taken = settle(facts_of(host, uuid), values, taken_names=names)
    against = _against_file(host, taken.memory_file) if taken.memory_file.startswith("/") else []
    if not taken.active:
        against += bitmaps.against_taking(host, uuid)
    return replace(taken, findings=(*taken.findings, *against))


def _against_file(host: Host, path: str) -> list[Finding]:
    """libvirt writes a guest's memory over whatever is there."""
    said = against_overwriting(host, path)
    if is_here(host) and os.path.lexists(path) and not said:
        text = f"there is {path} already, and what it holds would be lost"
        said.append(Finding(Weight.RISK, text, "name another file: --memspec"))
    return said


def create(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
    chose: Callable[..., None] | None = None,
) -> str:
    """Take a snapshot; a sentence of what was taken. ``chose`` is told it as `as_virsh` has it.

    Aborting ends libvirt's job where its memory goes to a file; the guest goes on. Raises Aborted,
    BadInput, TuivirtError. Source: virDomainSnapshotCreateXML.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot take a snapshot of {name}"
    taken = settled(host, uuid, values)
    refuse(Plan(name, taken.steps, taken.findings), what, force)
    if chose is not None:
        chose(**as_virsh(taken))
    xml = new_snapshot(
        taken.name,
        taken.description,
        disks=taken.disks,
        overlays=taken.overlays,
        memory=taken.memory if taken.active else "",
        memory_file=taken.memory_file,
    )
    error, asked = call_as_job(
        domain,
        lambda: domain.snapshotCreateXML(xml, _flags(taken, values)),
        named=f"the snapshot of {name}",
        saying="writing its memory" if taken.memory != "no" else "taking its disks",
        aborted=aborted,
        progress=progress,
    )
    touch(host, domain.UUIDString())
    if error is not None:
        if not isinstance(error, libvirt.libvirtError):
            raise error
        left = _left(host, uuid, taken)
        if asked:
            raise Aborted(f"the snapshot of {name} was aborted", f"it goes on; {left}") from error
        raise with_rest(from_libvirt(error, what, _advice(error, name)), left) from error
    with_memory = {"no": "", "internal": " with its memory"}.get(
        taken.memory, f" with its memory in {taken.memory_file}"
    )
    targets = ", ".join(target for target, kind in taken.disks.items() if kind != "no")
    return f"{name} has the snapshot {taken.name}: {taken.kind}, of {targets}{with_memory}"


def _flags(taken: Taken, values: Mapping[str, Any]) -> int:
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
    if taken.kind == "external" and taken.memory == "no":
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    if values.get("quiesce"):
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE
    if values.get("live"):
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_LIVE
    return int(flags)


def _left(host: Host, uuid: str, taken: Taken) -> str:
    """What a snapshot that failed has changed, asked anew: nothing, or which disks."""
    try:
        known = any(each.name == taken.name for each in snapshots_of(host, uuid))
        now = {disk.target: disk.source for disk in domain_detail(host, uuid).current.disks}
    except TuivirtError as error:
        return f"whether anything was changed could not be asked: {error}"
    moved = [
        f"{target} is on {source}"
        for target, source in now.items()
        if taken.disks.get(target) == "external" and source.endswith(f".{taken.name}")
    ]
    if moved:
        return f"half of it was done: {', '.join(moved)} now"
    return f"libvirt lists {taken.name} all the same" if known else "nothing was changed"


def _advice(error: libvirt.libvirtError, name: str) -> str:
    text = (error.get_error_message() or "").lower()
    if "block job" in text or "block copy" in text:
        return f"wait for it, or end it: tuivirt blockjob {name}"
    if "checkpoint" in text:
        return (
            "take it while it runs, or delete its checkpoints first: tuivirt checkpoint-list "
            f"{name}"
        )
    if "agent" in text:
        return "is qemu-guest-agent running in the guest? Without --quiesce it is not needed"
    if "already exists" in text or "existing" in text:
        return "a file of that name is there already: give the snapshot another name"
    if "space" in text:
        return "make room where the images are, or leave disks out"
    return ""
