"""External snapshots are deleted: what was written since goes into its image.

libvirt before 9.9 does so for one snapshot at a time, and tells neither how far it is nor what of
several disks is done; older ones not at all. So it is done here, by block commits; libvirt's
record of a snapshot goes last, when there is nothing left that it could tell of.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import libvirt

from ..block_jobs import commit
from ..block_jobs.images import down_from, is_there, real
from ..block_jobs.judge import NOTE, REFUSED, RISK, against_any
from ..block_jobs.read import chains_of
from ..errors import Aborted, TuivirtError, from_libvirt
from ..here import is_here
from ..lifecycle import Progress, touch
from ..model.block_job import Chain, Layer
from ..model.finding import Finding
from ..model.snapshot import Snapshot
from ..owners import against_overwriting
from ..xml.errors import XmlError
from ..xml.snapshot import moved_images
from .read import is_no_more

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class Merging:
    """What is merged where, settled."""

    runs: tuple[commit.Run, ...]
    """One for each disk of which something is left to be merged."""
    findings: tuple[Finding, ...]
    steps: tuple[str, ...]


def settle(host: Host, domain: Any, gone: Sequence[Snapshot], known: Sequence[Snapshot]) -> Merging:
    """What would be merged for these to go, of those that there are. Raises TuivirtError."""
    active = bool(domain.isActive())
    chains = chains_of(domain) if active else _chains_off(host, domain)
    findings: list[Finding] = [] if active else _about_starting(domain)
    runs: list[commit.Run] = []
    steps: list[str] = []
    how = "while the guest goes on" if active else "while it is started for that, and runs nothing"
    targets = sorted({d.target for each in gone for d in each.disks if d.kind == "external"})
    for target in targets:
        chain = chains.get(target, Chain(target))
        run = _run(host, chain, gone, findings)
        if run is None:
            continue
        runs.append(run)
        into = run.into
        steps.append(f"   {target}: {', '.join(run.merged)} into {into}, {how}")
        steps.append(f"   {target} is then {' on '.join(run.then)}")
        findings += against_any(host, domain, chain)
        findings += commit.against(host, domain, run)
    findings += _against_kept(host, gone, known, runs)
    if any("internal" in each.kind for each in gone):
        findings.append(
            Finding(
                REFUSED,
                "internal and external snapshots are not deleted together",
                "delete them one by one",
            )
        )
    return Merging(tuple(runs), tuple(dict.fromkeys(findings)), tuple(steps))


def _chains_off(host: Host, domain: Any) -> dict[str, Chain]:
    """The chains of a domain that is off, as far as the images tell."""
    return {
        target: replace(chain, layers=tuple(Layer(path) for path in down_from(host, chain.source)))
        for target, chain in chains_of(domain).items()
    }


def _about_starting(domain: Any) -> list[Finding]:
    """What speaks against starting a domain, paused, for its hypervisor's work."""
    if domain.hasManagedSaveImage(0):
        return [
            Finding(
                REFUSED,
                "it has a managed save, whose memory goes with its images as they are",
                "start it, and do it while it runs",
            )
        ]
    return [Finding(NOTE, "it is off: it is started for this, runs nothing, and is forced off")]


def _run(
    host: Host, chain: Chain, gone: Sequence[Snapshot], findings: list[Finding]
) -> commit.Run | None:
    """The part of a disk's chain that goes; None where nothing of it is there (any more)."""
    overlays = {
        real(host, d.overlay): each.name
        for each in gone
        for d in each.disks
        if d.target == chain.target and d.kind == "external" and d.overlay
    }
    places = [at for at, path in enumerate(chain.paths) if real(host, path) in overlays]
    found = {real(host, chain.paths[at]) for at in places}
    for path, name in overlays.items():
        if path not in found:
            findings.append(
                Finding(NOTE, f"{chain.target} does not lie on {path} of {name}: nothing to merge")
            )
    if not places:
        return None
    top, last = places[0], places[-1]
    if last + 1 >= len(chain.layers):
        findings.append(Finding(NOTE, f"{chain.target} stands alone: nothing is to be merged"))
        return None
    if places != list(range(top, last + 1)):
        between = [chain.paths[at] for at in range(top, last) if at not in places]
        findings.append(
            Finding(
                REFUSED,
                f"in the chain of {chain.target} {', '.join(between)} lies between them",
                "delete the snapshots one by one, the newest first",
            )
        )
    return commit.Run(chain, top, last + 1)


