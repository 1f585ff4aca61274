"""Snapshots of a domain: what each holds, and which grew out of which."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .record import record
from .ref import Ref


@record(frozen=True, slots=True)
class SnapshotDisk:
    """What a snapshot holds of one disk."""

    target: str
    """As in ``vda``."""
    kind: str = ""
    """internal, external, manual or no (it is left out)."""
    overlay: str = ""
    """Of an external one: the file that the guest has written to since."""
    kept: str = ""
    """The image that the guest wrote to until then, where the snapshot's record tells."""


@record(frozen=True, slots=True)
class Snapshot:
    """Source: virDomainSnapshotGetXMLDesc."""

    name: str
    description: str = ""
    parent: str = ""
    """The snapshot that it grew out of; empty: none."""
    state: str = ""
    """The domain's at that time, libvirt's word; disk-snapshot: its disks alone were taken."""
    created: float | None = None
    """Seconds since the epoch."""
    current: bool = False
    """What the domain has become since grew out of this one."""
    memory: str = ""
    """internal, external or no."""
    memory_file: str = ""
    disks: tuple[SnapshotDisk, ...] = ()
    size_bytes: int | None = None
    """What it takes of the storage; None: it is not known, or was not asked."""

    @property
    def kind(self) -> str:
        """internal or external, by where its parts are; both words where they differ."""
        kinds = {self.memory, *(disk.kind for disk in self.disks)} & {"internal", "external"}
        return " and ".join(sorted(kinds, reverse=True))

    @property
    def has_memory(self) -> bool:
        """Whether the guest goes on where it was; else it boots as after a power failure."""
        return self.memory in ("internal", "external")


@record(frozen=True, slots=True)
class Snapshots:
    """Those of one domain."""

    ref: Ref
    """The domain."""
    name: str
    """The domain's."""
    known: tuple[Snapshot, ...] = ()
    wrong: str = ""
    """Why they could not be read; '': they were."""


@record(frozen=True, slots=True)
class Trouble:
    """Something that does not fit together: a record without its files, or files without one."""

    snapshot: str
    """Whose record it is about; empty: no snapshot's."""
    text: str
    advice: str = ""
    """The ways out."""


@record(frozen=True, slots=True)
class SnapshotRow:
    """A snapshot in its tree."""

    snapshot: Snapshot
    depth: int
    last: tuple[bool, ...]
    """For it and each above it but the root: whether it is the last of its parent's."""
    children: int
    """How many lie below it, at any depth."""


def tree(snapshots: Sequence[Snapshot]) -> tuple[SnapshotRow, ...]:
    """As a tree, each above those that grew out of it, oldest first.

    One whose parent is not among them stands at the top.
    """
    names = {each.name for each in snapshots}
    below: dict[str, list[Snapshot]] = {}
    for each in sorted(snapshots, key=lambda s: (s.created or 0.0, s.name)):
        parent = each.parent if each.parent in names and each.parent != each.name else ""
        below.setdefault(parent, []).append(each)
    rows: list[SnapshotRow] = []
    # Not by recursion: a chain may be as long as somebody's patience with a nightly job.
    waiting: list[tuple[Snapshot, tuple[bool, ...]]] = [
        (each, ()) for each in reversed(below.get("", ()))
    ]
    while waiting:
        snapshot, last = waiting.pop()
        rows.append(SnapshotRow(snapshot, len(last), last, 0))
        children = below.get(snapshot.name, [])
        for number, child in enumerate(reversed(children)):
            waiting.append((child, (*last, number == 0)))
    return _counted(rows)


def _counted(rows: Sequence[SnapshotRow]) -> tuple[SnapshotRow, ...]:
    counts = [0] * len(rows)
    above: list[int] = []
    for number, row in enumerate(rows):
        del above[row.depth :]
        for each in above:
            counts[each] += 1
        above.append(number)
    return tuple(
        SnapshotRow(row.snapshot, row.depth, row.last, count)
        for row, count in zip(rows, counts, strict=True)
    )


def branch(row: SnapshotRow) -> str:
    """The lines of the tree before its name."""
    if not row.last:
        return ""
    stems = "".join("   " if last else "│  " for last in row.last[:-1])
    return stems + ("└─ " if row.last[-1] else "├─ ")


def of(row: SnapshotRow) -> str:
    """What it holds, in words."""
    snapshot = row.snapshot
    disks = ", ".join(disk.target for disk in snapshot.disks if disk.kind not in ("no", ""))
    words = [snapshot.kind, disks, "memory" if snapshot.has_memory else ""]
    if snapshot.state and snapshot.state != "disk-snapshot":
        words.append({"shutoff": "off"}.get(snapshot.state, snapshot.state))
    return ", ".join(word for word in words if word)


def described(row: SnapshotRow) -> str:
    """Its description, in one line."""
    return " ".join(row.snapshot.description.split())


def when(snapshot: Snapshot) -> str:
    """When it was taken, by this machine's clock and zone."""
    if snapshot.created is None:
        return "at a time that is not known"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(snapshot.created))
