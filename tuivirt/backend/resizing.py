"""A disk of a running guest made larger, and looked at afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt
from .lifecycle import Progress, domain_to_change, touch
from .model.device import Disk
from .sides import read_sides
from .sizes import amount, read_size

if TYPE_CHECKING:
    from .host import Host

SECTOR = 512
"""Bytes: what a disk consists of."""


def resize_disk(host: Host, uuid: str, target: str, size: str, progress: Progress) -> str:
    """Make the disk ``target`` (as in ``vda``) of a running domain ``size`` large, as in 40GiB.

    Never smaller: what lies behind the new end would be gone. With the size that it has already
    QEMU is asked to tell the guest again: one whose driver was just starting may not have heard it
    (QEMU tells no driver that is not ready, and that has asked for the size by then).
    Returns what is true then.

    Source: virDomainBlockResize, virDomainGetBlockInfo. Raises TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    wanted = read_size(size)
    if wanted is None or not wanted:
        raise BadInput(f"{size!r} is no size of a disk", advice="give it as 40GiB or 512MiB")
    if wanted % SECTOR:
        raise BadInput(f"{size} is no multiple of {SECTOR} bytes, which a disk's size is")
    what = f"cannot resize {target} of {name}"
    disk = _disk(domain, name, target, what, size)
    before = _capacity(domain, target, what)
    if wanted < before:
        raise BadInput(
            f"{target} of {name} is {_words(before)}, and {_words(wanted)} is smaller",
            "what lies behind the new end would be lost",
            "a bare number is KiB: give a unit, as in 40GiB",
        )
    if wanted > before:
        progress(f"{target} from {_words(before)} to {_words(wanted)}", None)
    try:
        domain.blockResize(target, wanted, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, _advice(disk)) from error
    finally:
        touch(host, uuid)
    after = _capacity(domain, target, f"cannot tell whether {target} of {name} was resized")
    if after != wanted:
        raise TuivirtError(
            what, f"it is {_words(after)} though libvirt reported no error", _advice(disk)
        )
    if after == before:
        return f"{target} of {name} is {_words(after)} already; QEMU was asked to tell it again"
    return (
        f"{target} of {name} is {_words(after)}, it was {_words(before)}; the guest enlarges"
        " its partition and file system itself"
    )


def _disk(domain: Any, name: str, target: str, what: str, size: str) -> Disk:
    sides = read_sides(domain, what)
    if sides.live is None:
        saved = sides.find_saved(target)
        source = saved.source if saved is not None else ""
        how = f", or: qemu-img resize {source} {size}" if source.startswith("/") else ""
        raise BadInput(
            f"{name} is off: only a running guest's disk is resized", advice=f"start it{how}"
        )
    disk = sides.find_live(target)
    if disk is None:
        there = ", ".join(sorted(each.target for each in sides.live.disks))
        raise BadInput(f"{name} has no disk {target}", f"it has {there or 'none'}")
    if disk.device not in ("disk", "lun"):
        raise BadInput(what, f"it is a {disk.device}, whose medium has the size that it has")
    if disk.readonly:
        raise BadInput(what, "the guest may only read it")
    return disk


def _capacity(domain: Any, target: str, what: str) -> int:
    """Bytes. Raises TuivirtError."""
    try:
        return int(domain.blockInfo(target)[0])
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error


def _advice(disk: Disk) -> str:
    if disk.source_type == "block":
        return f"enlarge {disk.source} on its host first (lvextend, for instance), then this again"
    if disk.format != "raw":
        return "an image with snapshots in it, or one that is being copied, keeps its size"
    return ""


def _words(size: int) -> str:
    return f"{size} bytes" if size % 1024 else amount(size // 1024)
