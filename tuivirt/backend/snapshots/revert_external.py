"""A domain goes back to an external snapshot where libvirt does not take it there, or not well.

As its manual has it for hands: with the domain off each disk gets a new image on top of the one
that the snapshot kept, which nobody writes to. What was written since stays in its own files.
Those images are there before libvirt hears of them: at no time is a kept image a domain's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from ..block_jobs.images import is_there, real
from ..block_jobs.judge import NOTE, REFUSED, RISK
from ..block_jobs.left import left_of
from ..block_jobs.read import chains_of
from ..errors import TuivirtError, from_libvirt, if_offered
from ..lifecycle import force_off, start
from ..model.domain import DomainState
from ..model.finding import Finding
from ..model.snapshot import Snapshot, when
from ..xml.errors import XmlError
from ..xml.snapshot import encrypted_in, formats_of, gone_back, with_images
from . import bitmaps, memory, overlays, truth
from .astray import goes_back_itself
from .read import snapshot_to_change, snapshots_of

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class Back:
    """What is done to go back, settled."""

    overlays: Mapping[str, overlays.Overlay]
    """By target: the new image on top of the one that the snapshot kept."""
    record: str
    """libvirt's record of the snapshot."""
    memory: str
    """The configuration that its memory is taken up with; '': it boots."""
    findings: tuple[Finding, ...]
    steps: tuple[str, ...]


def settle(host: Host, uuid: str, snapshot: Snapshot) -> Back:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    domain = host.domain(uuid)
    name = domain.name()
    what = f"cannot read the snapshot {snapshot.name} of {name}"
    try:
        record = snapshot_to_change(domain, snapshot.name).getXMLDesc(
            libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE
        )
        forms = formats_of(record)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    kept = {d.target: d.kept for d in snapshot.disks if d.kind == "external"}
    findings, steps = _against(host, domain, snapshot, kept), []
    made, against = overlays.settle(host, snapshot, forms)
    findings += against
    chains = chains_of(domain, saved=bool(domain.isPersistent()))
    encrypted = encrypted_in(record)
    for target, overlay in made.items():
        steps.append(f"   {target}: {overlay.path} is made on {overlay.kept}, and written to")
        if target not in chains:
            findings.append(Finding(REFUSED, f"{name} has no disk {target} any more"))
        elif target in encrypted:
            text = f"{target} is encrypted: a new image on what was kept would have no secret"
            findings.append(Finding(REFUSED, text, "copy what was kept, and give it that copy"))
        elif real(host, chains[target].source) == real(host, overlay.kept):
            text = f"{target} is written to {overlay.kept} itself: that is not what it was then"
            findings.append(Finding(RISK, text))
        else:
            steps.append(f"   {target}: what was written since stays in {chains[target].source}")
    config, about, how = memory.settle(host, snapshot, made, chains)
    steps += [*how, *bitmaps.about_to_forget(host, uuid)]
    return Back(made, record, config, (*findings, *about), tuple(steps))


def against_save(domain: Any) -> list[Finding]:
    """Why a domain with a managed save goes back to nothing. Raises libvirtError."""
    if not if_offered(lambda: domain.hasManagedSaveImage(0), 0):
        return []
    text = "it has a managed save, whose memory goes with its images as they are"
    return [Finding(REFUSED, text, "start it, or have the save removed: managedsave-remove")]


def _against(host: Host, domain: Any, snapshot: Snapshot, kept: Mapping[str, str]) -> list[Finding]:
    said = []
    if not domain.isPersistent():
        said.append(Finding(REFUSED, "it is gone when it is off: there is nothing to go back with"))
    said += against_save(domain)
    if "internal" in snapshot.kind:
        said.append(
            Finding(REFUSED, "parts of it are internal, parts external: nobody goes back to both")
        )
    for target, path in kept.items():
        if not path.startswith("/"):
            said.append(Finding(REFUSED, f"its record does not tell what it kept of {target}"))
        elif is_there(host, path) is False:
            said.append(Finding(REFUSED, f"what it kept of {target}, {path}, is gone"))
    said += [
        Finding(REFUSED, left.text, left.advice)
        for left in left_of(host, domain)
        if left.spoilt and kept.get(left.target) == left.spoilt
    ]
    said.append(
        Finding(NOTE, "its configuration stays as it is now, but for the images of these disks")
    )
    return said


