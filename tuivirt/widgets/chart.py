"""Line charts from characters: one line of blocks, or several lines of braille with an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .page import PageLine
from .text import plain, width_of
from .tones import Toned

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"
"""Where a figure is not known."""

_DOTS = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
"""Braille dots of the left and right column, lowest row first."""


def nice_top(values: Sequence[float | None], least: float = 1.0, base: float = 10.0) -> float:
    """The end of an axis: the smallest 1, 2 or 5 times a power that no value exceeds.

    ``base`` 1024 keeps bytes on even labels: 1, 2, 4, 8 … times a power of 1024.
    """
    highest = max((v for v in values if v is not None), default=0.0)
    if highest <= least:
        return least
    if base != 10.0:
        return float(2.0 ** math.ceil(math.log2(highest)))
    power = 10.0 ** math.floor(math.log10(highest))
    return next(power * step for step in (1.0, 2.0, 5.0, 10.0) if highest <= power * step * 1.0001)


def spark(values: Sequence[float | None], width: int, top: float) -> str:
    """One line, newest at the right end; always ``width`` characters."""
    shown = values[-width:] if width > 0 else ()
    marks = "".join(
        GAP if v is None else BLOCKS[min(max(round(v / top * 7), 0), 7) if top > 0 else 0]
        for v in shown
    )
    return marks.rjust(width)


def braille(
    values: Sequence[float | None], width: int, height: int, top: float, *, fill: bool = True
) -> list[str]:
    """``height`` lines of ``width`` characters, two values a character, newest at the right.

    A value that is not known leaves its column empty. Without ``fill`` only the line is drawn,
    joined up where it jumps.
    """
    dots = height * 4
    cells = [[0] * width for _ in range(height)]
    shown = values[-width * 2 :] if width > 0 else ()
    start = width * 2 - len(shown)
    before: int | None = None
    for index, value in enumerate(shown):
        if value is None:
            before = None
            continue
        level = min(max(round(value / top * (dots - 1)), 0), dots - 1) if top > 0 else 0
        low = 0 if fill else (level if before is None else min(level, before))
        high = level if fill or before is None else max(level, before)
        x = start + index
        for y in range(low, high + 1):
            cells[height - 1 - y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        before = level
    return ["".join(chr(0x2800 + c) if c else " " for c in row) for row in cells]


def chart(
    title: str,
    values: Sequence[float | None],
    width: int,
    height: int,
    *,
    label: Callable[[float], str],
    tone: str,
    top: float | None = None,
    base: float = 10.0,
    seconds: float = 0.0,
) -> list[PageLine]:
    """A titled chart of ``height`` lines in all: title, braille with an axis, the time line.

    ``label`` writes a value; ``top`` fixes the axis, else it fits what is seen; ``seconds`` is
    the time between the first and the last value, for the time line.
    """
    rows = max(height - 2, 1)
    room = max(width - 10, 2)
    seen = values[-room * 2 :]
    limit = top if top is not None else nice_top(seen, base=base)
    newest = next((v for v in reversed(seen) if v is not None), None)
    now = "?" if newest is None else label(newest)
    said = Toned(f"  {now}") if seen else Toned("  no data yet", "dim")
    lines: list[PageLine] = [(Toned(title, "bold"), said)]
    for number, row in enumerate(braille(seen, room, rows, limit)):
        mark = label(limit) if number == 0 else label(0.0) if number == rows - 1 else ""
        axis = "┤" if mark else "│"
        lines.append((Toned(f"{mark[:8]:>8} {axis}", "dim"), Toned(row, tone)))
    span = seconds * len(seen) / len(values) if values else 0.0
    lines.append((Toned(" " * 9 + "└" + _times(span, len(seen), room), "dim"),))
    return lines


def _times(seconds: float, count: int, width: int) -> str:
    """The time line: how long ago the first shown value was, under it, and now at the end."""
    if seconds < 1 or count < 2:
        return "─" * max(width - 4, 0) + " now"
    ago = f"-{seconds:.0f} s" if seconds < 120 else f"-{seconds / 60:.0f} min"
    start = max(width - (count + 1) // 2, 0)
    start = min(start, max(width - len(ago) - 6, 0))
    return ("─" * start + ago + " ").ljust(width - 4, "─")[: width - 4] + " now"


def beside(left: Sequence[PageLine], right: Sequence[PageLine], width: int) -> list[PageLine]:
    """Two blocks side by side; the left one takes ``width`` characters."""
    lines: list[PageLine] = []
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else ()
        two = right[number] if number < len(right) else ()
        used = sum(width_of(plain(text)) for text, _ in one)
        lines.append((*one, Toned(" " * max(width - used, 1)), *two))
    return lines
