"""What this machine does with its block devices. Source: /sys/class/block, /proc/self/mountinfo,
/proc/swaps; and whether the kernel lets anybody else open them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from ..model.passthrough import DiskUse
from .kernel import place_of, text_of

_CLAIM = os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC
"""Opening a device so fails while the kernel holds it; a drive's tray stays as it is."""


def disk_uses(device_path: str, root: Path = Path("/")) -> tuple[DiskUse, ...]:
    """What is in use of the block devices that hang on the device at this sysfs path.

    ``root``: where /sys, /proc and /dev are looked for.
    """
    disks = disks_of(device_path, root)
    if not disks:
        return ()
    uses = Uses(root)
    return tuple(
        DiskUse(part, use)
        for disk in disks
        for part in (disk, *uses.parts(disk))
        for use in uses.of(part)
    )


class Uses:
    """What the block devices of this machine are used for at one moment."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._mounted, self._swaps = _mounts(root), _swaps(root)

    def of(self, name: str) -> tuple[str, ...]:
        """What a device itself is used for, one phrase each; nothing of its partitions."""
        uses = tuple(_uses(self._root, name, self._mounted, self._swaps))
        return uses or (("in use by the kernel",) if _is_held(self._root, name) else ())

    def parts(self, name: str) -> tuple[str, ...]:
        """A disk's partitions."""
        folder = self._root / "sys/class/block" / name
        return tuple(sorted(p.parent.name for p in folder.glob("*/partition")))

    def overlapping(self, name: str) -> tuple[str, ...]:
        """The devices that hold the same data: itself, its partitions, the disk it is a part of."""
        folder = self._root / "sys/class/block" / name
        if not (folder / "partition").exists():
            return (name, *self.parts(name))
        return (name, os.path.basename(os.path.dirname(place_of(folder, self._root))))


def disks_of(device_path: str, root: Path = Path("/")) -> tuple[str, ...]:
    """Names of the whole disks that hang on a device, as in ``sda``, ``nvme0n1``."""
    folder = root / "sys/class/block"
    if not folder.is_dir():
        return ()
    found = []
    for each in folder.iterdir():
        where = place_of(each, root)
        below = where.startswith(f"{device_path}/")
        # An NVMe namespace hangs on its subsystem, which has one controller or more.
        if not below and "/nvme-subsystem/" in where:
            below = any(place.startswith(f"{device_path}/") for place in _controllers(root, where))
        # Besides each namespace stands one per controller, which nobody can open.
        hidden = text_of(each / "hidden") == "1"
        if below and not hidden and not (each / "partition").exists():
            found.append(each.name)
    return tuple(sorted(found))


def _controllers(root: Path, namespace: str) -> Iterator[str]:
    subsystem = root / namespace.lstrip("/")
    for each in subsystem.parent.glob("nvme*"):
        if each.is_symlink():
            yield place_of(each, root)


def _uses(root: Path, name: str, mounted: dict[str, list[str]], swaps: set[str]) -> Iterator[str]:
    folder = root / "sys/class/block" / name
    for place in mounted.get(text_of(folder / "dev"), []) or mounted.get(f"/dev/{name}", []):
        yield f"mounted at {place}"
    if f"/dev/{name}" in swaps:
        yield "swap"
    try:
        holders = sorted(each.name for each in (folder / "holders").iterdir())
    except OSError:
        holders = []
    for holder in holders:
        word = text_of(root / "sys/class/block" / holder / "dm/name") or holder
        beyond = list(_uses(root, holder, mounted, swaps))
        yield f"part of {word}" + (f", {', '.join(beyond)}" if beyond else "")


def _mounts(root: Path) -> dict[str, list[str]]:
    """Mount points by ``major:minor`` and by source; btrfs has a made-up number of its own."""
    found: dict[str, list[str]] = {}
    for line in text_of(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        words, rest = before.split(), after.split()
        if len(words) < 5 or len(rest) < 2:
            continue
        place = unescaped(words[4])
        found.setdefault(words[2], []).append(place)
        if rest[1].startswith("/dev/"):
            source = os.path.realpath(unescaped(rest[1]))
            found.setdefault(source, []).append(place)
    return found


def _swaps(root: Path) -> set[str]:
    lines = text_of(root / "proc/swaps").splitlines()[1:]
    return {os.path.realpath(unescaped(line.split()[0])) for line in lines if line.split()}


def unescaped(text: str) -> str:
    """The kernel writes blanks and backslashes of paths in octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _is_held(root: Path, name: str) -> bool:
    """Whether the kernel keeps it for itself (ZFS, bcache …): opening it exclusively tells."""
    try:
        handle = os.open(root / "dev" / name, _CLAIM)
    except OSError as error:
        return error.errno == errno.EBUSY
    os.close(handle)
    return False
