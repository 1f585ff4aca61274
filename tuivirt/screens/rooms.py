"""Where ``:`` leads: each screen by its words, imported when it is first gone to."""

from __future__ import annotations

import importlib
from typing import Any, cast

from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Kind, Ref

from .base import FleetScreen


@record(frozen=True, slots=True)
class Room:
    """A screen that ``:`` can go to."""

    word: str
    aliases: tuple[str, ...]
    where: str
    """module:class, both below tuivirt.screens."""
    help: str


ROOMS: tuple[Room, ...] = (
    Room("domains", ("dom", "vm", "d"), "domains:DomainsScreen", "the virtual machines"),
    Room("networks", ("net", "n"), "networks:NetworksScreen", "virtual networks"),
    Room("pools", ("pool", "p"), "pools:PoolsScreen", "storage pools"),
    Room("volumes", ("vol", "v"), "all_volumes:AllVolumesScreen", "the volumes of all pools"),
    Room("devices", ("dev", "pci", "usb"), "devices:DevicesScreen", "devices of the hosts"),
    Room("snapshots", ("snap",), "snapshots:SnapshotsScreen", "snapshots of all domains"),
    Room("hosts", ("host", "h"), "hosts:HostsScreen", "the hosts"),
    Room("events", ("event", "ev", "log"), "events:EventsScreen", "what happened"),
    Room("tasks", ("job", "jobs", "task"), "tasks:TasksScreen", "what runs, and how it ended"),
    Room("help", ("?",), "help:HelpScreen", "keys and words"),
)

DETAILS: dict[Kind, str] = {
    Kind.DOMAIN: "domain:DomainScreen",
    Kind.NETWORK: "networks:NetworkScreen",
    Kind.POOL: "volumes:VolumesScreen",
    Kind.DEVICE: "device:DeviceScreen",
    Kind.HOST: "host:HostScreen",
}
"""The screen that opens an object; it is made with the object's Ref."""
XML = "xml:XmlScreen"
"""Made with the object's Ref, and with the values that name a part of it."""


def find_room(word: str) -> Room | None:
    """The room of a word or alias, or of an unambiguous beginning of a word."""
    for room in ROOMS:
        if word == room.word or word in room.aliases:
            return room
    begun = [room for room in ROOMS if room.word.startswith(word)]
    return begun[0] if word and len(begun) == 1 else None


def make(where: str, ref: Ref | None = None, *more: Any) -> FleetScreen:
    """Import and make a screen."""
    module, name = where.split(":")
    kind: Any = getattr(importlib.import_module(f"tuivirt.screens.{module}"), name)
    return cast(FleetScreen, kind() if ref is None else kind(ref, *more))
