"""The lab host's hardware as its kernel has it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.lab import hardware
from tests.support.libvirtd import until

PCI = Path("/sys/bus/pci/devices")
USB = Path("/sys/bus/usb/devices")

Drivers = dict[str, str]
"""Address of a PCI device, or name of a USB interface → the driver it is bound to."""


def drivers() -> Drivers:
    """What is bound to what."""
    bound: Drivers = {}
    for bus in (PCI, USB):
        for link in bus.glob("*/driver"):
            bound[link.parent.name] = Path(os.readlink(link)).name
    return bound


def driver(address: str) -> str:
    """The driver of the PCI device at ``0000:01:00.0``; empty without one."""
    link = PCI / address / "driver"
    return Path(os.readlink(link)).name if link.is_symlink() else ""


def wait_for_driver(address: str, name: str, timeout: float = 20) -> None:
    """Wait until a PCI device is bound to ``name``."""
    until(lambda: driver(address) == name, f"{address} on {name}", timeout)


def behind(port: int, function: int = 0) -> str:
    """The address of the device behind a PCIe port of ``tests.support.lab.hardware``."""
    root = Path(f"/sys/devices/pci0000:00/0000:00:{port:02x}.0")
    found = list(root.glob(f"0000:*:00.{function}"))
    if len(found) != 1:
        raise AssertionError(f"behind port {port:#x} there is {found}")
    return found[0].name


def group(address: str) -> int:
    """The IOMMU group of the PCI device."""
    return int(Path(os.readlink(PCI / address / "iommu_group")).name)


def group_members(address: str) -> list[str]:
    """The addresses of all devices in its IOMMU group, itself included."""
    return sorted(each.name for each in (PCI / address / "iommu_group" / "devices").iterdir())


def card_behind(mac: str) -> str:
    """The address of the PCI network card with this hardware address."""
    return (Path("/sys/class/net") / network_card(mac) / "device").resolve().name


def network_card(mac: str) -> str:
    """The name of the network card with this hardware address."""
    for card in Path("/sys/class/net").iterdir():
        if (card / "address").read_text().strip() == mac:
            return card.name
    raise AssertionError(f"no network card has {mac}")


def usb_device(port: str) -> Path:
    """The USB device in a port of the lab's USB controller, whichever speed it has."""
    found = list(USB.glob(f"*-{port}"))
    if len(found) != 1:
        raise AssertionError(f"in USB port {port} there is {found}")
    return found[0]


def usb_driver(device: Path) -> str:
    """The driver of a USB device's first interface; ``usbfs`` while a program has it."""
    link = device / f"{device.name}:1.0" / "driver"
    return Path(os.readlink(link)).name if link.is_symlink() else ""


def lacking() -> list[str]:
    """What of the lab's hardware the kernel has not found, or has no driver for, yet."""
    ports = (hardware.GPU, hardware.NVME, hardware.SPARE_CARD, hardware.UPLINK, hardware.USB)
    wanted = {f"port {port:x}": f"0000:00:{port:02x}.0/0000:*:00.0/driver" for port in ports}
    wanted["sound"] = f"0000:00:{hardware.GPU:02x}.0/0000:*:00.1/driver"
    wanted["boot display"] = f"{hardware.BOOT_DISPLAY}/driver"
    wanted["nvme disk"] = f"0000:00:{hardware.NVME:02x}.0/0000:*/nvme/nvme*/nvme*n1"
    wanted["uplink"] = f"0000:00:{hardware.UPLINK:02x}.0/0000:*/net/*"
    wanted["spare"] = f"0000:00:{hardware.SPARE_CARD:02x}.0/0000:*/net/*"
    old = f"0000:00:{hardware.OLD_BUS:02x}.0/0000:*/0000:*"
    wanted |= {f"old card {slot}": f"{old}:{slot:02x}.0/net/*" for slot in (1, 2)}
    controller = f"0000:00:{hardware.USB:02x}.0/0000:*/usb*"
    wanted |= {f"twin {port}": f"{controller}/*-{port}/*/driver" for port in hardware.TWINS}
    wanted["stick"] = f"{controller}/*-{hardware.STICK_PORT}/*/host*/target*/*/block/*"
    wanted["scsi disk"] = "0000:00:03.0/virtio*/host*/target*/*/block/*"
    root = Path("/sys/devices/pci0000:00")
    return [name for name, pattern in wanted.items() if not any(root.glob(pattern))]
