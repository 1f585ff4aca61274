"""A row of an emulated terminal as a strip: harmless, and exactly as wide as the guest means it."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tuivirt.backend.model.terminal import Attr, Color, CursorShape, Row, Run, TextStyle

from .text import fit, plain, width_of

FOUND = Style(reverse=True)
CHOSEN = Style(color="black", bgcolor="yellow", underline=True)
CURSORS = {
    CursorShape.BLOCK: Style(reverse=True),
    CursorShape.UNDERLINE: Style(underline=True, bold=True),
    CursorShape.BAR: Style(underline2=True, bold=True),
}
"""A cell cannot hold a bar; it gets a double line below."""
CURSOR_AWAY = Style(underline=True)
"""The cursor of a terminal that does not get the keys."""

Mark = tuple[int, int, Style]
"""Columns from, up to and without, and how they are to stand out."""


def _color(color: Color) -> RichColor | None:
    if color is None:
        return None
    if isinstance(color, int):
        return RichColor.from_ansi(color)
    return RichColor.from_rgb(*color)


@lru_cache(2048)
def style_of(style: TextStyle) -> Style:
    """The style of a run. The first sixteen colours are the operator's own."""
    has = style.attributes
    return Style.from_color(_color(style.foreground), _color(style.background)) + Style(
        bold=bool(has & Attr.BOLD) or None,
        dim=bool(has & Attr.FAINT) or None,
        italic=bool(has & Attr.ITALIC) or None,
        underline=bool(has & Attr.UNDERLINE) or None,
        blink=bool(has & Attr.BLINK) or None,
        reverse=bool(has & Attr.INVERSE) or None,
        strike=bool(has & Attr.STRIKE) or None,
        overline=bool(has & Attr.OVERLINE) or None,
    )


def _segment(run: Run) -> Segment:
    text, cells, style = run
    if style is not None and style.attributes & Attr.INVISIBLE:
        # Not left to the terminal: some draw it, and a copy of the screen would hold it.
        text = " " * cells
    elif not (len(text) == cells and text.isascii() and text.isprintable()):
        text = _fitted(text, cells)
    return Segment(text, style_of(style) if style is not None else None)


@lru_cache(4096)
def _fitted(text: str, cells: int) -> str:
    """Harmless, and as many cells by the operator's terminal as by the guest's: columns stand."""
    shown = plain(text)
    if width_of(shown) != cells and cells <= 2:
        # A cluster that is one character to the guest and several here: its first stands for it.
        shown = plain(text[:1])
    if width_of(shown) != cells:
        shown = fit(text, cells)
    return shown + " " * (cells - width_of(shown))


def strip_of(row: Row) -> Strip:
    """A row as it is printed."""
    return Strip([_segment(run) for run in row])


def marked(strip: Strip, marks: list[Mark], width: int) -> Strip:
    """The strip with some of its columns standing out; blanks behind its end too."""
    for first, end, style in marks:
        first, end = max(0, first), min(end, width)
        if first >= end:
            continue
        strip = strip.adjust_cell_length(max(strip.cell_length, end))
        before, here, after = strip.crop(0, first), strip.crop(first, end), strip.crop(end)
        strip = Strip.join([before, here.apply_style(style), after])
    return strip
