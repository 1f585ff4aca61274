"""The type of a mediated device, chosen among those that its parent offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.resources import MdevType
from tuivirt.widgets.form import Field

from .offers import Asked, Offer


@dataclass(frozen=True, slots=True)
class MdevChoice:
    """Offers what a device can make; ``now``: at once, so that there must be room for it."""

    now: bool = False

    @property
    def waits(self) -> str:
        """How many it can make is read now."""
        return "Looking at what it can make …"

    def look_up(self, host: Any, key: str) -> Sequence[MdevType]:
        return lookups.mdev_types(host, key)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one device."""
        ((asked, types),) = answers
        if not types:
            return Offer((), blocked=f"{asked.name} makes no mediated devices any more.")
        if self.now and all(each.left == 0 for each in types):
            return Offer((), blocked=f"{asked.name} can make no more of any type.")
        return Offer(tuple(self._choice(f, types) if f.name == "kind" else f for f in fields))

    def _choice(self, field: Field, types: Sequence[MdevType]) -> Field:
        names = [each.id for each in types]
        only = names[0] if len(names) == 1 else ""
        none = [] if only else [""]
        return replace(
            field,
            kind="choice",
            value=only,
            choices=(*none, *names),
            labels=(*none, *map(described, types)),
            warnings=(*none, *(self._warning(each) for each in types)),
            unset="which one?",
        )

    def _warning(self, kind: MdevType) -> str:
        return "It can make no more of these." if self.now and kind.left == 0 else ""


def described(kind: MdevType) -> str:
    """``nvidia-474  GRID A100-1-5C  7 left``."""
    left = "" if kind.left is None else f"{kind.left} left"
    return "  ".join(part for part in (kind.id, kind.name, left) if part)
