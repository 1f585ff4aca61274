"""Bars of how full something is."""

from __future__ import annotations

from .tones import Toned

_PARTS = " ▏▎▍▌▋▊▉"


def bar(part: float | None, whole: float | None, width: int) -> str:
    """A bar of ``width`` characters, an eighth of one being its finest step; dots: not known."""
    if part is None or not whole or whole <= 0:
        return "·" * width
    eighths = round(min(max(part / whole, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    # The empty part is drawn too: how much is free must be seen without counting blanks.
    tail = _PARTS[rest] if rest else ""
    return ("█" * full + tail).ljust(width, "░")


def bar_tone(part: float | None, whole: float | None) -> str:
    """Its colour, a second signal beside the percentage: from 80 % yellow, from 95 % red."""
    if part is None or not whole:
        return "dim"
    share = part / whole
    return "bad" if share >= 0.95 else "warn" if share >= 0.8 else "good"


def percent(part: float | None, whole: float | None) -> str:
    """How full, four characters wide."""
    if part is None or not whole:
        return "   ?"
    share = part / whole
    # A thin pool can be given out many times over.
    return f"{share * 100:3.0f}%" if share < 9.995 else f"{min(share, 999):3.0f}×"


def capacity(part: float | None, whole: float | None, width: int) -> tuple[Toned, Toned]:
    """Bar and percentage, ``width`` characters together."""
    room = max(width - 5, 1)
    return Toned(bar(part, whole, room), bar_tone(part, whole)), Toned(f" {percent(part, whole)}")
