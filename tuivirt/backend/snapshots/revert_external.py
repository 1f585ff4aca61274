"""A domain goes back to an external snapshot where libvirt (before 9.9) does not take it there.

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
from ..errors import TuivirtError, from_libvirt
from ..lifecycle import force_off, start
from ..model.finding import Finding
from ..model.snapshot import Snapshot, when
from ..xml.errors import XmlError
from ..xml.snapshot import encrypted_in, formats_of, with_images
from . import bitmaps, memory, overlays
from .read import snapshot_to_change

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
    return Back(made, record, config, (*findings, *about), (*steps, *how))


def _against(host: Host, domain: Any, snapshot: Snapshot, kept: Mapping[str, str]) -> list[Finding]:
    said = []
    if not domain.isPersistent():
        said.append(Finding(REFUSED, "it is gone when it is off: there is nothing to go back with"))
    elif domain.hasManagedSaveImage(0):
        text = "it has a managed save, whose memory goes with its images as they are"
        said.append(
            Finding(REFUSED, text, "start it, or have the save removed: managedsave-remove")
        )
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
    domain = host.domain(uuid)
    name = domain.name()
    overlays.make(host, back.overlays, what)
    ended = False
    try:
        if domain.isActive():
            force_off(host, uuid)
            ended = True
        _define(host, domain, back)
    except BaseException as error:
        left = overlays.drop(host, list(back.overlays.values()))
        off = f"{name} was forced off" if ended else ""
        failure = error
        if isinstance(error, libvirt.libvirtError):
            failure = from_libvirt(error, what)
        if isinstance(failure, TuivirtError):
            failure.done = "; ".join(each for each in (off, failure.done, left) if each)
        if failure is error:
            raise
        raise failure from error
    on = ", ".join(each.path for each in back.overlays.values())
    said = f"{name} is as it was {when(snapshot)} ({snapshot.name}), on {on}"
    try:
        bitmaps.forget(domain)
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
        domain.snapshotCreateXML(back.record, flags)
    except libvirt.libvirtError as error:
        raised = from_libvirt(error, f"libvirt does not take {snapshot.name} for the current one")
        raised.done = f"{said}, and off"
        raise raised from error
    try:
        if back.memory:
            word = memory.take_up(host, uuid, snapshot, back.memory, run=run, paused=paused)
            return f"{said}, with its memory, and {word}"
        if run or paused:
            start(host, uuid, paused=paused)
            return f"{said}, and {'paused' if paused else 'running'}"
    except TuivirtError as error:
        error.done = f"{said}, and off"
        raise
    return f"{said}, and off"


def _define(host: Host, domain: Any, back: Back) -> None:
    """Have the domain's disks on the new images, all at once. Raises libvirtError."""
    secure = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    wanted = {target: (each.path, overlays.FORM) for target, each in back.overlays.items()}
    with host.defining[domain.UUIDString()]:
        host.conn.defineXML(with_images(domain.XMLDesc(secure), wanted))
