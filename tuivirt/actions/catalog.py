"""Every action there is: importing this module declares them all."""

from __future__ import annotations

from tuivirt.backend.model.ref import Kind

from . import devices, disks, domains, hostdevs, mdevs, networks, pools, processors, views
from .registry import ACTIONS, Action

DECLARED_BY = (domains, processors, disks, hostdevs, networks, pools, devices, mdevs, views)
"""The modules whose declarations fill ACTIONS, in the order of menus and help."""

_order = {module.__name__: place for place, module in enumerate(DECLARED_BY)}
_sorted = sorted(ACTIONS.items(), key=lambda item: _order[item[1].function.__module__])
ACTIONS.clear()
ACTIONS.update(_sorted)


def for_kind(kind: Kind) -> tuple[Action, ...]:
    """What can be done to an object of this kind, in the order of the menu."""
    return tuple(a for a in ACTIONS.values() if a.object is kind)


def find_action(name: str) -> Action | None:
    """The action of that name, one of a kind of device too; None when there is none."""
    return ACTIONS.get(name) or everything().get(name)


def everything() -> dict[str, Action]:
    """Every action by name, with those of each kind of device, which no menu lists."""
    from .device_kinds import device_actions  # Declared when asked for: see there.

    return ACTIONS | device_actions()


__all__ = ["ACTIONS", "DECLARED_BY", "everything", "find_action", "for_kind"]
