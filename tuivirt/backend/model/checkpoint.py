"""Checkpoints of a domain: the moments from which it is known what was written since."""

from __future__ import annotations

from collections.abc import Sequence

from .record import record
from .snapshot import Snapshot, SnapshotRow, tree

_WITH_BACKUP, _TO = "made with a backup", " to "


def made_with_backup(folder: str = "") -> str:
    """The description of a checkpoint that a backup makes.

    libvirt notes nowhere else that there was one, nor where its files lie.
    """
    return f"{_WITH_BACKUP}{_TO}{folder}" if folder else _WITH_BACKUP


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

    @property
    def of_backup(self) -> bool:
        """Whether a backup of ours made it."""
        return self.description == _WITH_BACKUP or bool(self.folder)

    @property
    def folder(self) -> str:
        """Where the files of that backup were written; empty: it is not known."""
        text, to = self.description, f"{_WITH_BACKUP}{_TO}"
        return text.removeprefix(to) if text.startswith(f"{to}/") else ""


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


@record(frozen=True, slots=True)
class BackupJob:
    """A backup under way, anybody's. Source: virDomainBackupGetXMLDesc, virDomainGetJobStats."""

    mode: str
    """push: its files are written; pull: another program reads what is offered."""
    incremental: str = ""
    """The checkpoint that it goes back to; empty: it is a full one."""
    files: tuple[tuple[str, str], ...] = ()
    """By target: where its blocks go, or (pull) what the guest overwrites meanwhile."""
    offered: str = ""
    """The addresses at which the disks are to be had (pull)."""
    done_bytes: int = 0
    total_bytes: int = 0
    """0: it is not known; of what is pulled nobody knows but who pulls it."""


@record(frozen=True, slots=True)
class Backups:
    """What libvirt knows of a domain's backups: of one that is over, its checkpoint alone."""

    checkpoints: tuple[Checkpoint, ...] = ()
    """Oldest first, without sizes."""
    running: BackupJob | None = None
    here: bool = True
    """The host's files are this machine's; else a backup can be pulled alone."""
    taken: bool = True
    """The host's driver takes backups."""
