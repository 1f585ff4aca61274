"""What the emulator shows, read row by row: those that changed, a run of one style at a time."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from tuivirt.backend.model.terminal import Attr, Color, Row, Run, TextStyle

from .drawable import drawable, in_cell
from .native import ffi, lib, sized

_KNOWN_CELLS = 20_000
"""How many different cells are remembered: a cell is a character with its style's number."""

_KNOWN_STYLES = 4096

CLUSTER_MAX = 32
"""Code points of one cell that are shown. A guest can pile up more on it than a screen holds; the
longest that people write, a flag of tags, has less than half of it."""

_FLAGS = (
    ("bold", Attr.BOLD),
    ("faint", Attr.FAINT),
    ("italic", Attr.ITALIC),
    ("blink", Attr.BLINK),
    ("inverse", Attr.INVERSE),
    ("invisible", Attr.INVISIBLE),
    ("strikethrough", Attr.STRIKE),
    ("overline", Attr.OVERLINE),
)


class _Cell:
    """What the 64 bits of a cell mean."""

    __slots__ = ("background", "cells", "grapheme", "rich", "style", "styled", "text")

    def __init__(self, value: int) -> None:
        def ask(what: int, ctype: str) -> Any:
            out = ffi.new(ctype)
            lib.ghostty_cell_get(value, what, out)
            return out[0]

        tag = ask(lib.GHOSTTY_CELL_DATA_CONTENT_TAG, "GhosttyCellContentTag *")
        wide = ask(lib.GHOSTTY_CELL_DATA_WIDE, "GhosttyCellWide *")
        code = 0
        if tag in (0, 1):
            code = ask(lib.GHOSTTY_CELL_DATA_CODEPOINT, "uint32_t *")
        # A cell that was erased while a background was set holds that colour instead of a style.
        self.background: TextStyle | None = None
        if tag == 2:
            index = ask(lib.GHOSTTY_CELL_DATA_COLOR_PALETTE, "GhosttyColorPaletteIndex *")
            self.background = TextStyle(background=int(index))
        elif tag == 3:
            rgb = ask(lib.GHOSTTY_CELL_DATA_COLOR_RGB, "GhosttyColorRgb *")
            self.background = TextStyle(background=(rgb.r, rgb.g, rgb.b))
        self.styled = bool(ask(lib.GHOSTTY_CELL_DATA_HAS_STYLING, "bool *")) or tag > 1
        self.style = int(ask(lib.GHOSTTY_CELL_DATA_STYLE_ID, "GhosttyStyleId *"))
        self.grapheme = tag == 1
        self.cells = (1, 2, 0, 1)[wide]
        self.text = "" if wide == 2 else in_cell(chr(code) if code else " ", self.cells)
        self.rich = self.cells != 1 or self.styled or self.grapheme
        """More than one character without a style."""


_RICH = attrgetter("rich")


