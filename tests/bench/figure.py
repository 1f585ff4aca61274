"""A figure: what was measured, what it is held against, and what it should be."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the bench's output."""

    name: str
    value: float
    unit: str
    against: str
    """What the ratio is to: a peer or a floor measured in the same run, or nothing."""
    ratio: float | None
    target: str
    met: bool

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


def compared(name: str, value: float, unit: str, against: str, peer: float, most: float) -> Figure:
    """A figure that may be at most ``most`` times what its peer needed."""
    ratio = value / peer
    told = f"{against}: {peer:.4g} {unit}"
    return Figure(name, round(value, 4), unit, told, round(ratio, 3), f"≤ {most:g}×", ratio <= most)


def bounded(name: str, value: float, unit: str, most: float, against: str = "") -> Figure:
    """A figure with a limit of its own."""
    ratio = round(value / most, 3)
    told = against or "the target"
    return Figure(name, round(value, 4), unit, told, ratio, f"≤ {most:g} {unit}", value <= most)


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least ``part`` (0 to 1) of them do not exceed."""
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * round(part * 1000) // 1000) - 1)]


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
