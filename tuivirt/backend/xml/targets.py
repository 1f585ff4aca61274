"""Names for new disks, and whether their bus has room."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.device import DomainConfig
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


def next_target(
    config: DomainConfig, bus: str, *, also: Iterable[DomainConfig] = (), live: bool = False
) -> str:
    """The first free name on ``bus``, free in the configurations of ``also`` too.

    ``live``: it is for a running domain, where libvirt adds no controller and no PCIe port, so
    those that are there must have room. Raises BusFull and says what to do; BadValue for an
    unknown bus.
    """
    taken = {disk.target for each in (config, *also) for disk in each.disks}
    limit = _BY_NAME.get(bus)
    if limit is not None and sum(disk.bus == bus for disk in config.disks) >= limit:
        raise BusFull(f"the {bus} bus is full: {limit} drives are all it can have")
    if live:
        _check_live(config, bus)
    index = 0
    while (name := target_name(bus, index)) in taken:
        index += 1
    if limit is not None and index >= limit:
        raise BusFull(f"the {bus} bus has no free name left: {limit} drives are all it can have")
    return name


def _check_live(config: DomainConfig, bus: str) -> None:
    if bus == "sata":
        room = _SATA_PORTS * max(1, len(_controllers(config, "sata")))
        if sum(disk.bus == "sata" for disk in config.disks) >= room:
            raise BusFull(
                f"all {room} SATA ports are taken; use the virtio or SCSI bus, or add it for the "
                "next boot, when libvirt adds a controller"
            )
    if bus == "virtio" and free_pci_places(config) == 0:
        raise BusFull(
            "no PCI slot is free: this machine has no unused PCIe port left; use the SCSI bus, or "
            "add it for the next boot, when libvirt adds a port"
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
