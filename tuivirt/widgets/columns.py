"""Columns of a table: declared once, laid out for a width, cells cut to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textual.binding import Binding

from .sparkline import bars_shown
from .text import fit, plain, width_of
from .tones import Cell, Toned

R = TypeVar("R")

GAP = 1
"""Cells between two columns."""


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column: how it is drawn, how wide, what it sorts by, and when it has to go."""

    id: str
    title: str
    cell: Callable[[R], Cell]
    width: int
    """The least it needs."""
    max_width: int = 0
    """Up to this it grows when there is room; 0: it stays at ``width``."""
    grows_first: bool = False
    """The others get what it leaves."""
    align: str = "left"
    priority: int = 0
    """0 is always there; the highest numbers go first when the screen is narrow."""
    sort_key: Callable[[R], Any] | None = None
    """None: it cannot be sorted by. A key of None (unknown) always comes last."""
    sort_letter: str = ""
    """With shift it sorts by this column."""
    descending: bool = False
    """The first press sorts with the greatest on top."""
    keeps_end: bool = False
    """Of two pieces the first is cut, and the second stays whole."""
    bars: bool = False
    """It holds nothing but little bars, and goes where none are drawn."""


@dataclass(frozen=True)
class Placed(Generic[R]):
    """A column where it stands."""

    column: Column[R]
    x: int
    width: int


def lay_out(columns: Sequence[Column[R]], x: int, width: int) -> tuple[Placed[R], ...]:
    """Place what fits into ``width`` cells from ``x`` on, in the order declared."""
    kept = [c for c in columns if not c.bars or bars_shown()]

    def needed() -> int:
        return sum(c.width for c in kept) + GAP * (len(kept) - 1)

    while kept and needed() > width:
        dear = max(kept, key=lambda c: (c.priority, kept.index(c)))
        if dear.priority == 0:
            break
        kept.remove(dear)
    widths = {c.id: c.width for c in kept}
    spare = width - needed()
    growing = [c for c in kept if c.max_width > c.width]
    for first in (True, False):
        spare = _grow([c for c in growing if c.grows_first is first], widths, spare)
    placed = []
    end = x + width
    for column in kept:
        taken = min(widths[column.id], end - x)
        if taken <= 0:
            break
        placed.append(Placed(column, x, taken))
        x += taken + GAP
    return tuple(placed)


def _grow(growing: list[Column[Any]], widths: dict[str, int], spare: int) -> int:
    """Share out what there is between these; what is left of it."""
    while spare > 0 and growing:
        share = max(1, spare // len(growing))
        for column in list(growing):
            more = min(share, column.max_width - widths[column.id], spare)
            widths[column.id] += more
            spare -= more
            if widths[column.id] >= column.max_width:
                growing.remove(column)
    return spare


HEAD = 10
"""Cells that a text which is cut has at least, for what stands behind it to stay whole."""


def fit_cell(cell: Cell, width: int, align: str, *, keeps_end: bool = False) -> tuple[Toned, ...]:
    """The cell as pieces that are together exactly ``width`` cells wide, every text made plain."""
    if isinstance(cell, str):
        return (Toned(fit(cell, width, align)),)
    if isinstance(cell, Toned):
        return (Toned(fit(cell.text, width, align), cell.tone),)
    pieces: list[Toned] = []
    left = width
    if keeps_end and len(cell) == 2:
        text, tone = cell[0]
        end = width_of(plain(cell[1].text))
        if end <= left - HEAD:
            cell = (Toned(fit(text, left - end, pad=False), tone), cell[1])
    for text, tone in cell:
        if left <= 0:
            break
        shown = fit(text, left, pad=False)
        left -= width_of(shown)
        pieces.append(Toned(shown, tone))
    if left > 0:
        blank = Toned(" " * left)
        pieces = [blank, *pieces] if align == "right" else [*pieces, blank]
    return tuple(pieces)


def sort_bindings(columns: Sequence[Column[R]]) -> dict[str, Binding]:
    """By key: a column's letter, with shift, sorts by it; the id is ``sort.`` and the column's."""
    found: dict[str, Binding] = {}
    for column in columns:
        key = column.sort_letter.upper()
        if key:
            action, words = f"sort('{column.id}')", f"Sort by {column.title}"
            found.setdefault(key, Binding(key, action, words, show=False, id=f"sort.{column.id}"))
    return found
