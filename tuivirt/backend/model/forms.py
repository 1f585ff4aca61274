"""What a form for a device has to know of the domain and its host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from .machine import Machine
from .record import record


@record(frozen=True, slots=True)
class KnownDevice:
    """A device that the domain has."""

    label: str
    """What an operator calls it."""
    what: str
    """What it is, in a few words."""
    values: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    """What its declared fields hold."""
    live: bool = False
    """The running domain has it."""


@record(frozen=True, slots=True)
class FormFacts:
    """What there is, and what there could be."""

    machine: Machine
    active: bool = False
    devices: tuple[KnownDevice, ...] = ()
    """Those of the kind."""
    lacking: str = ""
    """Why the host offers no device of the kind, a clause; empty: it does."""
    networks: tuple[str, ...] = ()
    """The host's virtual networks, the one to begin with first."""
    inactive: tuple[str, ...] = ()
    """Those of them that are off: no running domain can be connected to one."""
    starts: Mapping[str, str] = field(default_factory=dict)
    """By field: where a new device's begins, as this domain has others already."""
    buses: Mapping[str, str] = field(default_factory=dict)
    """For a disk: by what it is to the guest (disk, cdrom …), the bus that suits it."""
