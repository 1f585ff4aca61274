"""Which disks a checkpoint or a backup is about, and whether they can be."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, from_libvirt, is_unsupported
from ..model.device import Disk, DomainConfig
from ..model.finding import Finding, Weight
from ..snapshots.judge import is_before

if TYPE_CHECKING:
    from ..host import Host

LEAST_LIBVIRT = (7, 2)
"""libvirt from this version on takes increments without being told to by hand."""
LEAST_QEMU = (4, 2)
NAME_BYTES = 200
"""A file system takes names of 255 bytes, of which the domain's and a suffix are a part."""
_NEVER = re.compile(r"[\x00-\x1f\x7f/]")


def default_name() -> str:
    """A name for a checkpoint that was given none: the time."""
    return time.strftime("%Y-%m-%d_%H-%M-%S")


def check_name(name: str, what: str) -> None:
    """Raise BadInput for a name that no file and no bitmap can have."""
    if _NEVER.search(name):
        raise BadInput(f"{what} has no slash and no control character", repr(name))
    if name.startswith("-"):
        raise BadInput(f"{what} does not begin with a dash", repr(name))
    if len(name.encode()) > NAME_BYTES:
        raise BadInput(f"{what} is too long: the most is {NAME_BYTES} bytes")


def choose(config: DomainConfig, words: str) -> tuple[tuple[Disk, ...], dict[str, str]]:
    """The disks that are taken, and by target why the others are not. Raises BadInput.

    ``words``: targets that are left out, with commas or spaces between.
    """
    out = {word for word in re.split(r"[\s,]+", words) if word}
    targets = {disk.target for disk in config.disks}
    unknown = sorted(out - targets)
    if unknown:
        raise BadInput(
            f"{config.name} has no disk {', '.join(unknown)}",
            f"it has {', '.join(sorted(targets)) or 'none'}",
        )
    taken, left = [], {}
    for disk in config.disks:
        if disk.target in out:
            left[disk.target] = "as asked"
        elif not disk.source:
            left[disk.target] = "nothing is in it"
        elif disk.readonly or disk.device in ("cdrom", "floppy"):
            left[disk.target] = "it is read-only" if disk.readonly else f"a {disk.device}"
        elif disk.device == "lun":
            left[disk.target] = "a whole device of the host, whose blocks QEMU does not see"
        else:
            taken.append(disk)
    return tuple(taken), left


def against_all(host: Host, disks: Sequence[Disk], active: bool) -> list[Finding]:
    """What speaks against any checkpoint or backup."""
    said = []
    if not active:
        said.append(
            Finding(
                Weight.REFUSED,
                "it is off: the QEMU of a running guest copies, and notes what is written",
                "start it, or copy its images: they lie still",
            )
        )
    if not disks:
        said.append(Finding(Weight.REFUSED, "there is no disk that could be taken"))
    info = host.snapshot.info
    for name, version, least in (
        ("libvirt", info.libvirt_version if info else "", LEAST_LIBVIRT),
        ("QEMU", info.hypervisor_version if info else "", LEAST_QEMU),
    ):
        driver = (info.hypervisor if info else "").upper()
        if driver == "QEMU" and is_before(version, least):
            words = ".".join(map(str, least))
            said.append(
                Finding(Weight.REFUSED, f"{name} {version} is too old: it takes {words} or newer")
            )
    return said


def against_bitmaps(disks: Sequence[Disk]) -> list[Finding]:
    """What speaks against noting what is written to these disks."""
    return [
        Finding(
            Weight.REFUSED,
            f"{disk.target} is {disk.format or 'raw'}: an image of that format holds no bitmap of "
            "what was written",
            f"leave it out (--leave-out {disk.target}), or have the guest go over to a qcow2 "
            "image: blockcopy with --format qcow2 --pivot",
        )
        for disk in disks
        if disk.format != "qcow2"
    ]


def against_snapshots(host: Host, uuid: str) -> list[Finding]:
    """Bitmaps and external snapshots get in each other's way."""
    try:
        number = int(host.domain(uuid).snapshotNum(0))
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return []
        raise from_libvirt(error, "cannot count its snapshots") from error
    if not number:
        return []
    return [
        Finding(
            Weight.NOTE,
            f"it has {number} snapshot{'s' if number > 1 else ''}: after going back to one, what "
            "was written is not what a checkpoint knows, and increments are wrong",
            "take a full backup after going back to a snapshot",
        )
    ]


def about_left_out(left: Mapping[str, str], config: DomainConfig) -> list[Finding]:
    """Disks that a guest writes to and that nobody takes."""
    written = [
        disk.target
        for disk in config.disks
        if left.get(disk.target) == "as asked" and not disk.readonly
    ]
    if not written:
        return []
    return [Finding(Weight.NOTE, f"{', '.join(written)} is left out: nothing of it is kept")]


def text_of(values: Mapping[str, Any], name: str) -> str:
    """An option as text; '' where it was not said."""
    return str(values.get(name) or "")
