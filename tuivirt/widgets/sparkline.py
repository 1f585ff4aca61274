"""A history as a row of little bars, drawn as plain text."""

from __future__ import annotations

from functools import lru_cache

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-=+*%#"

_bars = BARS


def use_ascii(on: bool) -> None:
    """Draw with ASCII from now on: for slow lines and terminals without block characters."""
    global _bars
    _bars = ASCII_BARS if on else BARS
    bars.cache_clear()


def is_ascii() -> bool:
    """Whether nothing but ASCII is to be drawn."""
    return _bars == ASCII_BARS


@lru_cache(8192)
def bars(history: bytes, width: int, top: int = 100) -> str:
    """The last ``width`` values of ``history``, each a bar; ``top`` is a full one.

    A history that is shorter is filled with dots on its left: no figure is not zero.
    """
    last = history[-width:] if width > 0 else b""
    steps = len(_bars) - 1
    drawn = "".join(_bars[min(steps, value * steps // top)] for value in last)
    return "·" * (width - len(last)) + drawn
