"""A running domain's disk is copied elsewhere, and the guest goes over to the copy if wanted."""

from __future__ import annotations

import os.path
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..backup.folder import against_breaks
from ..disks import Source, refuse_system_file, resolve
from ..errors import Aborted, BadInput, TuivirtError
from ..here import is_here
from ..lifecycle import Progress, domain_to_change
from ..model.block_job import MIB, Begun, Chain
from ..model.finding import Finding, Plan
from ..model.size import spelled
from ..owners import risks
from ..snapshots.judge import refuse
from ..storage.place import Place, place_of, seen
from ..xml.chain import copy_xml
from . import judge
from .commit import SEE
from .config import follows
from .follow import End, Followed, stop
from .images import device_size, down_from, free_at, is_there, real, taken_by, users_of
from .journal import forget, noted
from .judge import NOTE, REFUSED, RISK
from .left import incomplete
from .read import chain_of, running

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is copied where, settled."""

    chain: Chain
    place: Place
    form: str
    block: bool
    plan: Plan

    @property
    def dest(self) -> str:
        return self.place.path


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options exclude one another."""
    if values.get("pivot") and values.get("finish"):
        raise BadInput("pivot and finish exclude one another", "the guest goes over, or it stays")
    pool, slash, name = str(values.get("dest") or "").partition("/")
    if not slash or (pool and not name):
        raise BadInput("the destination is no absolute path", repr(values.get("dest")))


