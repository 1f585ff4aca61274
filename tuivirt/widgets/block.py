"""A few styled lines that are only looked at: no cursor, no search, no scrolling."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .page import PageLine
from .table_lines import strip_of
from .text import plain
from .tones import Toned


class Block(Widget):
    """As high as its lines; those that are as before are not drawn again."""

    DEFAULT_CSS = "Block { width: 1fr; height: 0; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: tuple[PageLine, ...] = ()

    def show(self, lines: Sequence[PageLine]) -> None:
        """Show these lines; their texts are made plain here."""
        old, self.lines = self.lines, tuple(lines)
        if len(old) != len(self.lines):
            self.styles.height = len(self.lines)
            self.refresh()
            return
        for y, line in enumerate(self.lines):
            if line != old[y]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self.lines):
            return Strip.blank(width)
        return strip_of((Toned(plain(text), tone) for text, tone in self.lines[y]), width)
