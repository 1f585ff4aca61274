"""Disks, attached and detached under the eyes of libvirt: what is said is what was read again.

A running and persistent domain has two configurations. A change of both is one call of
libvirt's, which checks the saved one before it touches the running one; the live XML is never
written back as the configuration.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libvirt

from .blocks import refuse_in_use
from .capabilities import machine, refuse_lacking
from .detaching import Detaching, DetachOutcome
from .disk_sources import dropped, find_source, network_asked, refuse_dead_server, what_to_try
from .disks import (
    DiskRequest,
    Source,
    check_scsi_room,
    choose_bus,
    is_same,
    refuse_system_file,
    refuse_used,
)
from .errors import BadInput, from_libvirt
from .lifecycle import Progress, domain_to_change, touch
from .media import eject_media, insert_media, swap_media
from .model.device import DomainConfig
from .model.when import When
from .owners.attaching import Wish, refuse_using
from .settling import LET_GO_S
from .sides import Sides, affecting, read_sides, verify
from .storage.unfinished import refuse as refuse_unfinished
from .unplugging import Unplug
from .xml.catalog import kinds
from .xml.disk import build_disk
from .xml.disk_uri import uri_of
from .xml.disksource import READ_ONLY
from .xml.errors import BusFull, XmlError
from .xml.targets import check_room, choose_target
from .xml.volume import with_secret

if TYPE_CHECKING:
    from .host import Host

# QEMU's words are always English; libvirt's are in the language of the daemon's host, so that of
# its errors the code alone is looked at.
_NO_HOTPLUG = "does not support hotplugging"
_OTHER_BUS = "attach it for the next boot, or to the virtio, scsi or usb bus (--targetbus)"

__all__ = [
    "AttachOutcome",
    "DetachOutcome",
    "DiskRequest",
    "attach_disk",
    "detach_disk",
    "eject_media",
    "insert_media",
    "swap_media",
]


@dataclass(frozen=True, slots=True)
class AttachOutcome:
    """What is true after a disk was attached."""

    text: str
    target: str
    alias: str = ""
    """Its alias in the running domain; empty when only the saved configuration has it."""


def attach_disk(
    host: Host,
    uuid: str,
    request: DiskRequest,
    when: str = When.AUTO,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> AttachOutcome:
    """Attach a disk. Raises BadInput for what cannot be right, with nothing changed.

    ``force``: though a snapshot of this domain keeps the image, a domain that is off has it on
    another machine, or what others have is not known.
    Source: virDomainAttachDeviceFlags.
    """
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    asked = network_asked(request)
    called = uri_of(asked) if asked is not None else request.source
    what = f"cannot attach {called or 'an empty drive'} to {name}"
    before = read_sides(domain, what)
    live, saved = before.choose(when)
    if not called and request.device not in ("cdrom", "floppy"):
        raise BadInput("a disk needs a source", advice="give a path, or pool/volume")
    if progress is not None:
        progress(f"looking at {called}", None)
    source = find_source(host, request, asked)
    if source.network.get("protocol") in READ_ONLY:
        request = replace(request, readonly=True)
    request = _beside_its_twin(host, before, source, request, live, saved)
    if not request.readonly and request.device != "cdrom":
        refuse_system_file(source)
    refuse_used(host, uuid, source, request)
    refuse_using(host, _wish(uuid, source, request), what, force=force)
    refuse_unfinished(host, source.path)
    refuse_in_use(host, uuid, source.path, request)
    bus = request.bus or choose_bus(before.configs(), request, live=live)
    chosen = {"bus": bus, "device": request.device}
    refuse_lacking(machine(host, before.side(live)), kinds()["disk"], chosen, chosen, what)
    others = tuple(disk for disk in before.disks() if not is_same(host, source, disk))
    try:
        if live and before.live is not None:
            check_room(before.live, bus)
            check_scsi_room(before.live, bus)
        target = choose_target(others, bus, request.target)
        xml = build_disk(
            **source.fields(),
            target=target,
            bus=bus,
            device=request.device,
            readonly=request.readonly,
            shareable=request.shareable or None,
            serial=request.serial,
            cache=request.cache,
            io=request.io,
            discard=request.discard,
            driver="qemu" if before.current.type in ("qemu", "kvm", "test") else "",
        )
        if source.secret:
            xml = with_secret(xml, source.secret)
    except BusFull as error:
        raise BadInput(what, str(error), error.advice) from error
    except XmlError as error:
        raise BadInput(what, str(error)) from error
    if live and asked is not None:
        refuse_dead_server(host, asked)
    if progress is not None:
        progress(f"attaching {target}", None)
    try:
        domain.attachDeviceFlags(xml, affecting(live, saved))
    except libvirt.libvirtError as error:
        told = from_libvirt(error, what)
        if told.code == libvirt.VIR_ERR_OPERATION_UNSUPPORTED or _NO_HOTPLUG in told.why:
            told.advice = _OTHER_BUS
        elif asked is not None:
            told.advice = what_to_try(told, asked) or told.advice
        raise told from error
    finally:
        touch(host, uuid)
    after = read_sides(domain, f"cannot tell whether {target} is attached to {name}")
    now, then = after.find_live(target), after.find_saved(target)
    verify(
        f"{target} is not attached",
        name,
        live_bad=live and now is None,
        saved_bad=saved and then is None,
        live=live,
    )
    where = before.words(live, saved)
    if source.network.get("protocol") in READ_ONLY and request.device != "cdrom":
        where += f"; read-only, as nothing can be written over {source.network['protocol']}"
    one = then if saved else now
    lost = dropped(asked, one.xml) if asked is not None and one is not None else ""
    if lost:
        where += f"; this libvirt knows nothing of {lost}, and has dropped it"
    return AttachOutcome(
        f"{source.label or 'an empty drive'} is {target} of {name}{where}",
        target,
        now.alias if now is not None else "",
    )


def detach_disk(
    host: Host,
    uuid: str,
    target: str,
    when: str = When.AUTO,
    *,
    timeout_s: float = LET_GO_S,
    aborted: threading.Event | None = None,
    chose: Callable[[When], None] | None = None,
) -> DetachOutcome:
    """Detach a disk and wait up to ``timeout_s`` seconds until the guest has let go.

    If it has not by then (or the waiting is aborted), the outcome is pending and the detach is
    followed by events until it settles. ``chose`` is told which configurations it is taken from.
    Source: virDomainDetachDeviceFlags, and its events
    DEVICE_REMOVED and DEVICE_REMOVAL_FAILED.
    """
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    what = f"cannot detach {target} from {name}"
    before = read_sides(domain, what)
    live, saved = before.choose(when)
    now, then = before.find_live(target), before.find_saved(target)
    if now is None and then is None:
        has = ", ".join(sorted({disk.target for disk in before.disks()})) or "no disks"
        raise BadInput(f"{name} has no disk {target}", f"it has {has}")
    if when == When.AUTO:
        live, saved = live and now is not None, saved and then is not None
    if live and now is None:
        raise BadInput(what, "the running domain does not have it", "detach it for the next boot")
    if saved and then is None:
        raise BadInput(what, "the saved configuration does not have it", "detach it now only")
    known = host.snapshot.domains.get(uuid)
    if live and known is not None and target in known.detaching:
        raise BadInput(
            f"{name} has already been asked to let go of {target}",
            "the guest has not done so yet",
            "forcing the guest off settles it",
        )
    if chose is not None:
        chose(When.BOTH if live and saved else When.NOW if live else When.NEXT_BOOT)
    disk = now if live and now is not None else then
    assert disk is not None
    alias = now.alias if live and now is not None else ""

    def is_there(config: DomainConfig) -> bool:
        # By alias too: meanwhile another disk may have been given the same name.
        return any(each.target == target and each.alias == alias for each in config.disks)

    unplug = Unplug(
        host, domain, Detaching(host, domain, target, alias, is_there), what, timeout_s, aborted
    )

    def check_saved() -> None:
        bad = read_sides(domain, what).find_saved(target) is not None
        verify(f"{target} is not detached", name, live_bad=False, saved_bad=bad, live=live)

    return unplug.carry_out(
        disk.xml,
        live=live,
        saved=saved,
        check_saved=check_saved,
        done=f"{target} is gone from {name}'s saved configuration" if saved and live else "",
        ending=f"{target} is detached from {name}{before.words(live, saved)}",
    )


def _wish(uuid: str, source: Source, request: DiskRequest) -> Wish:
    # A device's own node is called after nothing that another machine knows.
    given = source.source if source.source_type == "block" else ""
    return Wish(
        uuid,
        given or source.path,
        source.pool,
        source.volume,
        reads_only=request.readonly or request.device == "cdrom",
        shareable=request.shareable,
    )


def _beside_its_twin(
    host: Host, before: Sides, source: Source, request: DiskRequest, live: bool, saved: bool
) -> DiskRequest:
    """The request, with the place that the disk already has in the configuration left alone.

    Raises BadInput when one that is to be changed has the disk.
    """
    for config, changed in ((before.live, live), (before.saved, saved)):
        for disk in config.disks if config is not None else ():
            if not is_same(host, source, disk):
                continue
            if changed:
                side, other = (
                    ("running domain", "for the next boot")
                    if config is before.live
                    else ("saved configuration", "now only")
                )
                raise BadInput(
                    f"{source.label} is already attached to {before.name}",
                    f"as {disk.target} of the {side}",
                    f"attach it {other}, if that configuration lacks it" if live and saved else "",
                )
            target = request.target or disk.target
            bus = request.bus or (disk.bus if target == disk.target else "")
            request = replace(request, target=target, bus=bus)
    return request
