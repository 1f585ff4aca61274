"""Checkpoints in a snapshot's way: what their bitmaps know is not true of a state gone back to.

Seen with libvirt 9.0 and QEMU 7.2: an image with bitmaps goes back to no internal snapshot, which
libvirt finds out when it has forced the guest off; on the new image of an external one no bitmap
is, and libvirt refuses every increment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import is_unsupported
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


def forget(domain: Any) -> None:
    """Have libvirt forget all checkpoints of a domain that went back. Raises libvirtError.

    The youngest first: libvirt forgets none before those that came after it.
    """
    try:
        leaves = domain.listAllCheckpoints(libvirt.VIR_DOMAIN_CHECKPOINT_LIST_LEAVES)
        while leaves:
            for each in leaves:
                each.delete(libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY)
            leaves = domain.listAllCheckpoints(libvirt.VIR_DOMAIN_CHECKPOINT_LIST_LEAVES)
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise
