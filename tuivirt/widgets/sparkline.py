"""A history as a row of little bars, drawn as plain text."""

from __future__ import annotations

from functools import lru_cache

BARS = "▁▂▃▄▅▆▇█"

_shown = True


def show_bars(on: bool) -> None:
    """Whether such bars, and charts, are drawn from now on: a slow line does without."""
    global _shown
    _shown = on


def bars_shown() -> bool:
    """Whether bars and charts are drawn."""
    return _shown


@lru_cache(8192)
def bars(history: bytes, width: int, top: int = 100) -> str:
    """The last ``width`` values of ``history``, each a bar; ``top`` is a full one.

    A history that is shorter is filled with dots on its left: no figure is not zero.
    """
    last = history[-width:] if width > 0 else b""
    steps = len(BARS) - 1
    drawn = "".join(BARS[min(steps, value * steps // top)] for value in last)
    return "·" * (width - len(last)) + drawn