def _against_kept(
    host: Host,
    gone: Sequence[Snapshot],
    known: Sequence[Snapshot],
    runs: Sequence[commit.Run],
) -> list[Finding]:
    """What other snapshots of the domain keep in the images that are written to, or that go."""
    said = []
    names = {each.name for each in gone}
    for run in runs:
        into, merged = real(host, run.into), {real(host, path) for path in run.merged}
        for each in known:
            for disk in each.disks:
                if each.name in names or disk.target != run.chain.target or not disk.kept:
                    continue
                kept = real(host, disk.kept)
                if disk.kind == "external" and kept == into:
                    said.append(
                        Finding(
                            REFUSED,
                            f"the snapshot {each.name} keeps {run.into}, which would be written to",
                            f"delete {each.name} first",
                        )
                    )
                if disk.kind == "internal" and kept in merged:
                    said.append(
                        Finding(
                            RISK,
                            f"the internal snapshot {each.name} is within {disk.kept}, which goes",
                        )
                    )
    return said


def merge(
    host: Host,
    domain: Any,
    gone: Sequence[Snapshot],
    merging: Merging,
    *,
    what: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> str:
    """Merge, then delete the records; a clause of what is left over, or ''.

    Raises Aborted, TuivirtError: each says what is merged, and that no snapshot is deleted.
    """
    done: list[str] = []
    flags = libvirt.VIR_DOMAIN_BLOCK_COMMIT_DELETE
    for run in merging.runs:
        try:
            if aborted is not None and aborted.is_set():
                raise Aborted("the merging was aborted")
            commit.merge(host, domain, run, what, flags=flags, aborted=aborted, progress=progress)
        except TuivirtError as error:
            merged = f"{', '.join(done)} {'is' if len(done) == 1 else 'are'} merged" if done else ""
            rest = [each.chain.target for each in merging.runs if each.chain.target not in done]
            error.done = merged
            error.why = "; ".join(
                each
                for each in (
                    error.why,
                    (
                        f"not merged: {', '.join(rest)}; no snapshot is deleted yet: "
                        "do it again to go on"
                    ),
                )
                if each
            )
            raise
        done.append(run.chain.target)
    merged_now = {path for run in merging.runs for path in run.merged}
    into = {
        disk.overlay: disk.kept
        for each in gone
        for disk in each.disks
        if disk.kind == "external" and disk.overlay and disk.kept
        # One that lies in another branch keeps what it has.
        if disk.overlay in merged_now or is_there(host, disk.overlay) is False
    }
    _move_records(domain, gone, into, _forms(merging.runs), what)
    _drop_records(domain, gone, what)
    touch(host, domain.UUIDString())
    return _drop_files(host, gone, merging.runs)


def _forms(runs: Sequence[commit.Run]) -> dict[str, str]:
    return {layer.path: layer.format for run in runs for layer in run.chain.layers}


def _move_records(
    domain: Any,
    gone: Sequence[Snapshot],
    into: Mapping[str, str],
    forms: Mapping[str, str],
    what: str,
) -> None:
    """What other snapshots kept in images that are merged, they keep below them now."""
    moved = {}
    for path in into:
        at = path
        for _ in into:
            at = into.get(at, at)
        moved[path] = (at, forms.get(at, ""))
    names = {each.name for each in gone}
    try:
        for handle in domain.listAllSnapshots(0):
            if handle.getName() in names:
                continue
            xml = moved_images(handle.getXMLDesc(libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE), moved)
            if not xml:
                continue
            flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
            if handle.isCurrent(0):
                flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
            domain.snapshotCreateXML(xml, flags)
    except libvirt.libvirtError as error:
        raise _half(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error), done="all is merged") from error


def _drop_records(domain: Any, gone: Sequence[Snapshot], what: str) -> None:
    # The youngest first: libvirt hands the children of one that goes to its parent.
    for each in sorted(gone, key=lambda one: one.created or 0.0, reverse=True):
        try:
            handle = domain.snapshotLookupByName(each.name, 0)
            handle.delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
        except libvirt.libvirtError as error:
            if is_no_more(error):
                continue
            raise _half(error, what) from error


def _half(error: libvirt.libvirtError, what: str) -> TuivirtError:
    half = from_libvirt(error, what, "do it again: there is nothing to be merged any more")
    half.done = "all is merged; libvirt's record is not right yet"
    return half


def _drop_files(host: Host, gone: Sequence[Snapshot], runs: Sequence[commit.Run]) -> str:
    """Delete the memory's files; a clause of what is there still, or ''."""
    left = [path for run in runs for path in run.merged if is_there(host, path)]
    kept = []
    for path in (each.memory_file for each in gone if each.memory_file):
        try:
            if whose := against_overwriting(host, path):
                kept.append(whose[0].text)  # What is a guest's is no memory of a snapshot.
            elif is_here(host):
                os.unlink(path)
            else:
                host.conn.storageVolLookupByPath(path).delete(0)
        except FileNotFoundError:
            continue
        except TuivirtError as error:
            kept.append(f"{path}, of which it cannot be told whose it is ({error})")
        except (OSError, libvirt.libvirtError):
            left.append(path)
    said = f"; left, and of no use any more: {', '.join(left)}" if left else ""
    return said + (f"; left as it is: {'; '.join(kept)}" if kept else "")
