"""What speaks against a block job, whichever it is."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import from_libvirt
from ..model.block_job import Chain, told
from ..model.finding import Finding, Weight
from ..model.size import spelled
from ..owners import risks
from ..snapshots.read import snapshots_of
from .images import free_at, users_of
from .left import left_of
from .read import busy_with, jobs_of

if TYPE_CHECKING:
    from ..host import Host

REFUSED, RISK, NOTE = Weight.REFUSED, Weight.RISK, Weight.NOTE
ROOM_LEFT = 64 << 20
"""What is to be free besides: images have tables, and others write there as well."""


def against_any(host: Host, domain: Any, chain: Chain) -> list[Finding]:
    """What speaks against a job on that disk now. Raises TuivirtError."""
    name, target = domain.name(), chain.target
    said = []
    if chain.device in ("cdrom", "floppy") or not chain.source:
        what = "is a drive, whose media are changed" if chain.source else "has no medium"
        said.append(Finding(REFUSED, f"{target} {what}: there is nothing to work on"))
    for job in jobs_of(domain):
        if job.target == target:
            said.append(
                Finding(
                    REFUSED,
                    f"a {job.kind} runs on {target} already: {told(job)}",
                    f"tuivirt blockjob {name} {target} tells of it, and ends it with --abort",
                )
            )
        else:
            said.append(Finding(NOTE, f"a {job.kind} runs on {job.target} as well: {told(job)}"))
    busy = busy_with(domain)
    if busy:
        said.append(Finding(REFUSED, f"{busy} now", f"see: tuivirt domjobinfo {name}"))
    said += [
        Finding(NOTE, each.text, each.advice)
        for each in left_of(host, domain)
        if each.target == target
    ]
    return said


def against_chain(chain: Chain, verb: str) -> list[Finding]:
    """What speaks against a commit or a pull (``verb``) in a disk's chain."""
    said = []
    if chain.readonly:
        said.append(Finding(REFUSED, f"{chain.target} is read-only: nothing writes to its images"))
    if chain.source and len(chain.layers) < 2:
        form = chain.layers[0].format or "raw"
        why = "a raw image never has one" if form == "raw" else f"its {form} image stands alone"
        said.append(
            Finding(REFUSED, f"{chain.target} has no backing file: {why}; nothing to {verb}")
        )
    return said


def against_others(host: Host, domain: Any, written: str, gone: Sequence[str]) -> list[Finding]:
    """Who else needs the image that is written into, or those that are no longer true then.

    Raises TuivirtError.
    """
    found = users_of(host, domain.UUIDString(), [written, *gone])
    said = []
    for path in dict.fromkeys((*found.domains, *found.images)):
        domains, images = found.domains.get(path, ()), found.images.get(path, ())
        becomes = "would be written to" if path == written else "would be no true image any more"
        if domains:
            said.append(
                Finding(
                    REFUSED,
                    f"{path} {becomes}, and {', '.join(domains)} {_lies(domains)} on it",
                    "their disks would be spoilt for good: pull instead (tuivirt blockpull "
                    f"{domain.name()}), which writes to its own image alone",
                )
            )
        if images:
            named = ", ".join(f"the image {each}" for each in images)
            said.append(
                Finding(
                    RISK,
                    f"{path} {becomes}, and {named} {_lies(images)} on it",
                    "what nobody has attached may still be wanted: it is of no use after this",
                )
            )
    return said + risks(found.unsure)


def _lies(names: Sequence[str]) -> str:
    return "lies" if len(names) == 1 else "lie"


def against_snapshots(
    host: Host, domain: Any, target: str, written: str, merged: Iterable[str]
) -> list[Finding]:
    """Which snapshots of the domain itself can then not be gone back to. Raises TuivirtError."""
    said = against_kept(host, domain, target, written, merged)
    inside = [
        snapshot.name
        for snapshot in snapshots_of(host, domain.UUIDString())
        for disk in snapshot.disks
        if disk.target == target and disk.kind == "internal"
    ]
    if inside:
        said.append(
            Finding(
                RISK,
                f"the internal snapshot{'s' * (len(inside) > 1)} {', '.join(inside)} may be within "
                "an image that is not used any more then",
                "qemu-img snapshot -l IMAGE tells",
            )
        )
    return said


def against_kept(
    host: Host, domain: Any, target: str, written: str, merged: Iterable[str]
) -> list[Finding]:
    """Which external snapshots lose what they kept of a disk in ``written``, once ``merged`` go
    into it. Raises TuivirtError."""
    gone = set(map(os.path.realpath, merged))
    lost = [
        snapshot.name
        for snapshot in snapshots_of(host, domain.UUIDString())
        for disk in snapshot.disks
        if disk.target == target
        and disk.kind == "external"
        and os.path.realpath(disk.overlay) in gone
    ]
    if not lost:
        return []
    return [
        Finding(
            RISK,
            f"what the snapshot{'s' * (len(lost) > 1)} {', '.join(lost)} kept of {target} is "
            f"lost: {written} would hold what was written since",
            f"tuivirt snapshot-delete {domain.name()} merges them and keeps the books",
        )
    ]


def room_for(host: Host, path: str, needed: int | None, most: int | None) -> list[Finding]:
    """Whether there is room at ``path``: for what is certain, and for the most there can be."""
    free = free_at(host, path)
    if free is None:
        return [Finding(NOTE, f"how much room there is for {path} is not known from here")]
    if needed is not None and free < needed + ROOM_LEFT:
        return [
            Finding(
                RISK,
                f"{spelled(needed)} are to be written to {path}, where {spelled(free)} are free",
                "make room first: a guest whose image cannot grow stands still",
            )
        ]
    if most is not None and free < most:
        return [
            Finding(
                NOTE,
                f"{path} may grow to {spelled(most)}, and {spelled(free)} are free there now",
            )
        ]
    return []


def capacity_of(domain: Any, target: str) -> int:
    """What the guest sees, in bytes. Source: virDomainGetBlockInfo. Raises TuivirtError."""
    try:
        return int(domain.blockInfo(target)[0])
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot read the size of {target}") from error
