"""A domain goes back to an external snapshot where libvirt (before 9.9) does not take it there.

As its manual has it for hands: with the domain off each disk gets a new image on top of the one
that the snapshot kept, which nobody writes to. What was written since stays in its own files.
"""

from __future__ import annotations

import os.path
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from ..block_jobs.images import is_there
from ..block_jobs.judge import NOTE, REFUSED, RISK
from ..block_jobs.left import left_of
from ..block_jobs.read import chains_of
from ..errors import TuivirtError, from_libvirt
from ..lifecycle import force_off, start
from ..model.finding import Finding
from ..model.snapshot import Snapshot, when
from ..xml.snapshot import formats_of, new_snapshot, with_images
from .read import snapshot_to_change

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class Back:
    """What is done to go back, settled."""

    kept: Mapping[str, str]
    """By target: the image that the snapshot kept."""
    overlays: Mapping[str, str]
    """By target: the new image on top of it."""
    findings: tuple[Finding, ...]
    steps: tuple[str, ...]


def settle(host: Host, uuid: str, snapshot: Snapshot) -> Back:
    """What would be done, and what speaks against it. Raises TuivirtError."""
    domain = host.domain(uuid)
    name = domain.name()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    kept = {d.target: d.kept for d in snapshot.disks if d.kind == "external"}
    overlays = {target: _beside(path, stamp) for target, path in kept.items()}
    findings, steps = _against(host, domain, snapshot, kept), []
    chains = chains_of(domain, saved=bool(domain.isPersistent()))
    for target, path in kept.items():
        steps.append(f"   {target}: {overlays[target]} is made on {path}, and written to")
        if target not in chains:
            findings.append(Finding(REFUSED, f"{name} has no disk {target} any more"))
        elif chains[target].source != path:
            steps.append(f"   {target}: what was written since stays in {chains[target].source}")
    return Back(kept, overlays, tuple(findings), tuple(steps))


def _against(host: Host, domain: Any, snapshot: Snapshot, kept: Mapping[str, str]) -> list[Finding]:
    said = []
    if not domain.isPersistent():
        said.append(Finding(REFUSED, "it is gone when it is off: there is nothing to go back with"))
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
        if kept.get(left.target) == left.spoilt
    ]
    if snapshot.has_memory:
        said.append(
            Finding(
                RISK,
                "its memory is not taken up again: the guest boots, with its disks as after a "
                "power failure",
            )
        )
    said.append(
        Finding(NOTE, "its configuration stays as it is now, but for the images of these disks")
    )
    return said


def _beside(path: str, stamp: str) -> str:
    folder, file = os.path.split(path)
    return os.path.join(folder, f"{file.rpartition('.')[0] or file}.{stamp}")


def go_back(
    host: Host, uuid: str, snapshot: Snapshot, back: Back, *, what: str, run: bool, paused: bool
) -> str:
    """Go back; a sentence of what is true then. Raises TuivirtError, which tells what is done.

    Source: virDomainDefineXML, and virDomainSnapshotCreateXML without a record, which makes the
    images of all disks or none.
    """
    domain = host.domain(uuid)
    name = domain.name()
    ended = bool(domain.isActive())
    if ended:
        force_off(host, uuid)
    secure = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    handle = snapshot_to_change(domain, snapshot.name)
    try:
        record = handle.getXMLDesc(libvirt.VIR_DOMAIN_SNAPSHOT_XML_SECURE)
        forms = formats_of(record)
        with host.defining[uuid]:
            before = domain.XMLDesc(secure)
            wanted = {t: (path, forms.get(path, "")) for t, path in back.kept.items()}
            domain = host.conn.defineXML(with_images(before, wanted))
            try:
                others = set(chains_of(domain, saved=True)) - back.kept.keys()
                disks = dict.fromkeys(back.kept, "external") | dict.fromkeys(others, "no")
                xml = new_snapshot("", "", disks=disks, overlays=back.overlays, memory="")
                flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
                flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
                flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
                domain.snapshotCreateXML(xml, flags)
            except BaseException:
                # On no account is the image that was kept left to be written to.
                host.conn.defineXML(before)
                raise
    except libvirt.libvirtError as error:
        failure = from_libvirt(error, what)
        failure.done = f"{name} was forced off" if ended else ""
        raise failure from error
    try:
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
        domain.snapshotCreateXML(record, flags)
    except libvirt.libvirtError as error:
        raised = from_libvirt(error, f"libvirt does not take {snapshot.name} for the current one")
        raised.done = f"{name} is back on what it kept"
        raise raised from error
    said = f"{name} is as it was {when(snapshot)} ({snapshot.name}), on " + ", ".join(
        back.overlays.values()
    )
    if run or paused:
        try:
            start(host, uuid, paused=paused)
        except TuivirtError as error:
            error.done = said
            raise
        return f"{said}, and {'paused' if paused else 'running'}"
    return f"{said}, and off"
