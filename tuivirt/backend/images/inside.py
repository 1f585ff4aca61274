"""The internal snapshots that lie in an image, as qemu-img tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.record import record


@record(frozen=True, slots=True)
class Inside:
    """One internal snapshot."""

    name: str
    taken: float
    """Wall-clock seconds since the epoch."""
    memory_bytes: int
    """What it holds of the guest's memory and devices (VM size); 0: the disk alone."""


def inside_of(told: Mapping[str, Any]) -> tuple[Inside, ...]:
    """Oldest first, as they lie there. ``told``: what ``qemu-img info`` answers."""
    return tuple(
        Inside(
            str(each.get("name") or each.get("id") or ""),
            float(each.get("date-sec") or 0) + float(each.get("date-nsec") or 0) / 1e9,
            int(each.get("vm-state-size") or 0),
        )
        for each in told.get("snapshots") or ()
    )
