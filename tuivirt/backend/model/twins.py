"""Which device of the running configuration is which of the saved one, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from .device import Device, Disk, Facts, Interface

__all__ = ["FILLED", "Facts", "differing", "paired"]

FILLED = "~"
"""What the path of a fact begins with that libvirt fills in while the domain runs, where the
saved configuration leaves it open."""
_OPEN = ("", "-1", "auto")
"""What a saved configuration says of it then."""


def differing(live: Disk | Interface | Device, saved: Disk | Interface | Device) -> frozenset[str]:
    """The paths at which two records of one device say different things; none where they agree."""
    if live.facts == saved.facts:
        return frozenset()
    wanted = dict(saved.facts)
    return frozenset(
        path.removeprefix(FILLED)
        for path, _value in live.facts ^ saved.facts
        if not (path.startswith(FILLED) and wanted.get(path, "") in _OPEN)
    )


def paired(
    live: Sequence[Device], saved: Sequence[Device]
) -> tuple[list[Device | None], list[Device]]:
    """For each live device the saved one that is the same or None; and the saved ones left over.

    They are told by the host's device, then by what they say, at the same address first (one
    that was plugged in may get another at the next boot), then by their address, and then by
    their order: a saved configuration need not have addresses yet. So a pair is the same device
    even where its words differ.
    """
    left = list(saved)
    twins: list[Device | None] = [None] * len(live)
    for identity in (_place, _product, _said_there, _said, _address, _kind):
        _pair(live, left, twins, identity)
    return twins, left


def _pair(
    live: Sequence[Device],
    left: list[Device],
    twins: list[Device | None],
    identity: Callable[[Device], Hashable],
) -> None:
    open_ones: dict[Hashable, list[Device]] = {}
    for each in left:
        if mark := identity(each):
            open_ones.setdefault(mark, []).append(each)
    if not open_ones:
        return
    for number, device in enumerate(live):
        mark = identity(device) if twins[number] is None else None
        if mark and (found := open_ones.get(mark)):
            twin = twins[number] = found.pop(0)
            # Not `remove`: it would take one that is equal, and says as much.
            del left[next(at for at, each in enumerate(left) if each is twin)]


def _place(device: Device) -> Hashable:
    return device.node_device


def _product(device: Device) -> Hashable:
    """A USB device given by identity has a place too, while the domain runs."""
    return device.vendor_product


def _of_the_host(device: Device) -> bool:
    """It is itself and no other of its kind."""
    return bool(device.node_device or device.vendor_product)


def _said(device: Device) -> Hashable:
    facts = frozenset(fact for fact in device.facts if not fact[0].startswith(FILLED))
    return (device.kind, facts) if facts and not _of_the_host(device) else None


def _said_there(device: Device) -> Hashable:
    said = _said(device)
    return (said, device.address) if said and device.address else None


def _address(device: Device) -> Hashable:
    return (device.kind, device.address) if device.address and not _of_the_host(device) else None


def _kind(device: Device) -> Hashable:
    return None if _of_the_host(device) else device.kind
