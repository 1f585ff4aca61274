"""The devices that a running demo guest has: aliases and addresses as QEMU's driver gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import libvirt
from lxml import etree

from .errors import failure


@dataclass(frozen=True, slots=True)
class DiskRow:
    """A disk in the stats."""

    name: str
    path: str
    keys: tuple[str, ...]
    weight: float
    since: float
    """The guest's running time when it came."""
    capacity: int
    format: str


@dataclass(frozen=True, slots=True)
class NicRow:
    """A network interface in the stats."""

    name: str
    keys: tuple[str, ...]
    weight: float
    since: float


_BLOCK_KEYS = (
    "name",
    "path",
    "backingIndex",
    "rd.reqs",
    "rd.bytes",
    "rd.times",
    "wr.reqs",
    "wr.bytes",
    "wr.times",
    "fl.reqs",
    "fl.times",
    "allocation",
    "capacity",
    "physical",
)
_WAYS = ("bytes", "pkts", "errs", "drop")
_NET_KEYS = ("name", *(f"rx.{key}" for key in _WAYS), *(f"tx.{key}" for key in _WAYS))

_ALIAS_STEM = {
    "interface": "net",
    "memballoon": "balloon",
    "filesystem": "fs",
    "sound": "sound",
}


def source_of(disk: Any) -> str:
    """The path (or ``pool/volume``, or name) a disk is made of; empty without a medium."""
    source = disk.find("source")
    if source is None:
        return ""
    if source.get("pool"):
        return f"{source.get('pool')}/{source.get('volume')}"
    for attribute in ("file", "dev", "name", "dir"):
        if source.get(attribute):
            return str(source.get(attribute))
    return ""


def target_index(target: str) -> int:
    """vda → 0, vdb → 1, vdaa → 26."""
    number = 0
    for letter in re.sub(r"^(vd|sd|hd|fd|xvd)", "", target):
        number = number * 26 + ord(letter) - ord("a") + 1
    return max(0, number - 1)


def hostdev_address(hostdev: Any) -> str:
    """``0000:04:00.0`` of a PCI host device; empty for another kind."""
    address = hostdev.find("source/address")
    if hostdev.get("type") != "pci" or address is None:
        return ""
    domain, bus, slot, function = (
        int(address.get(name, "0"), 0) for name in ("domain", "bus", "slot", "function")
    )
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"


