"""What of the host a form's field can be: block devices for disks, virtual functions for cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.blocks import BlockDevice
from tuivirt.backend.model.forms import FormFacts
from tuivirt.backend.model.functions import VirtualFunction
from tuivirt.widgets.form import Field
from tuivirt.widgets.menu import Choice
from tuivirt.widgets.text import size_bytes

from .offers import Asked, Offer


@dataclass(frozen=True, slots=True)
class Lister:
    """How a list to choose from is made."""

    look_up: Callable[[Any, str], Any]
    """What there is, on the host's look-ups lane. Raises TuivirtError."""
    choices: Callable[[Any], list[Choice]]


def block_choices(devices: Sequence[BlockDevice]) -> list[Choice]:
    """Those that are free with all that tells one from another; the rest with the reason."""
    names = max((len(device.name) for device in devices), default=0)
    return [
        Choice(
            device.path,
            f"{device.name:<{names}}  {_size(device):>6}",
            refusal="; ".join(device.uses),
            note="  ".join(part for part in (device.model, device.serial, device.note) if part),
            detail=device.path,
        )
        for device in devices
    ]


def _size(device: BlockDevice) -> str:
    return "" if device.size_bytes is None else size_bytes(device.size_bytes)


def function_choices(functions: Sequence[VirtualFunction]) -> list[Choice]:
    """By address, with the card that each is of."""
    return [
        Choice(
            each.address,
            f"{each.address}  of {each.interface or each.parent}",
            refusal="; ".join(each.uses),
            note=each.what,
        )
        for each in functions
    ]


def link_choices(links: Sequence[tuple[str, str]]) -> list[Choice]:
    """By name, with what each is."""
    return [Choice(name, name, note=what) for name, what in links]


LISTERS = {
    "block devices": Lister(
        lambda host, key: lookups.block_devices(host, key),
        block_choices,
    ),
    "bridges": Lister(
        lambda host, key: lookups.links(host, key, bridges=True),
        link_choices,
    ),
    "network interfaces": Lister(
        lambda host, key: lookups.links(host, key),
        link_choices,
    ),
    "virtual functions": Lister(
        lambda host, key: lookups.network_functions(host, key),
        function_choices,
    ),
}
"""By what a field says that it lists."""


@dataclass(frozen=True, slots=True)
class AttachDisk:
    """Offers the host's block devices, and of buses and kinds of disk what the host has."""

    @property
    def waits(self) -> str:
        """Nothing: a path can be typed meanwhile."""
        return ""

    def look_up(self, host: Any, key: str) -> FormFacts:
        return lookups.form_facts(host, key, "disk")

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain: what suits it is its own."""
        ((_asked, facts),) = answers

        def shape(given: Mapping[str, Any]) -> tuple[Field, ...]:
            return tuple(_narrowed(field, facts, given) for field in fields)

        return Offer(shape({}), shape=shape)


def _narrowed(field: Field, facts: FormFacts, given: Mapping[str, Any]) -> Field:
    from tuivirt.actions.device_forms import BLOCKS, lacking_of

    if field.name == "source":
        return replace(field, listed=BLOCKS)
    if field.name in ("subdriver", "cache", "io", "serial"):
        return replace(field, rare=True)
    names = {"targetbus": "bus", "type": "device"}
    if field.name not in names:
        return field
    can, missing = lacking_of(names[field.name], [c for c in field.choices if c], facts)
    none = ("",) if "" in field.choices else ()
    bus = facts.buses.get(str(given.get("type", "disk")), "")
    return replace(
        field,
        choices=(*none, *can),
        value=field.value if field.value in can else (*none, *can)[0],
        help=f"{field.help}. {missing}" if missing else field.help,
        unset=f"{bus}, as suits it" if bus else field.unset,
    )
