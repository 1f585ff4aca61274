"""What speaks against what is done about the images of a domain that is moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.finding import Finding, Weight
from ..model.migration import DiskFacts, DiskMove, Image, SourceFacts, TargetFacts

REFUSED, RISK, NOTE = Weight.REFUSED, Weight.RISK, Weight.NOTE


def judge_images(
    here: SourceFacts, there: TargetFacts, values: Mapping[str, Any], disks: tuple[DiskMove, ...]
) -> Iterator[Finding]:
    """Everything that is found; ``values`` are the options, settled."""
    for move in disks:
        yield from _disk(move, there, values)
    yield from _copies(here, there, values, disks)


def _disk(move: DiskMove, there: TargetFacts, values: Mapping[str, Any]) -> Iterator[Finding]:
    disk = move.disk
    if disk.source_type == "network":
        yield Finding(NOTE, f"{there.name} has to reach the server of {disk.target} as well")
        return
    if move.image is Image.NONE and disk.written:
        return
    if disk.source_type == "volume" and not disk.there.pool:
        yield Finding(
            REFUSED,
            f"{there.name} has no active pool {disk.pool} for {disk.says}",
            "Define and start a pool of that name there",
        )
        return
    if not disk.written:
        yield from _medium(move, there)
        return
    yield from _somebodys(move, there, values)
    if move.image is Image.OVERWRITE:
        if _copies_all(values):
            yield Finding(
                RISK,
                f"{there.name} has an image {disk.path} already: it is overwritten",
                "Look what it is first",
            )
        else:
            yield Finding(
                REFUSED,
                f"{there.name} has another image {disk.path}",
                "Delete it there, or say that it is overwritten (--copy-storage-all)",
            )
        there_bytes = _bytes_there(disk)
        if disk.capacity_bytes and there_bytes and disk.capacity_bytes != there_bytes:
            yield Finding(
                REFUSED,
                f"{disk.path} on {there.name} has {there_bytes} bytes, and here"
                f" {disk.capacity_bytes}",
                "Delete it there, or make it as large as here",
            )
    elif move.image is Image.LOOK and disk.source_type == "block":
        yield Finding(
            RISK,
            f"whether {there.name} sees the same {disk.says} cannot be told",
            "A block device has to be there already: the same one, or say that it is copied"
            " (--copy-storage-all) to one of its size",
        )
    elif move.image is Image.LOOK and _copies_all(values):
        yield Finding(
            RISK,
            f"whether {there.name} has a {disk.path} cannot be told: if so, it is overwritten",
            "Without that option nothing is overwritten",
        )
    elif move.image is Image.LOOK and values.get("shared_storage"):
        yield Finding(
            RISK, f"whether {there.name} has {disk.says} cannot be told: no pool there holds it"
        )
    elif move.image is Image.SHARED and disk.there.stamp is None and not disk.there.pool:
        yield Finding(NOTE, f"{disk.says} is taken for shared, as you say")
    if move.image is Image.COPY and values.get("shared_storage"):
        yield Finding(
            REFUSED,
            f"{there.name} has no {disk.says}",
            "It is not shared: leave --shared-storage out, and it is copied",
        )


def _somebodys(move: DiskMove, there: TargetFacts, values: Mapping[str, Any]) -> Iterator[Finding]:
    """Nothing is written over what another domain of the target has, on or off."""
    disk = move.disk
    over = move.image is Image.OVERWRITE or (
        (move.image is Image.LOOK and _copies_all(values))
        or (move.image is Image.COPY and disk.source_type == "block")
    )
    if over and disk.users_there:
        yield Finding(
            REFUSED,
            f"{there.name} has {disk.path or disk.says} as a disk of {', '.join(disk.users_there)}",
            "It is another domain's: it is not overwritten",
        )


def _bytes_there(disk: DiskFacts) -> int | None:
    """How large the image there would be for the guest, once this one's contents are in it.

    Of a raw one the file's length counts, whatever is in it now: its end is not cut off.
    """
    stamp = disk.there.stamp
    if stamp is None:
        return None
    if disk.format == "raw" and stamp.length_bytes:
        return stamp.length_bytes
    return stamp.capacity_bytes


def _copies_all(values: Mapping[str, Any]) -> bool:
    return bool(values.get("copy_storage_all") or values.get("copy_storage_inc"))


def _medium(move: DiskMove, there: TargetFacts) -> Iterator[Finding]:
    disk = move.disk
    if disk.there.stamp is not None or move.image is Image.SHARED:
        return
    if disk.there.pool:
        yield Finding(
            REFUSED,
            f"{there.name} does not have the medium {disk.says}, which is not copied",
            f"Eject it (change-media {disk.target} --eject), or put it there",
        )
    else:
        yield Finding(
            NOTE,
            f"whether {there.name} has the medium {disk.says} cannot be told",
            f"If it does not, eject it first (change-media {disk.target} --eject)",
        )


COPIED_FORMATS = ("raw", "qcow2")


def _copies(
    here: SourceFacts, there: TargetFacts, values: Mapping[str, Any], disks: tuple[DiskMove, ...]
) -> Iterator[Finding]:
    copied = [m.disk for m in disks if m.image in (Image.COPY, Image.OVERWRITE)]
    if copied and values.get("tunnelled"):
        yield Finding(
            REFUSED,
            f"a tunnelled migration copies no image, and {copied[0].says} is not on {there.name}",
            "Leave --tunnelled out, or put the image there first",
        )
    for disk in copied:
        if disk.capacity_bytes is None:
            yield Finding(REFUSED, f"the size of {disk.says} cannot be read", "Is it there?")
        if disk.format not in COPIED_FORMATS and disk.source_type != "block":
            yield Finding(
                REFUSED,
                f"{disk.says} has the format {disk.format}, which is not copied",
                "Put it there yourself, and say --shared-storage",
            )
        if disk.target in here.encrypted:
            yield Finding(
                REFUSED,
                f"{disk.says} is encrypted, which is not copied",
                "Put it there yourself, with its secret, and say --shared-storage",
            )
        if disk.source_type == "block" and not here.active:
            yield Finding(
                REFUSED,
                f"the block device {disk.path} of a domain that is off is not copied",
                "Start the domain, and move it while it runs",
            )
        if disk.shareable:
            yield Finding(
                REFUSED, f"{disk.says} is shared with other guests, and is not on {there.name}"
            )
        if disk.backing:
            yield from _backing(disk, here, there, values)
        if disk.source_type == "block" and disk.there.stamp is None:
            yield Finding(
                RISK,
                f"the block device {disk.path} has to be on {there.name}, as large as here",
                "It is not made; what is on it is overwritten",
            )


def _backing(
    disk: DiskFacts, here: SourceFacts, there: TargetFacts, values: Mapping[str, Any]
) -> Iterator[Finding]:
    base, inc = disk.backing[0], bool(values.get("copy_storage_inc"))
    if here.active and not inc:
        yield Finding(
            REFUSED,
            f"{disk.says} lies on {base}",
            "Have that file on the target and say --copy-storage-inc, or make the image independent"
            " of it first (virsh blockpull)",
        )
    elif disk.backing_there is False:
        yield Finding(
            REFUSED,
            f"{there.name} does not have {base}, on which {disk.says} lies",
            "Put it there first",
        )
    elif disk.backing_there is None:
        yield Finding(
            RISK, f"whether {there.name} has {base}, on which {disk.says} lies, is not told"
        )
    elif not (disk.backing_same or inc):
        which = "another one" if disk.backing_same is False else "perhaps another one"
        yield Finding(
            RISK,
            f"{disk.says} lies on {base} of {here.host}, and {there.name} has {which}",
            "On other contents the disk is ruined: compare the two files, and say"
            " --copy-storage-inc if they are equal",
        )
