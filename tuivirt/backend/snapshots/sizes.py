"""What snapshots take of the storage, as far as that can be told apart."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import libvirt

from ..errors import BadInput, TuivirtError
from ..here import is_here
from ..model.snapshot import Snapshot
from ..storage.images import look
from ..together import together

if TYPE_CHECKING:
    from ..host import Host


def sizes_of(host: Host, known: Sequence[Snapshot]) -> dict[str, int]:
    """Bytes by name, of those of which it is known.

    Of an external one what the images that it kept, and its memory's file, take of the storage,
    by the files of this machine or by volumes of active pools. Of an internal one its memory
    alone, where this machine has the image: its disks' blocks are the image's own as well. Source:
    stat(2), virStorageVolGetInfo, ``qemu-img info -U``.
    """
    of_files = {
        each.name: [disk.kept for disk in each.disks if disk.kind == "external"]
        + ([each.memory_file] if each.memory == "external" else [])
        for each in known
    }
    taken = _taken(host, {path for paths in of_files.values() for path in paths if path})
    inside = _inside(host, known)
    found: dict[str, int] = {}
    for each in known:
        paths = of_files[each.name]
        size = inside.get(each.name, 0)
        if paths and all(path in taken for path in paths):
            size += sum(taken[path] for path in paths)
        elif paths:
            continue
        if size:
            found[each.name] = size
    return found


def _taken(host: Host, paths: Iterable[str]) -> dict[str, int]:
    """What each takes, of those that are there."""
    wanted = sorted(paths)
    if is_here(host):
        found = {}
        for path in wanted:
            try:
                found[path] = os.stat(path).st_blocks * 512
            except OSError:
                continue  # What is gone is told by its own sentence.
        return found
    sizes = together([partial(_volume, host, path) for path in wanted], host.conn.getLibVersion)
    return {path: size for path, size in zip(wanted, sizes, strict=True) if size is not None}


def _volume(host: Host, path: str) -> int | None:
    try:
        return int(host.conn.storageVolLookupByPath(path).info()[2])
    except libvirt.libvirtError:
        return None  # In no pool, or none that is active.


def _inside(host: Host, known: Sequence[Snapshot]) -> Mapping[str, int]:
    """By name what of the guest's memory lies in the images, where they can be looked into."""
    found: dict[str, int] = {}
    if not is_here(host):
        return found
    internal = {each.name for each in known if each.memory == "internal"}
    images = {d.kept for e in known if e.name in internal for d in e.disks if d.kind == "internal"}
    for path in sorted(each for each in images if each.startswith("/")):
        try:
            snapshots = look(path, "qcow2").snapshots
        except (BadInput, TuivirtError):
            continue  # It may be another user's; the tree stands without.
        for each in snapshots:
            if each.name in internal:
                found[each.name] = found.get(each.name, 0) + each.memory_bytes
    return found
