"""A page of styled lines that scrolls and can be searched; only lines that changed are drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .text import plain
from .tones import Toned, style_of

PageLine = tuple[Toned, ...]
"""One line of a page; its texts may be untrusted."""

FOUND = Style(reverse=True)
FOUND_HERE = Style(reverse=True, bold=True, underline=True)


def line_text(line: PageLine) -> str:
    """What a line says, without its styles and harmless to print."""
    return "".join(plain(text) for text, _ in line)


class Page(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines to read. Keys: up down page-up page-down g G, n and N for the next hit of a search.

    The plain left and right keys are left to the screen, which may turn tabs with them.
    """

    DEFAULT_CSS = """
    Page { width: 1fr; height: 1fr; scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "Down", show=False, id="page.down"),
        Binding("k,up", "scroll_up", "Up", show=False, id="page.up"),
        Binding("pageup", "page_up", "Page up", show=False, id="page.page-up"),
        Binding("shift+right", "sideways(8)", "To the right", show=False, id="page.right"),
        Binding("shift+left", "sideways(-8)", "To the left", show=False, id="page.left"),
        Binding("g,home", "top", "First", show=False, id="page.first"),
        Binding("G,end", "bottom", "Last", show=False, id="page.last"),
        Binding("space,pagedown", "page_down", "Page down", show=False, id="page.page-down"),
        Binding("n", "next_hit(1)", "Next hit", show=False, id="page.next"),
        Binding("N", "next_hit(-1)", "Hit before", show=False, id="page.previous"),
    ]

    class Searched(Message):
        """A search was made or went on: ``hit`` of ``hits``, from 1; 0 of 0: nothing found."""

        def __init__(self, pattern: str, hit: int, hits: int) -> None:
            super().__init__()
            self.pattern = pattern
            self.hit = hit
            self.hits = hits

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[PageLine, ...] = ()
        self._pattern: re.Pattern[str] | None = None
        self._hits: list[tuple[int, int, int]] = []
        self._hit = 0

    @property
    def lines(self) -> tuple[PageLine, ...]:
        """What it shows."""
        return self._lines

    @property
    def text(self) -> str:
        """What it shows, as plain text."""
        return "\n".join(line_text(line) for line in self._lines)

    def show(self, lines: Sequence[PageLine]) -> None:
        """Show these lines; those that are as before are not drawn again."""
        old, self._lines = self._lines, tuple(lines)
        if self._pattern is not None:
            self._find()
        width = max((cell_len(line_text(line)) for line in lines), default=0)
        size = Size(width, len(self._lines))
        if size != self.virtual_size:
            self.virtual_size = size
            self.refresh()
            return
        for number, line in enumerate(self._lines):
            if line != old[number]:
                self.refresh_line(number)

    @property
    def searched(self) -> bool:
        """Whether hits of a search are marked."""
        return self._pattern is not None

    def search(self, pattern: str) -> None:
        """Mark every hit of a regular expression (taken literally when it is none); '' ends it."""
        if not pattern:
            self._pattern, self._hits = None, []
        else:
            try:
                self._pattern = re.compile(pattern, re.IGNORECASE)
            except re.error:
                self._pattern = re.compile(re.escape(pattern), re.IGNORECASE)
            self._find()
        here = self.scroll_offset.y
        self._hit = next((i for i, (y, _, _) in enumerate(self._hits) if y >= here), 0)
        self._show_hit()

    def action_next_hit(self, step: int) -> None:
        """Go to the next hit (1) or the one before (-1), round and round."""
        if self._hits:
            self._hit = (self._hit + step) % len(self._hits)
        self._show_hit()

    def action_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_bottom(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_scroll_down(self) -> None:
        self.scroll_to(y=self.scroll_offset.y + 1, animate=False)

    def action_scroll_up(self) -> None:
        self.scroll_to(y=self.scroll_offset.y - 1, animate=False)

    def action_page_down(self) -> None:
        self.scroll_to(y=self.scroll_offset.y + self.size.height - 1, animate=False)

    def action_page_up(self) -> None:
        self.scroll_to(y=self.scroll_offset.y - self.size.height + 1, animate=False)

    def action_sideways(self, step: int) -> None:
        self.scroll_to(x=self.scroll_offset.x + step, animate=False)

    def _find(self) -> None:
        assert self._pattern is not None
        self._hits = [
            (number, match.start(), match.end())
            for number, line in enumerate(self._lines)
            for match in self._pattern.finditer(line_text(line))
            if match.end() > match.start()
        ]
        self._hit = min(self._hit, max(len(self._hits) - 1, 0))

    def _show_hit(self) -> None:
        if self._hits:
            y = self._hits[self._hit][0]
            top, height = self.scroll_offset.y, self.size.height
            if not top <= y < top + height:
                self.scroll_to(y=max(y - height // 3, 0), animate=False)
        self.refresh()
        pattern = self._pattern.pattern if self._pattern else ""
        self.post_message(
            self.Searched(pattern, self._hit + 1 if self._hits else 0, len(self._hits))
        )

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        width = self.size.width
        if number >= len(self._lines):
            return Strip.blank(width)
        segments = [Segment(plain(text), style_of(tone)) for text, tone in self._lines[number]]
        for index, (row, start, end) in enumerate(self._hits):
            if row == number:
                style = FOUND_HERE if index == self._hit else FOUND
                segments = _restyle(segments, start, end, style)
        strip = Strip(segments)
        x = self.scroll_offset.x
        return strip.crop(x, x + width).adjust_cell_length(width)


def _restyle(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """The segments with characters ``start`` to ``end`` in another style."""
    result: list[Segment] = []
    at = 0
    for segment in segments:
        text, old = segment.text, segment.style or Style.null()
        first, last = max(start - at, 0), min(end - at, len(text))
        if first >= last:
            result.append(segment)
        else:
            parts = ((text[:first], old), (text[first:last], old + style), (text[last:], old))
            result.extend(Segment(part, how) for part, how in parts if part)
        at += len(text)
    return result
