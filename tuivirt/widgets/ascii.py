"""All that the program draws by itself in ASCII, made so where its lines are handed on.

One table of our own marks, each a cell wide in both. What is not in it is a guest's or a host's
own text and stays; a name that has one of the marks in it shows the stand-in, as our texts do.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender

_PAIRS = (
    ("…–—·×", "~--.x"),
    ("“”‘’‹›", "\"\"''<>"),
    ("←→↑↓▲▼▸▾", "<>^v^v>v"),
    ("▌✓↯⚠✗↻", ">*!!x@"),
    ("●◦♪■◪◆⏎␡", "*o!#+@E^"),
    ("▁▂▃▄▅▆▇█", "_.-=+*%#"),
    ("▏▎▍▋▊▉░▒▓", "..-==#.:#"),
    ("─━═│┃║├┤└", "---||||||"),
)


def _table() -> dict[int, str]:
    table = dict.fromkeys(range(0x2500, 0x2580), "+")  # Corners and crossings of frames.
    table |= dict.fromkeys(range(0x2400, 0x2421), "^")  # Pictures of control characters.
    # Braille, by how much of the cell is dotted.
    table |= {0x2800 + dots: " .::-=+*#"[dots.bit_count()] for dots in range(256)}
    for marks, stand_ins in _PAIRS:
        table |= {ord(mark): each for mark, each in zip(marks, stand_ins, strict=True)}
    return table


TABLE = _table()
"""Our marks and what is drawn for them."""


class WholeCells(ScrollBarRender):
    """A scroll bar whose ends are not parts of cells."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


class Ascii(LineFilter):
    """Draws our marks in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, as wide as they were."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(TABLE), segment.style, segment.control)
            for segment in segments
        ]
