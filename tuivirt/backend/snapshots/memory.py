"""The memory that an external snapshot has in a file: taken up again on images of its own.

Such a file is what ``virsh save`` writes, so libvirt restores it, with another configuration if
that is one which the guest does not see: the same disks in other images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import libvirt

from ..block_jobs.images import is_there
from ..block_jobs.judge import NOTE, REFUSED, RISK
from ..errors import TuivirtError, broke, from_libvirt
from ..model.block_job import Chain
from ..model.finding import Finding
from ..model.snapshot import Snapshot
from ..xml.chain import parse_chains
from ..xml.errors import XmlError
from ..xml.snapshot import with_images
from . import truth
from .overlays import FORM, Overlay

if TYPE_CHECKING:
    from ..host import Host


def settle(
    host: Host,
    snapshot: Snapshot,
    overlays: Mapping[str, Overlay],
    chains: Mapping[str, Chain],
) -> tuple[str, list[Finding], list[str]]:
    """The configuration to take it up with ('': it boots), what speaks against it, the steps.

    ``chains``: the domain's disks by its saved configuration. Source: virDomainSaveImageGetXMLDesc.
    """
    if not snapshot.has_memory:
        return "", [], []
    file = snapshot.memory_file
    if is_there(host, file) is False:
        return "", [_boots(f"its memory's file {file} is gone")], []
    try:
        xml = str(host.conn.saveImageGetXMLDesc(file, libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))
        then = parse_chains(xml)
    except libvirt.libvirtError as error:
        why = f"libvirt cannot read its memory in {file} ({error.get_error_message()})"
        return "", [_boots(why)], []
    except XmlError as error:
        return "", [_boots(f"what lies in {file} is not its memory ({error})")], []
    images = {target: (each.path, FORM) for target, each in overlays.items()}
    findings = []
    for target, chain in then.items():
        if target in overlays or not chain.source or chain.readonly:
            continue
        # Which image it was on then may be kept by another snapshot by now.
        now = chains.get(target)
        if now is None or not now.layers:
            text = f"its memory knows a disk {target}, which it has no more"
            findings.append(Finding(REFUSED, text, f"attach {chain.source} as {target} again"))
            continue
        if now.source != chain.source:
            if not now.source.startswith("/") or now.layers[0].type != "file":
                text = f"{target} was {chain.source} then and is {now.source} now, which is no file"
                findings.append(Finding(REFUSED, text, f"attach {chain.source} as {target} again"))
                continue
            images[target] = (now.source, now.layers[0].format)
        text = f"{target} stays as it is now, and what its memory knows of {target} is of then"
        findings.append(Finding(RISK, text))
    findings.append(Finding(NOTE, "while it runs it has the devices of then; they fit its memory"))
    return with_images(xml, images), findings, [f"   its memory is taken up from {file}"]


def _boots(why: str) -> Finding:
    text = f"{why}: the guest boots, with its disks as after a power failure"
    return Finding(RISK, text)


def take_up(
    host: Host, uuid: str, snapshot: Snapshot, config: str, *, run: bool, paused: bool
) -> str:
    """Have the guest go on where it was; in one word how it is then. Raises TuivirtError.

    ``run``, ``paused``: else as it was then. Source: virDomainRestoreFlags.
    """
    what = f"the memory of {snapshot.name} was not taken up"
    flags = libvirt.VIR_DOMAIN_SAVE_RUNNING if run else 0
    flags |= libvirt.VIR_DOMAIN_SAVE_PAUSED if paused else 0
    try:
        host.conn.restoreFlags(snapshot.memory_file, config, flags)
    except libvirt.libvirtError as error:
        # Where the connection broke, libvirt goes on: it was off, and runs by this call alone.
        now = truth.look(host, uuid) if broke(error) else None
        if now is None or not now.active:
            advice = "it can be started from there: it boots, as after a power failure"
            raise from_libvirt(error, what, advice) from error
    else:
        now = truth.look(host, uuid)
    if now.unknown:
        text = f"the memory of {snapshot.name} is taken up, but how it is now is not known"
        raise TuivirtError(text, now.unknown)
    if not now.active:
        raise TuivirtError(what, "it has stopped again already", "its log says why")
    return now.words.removeprefix(", and ")
