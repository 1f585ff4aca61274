"""What forms for devices are filled in with: read when one is opened, off the screen's thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .capabilities import machine
from .disks import DiskRequest, choose_bus
from .model.device import DomainConfig
from .model.forms import FormFacts, KnownDevice
from .sides import Sides, read_sides
from .xml.catalog import Kind, kinds
from .xml.found import Found, found, twin
from .xml.offered import lacking

if TYPE_CHECKING:
    from .host import Host


def form_facts(host: Host, uuid: str, kind_name: str) -> FormFacts:
    """What a form for a device of that kind needs. Raises TuivirtError."""
    kind = kinds()[kind_name]
    domain = host.domain(uuid)
    sides = read_sides(domain, f"cannot look at the devices of {domain.name()}")
    place = machine(host, sides.current)
    networks = sorted(
        host.snapshot.networks.values(), key=lambda n: (not n.active, n.name != "default", n.name)
    )
    return FormFacts(
        machine=place,
        active=sides.live is not None,
        devices=_devices(sides, kind),
        lacking=lacking(kind.declaration.fields, place),
        networks=tuple(network.name for network in networks) if kind_name == "interface" else (),
        inactive=tuple(network.name for network in networks if not network.active),
        starts=_starts(sides.current, kind),
        buses=_buses(sides) if kind_name == "disk" else {},
    )


def kinds_lacking(host: Host, uuid: str) -> Mapping[str, str]:
    """By kind of device: why the domain's host offers none, a clause. Raises TuivirtError."""
    domain = host.domain(uuid)
    place = machine(host, read_sides(domain, f"cannot look at {domain.name()}").current)
    whys = {name: lacking(kind.declaration.fields, place) for name, kind in kinds().items()}
    return {name: why for name, why in whys.items() if why}


def _devices(sides: Sides, kind: Kind) -> tuple[KnownDevice, ...]:
    nows = found(sides.live, kind)
    # Of one that both have, the running domain's name and values are told.
    later = [each for each in found(sides.saved, kind) if twin(each, nows) is None]
    return (
        *(_known(each, kind, live=True) for each in nows),
        *(_known(each, kind, live=False) for each in later),
    )


def _known(one: Found, kind: Kind, *, live: bool) -> KnownDevice:
    say = kind.declaration.summary
    what = say(one.values) if say is not None else one.identity
    return KnownDevice(one.label, "" if what == one.label else what, one.values, live)


def _starts(config: DomainConfig, kind: Kind) -> dict[str, str]:
    there = found(config, kind)
    if kind.name == "audio":
        numbers = [number for each in there if isinstance(number := each.values["id"], int)]
        return {"id": str(max(numbers, default=0) + 1)}
    if kind.name == "channel":
        # One name can be had once only.
        taken = {str(each.values["target_name"]) for each in there}
        return {"target_name": ""} if taken & {"org.qemu.guest_agent.0"} else {}
    return {}


def _buses(sides: Sides) -> dict[str, str]:
    live = sides.live is not None
    return {
        device: choose_bus(sides.configs(), DiskRequest(device=device), live=live)
        for device in ("disk", "cdrom", "floppy", "lun")
    }
