"""The host device that an operator means: by libvirt's name, its address, or what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import BadInput
from ..model.resources import NodeDevice
from .group import is_bridge, is_display, is_root_hub

_PCI = re.compile(r"(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])", re.IGNORECASE)
_USB = re.compile(r"([0-9]{1,3})[:.]([0-9]{1,3})")
_SCSI = re.compile(r"[0-9]+:[0-9]+:[0-9]+:[0-9]+")
_IDENTITY = re.compile(r"(?:0x)?([0-9a-f]{4}):(?:0x)?([0-9a-f]{4})", re.IGNORECASE)

GIVEN = ("pci", "usb_device", "scsi", "mdev")
"""Capabilities of node devices that a domain can be given."""


def find_device(devices: Mapping[str, NodeDevice], wanted: str) -> NodeDevice:
    """The device called ``wanted``: ``pci_0000_04_00_0``, ``0000:04:00.0`` or ``04:00.0``,
    a USB device's ``002:003`` or ``1234:abcd``, a SCSI device's ``0:0:1:0``, a mediated
    device's UUID.

    Raises BadInput: none is, or several are.
    """
    found = _candidates(devices, wanted.strip())
    if not found:
        raise BadInput(
            f"there is no host device {wanted!r}",
            advice="tuivirt list devices shows them: give a name, a PCI address as in 04:00.0, or"
            " a USB device's bus and number (002:003) or vendor and product (1234:abcd)",
        )
    if len(found) > 1:
        places = ", ".join(sorted(each.address or each.name for each in found))
        raise BadInput(
            f"{len(found)} host devices are called {wanted!r}",
            f"they are at {places}",
            "name one of them by its place",
        )
    device = found[0]
    if device.capability not in GIVEN:
        raise BadInput(
            f"{device.name} cannot be given to a domain",
            f"it is no PCI, USB, SCSI or mediated device but {device.capability or 'nothing'}",
            f"give its parent {device.parent}" if device.parent in devices else "",
        )
    return device


def _candidates(devices: Mapping[str, NodeDevice], wanted: str) -> list[NodeDevice]:
    if wanted in devices:
        return [devices[wanted]]
    pci = _PCI.fullmatch(wanted)
    if pci:
        domain, bus, slot, function = pci.groups()
        address = f"{int(domain or '0', 16):04x}:{int(bus, 16):02x}:{int(slot, 16):02x}.{function}"
        return [d for d in devices.values() if d.capability == "pci" and d.address == address]
    usb = [d for d in devices.values() if d.capability == "usb_device"]
    identity = _IDENTITY.fullmatch(wanted)
    if identity:
        vendor, product = (part.lower() for part in identity.groups())
        return [d for d in usb if (d.vendor_id, d.product_id) == (vendor, product)]
    if _SCSI.fullmatch(wanted):
        return [d for d in devices.values() if d.capability == "scsi" and d.address == wanted]
    place = _USB.fullmatch(wanted)
    if place:
        address = f"{int(place[1]):03d}:{int(place[2]):03d}"
        return [d for d in usb if d.address == address]
    return [d for d in devices.values() if d.mdev_uuid and d.mdev_uuid == wanted.lower()]


def never_given(device: NodeDevice) -> str:
    """Why no domain can ever have this device, whatever its state; '' for one that could."""
    if device.capability not in GIVEN:
        return f"{device.name} is no PCI, USB, SCSI or mediated device: no guest can have it"
    if is_bridge(device):
        return f"{device.address} is a bridge: give what is behind it"
    if is_root_hub(device):
        return f"{device.address} is a USB bus: give a device on it, or its PCI controller"
    return ""


def givable(devices: Mapping[str, NodeDevice]) -> tuple[NodeDevice, ...]:
    """What a domain could be handed: GPUs first, then by kind and place."""
    found = [device for device in devices.values() if device.active and not never_given(device)]
    return tuple(
        sorted(found, key=lambda d: (not is_display(d), GIVEN.index(d.capability), d.address))
    )
