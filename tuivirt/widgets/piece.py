"""Lines that remember nothing of what was cut out of them.

Textual's strips keep the last sixteen parts that were asked for, in seven caches each, and a
widget's style cache keeps each line once more. Of a list whose figures move no part is asked for
again soon: after a minute they were 600 strips, 0.9 MiB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .text import width_of


class _Forgetful:
    """A cache that never has it."""

    def get(self, _key: object, default: Any = None) -> Any:
        return default

    def __setitem__(self, _key: object, _value: object) -> None:
        pass


_FORGETFUL = _Forgetful()
_CACHES = [name for name in Strip.__slots__ if name.endswith("_cache") and name != "_render_cache"]


class Piece(Strip):
    """A strip, or a part of one, without caches."""

    __slots__ = ()

    def __init__(self, segments: Iterable[Segment], cell_length: int) -> None:
        super().__init__(segments, cell_length)
        for name in _CACHES:
            setattr(self, name, _FORGETFUL)

    def crop(self, start: int, end: int | None = None) -> Strip:
        """The cells from ``start`` up to ``end``."""
        length = self.cell_length
        start, end = max(0, start), length if end is None else min(length, end)
        if start == 0 and end == length:
            return self
        kept: list[Segment] = []
        x = 0
        for segment in self._segments:
            if x >= end:
                break
            # Not by Rich's cell_len, which remembers each of the last 4096 texts.
            after = x + width_of(segment.text)
            if after > start:
                kept.append(_part(segment, max(0, start - x), min(after, end) - x, after - x))
            x = after
        return Piece(kept, max(0, end - start))

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut at each of ``cuts``; what is behind the last is left out."""
        parts, start = [], 0
        for cut in cuts:
            if cut <= self.cell_length:
                parts.append(self.crop(start, cut))
                start = cut
        return parts


def _part(segment: Segment, start: int, end: int, width: int) -> Segment:
    if start == 0 and end == width:
        return segment
    text, style, _control = segment
    if text.isascii():
        return Segment(text[start:end], style)
    _before, rest = segment.split_cells(start) if start else (None, segment)
    return rest.split_cells(end - start)[0]


class PlainLines(Widget):
    """A widget that draws whole lines by itself, with nothing around them."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they are; styles that Textual would put around them are not looked at."""
        filters, background = self.get_line_filters(), self.background_colors[1]
        first, last = crop.column_span
        lines = []
        for y in crop.line_range:
            line = self.render_line(y)
            for each in filters:
                line = line.apply_filter(each, background)
            lines.append(line.crop(first, last))
        return lines