class RowReader:
    """Reads the rows of one render state."""

    def __init__(self, state: Any) -> None:
        self._state = state
        holder = ffi.new("GhosttyRenderStateRowIterator *")
        lib.ghostty_render_state_row_iterator_new(ffi.NULL, holder)
        self._holder = holder
        cells = ffi.new("GhosttyRenderStateRowCells *")
        lib.ghostty_render_state_row_cells_new(ffi.NULL, cells)
        self._cells = cells
        self._view = ffi.new("GhosttyCellsView *")
        self._style = sized("GhosttyStyle")
        self._style_bytes = ffi.buffer(self._style)
        self._styles: dict[bytes, TextStyle] = {}
        self._y = ffi.new("uint16_t *")
        self._known: dict[int, _Cell] = {}

    def close(self) -> None:
        """Give the library's memory back."""
        lib.ghostty_render_state_row_iterator_free(self._holder[0])
        lib.ghostty_render_state_row_cells_free(self._cells[0])

    def changed(self) -> dict[int, Row]:
        """The rows that changed since the state was last cleaned, by their place."""
        iterator = self._holder[0]
        lib.ghostty_render_state_get(
            self._state, lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._holder
        )
        rows: dict[int, Row] = {}
        while lib.ghostty_render_state_row_iterator_next_dirty(iterator, self._y):
            lib.ghostty_render_state_row_get(
                iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, self._view
            )
            raw = ffi.buffer(self._view.ptr, self._view.len * 8)[:]
            rows[self._y[0]] = self._row(iterator, memoryview(raw).cast("Q").tolist())
        return rows

    def _row(self, iterator: Any, values: list[int]) -> Row:
        known = self._known
        if len(known) > _KNOWN_CELLS:
            known.clear()
        try:
            cells = [known[value] for value in values]
        except KeyError:
            for value in values:
                if value not in known:
                    known[value] = _Cell(value)
            cells = [known[value] for value in values]
        if not any(map(_RICH, cells)):
            bare = "".join([cell.text for cell in cells]).rstrip(" ")
            return (Run(bare, len(bare), None),) if bare else ()
        return self._runs(iterator, cells)

    def _runs(self, iterator: Any, cells: list[_Cell]) -> Row:
        lib.ghostty_render_state_row_get(
            iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells
        )
        runs: list[Run] = []
        text: list[str] = []
        width = 0
        style: TextStyle | None = None
        # A style's number is the row's own: another row may mean another style by it.
        styles: dict[int, TextStyle] = {}
        x = 0
        while x < len(cells):
            cell = cells[x]
            own = cell.background
            if own is None and cell.styled:
                own = styles.get(cell.style)
                if own is None:
                    own = styles[cell.style] = self._style_at(x)
            if own != style and text:
                runs.append(Run("".join(text), width, style))
                text, width = [], 0
            style = own
            # A margin or a resize can leave half of a wide character: blank, as xterm has it.
            taken = cell.cells if cell.cells < 2 or _whole(cells, x) else 0
            if taken:
                text.append(in_cell(self._cluster(x), taken) if cell.grapheme else cell.text)
            else:
                text.append(" ")
            width += taken or 1
            x += taken or 1
        runs.append(Run("".join(text), width, style))
        last = runs[-1]
        if last.style is None:
            bare = last.text.rstrip(" ")
            runs[-1:] = [Run(bare, last.cells - len(last.text) + len(bare), None)] if bare else []
        return tuple(runs)

    def _cluster(self, x: int) -> str:
        cells = self._cells[0]
        lib.ghostty_render_state_row_cells_select(cells, x)
        count = ffi.new("uint32_t *")
        lib.ghostty_render_state_row_cells_get(
            cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN, count
        )
        codes = ffi.new("uint32_t[]", max(count[0], 1))
        lib.ghostty_render_state_row_cells_get(
            cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF, codes
        )
        return drawable("".join(map(chr, codes[0 : min(count[0], CLUSTER_MAX)]))) or " "

    def _style_at(self, x: int) -> TextStyle:
        cells = self._cells[0]
        lib.ghostty_render_state_row_cells_select(cells, x)
        lib.ghostty_render_state_row_cells_get(
            cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE, self._style
        )
        raw = self._style_bytes[:]
        style = self._styles.get(raw)
        if style is None:
            if len(self._styles) > _KNOWN_STYLES:
                self._styles.clear()
            style = self._styles[raw] = _read(self._style)
        return style


def _read(style: Any) -> TextStyle:
    attributes = Attr.UNDERLINE.value if style.underline else 0
    for name, flag in _FLAGS:
        if getattr(style, name):
            attributes |= flag.value
    return TextStyle(_color(style.fg_color), _color(style.bg_color), attributes)


def _whole(cells: list[_Cell], x: int) -> bool:
    return x + 1 < len(cells) and cells[x + 1].cells == 0


def _color(color: Any) -> Color:
    if color.tag == 0:
        return None
    if color.tag == 1:
        return int(color.value.palette)
    rgb = color.value.rgb
    return rgb.r, rgb.g, rgb.b
