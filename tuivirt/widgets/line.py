"""One line of text that sends only what changed of it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .text import fit, width_of
from .tones import Toned, style_of


class Line(Widget):
    """A line with something on its left and something on its right; the right wins."""

    DEFAULT_CSS = "Line { width: 1fr; height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: tuple[Toned, ...] = ()
        self._right: tuple[Toned, ...] = ()
        self._cells: list[Toned] = []

    def show(self, left: Iterable[Toned], right: Iterable[Toned] = ()) -> None:
        """Draw these pieces; texts are made plain here."""
        new = (tuple(left), tuple(right))
        if new != (self._left, self._right):
            self._left, self._right = new
            self._redraw()

    @property
    def text(self) -> str:
        """What is drawn, as text."""
        return "".join(piece.text for piece in self._cells)

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        width = self.size.width
        old, self._cells = self._cells, self._fitted(width)
        before = [(char, tone) for text, tone in old for char in text]
        after = [(char, tone) for text, tone in self._cells for char in text]
        if len(before) != len(after) or any(width_of(char) != 1 for char, _ in before + after):
            # Characters are not cells where some are wide: the whole line is sent.
            self.refresh(Region(0, 0, width, 1))
            return
        changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        if changed:
            self.refresh(Region(changed[0], 0, changed[-1] - changed[0] + 1, 1))

    def _fitted(self, width: int) -> list[Toned]:
        right = _cut(self._right, width)
        taken = sum(width_of(piece.text) for piece in right)
        left = _cut(self._left, width - taken - (1 if taken else 0))
        room = width - taken - sum(width_of(piece.text) for piece in left)
        return [*left, Toned(" " * room), *right]

    def render_line(self, y: int) -> Strip:
        segments = [Segment(text, style_of(tone)) for text, tone in self._cells if text]
        return Strip(segments).adjust_cell_length(self.size.width)


def _cut(pieces: tuple[Toned, ...], width: int) -> list[Toned]:
    kept: list[Toned] = []
    for text, tone in pieces:
        if width <= 0:
            break
        shown = fit(text, width, pad=False)
        width -= width_of(shown)
        kept.append(Toned(shown, tone))
    return kept
