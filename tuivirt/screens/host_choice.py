"""What of the host a form's field can be: block devices for disks, virtual functions for cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuivirt.actions import lookups
from tuivirt.actions.hosts import SSH, Suggestion, known_hosts, ssh_hosts
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
    fills: Callable[[str, Mapping[str, Any]], Mapping[str, str]] | None = None
    """Given what was chosen and the form's values: those of other fields that follow from it."""


def known_choices(hosts: Sequence[Suggestion]) -> list[Choice]:
    """By URI, with who knows each; those of ssh only when they are asked for."""
    names = max((len(each.uri) for each in hosts), default=0)
    found = [
        Choice(f"{each.uri} {each.name}", f"{each.uri:<{names}}", note=_known_by(each))
        for each in hosts
    ]
    return [*found, Choice(SSH, f"hosts of {SSH} …", note="Enter lists them")]


def ssh_choices(hosts: Sequence[Suggestion]) -> list[Choice]:
    """By the name that ssh has for each."""
    none = Choice("", f"{SSH} names no host", refusal="add it with its URI")
    return [Choice(f"{each.uri} {each.name}", each.uri) for each in hosts] or [none]


def _known_by(host: Suggestion) -> str:
    return f"{host.name}  {host.source}" if host.name else host.source


def known_fills(chosen: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The URI, and the name where none was typed yet."""
    uri, _, name = chosen.partition(" ")
    typed = values.get("name")
    return {"uri": uri} if typed != "" else {"uri": uri, "name": name}


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
    "known hosts": Lister(
        lambda _host, _key: known_hosts(),
        known_choices,
        known_fills,
    ),
    SSH: Lister(
        lambda _host, _key: ssh_hosts(),
        ssh_choices,
        known_fills,
    ),
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
