"""Names for new disks, and whether their bus has room."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model.device import Disk, DomainConfig
from .errors import BadValue, BusFull
from .tree import number, parse

PREFIXES = {
    "virtio": "vd",
    "scsi": "sd",
    "sata": "sd",
    "usb": "sd",
    "sd": "sd",
    "ide": "hd",
    "fdc": "fd",
    "xen": "xvd",
}
"""How names of disks begin, by bus."""

_BY_NAME = {"ide": 4, "fdc": 2}
"""Where libvirt takes the place on the bus from the name: how many places there are."""
_SATA_PORTS = 6
_PCIE_PORTS = ("pcie-root-port", "pcie-switch-downstream-port")
_SLOTS = {"pci-root": 31, "pci-bridge": 31, "pcie-to-pci-bridge": 31}
_NAME = re.compile(r"[a-z]{2,3}[a-z]{1,3}")


def target_name(bus: str, index: int) -> str:
    """``vda`` for 0, ``vdz`` for 25, ``vdaa`` for 26. Raises BadValue for an unknown bus."""
    if bus not in PREFIXES:
        raise BadValue("bus", f"{bus!r} is not one of {', '.join(PREFIXES)}")
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return PREFIXES[bus] + letters


def choose_target(others: Iterable[Disk], bus: str, wanted: str = "") -> str:
    """The name of a new disk: as ``wanted``, else the first that none of ``others`` has.

    ``others`` are the disks of each configuration that gets it. Raises BusFull; BadValue for an
    unknown bus and for a name that cannot be had.
    """
    taken = {disk.target: disk for disk in others}
    limit = _BY_NAME.get(bus)
    if limit is not None and sum(disk.bus == bus for disk in taken.values()) >= limit:
        raise BusFull(bus, f"it has {limit} places", "use another bus, or detach one")
    if wanted:
        if not _NAME.fullmatch(wanted):
            raise BadValue(
                "target", f"a disk cannot be called {wanted!r}; vda, vdb, sda … are right"
            )
        if wanted in taken:
            by = taken[wanted].source or "an empty drive"
            raise BadValue("target", f"{wanted} is taken by {by}")
        return wanted
    index = 0
    while (name := target_name(bus, index)) in taken:
        index += 1
    if limit is not None and index >= limit:
        raise BusFull(bus, f"none of its {limit} names is free", "use another bus, or detach one")
    return name


def check_room(running: DomainConfig, bus: str) -> None:
    """Raise BusFull when a disk more cannot be plugged into a running domain on this bus.

    libvirt adds no controller and no PCIe port to it, so those that are there must have room.
    """
    if bus == "sata":
        room = _SATA_PORTS * max(1, len(_controllers(running, "sata")))
        if sum(disk.bus == "sata" for disk in running.disks) >= room:
            raise BusFull(
                bus,
                f"all {room} SATA ports are taken",
                "attach it for the next boot (a controller is added then), or to the SCSI bus"
                " (--targetbus scsi)",
            )
    if bus == "virtio" and free_pci_places(running) == 0:
        raise BusFull(
            bus,
            "the running machine has no free PCI slot",
            "attach it for the next boot (ports are added then), or to a SCSI controller"
            " (--targetbus scsi)",
        )


def free_pci_places(config: DomainConfig) -> int | None:
    """How many PCI devices could still be plugged in; None where the machine tells of no PCI.

    Counted: PCIe root and downstream ports with nothing behind them, and free slots of
    conventional buses where the machine has no PCIe.
    """
    controllers = [
        (each.get("model", ""), number(each.get("index")) or 0)
        for each in _controllers(config, "pci")
    ]
    used = _used_slots(config)
    if any(model == "pcie-root" for model, _ in controllers):
        busy = {bus for bus, _ in used}
        return sum(model in _PCIE_PORTS and index not in busy for model, index in controllers)
    rooms = [(index, _SLOTS[model]) for model, index in controllers if model in _SLOTS]
    if not rooms:
        return None
    return sum(
        max(0, slots - len({slot for bus, slot in used if bus == index and slot}))
        for index, slots in rooms
    )


def _controllers(config: DomainConfig, kind: str) -> list[dict[str, str]]:
    return [
        dict(element.attrib)
        for device in config.devices
        if device.kind == "controller" and device.xml
        for element in [parse(device.xml)]
        if element.get("type") == kind
    ]


def _used_slots(config: DomainConfig) -> set[tuple[int, int]]:
    """Bus and slot of every PCI address that is taken."""
    places = [each.address for each in config.disks]
    places += [each.address for each in config.interfaces]
    places += [each.address for each in config.devices]
    found = set()
    for place in places:
        kind, _, where = place.partition(" ")
        parts = where.replace(".", ":").split(":")
        if kind == "pci" and len(parts) == 4:
            found.add((int(parts[1], 16), int(parts[2], 16)))
    return found
