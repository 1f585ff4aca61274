"""The block devices of this machine, and who has them in use. Source: /sys/class/block, /proc,
the links below /dev/disk/by-id and /dev/mapper."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..model.blocks import BlockDevice
from .diskuse import Uses
from .kernel import place_of, text_of

_SECTOR = 512
"""Bytes in the kernel's unit of a device's size, whatever the device's own."""
_NOT_GIVEN = ("ram", "zram", "fd")
"""Names of what is no place for a guest's data, or is there without holding any."""
_NUMBERS = ("wwn-", "nvme-eui.", "nvme-nvme.", "nvme-uuid.", "scsi-3", "lvm-pv-", "md-uuid-")
"""What links begin with that tell a number alone."""


def block_devices(
    taken: Mapping[str, tuple[str, ...]], root: Path = Path("/")
) -> tuple[BlockDevice, ...]:
    """All that could hold a guest's disk, what is free first.

    ``taken``: by the kernel's name (``sda1``), what domains do with it, a phrase each.
    ``root``: where /sys, /proc and /dev are looked for.
    """
    folder = root / "sys/class/block"
    links = _links(root)
    uses = Uses(root)
    found = []
    for each in folder.iterdir() if folder.is_dir() else ():
        sectors = text_of(each / "size")
        if not sectors.isdigit() or int(sectors) == 0 or text_of(each / "hidden") == "1":
            continue
        if each.name.startswith(_NOT_GIVEN):
            continue
        found.append(_read(each, int(sectors) * _SECTOR, links, uses, taken, root))
    return tuple(sorted(found, key=lambda device: (bool(device.uses), _natural(device.name))))


def reasons(name: str, taken: Mapping[str, tuple[str, ...]], uses: Uses) -> tuple[str, ...]:
    """Why a device cannot be given to a guest: what it, a part of it, or its whole is used for."""
    said: list[str] = []
    for part in uses.overlapping(name):
        of_it = [*uses.of(part), *taken.get(part, ())]
        said += of_it if part == name else [f"{part}: {use}" for use in of_it]
    return tuple(dict.fromkeys(said))


def name_of(path: str, root: Path = Path("/")) -> str:
    """The kernel's name of the block device that a path leads to, '' when it is none."""
    place = root / path.lstrip("/")
    name = os.path.basename(os.path.realpath(place))
    return name if name and (root / "sys/class/block" / name).exists() else ""


def _read(
    folder: Path,
    size: int,
    links: Mapping[str, list[str]],
    uses: Uses,
    taken: Mapping[str, tuple[str, ...]],
    root: Path,
) -> BlockDevice:
    name = folder.name
    part = (folder / "partition").exists()
    whole = Path(root / place_of(folder, root).lstrip("/")).parent if part else folder
    own = text_of(folder / "dm/name")
    parts = len(uses.parts(name))
    backing = text_of(folder / "loop/backing_file")
    notes = [f"{parts} partition{'s' * (parts != 1)}" if parts else "", backing]
    path = f"/dev/mapper/{own}" if own else _best(links.get(name, [])) or f"/dev/{name}"
    return BlockDevice(
        name=own or name,
        path=path,
        size_bytes=size,
        model=" ".join(
            word
            for word in (text_of(whole / "device/vendor"), text_of(whole / "device/model"))
            # The kernel's own word for whom it knows nothing better of.
            if word not in ("ATA", "0x1af4")
        ).strip(),
        serial=text_of(whole / "device/serial") or text_of(whole / "serial"),
        note=", ".join(note for note in notes if note),
        uses=reasons(name, taken, uses),
    )


def _links(root: Path) -> dict[str, list[str]]:
    """By the kernel's name: the links in /dev/disk/by-id to it."""
    folder = root / "dev/disk/by-id"
    found: dict[str, list[str]] = {}
    for link in folder.iterdir() if folder.is_dir() else ():
        name = os.path.basename(os.path.realpath(link))
        found.setdefault(name, []).append(f"/dev/disk/by-id/{link.name}")
    return found


def _best(links: list[str]) -> str:
    """The link that tells a person most: by model and serial number, if there is one."""
    return min(
        links,
        key=lambda link: (link.rpartition("/")[2].startswith(_NUMBERS), len(link), link),
        default="",
    )


def _natural(name: str) -> list[tuple[str, int]]:
    return [(word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", name)]
