"""A table's lines: how a row becomes cells, cells a strip, and which cells differ."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from .columns import GAP, Placed, fit_cell
from .piece import Piece
from .text import fit, plain, width_of, wrap_text
from .tones import Toned, style_of

if TYPE_CHECKING:
    from .rows import Rows

R = TypeVar("R")

GUTTER = 3
"""The cursor's bar, the mark, a space."""
MERGE = 6
"""Changed cells this near to one another are sent as one piece: a jump costs as many bytes."""


class RowLine(NamedTuple):
    """A row as it was drawn last."""

    key: Hashable
    cursor: bool
    marked: bool
    cells: tuple[tuple[Toned, ...], ...]


def format_row(
    key: Hashable, row: R, cursor: bool, marked: bool, placed: Sequence[Placed[R]]
) -> RowLine:
    """The row's cells, cut to their columns."""
    cells = tuple(
        fit_cell(p.column.cell(row), p.width, p.column.align, keeps_end=p.column.keeps_end)
        for p in placed
    )
    return RowLine(key, cursor, marked, cells)


def changed_regions(
    placed: Sequence[Placed[Any]], y: int, old: RowLine | None, new: RowLine | None, width: int
) -> list[Region]:
    """What of line ``y`` has to be drawn again."""
    if old is None or new is None or old.cursor != new.cursor or len(old.cells) != len(new.cells):
        return [Region(0, y, width, 1)]
    spans: list[tuple[int, int]] = [(0, 2)] if old.marked != new.marked else []
    for place, before, after in zip(placed, old.cells, new.cells, strict=True):
        if before != after:
            end = place.x + place.width
            if spans and place.x - spans[-1][1] <= MERGE:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((place.x, end))
    return [Region(x, y, end - x, 1) for x, end in spans]


def row_strip(line: RowLine, placed: Sequence[Placed[Any]], width: int) -> Strip:
    """The cursor's bar, the mark, and the cells where their columns stand."""
    pieces = [
        Toned("▌" if line.cursor else " ", "accent" if line.cursor else ""),
        Toned("✓" if line.marked else " ", "accent" if line.marked else ""),
        Toned(" "),
    ]
    x = GUTTER
    for place, cell in zip(placed, line.cells, strict=True):
        if place.x > x:
            pieces.append(Toned(" " * (place.x - x)))
        pieces.extend(cell)
        x = place.x + place.width
    return strip_of(pieces, width, cursor=line.cursor)


def caption_of(caption: str, rows: Rows[Any]) -> tuple[str, str]:
    """What stands above a table: how many of its rows are shown, and how they are sorted."""
    left = f"{caption} {len(rows.listed)} of {len(rows.all)}"
    if rows.grouping is not None:
        left += f"   by {rows.grouping.word}"
    if rows.filter is not None:
        left += f"   /{rows.filter.expression}"
    if rows.marks:
        left += f"   {sum(key in rows.marks for key in rows.listed)} marked"
    column = rows.sorted_by
    right = ""
    if column is not None:
        right = f"sorted by {column.title.strip()} {'▼' if rows.reverse else '▲'}"
    return plain(left), plain(right)


def said_strip(rows: Rows[Any], empty: str, number: int, width: int) -> Strip:
    """A line of what a table without rows says, counted from 0."""
    if rows.filter is not None and rows.all:
        said = f"The filter /{rows.filter.expression} hides all {len(rows.all)}."
        text = [said, "Press / to change it, esc to clear it."]
    else:
        text = wrap_text(empty, max(1, width - GUTTER - 1))
    if 0 <= number < len(text):
        return strip_of([Toned(" " * GUTTER + fit(text[number], width - GUTTER))], width)
    return Strip.blank(width)


def titles_strip(placed: Sequence[Placed[Any]], width: int) -> Strip:
    """The columns' titles, aligned as their cells."""
    pieces = [Toned(" " * GUTTER)]
    for place in placed:
        if place.x > GUTTER:
            pieces.append(Toned(" " * GAP))
        pieces.append(Toned(fit(place.column.title, place.width, place.column.align), "title"))
    return strip_of(pieces, width)


def strip_of(pieces: Iterable[Toned], width: int, cursor: bool = False) -> Strip:
    """Pieces as a strip, neighbours of one style joined: each change of style costs bytes."""
    segments: list[Segment] = []
    text, style = "", style_of("", cursor)
    for piece in pieces:
        wanted = style_of(piece.tone, cursor)
        if wanted != style and text:
            segments.append(Segment(text, style))
            text = ""
        style = wanted
        text += piece.text
    if text:
        segments.append(Segment(text, style))
    taken = sum(width_of(segment.text) for segment in segments)
    if taken < width:
        segments.append(Segment(" " * (width - taken), style_of("", cursor)))
    line = Piece(segments, max(taken, width))
    return line if taken <= width else line.crop(0, width)
