"""A snapshot is deleted: the domain stays as it is, what could be gone back to is lost."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..block_jobs.follow import advice_for
from ..errors import Aborted, BadInput, TuivirtError, from_libvirt, with_rest
from ..job_call import call_as_job
from ..lifecycle import Progress, domain_to_change, touch
from ..model.finding import Finding, Plan, Weight
from ..model.snapshot import Snapshot, tree, when
from . import merge, native
from .astray import goes_back_itself
from .awake import awake
from .judge import refuse
from .read import snapshot_to_change, snapshots_of
from .revert import find

if TYPE_CHECKING:
    from ..host import Host


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options exclude one another."""
    if values.get("children") and values.get("children_only"):
        raise BadInput("children and children-only exclude one another")


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be lost. Raises TuivirtError."""
    name = host.domain(uuid).name()
    snapshot = find(host, uuid, str(values["snapshotname"]))
    gone = _gone(host, uuid, snapshot, values)
    if not gone:
        nothing = Finding(Weight.REFUSED, f"no snapshot grew out of {snapshot.name}")
        return Plan(name, (), (nothing,))
    steps = [f"{name} stays as it is now. It can then no more go back to:"]
    steps += [f"   {each.name}, taken {when(each)}, {each.kind or 'empty'}" for each in gone]
    findings = []
    if len(gone) > 1:
        findings.append(Finding(Weight.RISK, f"{len(gone)} snapshots go together"))
    if values.get("metadata"):
        kept = Finding(
            Weight.NOTE,
            "libvirt alone forgets: what the snapshots hold stays in the images",
            "qemu-img snapshot -l IMAGE shows the internal ones",
        )
        findings.append(kept)
    elif by_hand(host, gone):
        merging = merge.settle(host, host.domain(uuid), gone, snapshots_of(host, uuid))
        steps += ["What was written since goes into the image below it:", *merging.steps]
        steps += [f"   {each.memory_file} is deleted" for each in gone if each.memory_file]
        findings += merging.findings
    elif any("external" in each.kind for each in gone):
        done, against = native.settle(host, uuid, gone, snapshots_of(host, uuid))
        steps += ["libvirt does this with their images, which may take a while:", *done]
        findings += against
    return Plan(name, tuple(steps), tuple(findings))


def by_hand(host: Host, gone: tuple[Snapshot, ...]) -> bool:
    """Whether external ones are merged from here: this host's libvirt does it badly or not."""
    return any("external" in each.kind for each in gone) and not goes_back_itself(host)


def delete(
    host: Host,
    uuid: str,
    snapshotname: str,
    *,
    children: bool = False,
    children_only: bool = False,
    metadata: bool = False,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Delete; a sentence of what is gone. Source: virDomainSnapshotDelete.

    Raises Aborted, NotFound, TuivirtError; where a part was done, that is told.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    values = {"children": children, "children_only": children_only, "metadata": metadata}
    gone = _gone(host, uuid, find(host, uuid, snapshotname), values)
    what = f"cannot delete the snapshot {snapshotname} of {name}"
    refuse(plan_for(host, uuid, {**values, "snapshotname": snapshotname}), what, force)
    if not metadata and by_hand(host, gone):
        with awake(host, domain, what) as end:
            merging = merge.settle(host, domain, gone, snapshots_of(host, uuid))
            refuse(Plan(name, (), merging.findings), what, force)
            left = merge.merge(
                host, domain, gone, merging, what=what, aborted=aborted, progress=progress
            )
        return _said(name, gone, "deleted") + left + end.said
    flags = 0
    if children:
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN
    if children_only:
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY
    if metadata:
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY
    handle = snapshot_to_change(domain, snapshotname)
    error, asked = call_as_job(
        domain,
        lambda: handle.delete(flags),
        named=f"the deletion of {snapshotname}",
        saying="merging what it kept" if "external" in gone[0].kind else "deleting it",
        aborted=aborted,
        progress=progress,
    )
    touch(host, uuid)
    if error is not None:
        if not isinstance(error, libvirt.libvirtError):
            raise error
        left = _left(host, uuid, gone)
        if asked:
            raise Aborted(f"the deletion of {snapshotname} was aborted", left) from error
        raise with_rest(from_libvirt(error, what, advice_for(error)), left) from error
    return _said(name, gone, "forgotten" if metadata else "deleted")


def _said(name: str, gone: tuple[Snapshot, ...], verb: str) -> str:
    names = ", ".join(each.name for each in gone)
    return f"of {name}, {'these are' if len(gone) > 1 else 'this is'} {verb}: {names}"


def _gone(
    host: Host, uuid: str, snapshot: Snapshot, values: Mapping[str, Any]
) -> tuple[Snapshot, ...]:
    """Those that the options mean: it, it and what grew out of it, or the latter alone."""
    if not (values.get("children") or values.get("children_only")):
        return (snapshot,)
    rows = tree(snapshots_of(host, uuid))
    at = next(number for number, row in enumerate(rows) if row.snapshot.name == snapshot.name)
    below = tuple(row.snapshot for row in rows[at + 1 : at + 1 + rows[at].children])
    return below if values.get("children_only") else (snapshot, *below)


def _left(host: Host, uuid: str, meant: tuple[Snapshot, ...]) -> str:
    try:
        there = {each.name for each in snapshots_of(host, uuid)}
    except TuivirtError as error:
        return f"what is left could not be asked: {error}"
    done = [each.name for each in meant if each.name not in there]
    return f"gone already: {', '.join(done)}" if done else "nothing is deleted"