class LiveDevices:
    """The ``<devices>`` of a running guest. Not locked: the host's lock covers it."""

    def __init__(
        self,
        devices: Any,
        machine: str,
        skip: Iterable[str],
        vnets: Iterator[int],
        size_of: Callable[[str], int],
    ) -> None:
        """``skip``: targets of disks that wait for the next boot; ``vnets``: numbers for vnetN;
        ``size_of``: how many bytes a disk's source holds."""
        self._size_of = size_of
        self._pc = not machine.startswith(("q35", "pc-q35"))
        self._vnets = vnets
        self._since: dict[str, float] = {}
        self.element: Any = etree.Element("devices")
        self._ports = [
            int(port.get("index"))
            for port in devices.iterfind("controller[@model='pcie-root-port']")
        ]
        self._booting = True
        left_out = set(skip)
        for device in devices:
            target = device.find("target")
            if device.tag == "disk" and target is not None and (target.get("dev") in left_out):
                continue
            self._place(deepcopy(device))
        self._booting = False
        self._rows()

    # ------------------------------------------------------------------ what it has
    disks: tuple[DiskRow, ...]
    nics: tuple[NicRow, ...]
    balloon: bool
    period: int

    def by_alias(self, alias: str) -> Any:
        """The device of that alias, or None."""
        for device in self.element:
            found = device.find("alias")
            if found is not None and found.get("name") == alias:
                return device
        return None

    def alias(self, device: Any) -> str:
        found = device.find("alias")
        return "" if found is None else str(found.get("name"))

    def add(self, device: Any, ran: float) -> str:
        """Plug it in; its alias. Raises libvirtError when there is no slot for it."""
        placed = self._place(deepcopy(device))
        alias = self.alias(placed)
        self._since[alias] = ran
        self._rows()
        return alias

    def remove(self, alias: str) -> Any:
        """Take it out and return it, or None when it is gone."""
        device = self.by_alias(alias)
        if device is not None:
            self.element.remove(device)
            self._since.pop(alias, None)
            self._rows()
        return device

    def replace(self, old: Any, new: Any) -> None:
        """Put ``new`` where ``old`` is, under its alias and address."""
        fresh = deepcopy(new)
        for tag in ("alias", "address"):
            for stale in fresh.findall(tag):
                fresh.remove(stale)
            kept = old.find(tag)
            if kept is not None:
                fresh.append(deepcopy(kept))
        if fresh.tag == "interface" and fresh.find("target") is None:
            kept = old.find("target")
            if kept is not None:
                fresh.append(deepcopy(kept))
        self.element.replace(old, fresh)
        self._rows()

    def set_period(self, period: int) -> None:
        """How often the guest's balloon driver tells its figures, in seconds; 0 never."""
        for balloon in self.element.findall("memballoon"):
            for stats in balloon.findall("stats"):
                balloon.remove(stats)
            if period:
                balloon.insert(0, etree.Element("stats", period=str(period)))
        self._rows()

    # ------------------------------------------------------------------ aliases and addresses
    def _place(self, device: Any) -> Any:
        alias = self._alias_for(device)
        needed = self._address_for(device) if device.find("address") is None else None
        user_alias = device.find("alias")
        if user_alias is not None and not user_alias.get("name", "").startswith("ua-"):
            device.remove(user_alias)
            user_alias = None
        if device.tag == "interface":
            target = device.find("target")
            if target is None:
                target = etree.SubElement(device, "target")
            if target.get("dev", "testnet").startswith(("testnet", "vnet")):
                target.set("dev", f"vnet{next(self._vnets)}")
        if device.tag == "graphics":
            device.set("port", "5900")
        if alias and user_alias is None:
            etree.SubElement(device, "alias", name=alias)
        if needed:
            etree.SubElement(device, "address", attrib=needed)
        elif device.find("address") is not None:
            device.append(device.find("address"))  # After the alias, as libvirt writes it.
        self.element.append(device)
        return device

    def _alias_for(self, device: Any) -> str:
        tag = device.tag
        if tag == "disk":
            target = device.find("target")
            index, bus = target_index(target.get("dev", "")), target.get("bus", "")
            if bus == "virtio":
                return f"virtio-disk{index}"
            return f"ide0-{index // 2}-{index % 2}" if bus == "ide" else f"{bus}0-0-{index}"
        if tag == "controller":
            kind, index = device.get("type"), int(device.get("index", "0"))
            if kind == "pci":
                root = "pci.0" if self._pc else "pcie.0"
                return f"pci.{index}" if index else root
            return {"usb": "usb", "sata": "ide", "ide": "ide"}.get(kind, f"{kind}{index}")
        if tag in ("emulator", "graphics"):
            return ""
        if tag == "console":
            return "serial0"
        return self._free_alias(_ALIAS_STEM.get(tag, tag))

    def _free_alias(self, stem: str) -> str:
        number = 0
        while self.by_alias(f"{stem}{number}") is not None:
            number += 1
        return f"{stem}{number}"

    def _address_for(self, device: Any) -> dict[str, str] | None:
        tag = device.tag
        if tag == "disk":
            target = device.find("target")
            bus = target.get("bus", "virtio")
            if bus != "virtio":
                if bus == "usb":
                    return {"type": "usb", "bus": "0", "port": str(len(self.element))}
                unit = str(target_index(target.get("dev", "")))
                return {"type": "drive", "controller": "0", "bus": "0", "target": "0", "unit": unit}
            return self._slot()
        if tag == "video":
            return self._pci(0, 1, 0) if not self._pc else self._slot()
        if tag == "controller":
            kind, index = device.get("type"), int(device.get("index", "0"))
            if kind == "pci" and index:
                return self._pci(0, 2 + (index - 1) // 8, (index - 1) % 8)
            if kind == "sata":
                return self._pci(0, 0x1F, 2)
            if kind == "ide":
                return self._pci(0, 1, 1)
            return self._slot() if kind in ("usb", "virtio-serial", "scsi") else None
        if tag == "hostdev":
            return self._slot() if device.get("type") == "pci" else None
        if tag == "memballoon":
            return self._slot() if device.get("model") != "none" else None
        return self._slot() if tag in ("interface", "rng", "sound", "filesystem") else None

    @staticmethod
    def _pci(bus: int, slot: int, function: int) -> dict[str, str]:
        return {
            "type": "pci",
            "domain": "0x0000",
            "bus": f"0x{bus:02x}",
            "slot": f"0x{slot:02x}",
            "function": f"0x{function:x}",
        }

    def _slot(self) -> dict[str, str]:
        """The next free PCIe root port, or the next free slot of a conventional bus."""
        taken = {
            (int(a.get("bus", "0"), 16), int(a.get("slot", "0"), 16))
            for a in self.element.iterfind("*/address[@type='pci']")
        }
        if self._pc:
            for slot in range(2, 32):
                if (0, slot) not in taken:
                    return self._pci(0, slot, 0)
        for bus in self._ports:
            if (bus, 0) not in taken:
                return self._pci(bus, 0, 0)
        if not self._booting:
            raise failure(libvirt.VIR_ERR_INTERNAL_ERROR, "No more available PCI slots")
        # libvirt adds the ports that a configuration lacks.
        index = max(self._ports, default=0) + 1
        self._ports.append(index)
        port = {"type": "pci", "index": str(index), "model": "pcie-root-port"}
        self._place(etree.Element("controller", port))
        return self._pci(index, 0, 0)

    def resized(self) -> None:
        """A disk has another size now."""
        self._rows()

    def _rows(self) -> None:
        disks: list[DiskRow] = []
        nics: list[NicRow] = []
        for device in self.element:
            since = self._since.get(self.alias(device), 0.0)
            if device.tag == "disk":
                target, number = device.find("target").get("dev"), len(disks)
                driver = device.find("driver")
                form = "raw" if driver is None else driver.get("type", "raw")
                weight = 0.25 if since else (1.0, 0.6, 0.3)[min(number, 2)]
                if device.get("device") in ("cdrom", "floppy"):
                    weight = 0.0
                keys = tuple(f"block.{number}.{key}" for key in _BLOCK_KEYS)
                path = source_of(device)
                size = self._size_of(path)
                disks.append(DiskRow(target, path, keys, weight, since, size, form))
            elif device.tag == "interface":
                number = len(nics)
                keys = tuple(f"net.{number}.{key}" for key in _NET_KEYS)
                name = device.find("target").get("dev")
                nics.append(NicRow(name, keys, 0.7 if not number else 0.3, since))
        self.disks, self.nics = tuple(disks), tuple(nics)
        balloon = self.element.find("memballoon")
        self.balloon = balloon is not None and balloon.get("model") != "none"
        stats = balloon.find("stats") if self.balloon and balloon is not None else None
        self.period = 0 if stats is None else int(stats.get("period", "0"))
