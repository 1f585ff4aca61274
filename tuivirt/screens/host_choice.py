"""What of the host a form's field can be: block devices for disks, virtual functions for cards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.blocks import BlockDevice
from tuivirt.backend.model.functions import VirtualFunction
from tuivirt.widgets.menu import Choice
from tuivirt.widgets.text import size_bytes


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


def secret_choices(secrets: Sequence[tuple[str, str, str]]) -> list[Choice]:
    """By what each is for; libvirt's own name of it is its UUID."""
    return [
        Choice(uuid, usage or uuid, note=kind or "for anything", detail=uuid)
        for uuid, kind, usage in secrets
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
    "secrets": Lister(
        lambda host, key: lookups.secrets(host, key),
        secret_choices,
    ),
    "virtual functions": Lister(
        lambda host, key: lookups.network_functions(host, key),
        function_choices,
    ),
}
"""By what a field says that it lists."""
