"""Every action there is: importing this module declares them all."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from tuivirt.backend.model.ref import Kind

from . import devices, disks, domains, hostdevs, mdevs, networks, pools, processors, views
from .registry import ACTIONS, Action

DECLARED_BY = (domains, processors, disks, hostdevs, networks, pools, devices, mdevs, views)
"""The modules whose declarations fill ACTIONS, in the order of menus and help."""

_order = {module.__name__: place for place, module in enumerate(DECLARED_BY)}
_sorted = sorted(ACTIONS.items(), key=lambda item: _order.get(item[1].function.__module__, 99))
ACTIONS.clear()
ACTIONS.update(_sorted)


LATER: dict[Kind, tuple[str, ...]] = {Kind.HOST: ("hosts", "evacuations", "images", "secrets")}
"""Modules whose actions are declared when somebody asks for that kind: the start needs none."""
KEYLESS = (
    "migrations",
    "snapshots",
    "block_jobs",
    "backups",
    "saving",
    "pool_making",
    "volumes",
)
"""Modules whose actions are declared when somebody asks for all: none of them has a key."""


def _declare(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(f".{name}", __package__)


def for_kind(kind: Kind) -> tuple[Action, ...]:
    """What can be done to an object of this kind, in the order of the menu."""
    _declare(LATER.get(kind, ()))
    return tuple(a for a in ACTIONS.values() if a.object is kind)


def find_action(name: str) -> Action | None:
    """The action of that name, one of a kind of device too; None when there is none."""
    return ACTIONS.get(name) or listed().get(name) or everything().get(name)


def listed() -> dict[str, Action]:
    """Every action that a menu lists, by name."""
    _declare((*(name for names in LATER.values() for name in names), *KEYLESS))
    return ACTIONS


def everything() -> dict[str, Action]:
    """Every action by name, with those of each kind of device, which no menu lists."""
    from .device_kinds import device_actions  # Declared when asked for: see there.

    return listed() | device_actions()


__all__ = ["ACTIONS", "DECLARED_BY", "everything", "find_action", "for_kind", "listed"]