def plan_for(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be copied where, and what speaks against it. Raises TuivirtError."""
    return _settled(host, uuid, values).plan


def copy(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Copy; a sentence of what is true then. Source: virDomainBlockCopy.

    An abort ends the job: the guest stays where it was. Raises Aborted, BadInput, TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name, settled = domain.name(), _settled(host, uuid, values)
    target, dest = settled.chain.target, settled.dest
    shown = partial(seen, host, settled.place, aborted, progress)
    what = f"cannot copy {target} of {name} to {dest}"
    refuse(settled.plan, what, force)
    flags = libvirt.VIR_DOMAIN_BLOCK_COPY_SHALLOW if values.get("shallow") else 0
    flags |= libvirt.VIR_DOMAIN_BLOCK_COPY_REUSE_EXT if values.get("reuse_external") else 0
    if domain.isPersistent() or values.get("transient_job"):
        flags |= libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
    limit = values.get("bandwidth")
    params = {libvirt.VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: int(limit) * MIB} if limit else {}
    xml = copy_xml(dest, settled.form, block=settled.block)
    begun = Begun(target, "copy", settled.chain.source, dest)
    saying = f"copying {target} to {dest}"
    with Followed(host, domain, target, saying=saying, progress=progress) as job:
        with noted(host, domain, begun):
            job.begin(lambda: domain.blockCopy(target, xml, params, flags), what)
        stays = f"{target} stays on {settled.chain.source}"
        left = incomplete(dest)
        try:
            end = job.wait(aborted, ready=True)
        except Aborted as error:
            end = stop(job, error, f"the copy of {target} of {name}", f"{stays}; {left}")
        if end is not End.READY:
            raise _failed(host, what, end, dest, f"{stays}; {left}")
        if values.get("pivot"):
            end = job.pivot(f"{what}: it is copied, and kept equal, but the guest cannot go over")
            if end is not End.COMPLETED and chain_of(domain, target).source != dest:
                raise _failed(host, what, end, dest, f"{stays}; {left}")
            forget(host, domain, begun)
            now = follows(domain, target, settled.chain.source, dest)
            rest = f"{settled.chain.source} is left as it was{shown()}"
            return f"{target} of {name} is on {dest}{now}; {rest}"
        if values.get("finish"):
            end = job.cancel(f"{what}: it is copied, but the job could not be ended")
            if end in (End.FAILED, End.OFF):  # After both were equal, before it was ended.
                raise _failed(host, what, end, dest, f"{stays}; {left}")
            forget(host, domain, begun)
            return f"{dest} is a copy of {target} of {name}, as of now; {stays}{shown()}"
    return (
        f"{dest} equals {target} of {name} and is kept so until the guest goes over to it "
        f"(tuivirt blockjob {name} {target} --pivot) or stays (--abort){shown()}"
    )


def _settled(host: Host, uuid: str, values: Mapping[str, Any]) -> _Copy:
    check(values)
    what = f"cannot copy a disk of {host.domain(uuid).name()}"
    place = place_of(host, str(values["dest"]), what)
    dest, values = place.path, {**values, "blockdev": values.get("blockdev") or place.block}
    domain = running(host, uuid, what)
    name, chain = domain.name(), chain_of(domain, str(values["path"]))
    reuse, block = bool(values.get("reuse_external")), bool(values.get("blockdev"))
    form = str(values.get("format") or "") or _format(host, chain, dest, reuse, block)
    findings = judge.against_any(host, domain, chain)
    findings += _against(host, uuid, chain, dest, form, values)
    if block and chain.layers:
        findings += _against_size(host, dest, form, judge.capacity_of(domain, chain.target))
    copied = chain.layers[:1] if values.get("shallow") else chain.layers
    if chain.layers and not block and not any(each.weight is REFUSED for each in findings):
        needed = taken_by(host, [each.path for each in copied])
        findings += judge.room_for(host, dest, needed, judge.capacity_of(domain, chain.target))
    below = chain.paths[1:] if values.get("shallow") else ()
    target = chain.target
    steps = [
        f"{target} of {name} is copied while the guest goes on:",
        f"   from {' on '.join(p.path for p in copied) or 'nothing'}",
        f"   to {dest}, {form}" + (", which is there already" if reuse else ""),
    ]
    then = " on ".join((dest, *below))
    if values.get("pivot"):
        steps.append(f"Once both are equal the guest goes over: {target} is then {then}.")
        steps.append(f"{chain.source} is left as it is at that time.")
    elif values.get("finish"):
        steps.append(f"Once both are equal that ends: {dest} is a copy, the guest stays.")
    else:
        steps.append(
            f"They are then kept equal until: tuivirt blockjob {name} {target} --pivot, by which "
            f"{target} is {then}, or --abort."
        )
    if domain.isPersistent():
        findings.append(
            Finding(
                NOTE,
                "if the guest stops before it goes over, the copy is not taken up again",
                f"{target} is then as before, and {dest} is of no use",
            )
        )
    return _Copy(chain, place, form, block, Plan(name, tuple(steps), tuple(findings)))


def _format(host: Host, chain: Chain, dest: str, reuse: bool, block: bool) -> str:
    """What the copy is written as, where nobody says: a made one is as its origin."""
    own = chain.layers[0].format if chain.layers else ""
    if reuse and is_there(host, dest):
        return resolve(host, dest).format
    return "raw" if block else own or "raw"


def _against(
    host: Host, uuid: str, chain: Chain, dest: str, form: str, values: Mapping[str, Any]
) -> list[Finding]:
    said = against_breaks([dest])
    reuse, block = bool(values.get("reuse_external")), bool(values.get("blockdev"))
    if real(host, dest) in {real(host, path) for path in chain.paths}:
        return [Finding(REFUSED, f"{dest} is what {chain.target} lies on", "copy it elsewhere")]
    there = is_there(host, dest)
    if there and not reuse and not block:
        said.append(
            Finding(
                REFUSED,
                f"{dest} is there already",
                "name another, or have it overwritten: --reuse-external",
            )
        )
    if there is False and (reuse or block):
        kind = "device" if block else "file"
        said.append(Finding(REFUSED, f"there is no {kind} {dest}"))
    if there is False and not block and not os.path.isdir(os.path.dirname(dest)):
        said.append(Finding(REFUSED, f"there is no folder {os.path.dirname(dest)}"))
    if there and (reuse or block):
        said.append(Finding(RISK, f"what is in {dest} now is overwritten"))
        others = users_of(host, uuid, [dest])
        users = (*others.domains.get(dest, ()), *others.kept.get(dest, ()))
        lying = others.images.get(dest, ())
        said += [Finding(RISK, f"the image {each} lies on it") for each in lying]
        said += risks(others.unsure)
        own = [p for p in _own_paths(host, uuid) if real(host, p) == real(host, dest)]
        if users or own:
            said.append(
                Finding(REFUSED, f"{dest} is in use by {', '.join(users) or 'another disk of it'}")
            )
    if values.get("shallow"):
        if there and reuse:
            said += _against_below(host, chain, dest)
        if form == "raw":
            said.append(Finding(REFUSED, "a raw image cannot lie on another", "--format qcow2"))
        if len(chain.layers) < 2:
            said.append(
                Finding(NOTE, f"{chain.target} has no backing file: all of it is copied anyway")
            )
    try:
        refuse_system_file(Source(source=dest, path=real(host, dest)))
    except BadInput as error:
        said.append(Finding(REFUSED, error.what, "copy it to where images lie"))
    if chain.device == "lun":
        said.append(
            Finding(
                REFUSED,
                f"{chain.target} is handed through as a SCSI device, of which QEMU copies nothing",
            )
        )
    return said


def _against_below(host: Host, chain: Chain, dest: str) -> list[Finding]:
    """Whether an image that is there lies on what the disk's own lies on.

    A shallow copy writes the uppermost image alone: the rest is read from below it.
    """
    wanted = tuple(real(host, path) for path in chain.paths[1:])
    found = tuple(real(host, path) for path in down_from(host, dest)[1:])
    if found == wanted:
        return []
    if not found and not is_here(host):
        text = f"what {dest} lies on cannot be seen from here"
        advice = f"it has to be {wanted[0]}" if wanted else "it has to stand alone"
        return [Finding(RISK, text, advice)]
    lies = f"lies on {' on '.join(found)}" if found else "stands alone"
    needs = f"lies on {' on '.join(wanted)}" if wanted else "stands alone"
    make = f"qemu-img create -f qcow2 -b {wanted[0]} -F FORMAT" if wanted else "qemu-img create"
    return [
        Finding(
            REFUSED,
            f"{dest} {lies}, and {chain.target} {needs}: the guest would read other data from "
            "below the copy",
            f"make the destination anew ({make}), or leave --reuse-external out",
        )
    ]


def _against_size(host: Host, dest: str, form: str, capacity: int) -> list[Finding]:
    """Whether a block device has the size that it has to have."""
    there = device_size(host, dest)
    if there is None:
        return []
    if form == "raw" and there != capacity:
        sizes = f"{dest} has {there} bytes, and the disk {capacity}"
        way = "--format qcow2 is for a larger one" if there > capacity else "take a larger one"
        return [Finding(REFUSED, f"{sizes}: without a format both have to be equal", way)]
    if there < capacity:
        return [
            Finding(RISK, f"{dest} has {spelled(there)}, and the disk may fill {spelled(capacity)}")
        ]
    return []


def _own_paths(host: Host, uuid: str) -> list[str]:
    from .read import chains_of

    return [path for chain in chains_of(host.domain(uuid)).values() for path in chain.paths]


def _failed(host: Host, what: str, end: End, dest: str, left: str) -> TuivirtError:
    if end is End.OFF:
        return TuivirtError(what, f"the domain has stopped meanwhile; {left}", SEE)
    if end is End.CANCELED:
        return TuivirtError(what, f"somebody else has ended it; {left}", SEE)
    free = free_at(host, dest)
    full = is_here(host) and free is not None and free < MIB
    why = f"no room is left ({spelled(free or 0)} free)" if full else "QEMU ended it with an error"
    advice = "make room there" if full else "its log says why: /var/log/libvirt/qemu on the host"
    return TuivirtError(what, f"{why}; {left}", f"{advice}; {SEE}")
