"""Devices and a machine's sysfs to judge them by."""

from __future__ import annotations

from pathlib import Path

from tuivirt.backend.model.resources import NodeDevice

HOST = "lab"


def pci(address: str, group: int | None = 1, **more: object) -> NodeDevice:
    """A PCI device of that address, under /sys/devices/pci0000:00."""
    values: dict[str, object] = {
        "pci_class": "030000",
        "path": f"/sys/devices/pci0000:00/{address}",
        "driver": "",
    }
    name = "pci_" + address.replace(":", "_").replace(".", "_")
    return NodeDevice(
        HOST,
        name,
        capability="pci",
        address=address,
        iommu_group=group,
        **(values | more),  # type: ignore[arg-type]
    )


def usb(address: str, vendor: str = "0403", product: str = "6001") -> NodeDevice:
    """A USB device at ``bus:device``."""
    return NodeDevice(
        HOST,
        "usb_" + address.replace(":", "_"),
        capability="usb_device",
        address=address,
        vendor_id=vendor,
        product_id=product,
        path=f"/sys/devices/pci0000:00/0000:00:14.0/usb1/{address.replace(':', '-')}",
    )


def by_name(*devices: NodeDevice) -> dict[str, NodeDevice]:
    """As a host's snapshot has them."""
    return {device.name: device for device in devices}


class Machine:
    """A machine's /sys, /proc and /lib in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str = "") -> None:
        """A file with that text."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def link(self, path: str, target: str) -> None:
        """A link to that place, which is made when it is not there."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        goal = self.root / target.lstrip("/")
        goal.mkdir(parents=True, exist_ok=True)
        place.symlink_to(goal)

    def disk(self, name: str, device: str, number: str, *parts: str) -> None:
        """A disk on a device, with partitions; ``number`` is its major, minors count up."""
        folder = f"{device}/block/{name}"
        for minor, part in enumerate(("", *parts)):
            place = f"{folder}/{part}" if part else folder
            self.write(f"{place}/dev", f"{number}:{minor}\n")
            if part:
                self.write(f"{place}/partition", f"{minor}\n")
            (self.root / place.lstrip("/") / "holders").mkdir()
            self.link(f"/sys/class/block/{part or name}", place)

    def mounts(self, *lines: str) -> None:
        """/proc/self/mountinfo."""
        self.write("/proc/self/mountinfo", "".join(f"{line}\n" for line in lines))

    def net(self, name: str, device: str, *uppers: str) -> None:
        """An interface on a device, with what is built on it."""
        self.write(f"{device}/net/{name}/operstate", "up\n")
        self.link(f"/sys/class/net/{name}", f"{device}/net/{name}")
        for upper in uppers:
            self.link(f"/sys/class/net/{name}/upper_{upper}", f"/sys/devices/virtual/net/{upper}")
            if not (self.root / f"sys/class/net/{upper}").exists():
                self.link(f"/sys/class/net/{upper}", f"/sys/devices/virtual/net/{upper}")
