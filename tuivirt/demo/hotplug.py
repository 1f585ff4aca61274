"""Attach, detach and update devices, live and saved, with the errors of libvirt's QEMU driver."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

from .devices import LiveDevices, hostdev_address, source_of
from .errors import failure, not_running
from .find import aliased, disk_of, find

if TYPE_CHECKING:
    from .domain import DemoDomain
    from .guest import Guest
    from .machines import Machines

UNPLUG_S = 1.0
"""How long a guest takes to let go of a device."""

_KNOWN = frozenset(
    (
        "disk",
        "interface",
        "hostdev",
        "controller",
        "filesystem",
        "input",
        "sound",
        "video",
        "graphics",
        "memballoon",
        "rng",
        "tpm",
        "serial",
        "parallel",
        "console",
        "channel",
        "redirdev",
        "watchdog",
        "shmem",
        "memory",
        "hub",
        "smartcard",
        "lease",
        "vsock",
        "panic",
        "iommu",
        "audio",
        "crypto",
    )
)
_HOT_BUSES = ("virtio", "scsi", "usb")


def attach(host: Machines, domain: DemoDomain, xml: str, flags: int) -> int:
    """virDomainAttachDeviceFlags. Both halves are checked before either is changed.

    Raises libvirtError.
    """
    device = _parse(xml)
    live, saved = which(domain, flags)
    with host.lock:
        guest = domain.guest
        config = _configuration(domain) if saved else None
        if config is not None:
            _check_saved(device, config)
        if live and guest.live is not None:
            _check_live(host, device, guest, guest.live)
            alias = guest.live.add(device, guest.ran(time.monotonic()))
            if device.tag == "hostdev":
                host.take(device)
            host.terminal(guest).device_came(device)
            host.domain_events.emit(libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, domain, alias)
        if config is not None:
            config.find("devices").append(device)
            _save(host, guest, config)
    return 0


def detach(host: Machines, domain: DemoDomain, xml: str, flags: int) -> int:
    """virDomainDetachDeviceFlags. The live half is asked for; the guest lets go later.

    Raises libvirtError.
    """
    device = _parse(xml)
    live, saved = which(domain, flags)
    with host.lock:
        guest = domain.guest
        config = _configuration(domain) if saved else None
        old = None if config is None else find(config.find("devices"), device, saved=True)
        if live and guest.live is not None:
            found = find(guest.live.element, device, saved=False)
            _unplug(host, domain, guest, guest.live.alias(found))
        if config is not None and old is not None:
            config.find("devices").remove(old)
            _save(host, guest, config)
    return 0


def detach_alias(host: Machines, domain: DemoDomain, alias: str, flags: int) -> int:
    """virDomainDetachDeviceAlias.

    Raises libvirtError.
    """
    live, saved = which(domain, flags)
    with host.lock:
        guest = domain.guest
        config = _configuration(domain) if saved else None
        old = None
        if config is not None:
            old = aliased(config.find("devices"), alias)
            if old is None:
                raise failure(libvirt.VIR_ERR_INTERNAL_ERROR, f"no device found with alias {alias}")
        if live and guest.live is not None:
            if guest.live.by_alias(alias) is None:
                raise failure(libvirt.VIR_ERR_INTERNAL_ERROR, f"no device found with alias {alias}")
            _unplug(host, domain, guest, alias)
        if config is not None and old is not None:
            config.find("devices").remove(old)
            _save(host, guest, config)
    return 0


def update(host: Machines, domain: DemoDomain, xml: str, flags: int) -> int:
    """virDomainUpdateDeviceFlags. The device keeps its alias and address.

    Raises libvirtError.
    """
    device = _parse(xml)
    live, saved = which(domain, flags & ~libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE)
    with host.lock:
        guest = domain.guest
        config = _configuration(domain) if saved else None
        old = None if config is None else find(config.find("devices"), device, saved=True)
        if live and guest.live is not None:
            found = find(guest.live.element, device, saved=False)
            if found.tag == "disk":
                _check_medium(host, found, device)
            guest.live.replace(found, device)
        if config is not None and old is not None:
            for tag in ("address", "alias"):  # What the update leaves out stays as it was.
                kept = old.find(tag)
                if device.find(tag) is None and kept is not None:
                    device.append(kept)
            config.find("devices").replace(old, device)
            _save(host, guest, config)
    return 0


def set_period(host: Machines, domain: DemoDomain, period: int, flags: int) -> int:
    """virDomainSetMemoryStatsPeriod, in seconds; 0 stops it.

    Raises libvirtError.
    """
    live, saved = which(domain, flags)
    with host.lock:
        guest = domain.guest
        if live and guest.live is not None:
            if not guest.live.balloon:
                raise failure(
                    libvirt.VIR_ERR_INTERNAL_ERROR,
                    "No memory balloon device configured, can not set the collection period",
                )
            guest.live.set_period(period)
        if saved:
            config = _configuration(domain)
            balloon = config.find("devices/memballoon")
            if balloon is None or balloon.get("model") == "none":
                raise failure(
                    libvirt.VIR_ERR_INTERNAL_ERROR,
                    "No memory balloon device configured, can not set the collection period",
                )
            for stats in balloon.findall("stats"):
                balloon.remove(stats)
            if period:
                balloon.insert(0, etree.Element("stats", period=str(period)))
            _save(host, guest, config)
    return 0


# ---------------------------------------------------------------------- what is asked
def _parse(xml: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        device: Any = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        text = f"(device_definition):{error.lineno}: {error.msg}"
        raise failure(libvirt.VIR_ERR_XML_DETAIL, text, libvirt.VIR_FROM_DOMAIN) from error
    if device.tag not in _KNOWN:
        raise failure(
            libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
            f"unknown device type '{device.tag}'",
            libvirt.VIR_FROM_DOMAIN,
        )
    if device.tag == "disk":
        target = device.find("target")
        if target is None or not target.get("dev"):
            raise failure(
                libvirt.VIR_ERR_NO_TARGET, source_of(device) or "(null)", libvirt.VIR_FROM_DOMAIN
            )
        if not target.get("bus"):
            stem = target.get("dev")[:2]
            target.set("bus", {"vd": "virtio", "hd": "ide", "fd": "fdc"}.get(stem, "scsi"))
        if device.find("driver") is None:
            device.insert(0, etree.Element("driver", name="qemu", type="raw"))
    device.tail = None
    return device


def which(domain: DemoDomain, flags: int) -> tuple[bool, bool]:
    """(live, saved) of virDomainDeviceModifyFlags; 0 is whichever is current."""
    live = bool(flags & libvirt.VIR_DOMAIN_AFFECT_LIVE)
    saved = bool(flags & libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    unknown = flags & ~(libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    if unknown:
        raise failure(
            libvirt.VIR_ERR_INVALID_ARG,
            f"unsupported flags (0x{unknown:x}) in function virDomainDeviceModifyFlags",
        )
    active = domain.guest.active
    if not live and not saved:
        live, saved = active, not active
    if live and not active:
        raise not_running()
    if saved and not domain._real.isPersistent():
        raise failure(
            libvirt.VIR_ERR_OPERATION_INVALID, "transient domains do not have any persistent config"
        )
    return live, saved


def _configuration(domain: DemoDomain) -> Any:
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    return etree.fromstring(domain.XMLDesc(flags))


def _save(host: Machines, guest: Guest, config: Any) -> None:
    etree.indent(config)
    host.save_configuration(guest.uuid, etree.tostring(config, encoding="unicode"))


# ---------------------------------------------------------------------- whether it can be
def _check_saved(device: Any, config: Any) -> None:
    if device.tag == "disk":
        name = device.find("target").get("dev")
        if disk_of(config.find("devices"), name) is not None:
            raise failure(libvirt.VIR_ERR_OPERATION_INVALID, f"target {name} already exists")
    elif hostdev_address(device):
        for other in config.iterfind("devices/hostdev"):
            if hostdev_address(other) == hostdev_address(device):
                raise failure(
                    libvirt.VIR_ERR_OPERATION_INVALID,
                    "device is already in the domain configuration",
                )


def _check_live(host: Machines, device: Any, guest: Guest, live: LiveDevices) -> None:
    if device.tag == "disk":
        check_source(host, device)  # First, as libvirt does.
        target = device.find("target")
        other = disk_of(live.element, target.get("dev"))
        if other is not None:
            raise failure(
                libvirt.VIR_ERR_XML_ERROR,
                f"target '{target.get('dev')}' duplicated for disk sources "
                f"'{source_of(other)}' and '{source_of(device)}'",
                libvirt.VIR_FROM_DOMAIN,
            )
        if device.get("device", "disk") in ("cdrom", "floppy"):
            raise failure(
                libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
                f"disk device type '{device.get('device')}' cannot be hotplugged",
            )
        if target.get("bus") not in _HOT_BUSES:
            raise failure(
                libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
                f"disk bus '{target.get('bus')}' cannot be hotplugged.",
            )
        _check_lock(host, device)
    elif device.tag == "hostdev":
        host.check_free(device)
    elif device.tag == "interface":
        source = device.find("source")
        if device.get("type") == "network" and source is not None:
            network = host.real.networkLookupByName(source.get("network", ""))
            if not network.isActive():
                raise failure(
                    libvirt.VIR_ERR_OPERATION_INVALID,
                    f"network '{network.name()}' is not active",
                    libvirt.VIR_FROM_NETWORK,
                )
        mac = device.find("mac")
        if mac is None:
            number = sum(1 for _ in live.element.iterfind("interface")) + guest.boots * 8
            address = f"52:54:00:de:{number % 256:02x}:{zlib.crc32(guest.uuid.encode()) % 256:02x}"
            device.insert(0, etree.Element("mac", address=address))


def check_source(host: Machines, disk: Any) -> None:
    """Whether what a disk is to be made of is there.
    Raises libvirtError."""
    source, path = disk.find("source"), source_of(disk)
    if source is not None and source.get("pool"):
        pool = host.real.storagePoolLookupByName(source.get("pool"))
        pool.storageVolLookupByName(source.get("volume", ""))
    elif source is not None and (source.get("file") or source.get("dev")):
        if host.knows_path(path):
            return
        raise failure(
            libvirt.VIR_ERR_SYSTEM_ERROR,
            f"Cannot access storage file '{path}' (as uid:64055, gid:64055): "
            "No such file or directory",
            libvirt.VIR_FROM_STORAGE,
            2,
        )


def _check_lock(host: Machines, device: Any) -> None:
    if device.find("shareable") is not None or device.find("readonly") is not None:
        return
    if device.get("type") == "network":
        return  # QEMU locks files of its own host alone.
    path = source_of(device)
    for guest in host.known_guests():
        for disk in guest.live.element.iterfind("disk") if guest.live else ():
            if path and source_of(disk) == path:
                raise failure(
                    libvirt.VIR_ERR_INTERNAL_ERROR,
                    "unable to execute QEMU command 'blockdev-add': Failed to get \"write\" lock",
                )


def _check_medium(host: Machines, old: Any, new: Any) -> None:
    removable = old.get("device") in ("cdrom", "floppy")
    if not removable and source_of(old) != source_of(new):
        raise failure(
            libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
            "disk source can be changed only in removable drives",
        )
    if source_of(new):
        check_source(host, new)


def _unplug(host: Machines, domain: DemoDomain, guest: Guest, alias: str) -> None:
    """Ask the guest to let go. It answers later, or never; asking again changes nothing."""
    manners, boot = guest.spec.unplug, guest.boots
    if alias in guest.detaching and manners != "refuses":
        return
    guest.detaching.add(alias)
    if manners == "never answers":
        return

    def answer() -> None:
        with host.lock:
            if guest.boots != boot or not guest.active or alias not in guest.detaching:
                return
            if not guest.running:  # A paused guest cannot answer; it will when it goes on.
                host.clock.after(UNPLUG_S, answer)
            elif manners == "refuses":
                guest.detaching.discard(alias)
                event = libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED
                host.domain_events.emit(event, domain, alias)
            else:
                host.unplugged(guest, alias)

    host.clock.after(UNPLUG_S, answer)
