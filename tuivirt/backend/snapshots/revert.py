"""A domain goes back to a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, NotFound, from_libvirt
from ..lifecycle import domain_to_change, state_of, touch
from ..lookups import domain_detail
from ..model.device import DomainDetail
from ..model.finding import Finding, Plan, Weight
from ..model.snapshot import Snapshot, when
from . import bitmaps, revert_external
from .astray import WAY_OUT, goes_back_itself, why_not
from .judge import refuse
from .read import snapshot_to_change, snapshots_of

if TYPE_CHECKING:
    from ..host import Host

_RISKY = getattr(libvirt, "VIR_ERR_SNAPSHOT_REVERT_RISKY", 78)


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options exclude one another."""
    if values.get("running") and values.get("paused"):
        raise BadInput("running and paused exclude one another")


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be gone, and what speaks against it. Raises TuivirtError."""
    return _settled(host, uuid, values)[0]


def _settled(host: Host, uuid: str, values: Mapping[str, Any]) -> tuple[Plan, bool]:
    """The plan, and whether it is carried out from here: libvirt does it not, or not well."""
    snapshot = find(host, uuid, str(values["snapshotname"]))
    name, detail = host.domain(uuid).name(), domain_detail(host, uuid)
    findings: list[Finding] = []
    by_hand, wrong, unsure = "external" in snapshot.kind, "", list[Finding]()
    if by_hand and goes_back_itself(host):
        wrong, unsure = why_not(host, uuid, snapshots_of(host, uuid))
        by_hand = bool(wrong)
    if detail.live is not None:
        findings.append(Finding(Weight.RISK, f"{name} runs: what it has in memory now is lost"))
        if snapshot.state == "shutoff" and (values.get("running") or values.get("paused")):
            text = "it was off then: its hypervisor is started anew, and whoever has its screen or "
            findings.append(Finding(Weight.NOTE, f"{text}console open is cut off"))
    findings += _disks_that_stay(detail, snapshot)
    findings += bitmaps.against_going_back(host, uuid, snapshot)
    if by_hand:
        back = revert_external.settle(host, uuid, snapshot)
        off = [f"{name} is forced off."] if detail.live is not None else []
        head = f"{name} goes back to {snapshot.name}, taken {when(snapshot)}:"
        after = f"After it, it is {_after_by_hand(snapshot, back, values)}."
        if wrong:
            findings.append(_instead(wrong, back))
        plan = Plan(name, (*off, head, *back.steps, after), (*findings, *back.findings))
        return plan, True
    findings += unsure
    findings += revert_external.against_save(host.domain(uuid))
    steps = [
        f"{name} goes back to {snapshot.name}, taken {when(snapshot)}.",
        f"What was written since is lost, of {', '.join(_targets(snapshot)) or 'its disks'}.",
        f"Its configuration is that of then; after it, it is {_after(snapshot, values)}.",
    ]
    return Plan(name, tuple(steps), tuple(findings)), False


def _instead(wrong: str, back: revert_external.Back) -> Finding:
    """Why libvirt does not do it, which it could; and, where it cannot be done from here, a way."""
    if any(each.weight is Weight.REFUSED for each in back.findings):
        text = f"libvirt is not to go back: it {wrong}"
        return Finding(Weight.REFUSED, text, WAY_OUT)
    text = f"libvirt is not asked to go back: it {wrong}. It is done from here"
    return Finding(Weight.NOTE, f"{text}, and no image is deleted")


def revert(
    host: Host,
    uuid: str,
    snapshotname: str,
    *,
    running: bool = False,
    paused: bool = False,
    force: bool = False,
) -> str:
    """Go back; a sentence of what is true then. Source: virDomainRevertToSnapshot.

    Raises BadInput, NotFound, TuivirtError. ``force``: though its plan has risks, and though
    libvirt sees one, as where the configuration was another.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    snapshot = find(host, uuid, snapshotname)
    what = f"cannot take {name} back to {snapshotname}"
    plan, by_hand = _settled(host, uuid, {"snapshotname": snapshotname})
    refuse(plan, what, force)
    if by_hand:
        back = revert_external.settle(host, uuid, snapshot)
        refuse(Plan(name, (), back.findings), what, force)  # What came meanwhile counts, too.
        try:
            return revert_external.go_back(
                host, uuid, snapshot, back, what=what, run=running, paused=paused
            )
        finally:
            touch(host, uuid)
    flags = 0
    if running:
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING
    if paused:
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED
    handle = snapshot_to_change(domain, snapshotname)
    try:
        try:
            domain.revertToSnapshot(handle, flags)
        except libvirt.libvirtError as error:
            if not force or error.get_error_code() != _RISKY:
                raise
            domain.revertToSnapshot(handle, flags | libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)
    except libvirt.libvirtError as error:
        advice = ""
        if error.get_error_code() == _RISKY:
            advice = "--force does it all the same, and may start its hypervisor anew"
        raise from_libvirt(error, what, advice) from error
    finally:
        touch(host, uuid)
    try:
        state = state_of(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"{name} went back to {snapshotname}; how it is now") from error
    now = state.name.lower() if state is not None else "gone"
    return f"{name} is as it was {when(snapshot)} ({snapshotname}), and {now}"


def find(host: Host, uuid: str, name: str) -> Snapshot:
    """The snapshot of that name. Raises NotFound, TuivirtError."""
    found = snapshots_of(host, uuid)
    for each in found:
        if each.name == name:
            return each
    domain = host.domain(uuid).name()
    known = ", ".join(each.name for each in found[-5:])
    raise NotFound(
        f"{domain} has no snapshot {name!r}", advice=f"it has {known}" if known else "it has none"
    )


def _after_by_hand(
    snapshot: Snapshot, back: revert_external.Back, values: Mapping[str, Any]
) -> str:
    if back.memory:
        return _after(snapshot, values)
    return "booted afresh" if values.get("running") else "paused" if values.get("paused") else "off"


def _disks_that_stay(detail: DomainDetail, snapshot: Snapshot) -> list[Finding]:
    taken = set(_targets(snapshot))
    stay = [
        disk.target
        for disk in detail.current.disks
        if disk.target not in taken and disk.source and not disk.readonly
    ]
    if not stay or not taken:
        return []
    return [Finding(Weight.NOTE, f"{', '.join(stay)} stays as it is: the snapshot holds it not")]


def _targets(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(disk.target for disk in snapshot.disks if disk.kind not in ("no", ""))


def _after(snapshot: Snapshot, values: Mapping[str, Any]) -> str:
    if values.get("running"):
        return "running" if snapshot.has_memory else "booted afresh"
    if values.get("paused"):
        return "paused"
    return {"running": "running", "paused": "paused", "shutoff": "off"}.get(snapshot.state, "off")
