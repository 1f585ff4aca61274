"""Checkpoints in a snapshot's way: what their bitmaps know is not true of a state gone back to.

Seen with libvirt 9.0 and QEMU 7.2: an image with bitmaps goes back to no internal snapshot, which
libvirt finds out when it has forced the guest off; on the new image of an external one no bitmap
is, and libvirt refuses every increment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from ..errors import TuivirtError, from_libvirt
from ..model.checkpoint import Checkpoint
from ..model.finding import Finding, Weight
from ..model.snapshot import Snapshot

if TYPE_CHECKING:
    from ..host import Host


def _known(host: Host, uuid: str) -> tuple[Checkpoint, ...]:
    from ..backup.checkpoints import checkpoints_of  # It judges as snapshots are judged.

    return checkpoints_of(host, uuid)


def _names(found: tuple[Checkpoint, ...]) -> str:
    return f"the checkpoint{'s' * (len(found) > 1)} {', '.join(each.name for each in found)}"


def against_taking(host: Host, uuid: str) -> list[Finding]:
    """Why libvirt takes no snapshot of a domain that is off. Raises TuivirtError."""
    found = _known(host, uuid)
    if not found:
        return []
    text = f"it is off and has {_names(found)}: libvirt takes no snapshot of it so"
    name = host.domain(uuid).name()
    advice = f"take it while it runs, or delete them first: tuivirt checkpoint-list {name}"
    return [Finding(Weight.REFUSED, text, advice)]


def against_going_back(host: Host, uuid: str, snapshot: Snapshot) -> list[Finding]:
    """What its checkpoints have to do with going back. Raises TuivirtError."""
    disks = {disk.target: disk.kind for disk in snapshot.disks if disk.kind not in ("no", "")}
    known = _known(host, uuid)
    if not known:
        return []
    name = host.domain(uuid).name()
    found = tuple(each for each in known if set(each.targets) & disks.keys())
    if "internal" in disks.values() and found:
        text = f"its images hold the bitmaps of {_names(found)}: QEMU takes no such image back to "
        text += "what is within it, and the guest would be forced off for nothing"
        advice = f"delete them while it runs (tuivirt checkpoint-delete {name} {found[0].name} "
        advice += "--children), and take a full backup afterwards"
        return [Finding(Weight.REFUSED, text, advice)]
    if "external" not in disks.values():
        return []
    text = f"{_names(known)} {'knows' if len(known) == 1 else 'know'} nothing of what it goes back "
    text += "to: no increment can be taken from there afterwards"
    return [Finding(Weight.RISK, text, "take a full backup afterwards")]


def about_to_forget(host: Host, uuid: str) -> list[str]:
    """The step that names what `forget` will; [] where there is none. Raises TuivirtError."""
    known = _known(host, uuid)
    if not known:
        return []
    return [f"   libvirt forgets {_names(known)}; a full backup comes next"]


def forget(host: Host, uuid: str) -> str:
    """Have libvirt forget all checkpoints of a domain that went back; a clause that names them.

    The youngest first: libvirt forgets none before those that came after it. Raises TuivirtError,
    of which ``done`` names those that are forgotten.
    """
    known = _known(host, uuid)
    if not known:
        return ""
    domain = host.domain(uuid)
    try:
        leaves = domain.listAllCheckpoints(libvirt.VIR_DOMAIN_CHECKPOINT_LIST_LEAVES)
        while leaves:
            for each in leaves:
                each.delete(libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY)
            leaves = domain.listAllCheckpoints(libvirt.VIR_DOMAIN_CHECKPOINT_LIST_LEAVES)
    except libvirt.libvirtError as error:
        raised = from_libvirt(error, f"libvirt does not forget all checkpoints of {domain.name()}")
        raised.done = _forgotten(host, uuid, known)
        raise raised from error
    return _are_forgotten(known)


def _are_forgotten(gone: tuple[Checkpoint, ...]) -> str:
    if not gone:
        return ""
    are = "is" if len(gone) == 1 else "are"
    return f"{_names(gone)} {are} forgotten: take a full backup"


def _forgotten(host: Host, uuid: str, known: tuple[Checkpoint, ...]) -> str:
    """What is gone of those that were known, read again."""
    try:
        there = {each.name for each in _known(host, uuid)}
    except TuivirtError as error:
        return f"which of {_names(known)} are there still could not be read ({error})"
    return _are_forgotten(tuple(each for each in known if each.name not in there))
