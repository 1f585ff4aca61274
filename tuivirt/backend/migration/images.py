"""What is done about each disk's image, judged by what both hosts know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..model.migration import DiskFacts, DiskMove, Image
from .times import is_same


def choose(disks: Iterable[DiskFacts], values: Mapping[str, Any]) -> tuple[DiskMove, ...]:
    """Each disk with what becomes of its image. ``values`` are the options."""
    return tuple(DiskMove(disk, _image(disk, values)) for disk in disks)


def copied(moves: Iterable[DiskMove]) -> tuple[DiskFacts, ...]:
    """The disks whose contents are copied."""
    return tuple(m.disk for m in moves if m.image in (Image.COPY, Image.OVERWRITE))


def _image(disk: DiskFacts, values: Mapping[str, Any]) -> Image:
    if disk.source_type not in ("file", "block", "volume", "dir"):
        return Image.NONE
    same = is_same(disk.here.stamp, disk.there.stamp, disk.here_after.stamp)
    if same:
        return Image.SHARED
    known = bool(disk.there.pool)
    if not disk.written:
        # libvirt copies nothing that the guest may not write to.
        return Image.LOOK if not known else Image.NONE
    wanted = values.get("copy_storage_all") or values.get("copy_storage_inc")
    if disk.there.stamp is not None:
        if values.get("shared_storage") and same is None:
            return Image.SHARED
        return Image.OVERWRITE
    if values.get("shared_storage"):
        return Image.COPY if known else Image.LOOK
    if known or (wanted and disk.source_type == "block"):
        return Image.COPY
    return Image.LOOK
