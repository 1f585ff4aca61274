"""Whether libvirt may take a domain back to an external snapshot itself, which it does from 9.9 on.

Once the domain is on new images libvirt deletes those that it takes for the ones it left: what the
record of the current snapshot has in its ``<revertDisks>``, or else its ``<disks>``, whatever the
domain was on, and whoever keeps them. That is wrong of a domain that went back by hand (under an
older libvirt), or whose snapshot after going back was deleted again: libvirt then has dropped the
``<revertDisks>`` for good. Without a current snapshot the daemon itself falls over.
Source: qemuSnapshotRevertExternalFinish, qemuSnapshotClearRevertdisks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import libvirt

from ..block_jobs.images import real
from ..block_jobs.read import chains_of
from ..errors import TuivirtError, from_libvirt
from ..model.finding import Finding
from ..model.snapshot import Snapshot
from ..owners import Finder, risks, some
from ..xml.errors import XmlError
from ..xml.snapshot import Written, written_since
from .judge import is_before
from .read import snapshot_to_change

if TYPE_CHECKING:
    from ..host import Host

EXTERNAL_REVERT = (9, 9)
"""libvirt from this version on goes back to external snapshots."""
WAY_OUT = "take an external snapshot of it as it is now: then libvirt knows what it is on"


def goes_back_itself(host: Host) -> bool:
    """Whether this host's libvirt goes back to external snapshots, and deletes external ones well.

    Of one whose version is not known that is taken for true.
    """
    info = host.snapshot.info
    return not is_before(info.libvirt_version if info is not None else "", EXTERNAL_REVERT)


def why_not(host: Host, uuid: str, known: Sequence[Snapshot]) -> tuple[str, list[Finding]]:
    """What libvirt would do wrong, a clause, or ''; and what could not be seen.

    ``known``: all of the domain's snapshots. Raises TuivirtError.
    """
    domain = host.domain(uuid)
    now = next((each for each in known if each.current), None)
    if now is None:
        return "knows of no current snapshot, by which it tells what the domain leaves", []
    left = sorted(path for path in written(domain, now.name).left if path.startswith("/"))
    if not left:
        return "", []
    try:
        chains = chains_of(domain, saved=not domain.isActive())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot tell whether {domain.name()} runs") from error
    on = {real(host, chain.source): chain.source for chain in chains.values() if chain.source}
    finder, said, unsure = Finder(host), list[str](), list[Finding]()
    theirs = (path for each in known for disk in each.disks for path in (disk.overlay, disk.kept))
    own = {finder.names(path) for path in (*finder.images_of(uuid), *theirs) if path}
    for path in left:
        usage = finder.of(path)
        others = [use.phrase for use in usage.domains if use.uuid != uuid or use.frozen]
        others += [f"the image {one}" for one in usage.overlays if finder.names(one) not in own]
        if others:
            said.append(f"would delete {path}, which is needed by {', '.join(some(others))}")
        elif real(host, path) not in on:
            truth = ", ".join(on.values()) or "nothing"
            said.append(f"would delete {path}, though {domain.name()} is on {truth}")
        unsure += risks(usage.unsure)
    return "; ".join(some(said)), list(dict.fromkeys(unsure))


def unmerged(
    host: Host, uuid: str, gone: Sequence[Snapshot]
) -> Iterator[tuple[str, str, str, Snapshot]]:
    """Of a current snapshot that is to be deleted the disks that libvirt does not merge.

    Each with what it is on, and with what libvirt takes it to be on: of a domain that went back
    that is another image, and libvirt does not find it below the disk. Raises TuivirtError.
    """
    domain = host.domain(uuid)
    for each in (one for one in gone if one.current):
        try:
            chains = chains_of(domain, saved=not domain.isActive())
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot tell whether {domain.name()} runs") from error
        for disk in each.disks:
            chain = chains.get(disk.target)
            if disk.kind != "external" or not disk.overlay or chain is None or not chain.source:
                continue
            if real(host, chain.source) != real(host, disk.overlay):
                yield disk.target, chain.source, disk.overlay, each


def written(domain: Any, name: str) -> Written:
    """Where what was written since that snapshot lies, by libvirt's record. Raises TuivirtError."""
    what = f"cannot read the snapshot {name} of {domain.name()}"
    try:
        return written_since(str(snapshot_to_change(domain, name).getXMLDesc(0)))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
