"""Checkpoints of a domain: read, listed, made, deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import NotFound, TuivirtError, from_libvirt, is_unsupported, with_rest
from ..lifecycle import domain_to_change, touch
from ..lookups import domain_detail
from ..model.checkpoint import Checkpoint, below, rows
from ..model.finding import Finding, Plan, Weight
from ..model.size import spelled
from ..model.snapshot import branch, when
from ..snapshots.judge import refuse
from ..together import WIDTH, together
from ..xml.checkpoint import new_checkpoint, parse_checkpoint
from ..xml.errors import XmlError
from . import choice
from .choice import text_of

if TYPE_CHECKING:
    from ..host import Host

SIZES_AT_ONCE = 2
"""For each size QEMU itself is asked, and where it hangs each takes a worker of the daemon."""
_NONE = getattr(libvirt, "VIR_ERR_NO_DOMAIN_CHECKPOINT", 103)


def checkpoints_of(host: Host, uuid: str, *, sizes: bool = False) -> tuple[Checkpoint, ...]:
    """All of a domain's checkpoints, oldest first; () where the driver keeps none.

    ``sizes``: with what an increment from each would hold now, where it runs. Source:
    virDomainListAllCheckpoints and each one's XML. Raises TuivirtError.
    """
    domain = host.domain(uuid)
    what = f"cannot read the checkpoints of {domain.name()}"
    flags = libvirt.VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN
    try:
        handles = domain.listAllCheckpoints(0)
        running = sizes and domain.isActive()
        texts = together(
            [partial(_xml, each, flags, running) for each in handles],
            host.conn.getLibVersion,
            SIZES_AT_ONCE if running else WIDTH,
        )
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return ()
        raise from_libvirt(error, what) from error
    try:
        found = [parse_checkpoint(text) for text in texts if text]
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    return tuple(sorted(found, key=lambda each: (each.created or 0.0, each.name)))


def _xml(handle: Any, flags: int, size: bool) -> str:
    """Its XML; '' for one that went away meanwhile."""
    try:
        if size:
            try:
                return str(handle.getXMLDesc(flags | libvirt.VIR_DOMAIN_CHECKPOINT_XML_SIZE))
            except libvirt.libvirtError as error:
                if error.get_error_code() == _NONE:
                    return ""
                # Its bitmaps may be broken, or a job holds them: it is there all the same.
        return str(handle.getXMLDesc(flags))
    except libvirt.libvirtError as error:
        if error.get_error_code() == _NONE:
            return ""
        raise


def broken_of(host: Host, uuid: str, name: str) -> tuple[str, ...]:
    """The disks of which its bitmaps are not whole: no increment of them can go back to it.

    Of those libvirt tells no size, though it is asked; of a domain that is off it tells of none.
    Source: virDomainCheckpointGetXMLDesc with SIZE. Raises TuivirtError.
    """
    domain = host.domain(uuid)
    flags = libvirt.VIR_DOMAIN_CHECKPOINT_XML_SIZE | libvirt.VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN
    try:
        if not domain.isActive():
            return ()
        found = parse_checkpoint(domain.checkpointLookupByName(name, 0).getXMLDesc(flags))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return ()  # A job holds them: libvirt tells when the backup is begun.
        raise from_libvirt(error, f"cannot read the checkpoint {name}") from error
    return tuple(each.target for each in found.disks if each.bitmap and each.size_bytes is None)


def find(host: Host, uuid: str, name: str) -> Checkpoint:
    """The checkpoint of that name. Raises NotFound, TuivirtError."""
    known = checkpoints_of(host, uuid)
    for each in known:
        if each.name == name:
            return each
    domain = host.domain(uuid).name()
    names = ", ".join(each.name for each in known[-5:])
    raise NotFound(
        f"{domain} has no checkpoint {name!r}", advice=f"it has {names}" if names else "it has none"
    )


def xml_of(host: Host, uuid: str, name: str) -> str:
    """libvirt's record of one, without its secrets. Raises NotFound, TuivirtError.

    Source: virDomainCheckpointGetXMLDesc.
    """
    find(host, uuid, name)
    try:
        return str(host.domain(uuid).checkpointLookupByName(name, 0).getXMLDesc(0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot read the checkpoint {name}") from error


def as_text(host: Host, uuid: str) -> str:
    """The tree, a line each: name, when, its disks, how much was written since."""
    name = host.domain(uuid).name()
    found = rows(checkpoints_of(host, uuid, sizes=True))
    if not found:
        return f"{name} has no checkpoints"
    names = [branch(row) + each.name for each, row in found]
    width = max(map(len, names))
    return "\n".join(
        f"{text:<{width}}  {when(row.snapshot)}  {_disks(each)}"
        + (f": {' '.join(each.description.split())}" if each.description else "")
        for text, (each, row) in zip(names, found, strict=True)
    )


def _disks(checkpoint: Checkpoint) -> str:
    said = [
        disk.target + (f" {spelled(disk.size_bytes)}" if disk.size_bytes is not None else "")
        for disk in checkpoint.disks
        if disk.bitmap
    ]
    return ", ".join(said) or "no disk"


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right."""
    choice.check_name(text_of(values, "name_"), "a checkpoint's name")


