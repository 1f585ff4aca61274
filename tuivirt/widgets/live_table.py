"""A table of live rows that sends to the terminal only the cells that changed.

It draws lines itself (Textual's line API), keeps its own scroll position and never asks for a
layout: a tick costs what is visible, and a move of the cursor two lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from .columns import Column, Placed, lay_out, sort_bindings
from .piece import PlainLines
from .rows import Rows, Section
from .table_lines import (
    GUTTER,
    RowLine,
    caption_of,
    changed_regions,
    format_row,
    row_strip,
    said_strip,
    strip_of,
    titles_strip,
)
from .text import fit
from .tones import Toned

if TYPE_CHECKING:
    from .grouping import Grouping

R = TypeVar("R")


class Told(Message):
    """What a table tells of itself, and of which row."""

    def __init__(self, table: LiveTable[Any], key: Hashable | None = None) -> None:
        super().__init__()
        self.table = table
        self.key = key

    @property
    def control(self) -> LiveTable[Any]:
        return self.table


class LiveTable(PlainLines, Generic[R], can_focus=True):
    """Rows by key, columns declared once; cursor and marks follow the keys, not the lines."""

    DEFAULT_CSS = "LiveTable { width: 1fr; height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("home,g", "to_end(-1)", "First", show=False, id="table.first"),
        Binding("end,G", "to_end(1)", "Last", show=False, id="table.last"),
        Binding("space", "mark", "Mark", show=False, id="table.mark"),
        Binding("ctrl+space,ctrl+@", "mark_range", "Mark a range", show=False, id="table.range"),
        Binding("enter", "open", "Open", show=False, id="table.open"),
    ]

    class CursorMoved(Told):
        """The cursor stands on another row (None: there is none)."""

    class Opened(Told):
        """Enter or a double click on a row."""

    class ViewChanged(Told):
        """Other rows are visible or marked than before."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        caption: str = "",
        sort: str = "",
        search: Callable[[R], str] | None = None,
        tags: Callable[[R], Iterable[str]] | None = None,
        empty: str = "Nothing here.",
        id: str | None = None,
    ) -> None:
        """``caption`` names the rows (``Domains``), ``sort`` the column it starts sorted by,
        ``search`` gives the text that ``/`` searches, ``empty`` says what to do without rows."""
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.caption = caption
        self.empty = empty
        self._was_empty = True
        self.rows: Rows[R] = Rows(self.columns, sort, search, tags)
        self.cursor: Hashable | None = None
        self._index = 0
        self._top = 0
        self._settled = False
        self._anchor: Hashable | None = None
        self._placed: tuple[Placed[R], ...] = ()
        self._lines: list[RowLine | None] = []
        self._strips: dict[int, Strip] = {}
        self._caption_drawn: tuple[str, str] = ("", "")
        self._seen: frozenset[Hashable] = frozenset()
        self._sort_keys: tuple[str, ...] = ()
        self._bind_sorting()

    # What a screen asks and says

    def update(self, rows: Mapping[Hashable, R]) -> None:
        """Show these rows from now on; what looks as before is not drawn again."""
        self.rows.replace(rows)
        self._follow()
        self._paint()

    def update_sections(self, sections: Mapping[Hashable, Section[R]]) -> None:
        """The same of rows in sections: what did not change costs nothing."""
        self.rows.replace_sections(sections)
        self._follow()
        self._paint()

    def use_columns(self, columns: Sequence[Column[R]]) -> None:
        """Other columns from now on; sorted by the one of the same id, where it is there."""
        if tuple(columns) == self.columns:
            return
        self.columns = tuple(columns)
        self.rows.use_columns(self.columns)
        self._bind_sorting()
        self.on_resize()

    def set_empty(self, text: str) -> None:
        """What is said when there are no rows."""
        if text != self.empty:
            self.empty = text
            self._redraw()

    @property
    def marks(self) -> tuple[Hashable, ...]:
        """Marked keys, in the order shown; marked rows that a filter hides are left out."""
        if not self.rows.marks:
            return ()
        return tuple(key for key in self.rows.listed if key in self.rows.marks)

    @property
    def targets(self) -> tuple[Hashable, ...]:
        """What an action applies to: the marked rows, else the one under the cursor."""
        if self.marks or self.cursor is None:
            return self.marks
        key = self.rows.key_of(self.cursor)
        return () if key is None else (key,)

    @property
    def visible_keys(self) -> tuple[Hashable, ...]:
        """The keys of the rows that are on the screen."""
        return self.rows.keys_of(self.rows.order[self._top : self._top + self._body_height])

    def row(self, key: Hashable | None) -> R | None:
        """The row of a key."""
        return None if key is None else self.rows.all.get(self.rows.key_of(key))

    def move_to(self, key: Hashable) -> None:
        """Put the cursor on this row, if it is shown."""
        index = self.rows.index(key)
        if index is not None:
            self._go(index)

    def clear_marks(self) -> None:
        self.rows.marks.clear()
        self._paint()

    def set_filter(self, expression: str, *, typing: bool = False) -> None:
        """Show only what matches; empty shows all. Raises BadFilter and keeps the old one."""
        self.rows.set_filter(expression, typing=typing)
        self._follow()
        self._paint()

    @property
    def filter_text(self) -> str:
        return self.rows.filter.expression if self.rows.filter else ""

    def group_by(self, grouping: Grouping[R, Any] | None) -> None:
        """Show the rows below the names of their groups; None: in one list."""
        self.rows.group_by(grouping)
        self._follow()
        self._redraw()

    def fold(self, close: bool | None = None) -> bool:
        """Fold or unfold (None: either) the group at the cursor, which then stands on its name.

        Without ``close`` only where it stands there already. False: there is nothing to fold.
        """
        header = self.rows.fold(self.cursor, close)
        if header is None:
            return False
        self._set_cursor(self.rows.index(header) or 0)
        self._scroll()
        self._paint()
        return True

    def sort_by(self, column_id: str, reverse: bool | None = None) -> None:
        """Sort by a column; the same again turns the order around."""
        self.rows.sort_by(column_id, reverse)
        self._follow()
        self._redraw()

    # Keys and mouse

    def action_move(self, lines: int) -> None:
        self._go(self._index + lines)

    def action_page(self, pages: int) -> None:
        self._go(self._index + pages * max(1, self._body_height - 1))

    def action_to_end(self, direction: int) -> None:
        self._go(0 if direction < 0 else len(self.rows.order) - 1)

    def action_mark(self) -> None:
        if self.cursor is None:
            return
        self.rows.mark(self.cursor)
        self._anchor = self.cursor
        self._go(self._index + 1)
        self._paint()

    def action_mark_range(self) -> None:
        """Mark all from the last row marked by hand to here."""
        if self.cursor is None:
            return
        start = self.rows.index(self._anchor) if self._anchor is not None else None
        low, high = sorted((self._index if start is None else start, self._index))
        self.rows.marks.update(self.rows.keys_of(self.rows.order[low : high + 1], folded=True))
        self._anchor = self.cursor
        self._paint()

    def action_open(self) -> None:
        if self.cursor is not None and not self.fold():
            self.post_message(self.Opened(self, self.rows.key_of(self.cursor)))

    def action_sort(self, column_id: str) -> None:
        self.sort_by(column_id)

    def on_click(self, event: events.Click) -> None:
        if event.y == 1:
            for placed in self._placed:
                if placed.x <= event.x < placed.x + placed.width and placed.column.sort_key:
                    self.sort_by(placed.column.id)
        elif event.y >= 2 and self._top + event.y - 2 < len(self.rows.order):
            self._go(self._top + event.y - 2)
            if event.chain == 2:
                self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._go(self._index + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._go(self._index - 3)

    def on_resize(self) -> None:
        self._placed = lay_out(self.columns, GUTTER, self.size.width - GUTTER)
        self._scroll()
        self._redraw()

    def _bind_sorting(self) -> None:
        """Those columns that are there have their keys, and no others."""
        bound = self._bindings.key_to_bindings
        for key in self._sort_keys:
            del bound[key]
        mine = {k: [b] for k, b in sort_bindings(self.columns).items() if k not in bound}
        bound.update(mine)
        self._sort_keys = tuple(mine)

    # Where the cursor is

    @property
    def _body_height(self) -> int:
        return max(0, self.size.height - 2)

    def _follow(self) -> None:
        """After the order changed: the cursor stays on its object, else near where it was."""
        order = self.rows.order
        index = self.rows.index(self.cursor, self._index) if self.cursor is not None else None
        if not self._settled:
            # Figures come after names: until there are any, the cursor waits at the top.
            index = 0
            self._settled = self.rows.is_known(0)
        elif index is None:
            index = min(self._index, len(order) - 1)
        self._set_cursor(max(0, index))
        self._scroll()

    def _go(self, index: int) -> None:
        if not self.rows.order:
            return
        self._settled = True
        top, left = self._top, self._index
        self._set_cursor(max(0, min(index, len(self.rows.order) - 1)))
        self._scroll()
        self._paint(None if self._top != top else {left - top, self._index - top})

    def _set_cursor(self, index: int) -> None:
        self._index = index
        key = self.rows.order[index] if index < len(self.rows.order) else None
        if key != self.cursor:
            self.cursor = key
            self.post_message(self.CursorMoved(self, key))

    def _scroll(self) -> None:
        """The least change of the scroll position that shows the cursor's line."""
        height = self._body_height
        last_top = max(0, len(self.rows.order) - height)
        top = min(self._top, last_top)
        if self._index < top:
            top = self._index
        elif height and self._index >= top + height:
            top = self._index - height + 1
        self._top = top

    # Drawing

    def _redraw(self) -> None:
        """Draw everything again: the layout, the caption or the order changed."""
        self._lines = [None] * self._body_height
        self._strips.clear()
        self._paint()
        self.refresh()

    def _paint(self, lines: Collection[int] | None = None) -> None:
        """Format the visible rows, or these, and have only the cells that differ drawn again."""
        height = self._body_height
        if len(self._lines) != height:
            self._lines, lines = [None] * height, None
        regions: list[Region] = []
        order = self.rows.order
        for y in range(height) if lines is None else filter(range(height).__contains__, lines):
            index = self._top + y
            line = self._format(order[index]) if index < len(order) else None
            old = self._lines[y]
            if line == old:
                continue
            self._lines[y] = line
            self._strips.pop(y + 2, None)
            regions.extend(changed_regions(self._placed, y + 2, old, line, self.size.width))
        if not order or self._was_empty:
            # What an empty table says stands on lines that may have no row afterwards either.
            self._was_empty = not order
            self._strips.clear()
            regions.append(Region(0, 2, self.size.width, height))
        caption = caption_of(self.caption, self.rows)
        if caption != self._caption_drawn:
            self._caption_drawn = caption
            self._strips.pop(0, None)
            regions.append(Region(0, 0, self.size.width, 1))
        if regions:
            self.refresh(*regions)
        seen = frozenset(self.visible_keys) | frozenset(self.rows.marks)
        if seen != self._seen:
            self._seen = seen
            self.post_message(self.ViewChanged(self))

    def _format(self, key: Hashable) -> RowLine:
        rows = self.rows
        cursor, marked = key == self.cursor, rows.is_marked(key)
        if rows.grouping is not None and (cells := rows.grouping.cells(key, self._placed)):
            return RowLine(key, cursor, marked, cells)
        return format_row(key, rows.all[rows.key_of(key)], cursor, marked, self._placed)

    def render_line(self, y: int) -> Strip:
        """The line as it was formatted last; made once until it changes."""
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != self.size.width:
            strip = self._make(y)
            self._strips[y] = strip
        return strip

    def _make(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            left, right = caption_of(self.caption, self.rows)
            room = max(0, width - 2 - len(right))
            return strip_of([Toned(" "), Toned(fit(left, room)), Toned(right, "dim")], width)
        if y == 1:
            return titles_strip(self._placed, width)
        line = self._lines[y - 2] if y - 2 < len(self._lines) else None
        if line is None:
            return self._blank(y, width)
        return row_strip(line, self._placed, width)

    def _blank(self, y: int, width: int) -> Strip:
        """A line without a row: an empty table says here what to do."""
        if self.rows.order:
            return Strip.blank(width)
        return said_strip(self.rows, self.empty, y - 3, width)
