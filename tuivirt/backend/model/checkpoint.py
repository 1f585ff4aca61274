"""Checkpoints of a domain: the moments from which it is known what was written since."""

from __future__ import annotations

from collections.abc import Sequence

from .record import record
from .snapshot import Snapshot, SnapshotRow, tree


@record(frozen=True, slots=True)
class CheckpointDisk:
    """What a checkpoint knows of one disk."""

    target: str
    bitmap: str = ""
    """The bitmap in its image; empty: the disk was left out."""
    size_bytes: int | None = None
    """What an increment from here would hold now, where libvirt tells."""


@record(frozen=True, slots=True)
class Checkpoint:
    """Source: virDomainCheckpointGetXMLDesc."""

    name: str
    description: str = ""
    parent: str = ""
    """The one before it; empty: none."""
    created: float | None = None
    """Seconds since the epoch."""
    disks: tuple[CheckpointDisk, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The disks that it is about."""
        return tuple(disk.target for disk in self.disks if disk.bitmap)


def rows(checkpoints: Sequence[Checkpoint]) -> tuple[tuple[Checkpoint, SnapshotRow], ...]:
    """As a tree, each above those that came after it, with its place in it."""
    known = {each.name: each for each in checkpoints}
    as_snapshots = [
        Snapshot(each.name, each.description, each.parent, created=each.created)
        for each in checkpoints
    ]
    return tuple((known[row.snapshot.name], row) for row in tree(as_snapshots))


def below(checkpoints: Sequence[Checkpoint], name: str) -> tuple[Checkpoint, ...]:
    """Those that came after it, at any depth."""
    found = rows(checkpoints)
    at = next(number for number, (each, _row) in enumerate(found) if each.name == name)
    return tuple(each for each, _row in found[at + 1 : at + 1 + found[at][1].children])