def plan_create(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What would be noted, and what speaks against it. Raises TuivirtError."""
    check(values)
    detail = domain_detail(host, uuid)
    config = detail.current
    name = text_of(values, "name_") or choice.default_name()
    disks, left = choice.choose(config, text_of(values, "leave_out"))
    findings = choice.against_all(host, disks, detail.live is not None)
    findings += choice.against_bitmaps(disks)
    findings += choice.against_snapshots(host, uuid)
    if any(each.name == name for each in checkpoints_of(host, uuid)):
        findings.append(
            Finding(Weight.REFUSED, f"there is a checkpoint {name} already", "give it another name")
        )
    steps = [f"Checkpoint {name} of {config.name}: what is written from now on is noted, of"]
    steps += [f"   {disk.target} ({disk.source})" for disk in disks]
    steps += [f"   {target}: left out, {why}" for target, why in left.items()]
    steps.append("It holds no data: a backup with --incremental takes what was written since.")
    return Plan(config.name, tuple(steps), tuple(findings), (("name_", name),))


def create(
    host: Host,
    uuid: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    chose: Callable[..., None] | None = None,
) -> str:
    """Make one; a sentence of what is true now. Source: virDomainCheckpointCreateXML.

    ``chose`` is told its name and virsh's diskspecs. Raises BadInput, TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    called = domain.name()
    name = text_of(values, "name_") or choice.default_name()
    values = {**values, "name_": name}
    what = f"cannot make a checkpoint of {called}"
    refuse(plan_create(host, uuid, values), what, force)
    taken, left = choice.choose(domain_detail(host, uuid).current, text_of(values, "leave_out"))
    disks = {disk.target: True for disk in taken} | dict.fromkeys(left, False)
    if chose is not None:
        # virsh takes all where none is named, and else the named ones alone.
        specs = tuple(f"{disk.target},checkpoint=bitmap" for disk in taken) if left else ()
        chose(name_=name, its_disks=specs)
    xml = new_checkpoint(name, text_of(values, "description"), disks)
    flags = libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE if values.get("quiesce") else 0
    try:
        domain.checkpointCreateXML(xml, flags)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what, advice_of(error)) from error
    finally:
        touch(host, uuid)
    made = find(host, uuid, name)
    return f"{called} has the checkpoint {name}, of {', '.join(made.targets)}"


def plan_delete(host: Host, uuid: str, values: Mapping[str, Any]) -> Plan:
    """What could no more be done. Raises TuivirtError."""
    name = host.domain(uuid).name()
    gone = _gone(host, uuid, values)
    steps = ["What was written stays. No backup can go back any more to:"]
    steps += [f"   {each.name}, of {', '.join(each.targets) or 'no disk'}" for each in gone]
    findings = []
    if len(gone) > 1:
        findings.append(Finding(Weight.RISK, f"{len(gone)} checkpoints go together"))
    if values.get("metadata"):
        kept = Finding(
            Weight.NOTE,
            "libvirt alone forgets: the bitmaps stay in the images",
            "qemu-img bitmap --remove IMAGE NAME takes one away once the guest is off",
        )
        findings.append(kept)
    elif not host.domain(uuid).isActive():
        off = Finding(
            Weight.REFUSED,
            "it is off: libvirt takes bitmaps out of the images of a running guest alone",
            "start it first, or let libvirt alone forget (--metadata)",
        )
        findings.append(off)
    return Plan(name, tuple(steps), tuple(findings))


def delete(
    host: Host,
    uuid: str,
    checkpointname: str,
    *,
    children: bool = False,
    metadata: bool = False,
    force: bool = False,
) -> str:
    """Delete; a sentence of what is gone. Source: virDomainCheckpointDelete.

    Raises BadInput, NotFound, TuivirtError; where a part was done, that is told.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    values = {"checkpointname": checkpointname, "children": children, "metadata": metadata}
    gone = _gone(host, uuid, values)
    what = f"cannot delete the checkpoint {checkpointname} of {name}"
    refuse(plan_delete(host, uuid, values), what, force)
    flags = libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN if children else 0
    flags |= libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY if metadata else 0
    try:
        domain.checkpointLookupByName(checkpointname, 0).delete(flags)
    except libvirt.libvirtError as error:
        failure = from_libvirt(error, what, advice_of(error))
        raise with_rest(failure, _left(host, uuid, gone)) from error
    finally:
        touch(host, uuid)
    still = {each.name for each in checkpoints_of(host, uuid)} & {each.name for each in gone}
    if still:
        raise TuivirtError(what, f"libvirt lists {', '.join(sorted(still))} still")
    names = ", ".join(each.name for each in gone)
    verb = "forgotten" if metadata else "deleted"
    return f"of {name}, {'these are' if len(gone) > 1 else 'this is'} {verb}: {names}"


def _gone(host: Host, uuid: str, values: Mapping[str, Any]) -> tuple[Checkpoint, ...]:
    named = find(host, uuid, str(values["checkpointname"]))
    if not values.get("children"):
        return (named,)
    return (named, *below(checkpoints_of(host, uuid), named.name))


def _left(host: Host, uuid: str, meant: tuple[Checkpoint, ...]) -> str:
    try:
        there = {each.name for each in checkpoints_of(host, uuid)}
    except TuivirtError as error:
        return f"what is left could not be asked: {error}"
    done = [each.name for each in meant if each.name not in there]
    return f"gone already: {', '.join(done)}" if done else "nothing is deleted"


def advice_of(error: libvirt.libvirtError) -> str:
    """What to do where libvirt refuses a checkpoint."""
    text = (error.get_error_message() or "").lower()
    if "snapshot" in text:
        return "delete its snapshots first (tuivirt snapshot-list shows them)"
    if "agent" in text:
        return "is qemu-guest-agent running in the guest? Without --quiesce it is not needed"
    if "bitmap" in text and "exist" in text:
        return (
            "a bitmap of that name is in an image, of a checkpoint that was forgotten: give it "
            "another name"
        )
    if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID and "job" in text:
        return "another job holds the domain; see tuivirt domjobinfo"
    return ""
