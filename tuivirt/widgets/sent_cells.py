"""What stands in the terminal, cell by cell: of what is to be drawn only what differs is sent.

A region that is drawn again holds cells that are as they were: all of a list whose rows changed
places, all that a dialog leaves behind. To compare them takes 5 ms for a whole screen of 160×50,
which only a slow line is worth.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from .text import width_of

Cell = tuple[str, Style | None]
"""A character with what combines with it; the second cell of a wide one is empty."""
GAP = 4
"""So many cells that are as they were cost less than to go past them."""


class SentCells:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self._lines: dict[int, list[Cell | None]] = {}
        self._size: Size | None = None

    def forget(self) -> None:
        """Somebody else has written to the terminal."""
        self._lines.clear()

    def fit(self, size: Size) -> None:
        """The terminal has this size: at another nobody knows what became of what stood there."""
        if size != self._size:
            self._size = size
            self.forget()

    def differing(self, y: int, x: int, strip: Strip) -> list[tuple[int, Strip]]:
        """The parts of a strip at column ``x`` of line ``y`` that are not there yet, by column."""
        new = _cells(strip)
        end = x + len(new)
        line = self._lines.setdefault(y, [])
        line += [None] * (end - len(line))
        before, line[x:end] = line[x:end], new
        found: list[tuple[int, int]] = []
        for at, (old, cell) in enumerate(zip(before, new, strict=True)):
            if old == cell:
                continue
            # Both halves of a wide character, here or there.
            first = at - 1 if not cell[0] and at else at
            last = at + 2 if at + 1 < len(new) and not new[at + 1][0] else at + 1
            if found and first - found[-1][1] < GAP:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        return [(x + first, _strip(new[first:last])) for first, last in found]


def _cells(strip: Strip) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, _control in strip:
        style = style or None
        if text.isascii():
            cells += [(char, style) for char in text]
            continue
        for char in text:
            width = width_of(char)
            if width:
                cells += [(char, style), *([("", style)] * (width - 1))]
            elif cells:
                at = len(cells) - 1 if cells[-1][0] else len(cells) - 2
                cells[at] = (cells[at][0] + char, cells[at][1])
    return cells


def _strip(cells: list[Cell]) -> Strip:
    segments: list[Segment] = []
    for char, style in cells:
        if segments and segments[-1].style == style:
            segments[-1] = Segment(segments[-1].text + char, style)
        else:
            segments.append(Segment(char, style))
    return Strip(segments, len(cells))
