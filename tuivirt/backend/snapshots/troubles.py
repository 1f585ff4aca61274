"""Snapshots that are half done: records without their files, and files without a record."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libvirt

from ..block_jobs.images import down_from, is_there, real
from ..block_jobs.left import left_of
from ..block_jobs.read import chains_of
from ..errors import from_libvirt
from ..here import is_here
from ..model.block_job import Chain
from ..model.snapshot import Snapshot, SnapshotDisk, Trouble

if TYPE_CHECKING:
    from ..host import Host

_CLOSING_S = 2.0
"""QEMU closes the images of a chain one after the other."""


def troubles_of(host: Host, uuid: str, known: Sequence[Snapshot]) -> tuple[Trouble, ...]:
    """What of a domain's snapshots does not fit together, with the ways out. Raises TuivirtError.

    Files are looked for on this machine, or in the host's active pools; of what is not known
    nothing is said.
    """
    domain = host.domain(uuid)
    name = domain.name()
    try:
        active = bool(domain.isActive())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell whether {name} runs") from error
    chains = chains_of(domain, saved=not active)
    paths = {target: _paths(host, chain, active) for target, chain in chains.items()}
    broken = tuple(Trouble("", each.text, each.advice) for each in left_of(host, domain))
    found = [trouble for each in known for trouble in _of_record(host, name, each, paths, known)]
    return (*broken, *found, *_without_record(host, name, paths, known))


def _paths(host: Host, chain: Chain, active: bool) -> tuple[str, ...]:
    return chain.paths if active else down_from(host, chain.source)


def _of_record(
    host: Host,
    name: str,
    snapshot: Snapshot,
    paths: dict[str, tuple[str, ...]],
    known: Sequence[Snapshot],
) -> Iterator[Trouble]:
    """What the record of one tells of and is not there."""
    forget = f"have libvirt forget it: tuivirt snapshot-delete {name} {snapshot.name} --metadata"
    if snapshot.memory == "external" and is_there(host, snapshot.memory_file) is False:
        yield Trouble(
            snapshot.name,
            f"its memory's file {snapshot.memory_file} is gone: there is no going back to it",
            forget,
        )
    for disk in snapshot.disks:
        if disk.kind != "external":
            continue
        now = [real(host, path) for path in paths.get(disk.target, ())]
        if disk.kept and is_there(host, disk.kept) is False:
            yield Trouble(
                snapshot.name,
                f"what it kept of {disk.target}, {disk.kept}, is gone: there is no going back to "
                "it",
                forget,
            )
        elif not disk.overlay or not now or real(host, disk.overlay) in now:
            continue
        elif is_there(host, disk.overlay) is False:
            yield Trouble(
                snapshot.name,
                f"{disk.overlay}, to which {disk.target} was written after it, is gone, and "
                f"{disk.target} is on {now[0]}: it was merged or thrown away outside of libvirt",
                f"{forget}; or give the domain its images back before it is started",
            )
        elif now[0] == real(host, disk.kept):
            yield Trouble(
                snapshot.name,
                f"{disk.target} is written to {now[0]}, which it kept: there is no going back to "
                f"what that was, and {disk.overlay} no longer fits it",
                f"{forget}, and delete {disk.overlay}; or, before anything is written, give the "
                f"domain {disk.overlay} back",
            )
        elif not _has_branches(snapshot, known) and not _went_back(host, snapshot, disk, now):
            yield Trouble(
                snapshot.name,
                f"{disk.target} is on {now[0]}, not on {disk.overlay}, which was begun after it "
                "and is there still",
                f"go back to it, or {forget}, and delete {disk.overlay} if nothing needs it",
            )


def _went_back(host: Host, snapshot: Snapshot, disk: SnapshotDisk, now: Sequence[str]) -> bool:
    """Whether the domain went back to it: its disk then lies on what it kept, by another image."""
    return snapshot.current and real(host, disk.kept) in now[1:]


def _has_branches(snapshot: Snapshot, known: Sequence[Snapshot]) -> bool:
    """Whether the domain went back to one before it: what was written after it then waits."""
    current = next((each for each in known if each.current), None)
    by_name = {each.name: each for each in known}
    seen: set[str] = set()
    while current is not None and current.name not in seen:
        if current.name == snapshot.name:
            return False
        seen.add(current.name)
        current = by_name.get(current.parent)
    return True


def _without_record(
    host: Host, name: str, paths: dict[str, tuple[str, ...]], known: Sequence[Snapshot]
) -> Iterator[Trouble]:
    """Overlays that look like a snapshot's, and no snapshot accounts for."""
    accounted = {real(host, d.overlay) for each in known for d in each.disks if d.overlay}
    back = {real(host, d.kept) for each in known if each.current for d in each.disks if d.kept}
    for target, chain in paths.items():
        for upper, lower in itertools.pairwise(chain):
            if real(host, upper) in accounted or real(host, lower) in back:
                continue
            if _looks_like_one(upper, lower):
                top = "" if upper == chain[0] else f" --top {upper}"
                pivot = " --pivot" if upper == chain[0] else ""
                yield Trouble(
                    "",
                    f"{target} lies on {upper}, and that on {lower}, as after a snapshot, but "
                    "libvirt has no record of one: none was finished, or it was lost"
                    + _written_since(host, upper, lower),
                    f"it may stay so as long as nobody writes to {lower}; to have it in one image "
                    f"again while it runs: tuivirt blockcommit {name} {target}{top} "
                    f"--shallow{pivot}",
                )


def _written_since(host: Host, upper: str, lower: str) -> str:
    """A clause that says that what lies below was written to after what lies on it; or ''."""
    if not is_here(host):
        return ""
    try:
        later = os.stat(lower).st_mtime - os.stat(upper).st_mtime
    except OSError:
        return ""  # That one is gone is told by whoever looks for it.
    if later <= _CLOSING_S:
        return ""
    return (
        f". {lower} was written to after {upper}: if that was no merging, what they hold together "
        "is damaged"
    )


def _looks_like_one(upper: str, lower: str) -> bool:
    """libvirt calls an overlay as the image, with the snapshot's name for a suffix."""
    folder, file = os.path.split(lower)
    stem = file.rpartition(".")[0] or file
    return os.path.dirname(upper) == folder and os.path.basename(upper).startswith(f"{stem}.")
