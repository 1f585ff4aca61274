"""Pieces of lines against Textual's own strips, which cut alike and remember."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tuivirt.widgets.piece import Piece

SEGMENTS = (
    Segment("▌✓ web-01", Style(bold=True)),
    Segment("  日本語  "),
    Segment("▁▂▃", Style(dim=True)),
    Segment(" 12.5"),
)
WIDTH = 9 + 10 + 3 + 5


def cells(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(text, style) for text, style, _ in strip if text]


@pytest.mark.parametrize("start", range(WIDTH + 1))
def test_a_part_is_what_textual_would_cut(start: int) -> None:
    piece, strip = Piece(SEGMENTS, WIDTH), Strip(SEGMENTS)
    for end in (None, *range(start + 1, WIDTH + 3)):
        part = piece.crop(start, end)
        assert cells(part) == cells(strip.crop(start, end))
        assert part.cell_length == strip.crop(start, end).cell_length


@pytest.mark.parametrize("cuts", [[WIDTH], [3, WIDTH], [1, 12, 20], [5, WIDTH + 4]])
def test_it_is_divided_as_textual_would(cuts: list[int]) -> None:
    piece, strip = Piece(SEGMENTS, WIDTH), Strip(SEGMENTS)
    assert [cells(part) for part in piece.divide(cuts)] == [
        cells(part) for part in strip.divide(cuts)
    ]


def test_nothing_that_was_cut_out_is_kept() -> None:
    piece = Piece(SEGMENTS, WIDTH)
    assert piece.crop(1, 5) is not piece.crop(1, 5)
    assert piece.crop(0, WIDTH) is piece
