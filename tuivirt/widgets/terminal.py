"""The terminal pane: an emulated terminal drawn row by row, and its keys and mouse as they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tuivirt.backend.model.terminal import Cursor, CursorShape, Frame, Match, Row, Scroll

from . import alt_keys
from .ascii import Ascii
from .terminal_rows import CHOSEN, CURSOR_AWAY, CURSORS, FOUND, Mark, marked, strip_of

Place = tuple[int, int]
"""Column, and row as ``Scroll`` counts them: 0 is the oldest."""

alt_keys.install()

_NOWHERE = Cursor(0, 0, False, CursorShape.BLOCK, False)


@dataclass(frozen=True, slots=True)
class Selection:
    """Text that is chosen, from one place to another in either direction, both included."""

    anchor: Place
    point: Place

    @property
    def ends(self) -> tuple[Place, Place]:
        """In the order of reading."""
        one, two = self.anchor, self.point
        return (one, two) if (one[1], one[0]) <= (two[1], two[0]) else (two, one)


class TerminalPane(Widget, can_focus=True):
    """Draws the frames it is given; a terminal larger than the pane is shown around its cursor.

    It takes every key and says which: what they mean is for its screen to know.
    """

    DEFAULT_CSS = "TerminalPane { width: 1fr; height: 1fr; }"

    class Pressed(Message):
        """A key was pressed here."""

        def __init__(self, pane: TerminalPane, key: str, character: str | None) -> None:
            super().__init__()
            self.pane = pane
            self.key = key
            self.character = character

    class Pasted(Message):
        """A text was pasted here."""

        def __init__(self, pane: TerminalPane, text: str) -> None:
            super().__init__()
            self.pane = pane
            self.text = text

    class Moused(Message):
        """The mouse did something at a place of the terminal: ``press``, ``release``, ``motion``.

        Buttons and modifiers are as in ``Emulator.mouse``.
        """

        def __init__(
            self, pane: TerminalPane, action: str, button: int, x: int, y: int, modifiers: int
        ) -> None:
            super().__init__()
            self.pane = pane
            self.action = action
            self.button = button
            self.x = x
            self.y = y
            self.modifiers = modifiers

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._strips: dict[int, Strip] = {}
        self.frame: Frame | None = None
        """The last that was shown."""
        self.columns, self.lines = 80, 24
        self._cursor = _NOWHERE
        self._scroll = Scroll(0, 0, 0)
        self._matches: dict[int, list[Mark]] = {}
        self._selection: Selection | None = None
        self._point: Place | None = None
        self._top = 0
        self._left = 0
        self._held = 0

    # What is drawn

    def forget(self) -> None:
        """Another terminal is going to be shown."""
        self._rows, self._strips, self._matches = [], {}, {}
        self._selection = self._point = None
        self.frame = None
        self.refresh()

    def show(self, frame: Frame) -> None:
        """Draw what changed."""
        resized = self.frame is None or (frame.columns, frame.lines) != (self.columns, self.lines)
        self.frame = frame
        self.columns, self.lines = frame.columns, frame.lines
        if resized or len(self._rows) != frame.lines:
            self._rows = [()] * frame.lines
            self._strips.clear()
        changed = {y for y in frame.rows if y < frame.lines and frame.rows[y] != self._rows[y]}
        for y in changed:
            self._rows[y] = frame.rows[y]
            self._strips.pop(y, None)
        if frame.scroll.offset != self._scroll.offset and self._selection is not None:
            changed.update(range(frame.lines))
        if frame.cursor != self._cursor:
            changed.update((self._cursor.y, frame.cursor.y))
        self._cursor, self._scroll = frame.cursor, frame.scroll
        if resized or self._follow():
            self.refresh()
        else:
            self._refresh_rows(changed)

    def mark(self, matches: tuple[Match, ...]) -> None:
        """Have these stand out as found."""
        before = self._matches
        self._matches = {}
        for match in matches:
            self._matches.setdefault(match.y, []).append((match.first, match.last + 1, FOUND))
        self._refresh_rows(
            {y for y in {*before, *self._matches} if before.get(y) != self._matches.get(y)}
        )

    def choose(self, selection: Selection | None, point: Place | None) -> None:
        """Have a selection stand out, and the place from which keys move it."""
        if (selection, point) != (self._selection, self._point):
            self._selection, self._point = selection, point
            self.refresh()

    def move_choice(self, rows: int) -> None:
        """What is chosen has another place by now."""
        if (chosen := self._selection) is not None:
            self._selection = Selection(moved(chosen.anchor, rows), moved(chosen.point, rows))
        if self._point is not None:
            self._point = moved(self._point, rows)

    @property
    def selection(self) -> Selection | None:
        """What is chosen."""
        return self._selection

    def _refresh_rows(self, rows: set[int]) -> None:
        for y in rows:
            if 0 <= y - self._top < self.size.height:
                self.refresh(Region(0, y - self._top, self.size.width, 1))

    def _follow(self) -> bool:
        """Keep the cursor in what is shown of a terminal that is larger; whether that moved it.

        Where the window stands follows from where the cursor is now, not from where it was while
        a program drew: whoever looks at the end must not miss rows by how its output was cut.
        """
        before = self._top, self._left
        width, height = self.size
        if self._point is not None:
            x, y = self._point[0], self._point[1] - self._scroll.offset
        else:
            x, y = self._cursor.x, self._cursor.y
        # A program that fills the screen has something below its cursor too; a shell has not.
        fills = self._point is not None or (self.frame is not None and self.frame.alternate)
        self._top = (_in_proportion if fills else _as_early)(y, height, self.lines)
        self._left = _as_early(x, width, self.columns)
        return before != (self._top, self._left)

    @property
    def hidden(self) -> tuple[int, int]:
        """How many rows and columns of the terminal have no room here."""
        return max(0, self.lines - self.size.height), max(0, self.columns - self.size.width)

    def on_resize(self) -> None:
        self._follow()
        self.refresh()

    def on_focus(self) -> None:
        self._refresh_rows({self._cursor.y})

    def on_blur(self) -> None:
        self._refresh_rows({self._cursor.y})

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.lines

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What the guest draws stays as it is, but ``NO_COLOR`` holds for it too."""
        filters = super().get_line_filters() if self.app.no_color else ()
        return [each for each in filters if not isinstance(each, Ascii)]

    def render_line(self, y: int) -> Strip:
        row = y + self._top
        width = self.size.width
        if row >= len(self._rows):
            return Strip([Segment(" " * width)], width)
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = strip_of(self._rows[row])
        marks = [*self._matches.get(row, ()), *self._marks(row)]
        if marks:
            strip = marked(strip, marks, self.columns)
        if self._left or strip.cell_length > width:
            strip = strip.crop(self._left, self._left + width)
        return strip.adjust_cell_length(width)

    def _marks(self, row: int) -> list[Mark]:
        marks: list[Mark] = []
        at = row + self._scroll.offset
        if self._selection is not None:
            (first, top), (last, bottom) = self._selection.ends
            if top <= at <= bottom:
                start = first if at == top else 0
                end = last + 1 if at == bottom else self.columns
                marks.append((start, end, CHOSEN))
        if self._point is not None:
            if self._point[1] == at:
                marks.append((self._point[0], self._point[0] + 1, CURSORS[CursorShape.BLOCK]))
        elif self._cursor.visible and row == self._cursor.y:
            style = CURSORS[self._cursor.shape] if self.has_focus else CURSOR_AWAY
            marks.append((self._cursor.x, self._cursor.x + 1, style))
        return marks

    # Keys and mouse

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Pressed(self, event.key, event.character))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.post_message(self.Pasted(self, event.text))

    def _moused(self, action: str, button: int, event: events.MouseEvent) -> None:
        event.stop()
        # The mouse counts from the border, if there is one.
        x = min(max(0, event.x - self.gutter.left + self._left), self.columns - 1)
        y = min(max(0, event.y - self.gutter.top + self._top), self.lines - 1)
        modifiers = event.shift | event.ctrl << 1 | event.meta << 2
        self.post_message(self.Moused(self, action, button, x, y, modifiers))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._held = event.button
        self.capture_mouse()
        self._moused("press", event.button, event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._held = 0
        self.release_mouse()
        self._moused("release", event.button, event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._moused("motion", self._held, event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._moused("press", 4, event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._moused("press", 5, event)


def moved(place: Place, rows: int) -> Place:
    """A place as it is counted now; the first there is for one that is dropped."""
    x, y = place
    return (x, y + rows) if y + rows >= 0 else (0, 0)


def _as_early(focus: int, room: int, all_of: int) -> int:
    """Where a window of ``room`` begins in ``all_of``: as early as ``focus`` allows."""
    if not room:  # It is not laid out yet.
        return 0
    return max(0, min(focus + 1, all_of) - room)


def _in_proportion(focus: int, room: int, all_of: int) -> int:
    """Where it begins when ``focus`` is to stand in it as far down as in all of it."""
    if all_of <= room or not room:
        return 0
    return (all_of - room) * max(0, min(focus, all_of - 1)) // (all_of - 1)
