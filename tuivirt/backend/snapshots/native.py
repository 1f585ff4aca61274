"""External snapshots that libvirt itself deletes: what it deletes of images, and writes to.

Of a leaf that is not the current one, which the domain went back past, libvirt deletes the image
that it kept. Of all others what was written since goes into that image, and its own file goes.
Source: qemuSnapshotDeleteExternalPrepare of libvirt 9.9, which looks at no
other domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model.finding import Finding, Weight
from ..model.snapshot import Snapshot
from ..owners import Finder, Use, risks, some
from .astray import unmerged

if TYPE_CHECKING:
    from ..host import Host

_SPOILT = "with --metadata libvirt alone forgets the snapshot, and the images stay as they are"


@dataclass(frozen=True, slots=True)
class _Deed:
    """What becomes of one disk's images, or of the memory's file, with one snapshot."""

    snapshot: str
    target: str
    """'' of the memory."""
    written: str = ""
    """Into this image goes what was written since; '': nothing is merged."""
    deleted: str = ""

    @property
    def step(self) -> str:
        about = f"   {self.target}: " if self.target else "   "
        if self.written:
            file = self.deleted or "what was written since"
            return f"{about}{file} is written into {self.written}, and then deleted"
        return f"{about}{self.deleted}, which {self.snapshot} keeps, is deleted"


def settle(
    host: Host, uuid: str, gone: Sequence[Snapshot], known: Sequence[Snapshot]
) -> tuple[list[str], list[Finding]]:
    """What libvirt deletes and writes to for these to go, and what speaks against it.

    Raises TuivirtError.
    """
    deeds = list(_deeds(gone, known))
    names, finder, found = {each.name for each in gone}, Finder(host), list[Finding]()
    theirs = (path for each in known for d in each.disks for path in (d.overlay, d.kept))
    own = {finder.names(path) for path in (*finder.images_of(uuid), *theirs) if path}
    for target, on, overlay, one in unmerged(host, uuid, gone):
        text = f"{target} is on {on} since the domain went back: libvirt would merge {overlay}, "
        text += f"begun after {one.name}, and does not find it there"
        found.append(Finding(Weight.REFUSED, text, _SPOILT))
    for each in deeds:
        for path in (each.written, each.deleted):
            if not path.startswith("/"):
                continue
            usage = finder.of(path)
            merged = each.deleted if each.written == path else ""
            through = finder.of(merged).domains if merged.startswith("/") else ()
            uses = [
                use
                for use in usage.domains
                if use.snapshot not in names or use.uuid != uuid
                if use.uuid != uuid or _is_spoilt(finder, use, each, path, through, known)
            ]
            becomes = "would be written to" if path == each.written else "would be deleted"
            if uses:
                users = ", ".join(some(use.phrase for use in uses))
                found.append(
                    Finding(Weight.REFUSED, f"{path} {becomes}, and is needed by {users}", _SPOILT)
                )
            if lying := [one for one in usage.overlays if finder.names(one) not in own]:
                images = ", ".join(some(f"the image {one}" for one in lying))
                text = f"{path} {becomes}, and is needed by {images}"
                found.append(Finding(Weight.RISK, text, _SPOILT))
            found += risks(usage.unsure)
    return [each.step for each in deeds], list(dict.fromkeys(found))


def _deeds(gone: Sequence[Snapshot], known: Sequence[Snapshot]) -> Iterator[_Deed]:
    names = {each.name for each in gone}
    for each in reversed(gone):  # Those that grew out of one go before it.
        merges = _merges(each, names, known)
        for disk in each.disks:
            if disk.kind == "external" and disk.kept:
                written, deleted = (disk.kept, disk.overlay) if merges else ("", disk.kept)
                yield _Deed(each.name, disk.target, written, deleted)
        if each.memory_file:
            yield _Deed(each.name, "", deleted=each.memory_file)


def _merges(one: Snapshot, names: set[str], known: Sequence[Snapshot]) -> bool:
    """Whether it is the current one, or something grows out of it, when its turn comes.

    Once the current one is gone, what that grew out of is the current one.
    """
    if any(each.parent == one.name and each.name not in names for each in known):
        return True
    parents = {each.name: each.parent for each in known}
    at = next((each.name for each in known if each.current), "")
    while at in parents and at != one.name:
        at = parents.pop(at)
    return at == one.name


def _is_spoilt(
    finder: Finder,
    use: Use,
    deed: _Deed,
    path: str,
    through: Sequence[Use],
    known: Sequence[Snapshot],
) -> bool:
    """Whether a use by the domain itself, or by one of its snapshots, is not mended by libvirt."""
    if not use.snapshot:  # What the domain lies on now is merged by its hypervisor.
        return not deed.written or use.target != deed.target
    if not use.frozen:  # An internal one is within it, or it is what was written since.
        return any(
            disk.kind == "internal" and finder.names(disk.kept) == finder.names(path)
            for each in known
            for disk in each.disks
            if each.name == use.snapshot and disk.kept
        )
    if path != deed.written:
        return not deed.written  # Who keeps what is merged keeps then what it is merged into.
    # So does who lies on it with what is merged between.
    return not use.below or all(each.snapshot != use.snapshot for each in through)
