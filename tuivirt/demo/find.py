"""Which device of a demo guest a device's XML means, as libvirt's QEMU driver looks for it."""

from __future__ import annotations

from typing import Any

import libvirt

from .devices import hostdev_address
from .errors import failure


def disk_of(devices: Any, target: str) -> Any:
    """The disk of that target, or None."""
    for disk in devices.iterfind("disk"):
        if disk.find("target").get("dev") == target:
            return disk
    return None


def find(devices: Any, device: Any, saved: bool) -> Any:
    """The device of the domain that ``device`` describes. Raises libvirtError."""
    if device.tag == "disk":
        name = device.find("target").get("dev")
        found = disk_of(devices, name)
        text = f"no target device {name}" if saved else f"disk {name} not found"
    elif device.tag == "interface":
        found, text = _interface(devices, device)
    elif hostdev_address(device):
        wanted = hostdev_address(device)
        matches = [d for d in devices.iterfind("hostdev") if hostdev_address(d) == wanted]
        found = matches[0] if matches else None
        text = f"host pci device {wanted} not found"
    else:
        found, text = _alike(devices, device), f"matching {device.tag} device not found"
    if found is None:
        raise failure(libvirt.VIR_ERR_DEVICE_MISSING, text)
    return found


def _interface(devices: Any, device: Any) -> tuple[Any, str]:
    mac = device.find("mac")
    wanted = None if mac is None else mac.get("address", "").lower()
    matches = [
        nic
        for nic in devices.iterfind("interface")
        if wanted is None or nic.find("mac").get("address").lower() == wanted
    ]
    text = (
        "no device found at address '(<null>)' matching MAC address "
        f"'{wanted or '(<null>)'}' and alias '(<null>)'"
    )
    if len(matches) > 1:
        raise failure(
            libvirt.VIR_ERR_OPERATION_FAILED,
            text.replace("no device found", "multiple devices found"),
        )
    return (matches[0] if matches else None), text


def aliased(devices: Any, alias: str) -> Any:
    """The device of that alias, or None."""
    for device in devices:
        found = device.find("alias")
        if found is not None and found.get("name") == alias:
            return device
    return None


def _alike(devices: Any, device: Any) -> Any:
    """By alias where there is one, else the one whose attributes and source agree.

    Of several of these the one that says the very same, as with libvirt.
    """
    alias = device.find("alias")
    found = []
    for other in devices.iterfind(device.tag):
        theirs = other.find("alias")
        if alias is not None and theirs is not None:
            if alias.get("name") == theirs.get("name"):
                return other
        elif dict(device.attrib).items() <= dict(other.attrib).items():
            mine, its = device.find("source"), other.find("source")
            if mine is None or (its is not None and _shape(mine) == _shape(its)):
                found.append(other)
    same = (other for other in found if _shape(other) == _shape(device))
    return next(same, found[0] if found else None)


def _shape(element: Any) -> tuple[Any, ...]:
    said = (each for each in element if each.tag not in ("alias", "address"))
    text = (element.text or "").strip()
    return (element.tag, tuple(sorted(element.attrib.items())), text, tuple(map(_shape, said)))
