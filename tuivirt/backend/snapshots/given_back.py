"""What speaks against a record of a snapshot that is given back, by what libvirt does with it.

libvirt from 9.9 on deletes, when a domain goes back natively, the images that it leaves: those
in the current snapshot's ``<revertDisks>`` (made when the domain went back to it), without them
its ``<disks>``. A record that tells them wrong costs another snapshot what it keeps.
Source: qemuSnapshotRedefine, qemuSnapshotRevertExternalFinish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..block_jobs.images import is_there, real
from ..block_jobs.read import chains_of
from ..model.finding import Finding, Weight
from ..model.snapshot import Snapshot
from ..xml.passwords import lacks_passwords
from ..xml.snapshot import written_since
from .astray import goes_back_itself, written

if TYPE_CHECKING:
    from ..host import Host

_WHOLE = "if it had one: tuivirt snapshot-dumpxml --security-info writes a file with passwords"
REFUSED, RISK, NOTE = Weight.REFUSED, Weight.RISK, Weight.NOTE


@dataclass(frozen=True, slots=True)
class Given:
    """A record from a file."""

    text: str
    snapshot: Snapshot


def against(
    host: Host, domain: Any, given: Given, known: tuple[Snapshot, ...], *, current: bool
) -> list[Finding]:
    """All that speaks against it. ``current``: it is to be the current one. Raises TuivirtError."""
    one, names = given.snapshot, {each.name for each in known}
    findings = []
    if one.name in names:
        text = f"libvirt knows the snapshot {one.name} already: its record is replaced"
        findings.append(Finding(RISK, text))
    elif lacks_passwords(given.text):
        text = "it has a screen without a password: after going back whoever reaches it gets in"
        findings.append(Finding(RISK, text, _WHOLE))
    if one.parent and one.parent not in names:
        text = f"it grew out of {one.parent}, which libvirt does not know"
        findings.append(Finding(REFUSED, text, "give that one back first"))
    for disk in one.disks:
        if disk.kept and disk.kind == "external" and is_there(host, disk.kept) is False:
            text = f"what it kept of {disk.target}, {disk.kept}, is gone"
            findings.append(Finding(RISK, text))
    findings += _against_other_images(domain, given, known)
    findings += _against_current(host, domain, given, known, current)
    return findings + _without_current(host, domain, given, known, current)


def _against_other_images(domain: Any, given: Given, known: tuple[Snapshot, ...]) -> list[Finding]:
    """That libvirt would forget where the domain went when it went back to that snapshot."""
    name = given.snapshot.name
    if all(each.name != name for each in known):
        return []
    now, then = written(domain, name), written_since(given.text)
    if not now.reverted or now.reverted == then.reverted:
        return []
    paths = ", ".join(sorted(now.reverted))
    text = (
        f"since it went back to {name} the domain is on {paths} (<revertDisks>), which the file "
        "does not tell: libvirt would delete other images with the next going back"
    )
    return [Finding(REFUSED, text, "take what tuivirt snapshot-dumpxml prints now")]


def _against_current(
    host: Host, domain: Any, given: Given, known: tuple[Snapshot, ...], current: bool
) -> list[Finding]:
    """That the next going back would delete what another snapshot keeps."""
    if not goes_back_itself(host):
        return []  # An older one deletes nothing, and has such a snapshot for the current one.
    one, now = given.snapshot, next((each for each in known if each.current), None)
    if current and (now is None or now.name != one.name):
        others = [each for each in known if each.name != one.name]
        left = written_since(given.text).left
        advice = "give it back without --current"
        return _kept_of(host, one.name, left, others, advice)
    if now is not None and now.name != one.name and not current:
        advice = f"--current, where the domain grew out of {one.name}"
        return _kept_of(host, now.name, written(domain, now.name).left, [one], advice)
    return []


def _kept_of(
    host: Host, current: str, left: frozenset[str], keeping: list[Snapshot], advice: str
) -> list[Finding]:
    gone = {real(host, path) for path in left}
    return [
        Finding(
            REFUSED,
            f"with {current} as the current snapshot libvirt would delete {disk.kept} with the "
            f"next going back, and {each.name} keeps it",
            advice,
        )
        for each in keeping
        for disk in each.disks
        if disk.kind == "external" and disk.kept and real(host, disk.kept) in gone
    ]


def _without_current(
    host: Host, domain: Any, given: Given, known: tuple[Snapshot, ...], current: bool
) -> list[Finding]:
    """That libvirt would know of no current snapshot although the domain grew out of one."""
    if current or any(each.current for each in known):
        return []
    name, left = given.snapshot.name, written_since(given.text).left
    advice = "--current says that the domain grew out of it"
    on = {real(host, path) for path in left}
    for target, chain in chains_of(domain).items():
        if chain.source and real(host, chain.source) in on:
            text = f"{target} is on {chain.source}, what was written since {name}: the domain grew "
            text += "out of it, and libvirt would know of no current snapshot"
            return [Finding(RISK, text, advice)]
    return [Finding(NOTE, "libvirt knows of no current snapshot of it after this", advice)]
