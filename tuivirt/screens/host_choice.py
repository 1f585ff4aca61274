"""What of the host a form's field can be: block devices for disks, virtual functions for cards."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuivirt.actions import lookups
from tuivirt.actions.hosts import SSH, Suggestion, known_hosts, ssh_hosts
from tuivirt.actions.pool_making import sources_found
from tuivirt.actions.volume_choice import volumes_to_choose
from tuivirt.backend.model.blocks import BlockDevice
from tuivirt.backend.model.functions import VirtualFunction
from tuivirt.backend.model.resources import Volume
from tuivirt.widgets.menu import Choice
from tuivirt.widgets.text import size_bytes

DISK_SOURCES, VOLUMES = "volumes and devices", "volumes"


@dataclass(frozen=True, slots=True)
class Lister:
    """How a list to choose from is made."""

    look_up: Callable[[Any, str, Mapping[str, Any]], Any]
    """What there is beside the form's values, on the host's look-ups lane. Raises TuivirtError."""
    choices: Callable[[Any], list[Choice]]
    fills: Callable[[str, Mapping[str, Any]], Mapping[str, str]] | None = None
    """Given what was chosen and the form's values: those of other fields that follow from it."""
    none: str = ""
    """Said where there is nothing to choose from."""


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


def volume_choices(found: tuple[Sequence[Volume], Mapping[str, str]]) -> list[Choice]:
    """By pool and name; of many no more is known. Pools that cannot be read with the reason."""
    volumes, problems = found
    return [
        *(
            Choice(
                f"{each.pool}/{each.name}",
                f"{each.pool}/{each.name}",
                refusal=each.problem or ("a folder" if each.type == "dir" else ""),
                note=_about_volume(each),
            )
            for each in volumes
        ),
        *(Choice(pool, f"{pool}/…", refusal=why) for pool, why in problems.items()),
    ]


def _about_volume(volume: Volume) -> str:
    size = "" if volume.capacity_bytes is None else size_bytes(volume.capacity_bytes)
    users = f"used by {', '.join(volume.users)}" if volume.users else ""
    return "  ".join(part for part in (size, volume.format, users) if part)


def disk_choices(devices: Sequence[BlockDevice]) -> list[Choice]:
    """The way to the volumes, and the block devices."""
    volumes = Choice(VOLUMES, "volumes of its pools …", note="Enter lists them")
    return [volumes, *block_choices(devices)]


def source_choices(found: Sequence[Mapping[str, str]]) -> list[Choice]:
    """What libvirt has found to make a pool of, its most telling part first."""
    words = ("source_path", "source_name", "source_dev")
    return [
        Choice(
            json.dumps(dict(each)),
            "  ".join(each[word] for word in words if each.get(word)),
            note="  ".join(value for word, value in each.items() if word not in words),
        )
        for each in found
    ]


def source_fills(chosen: str, values: Mapping[str, Any]) -> dict[str, str]:
    """All that is told of it; a server stays as it was typed, which may have a port."""
    told: dict[str, str] = json.loads(chosen)
    return {k: v for k, v in told.items() if k != "source_host" or not values.get(k)}


LISTERS = {
    "known hosts": Lister(
        lambda _host, _key, _given: known_hosts(),
        known_choices,
        known_fills,
    ),
    SSH: Lister(
        lambda _host, _key, _given: ssh_hosts(),
        ssh_choices,
        known_fills,
    ),
    "block devices": Lister(
        lambda host, key, _given: lookups.block_devices(host, key),
        block_choices,
    ),
    DISK_SOURCES: Lister(
        lambda host, key, _given: lookups.block_devices(host, key),
        disk_choices,
    ),
    VOLUMES: Lister(
        lambda host, _key, _given: volumes_to_choose(host),
        volume_choices,
    ),
    "pool sources": Lister(
        lambda host, _key, given: sources_found(host, given),
        source_choices,
        source_fills,
    ),
    "bridges": Lister(
        lambda host, key, _given: lookups.links(host, key, bridges=True),
        link_choices,
    ),
    "network interfaces": Lister(
        lambda host, key, _given: lookups.links(host, key),
        link_choices,
    ),
    "secrets": Lister(
        lambda host, key, _given: lookups.secrets(host, key),
        secret_choices,
        none="The host has no secrets: its own menu (:host, a) has Secrets…, Define a secret.",
    ),
    "virtual functions": Lister(
        lambda host, key, _given: lookups.network_functions(host, key),
        function_choices,
    ),
}
"""By what a field says that it lists."""