def go_back(
    host: Host, uuid: str, snapshot: Snapshot, back: Back, *, what: str, run: bool, paused: bool
) -> str:
    """Go back; a sentence of what is true then. Raises TuivirtError, which tells what is done.

    Source: ``qemu-img create`` or virStorageVolCreateXML, virDomainDefineXML,
    virDomainRestoreFlags where its memory is taken up.
    """
    name = host.domain(uuid).name()
    overlays.make(host, back.overlays, what)
    _on_them(host, uuid, back, what)
    on = ", ".join(each.path for each in back.overlays.values())
    said = f"{name} is as it was {when(snapshot)} ({snapshot.name}), on {on}"
    forgotten = ""
    try:
        forgotten = bitmaps.forget(host, uuid)
        _make_current(host, uuid, snapshot, back)
        now = _going_on(host, uuid, snapshot, back, run=run, paused=paused)
    except TuivirtError as error:
        done = f"{said}{truth.look(host, uuid).words}"
        error.done = "; ".join(each for each in (done, forgotten, error.done) if each)
        raise
    return f"{said}{now}" + (f"; {forgotten}" if forgotten else "")


def _on_them(host: Host, uuid: str, back: Back, what: str) -> None:
    """Have the domain off, and on the new images; else those are removed that it is not on.

    What it is on is read again: where the connection broke, libvirt may have done it all the same.
    Raises TuivirtError, which tells how it is then.
    """
    domain = host.domain(uuid)
    ran = False
    try:
        ran = bool(domain.isActive())
        if ran:
            force_off(host, uuid)
        _define(host, domain, back)
    except BaseException as error:
        now = truth.look(host, uuid)
        made = list(back.overlays.values())
        unused = [each for each in made if real(host, each.path) not in now.images]
        if isinstance(error, libvirt.libvirtError) and not unused and not now.unknown:
            return  # It is what was asked for.
        failure = error
        if isinstance(error, libvirt.libvirtError):
            failure = from_libvirt(error, what)
        if isinstance(failure, TuivirtError):
            left = _left(host, made, unused, now)
            off = (
                f"{domain.name()} was forced off"
                if ran and now.state is DomainState.SHUTOFF
                else ""
            )
            failure.done = "; ".join(each for each in (off, failure.done, left) if each)
        if failure is error:
            raise
        raise failure from error


def _left(
    host: Host, made: list[overlays.Overlay], unused: list[overlays.Overlay], now: truth.Now
) -> str:
    """Remove what no configuration names; a clause of what is left, or ''."""
    if now.unknown:
        paths = ", ".join(each.path for each in made)
        return (
            f"what it lies on now could not be read ({now.unknown}): {paths} may be its own, and "
            "are left"
        )
    return overlays.drop(host, unused)


def _make_current(host: Host, uuid: str, snapshot: Snapshot, back: Back) -> None:
    """A libvirt that goes back itself is told what the domain is on now: it would not ask for it.

    There the current one stays so by itself, and loses what it is told if it is made so again.
    """
    what = f"libvirt does not take {snapshot.name} for the current one"
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
    record, itself = back.record, goes_back_itself(host)
    if not (itself and snapshot.current):
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
    try:
        if itself:
            leaf = all(each.parent != snapshot.name for each in snapshots_of(host, uuid))
            images = {target: (e.path, overlays.FORM) for target, e in back.overlays.items()}
            record = gone_back(record, images, leaf=leaf)
        host.domain(uuid).snapshotCreateXML(record, flags)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def _going_on(
    host: Host, uuid: str, snapshot: Snapshot, back: Back, *, run: bool, paused: bool
) -> str:
    """Have it run, if that is meant; a sentence's end that tells how it is. Raises TuivirtError."""
    if back.memory:
        word = memory.take_up(host, uuid, snapshot, back.memory, run=run, paused=paused)
        return f", with its memory, and {word}"
    if run or paused:
        start(host, uuid, paused=paused)
        return f", and {'paused' if paused else 'running'}"
    return ", and off"


def _define(host: Host, domain: Any, back: Back) -> None:
    """Have the domain's disks on the new images, all at once. Raises libvirtError."""
    secure = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    wanted = {target: (each.path, overlays.FORM) for target, each in back.overlays.items()}
    with host.defining[domain.UUIDString()]:
        host.conn.defineXML(with_images(domain.XMLDesc(secure), wanted))
