"""The emulator of the embedded console: libghostty-vt behind ``model.terminal.Emulator``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tuivirt.backend.model.terminal import (
    Cursor,
    CursorShape,
    Found,
    Frame,
    MouseReports,
    Scroll,
)

from .drawable import drawable
from .guard import REFUSED, Guard, Then
from .keys import KeyEncoder
from .mouse import CELL_PIXELS, MouseEncoder
from .native import TerminalHandle, check, ffi, lib, sized
from .rows import RowReader
from .search import Search
from .turn import Turn

SCROLLBACK_LINES = 10_600
"""The library drops a page of some 520 lines of 80 columns at once: 10,000 are always kept."""
SCROLLBACK_BYTES = 64 << 20
"""A line of many colours takes more than one of one."""

TITLE_MAX = 200
"""Characters of a guest's title that are kept."""

ANSWERS_MAX = 4096
"""Bytes that are answered to what is fed at once: a guest that asks a million times gets no
million answers."""

SIZE_MAX = 2000
"""Columns and lines; a blank screen of both takes 32 MiB."""

LEAST = 20, 5
"""Columns and lines. A smaller terminal is made this large: with a single line, or with few
columns, libghostty-vt as of pyghostty 0.1.3 crashes on output with many styles or links."""

_SOFT_RESET = (
    b'\x1b[?25h\x1b[4l\x1b[?1l\x1b>\x1b[0"q\x1b[m\x1b(B\x1b)B\x1b*B\x1b+B\x0f'
    b"\x1b[r\x1b[?6l\x1b[?7h\x1b[H\x1b7"
)
"""What DECSTR does, one after the other; the cursor has to go back to its place then.
Source: DEC VT510 Reference, DECSTR; autowrap stays on as xterm has it."""

_SLICE_LEAST, _SLICE_MOST = 64, 1024
"""Bytes that are fed before others have their turn."""
_SLOW_S = 0.005

_LONG_SEQUENCE = 1 << 16
"""Bytes of one sequence (an image, a clipboard) that are kept before the rest is dropped."""

_SHAPES = {0: CursorShape.BAR, 1: CursorShape.BLOCK, 2: CursorShape.UNDERLINE, 3: CursorShape.BLOCK}


def _sound(columns: int, lines: int, least: tuple[int, int]) -> tuple[int, int]:
    if columns < 1 or lines < 1:
        raise ValueError(f"a terminal of {columns} by {lines} has no room for a character")
    if columns > SIZE_MAX or lines > SIZE_MAX:
        raise ValueError(f"a terminal of {columns} by {lines} is larger than {SIZE_MAX} each way")
    return max(columns, least[0]), max(lines, least[1])


class GhosttyEmulator:
    """See ``Emulator``."""

    def __init__(
        self,
        columns: int = 80,
        lines: int = 24,
        *,
        scrollback_lines: int = SCROLLBACK_LINES,
        scrollback_bytes: int = SCROLLBACK_BYTES,
        least: tuple[int, int] = LEAST,
    ) -> None:
        self._feeding = threading.Lock()
        self._lock = Turn()
        self._least = least
        self._size = columns, lines = _sound(columns, lines, least)
        self._terminal = terminal = TerminalHandle(columns, lines)
        self._answers: list[bytes] = []
        self._room = 0
        self._guard = Guard()
        self._slice = _SLICE_MOST
        self._bells = 0
        self._all = True
        self._title = ""
        self._closed = False
        terminal.set("SCROLLBACK_MAX_LINES", ffi.new("size_t *", scrollback_lines))
        terminal.set("SCROLLBACK_MAX_BYTES", ffi.new("size_t *", scrollback_bytes))
        # What would reach for the operator's machine, or hoard: off, and none of it is answered.
        terminal.set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t *", 0))
        terminal.set("APC_MAX_BYTES", ffi.new("size_t *", _LONG_SEQUENCE))
        terminal.set("TITLE_REPORT", ffi.new("bool *", False))
        terminal.set("GLYPH_PROTOCOL", ffi.new("bool *", False))
        # Kept here: the library calls them, and Python must not collect them.
        self._callbacks = (
            ffi.callback("GhosttyTerminalWritePtyFn", self._answer),
            ffi.callback("GhosttyTerminalBellFn", self._bell),
            ffi.callback("GhosttyTerminalSizeFn", self._tell_size),
        )
        terminal.set("WRITE_PTY", self._callbacks[0])
        terminal.set("BELL", self._callbacks[1])
        terminal.set("SIZE", self._callbacks[2])
        holder = ffi.new("GhosttyRenderState *")
        check(lib.ghostty_render_state_new(ffi.NULL, holder), "render_state_new")
        self._state = holder[0]
        self._reader = RowReader(self._state)
        self._cursor = sized("GhosttyRenderStateCursor")
        self._keys = KeyEncoder(terminal)
        self._mouse = MouseEncoder(terminal)
        self._search: Search | None = None

    def _answer(self, _terminal: Any, _data: Any, answer: Any, length: int) -> None:
        # Whole answers only: half of one would be typed text to the guest.
        self._room -= length
        if self._room >= 0:
            self._answers.append(ffi.buffer(answer, length)[:])

    def _bell(self, _terminal: Any, _data: Any) -> None:
        self._bells += 1

    def _tell_size(self, _terminal: Any, _data: Any, out: Any) -> bool:
        out.columns, out.rows = self._size
        out.cell_width, out.cell_height = CELL_PIXELS
        return True

    def feed(self, data: bytes) -> bytes:
        with self._feeding:
            self._room = ANSWERS_MAX
            for part, then in self._guard.parts(data):
                self._write(part)
                if then is not Then.NOTHING:
                    self._set_right(then)
            with self._lock:
                if not self._closed:
                    self._measure()
            answers, self._answers = self._answers, []
        return b"".join(answers)

    def _write(self, data: bytes) -> None:
        """In slices, between which others have their turn: some sequences of a few bytes
        (REP, RIS) keep the library busy for as long as a thousand times as much text."""
        start = 0
        while start < len(data):
            piece = data[start : start + self._slice]
            start += len(piece)
            began = time.perf_counter()
            with self._lock:
                if self._closed:
                    return
                lib.ghostty_terminal_vt_write(self._terminal.raw, piece, len(piece))
            if time.perf_counter() - began > _SLOW_S:
                self._slice = max(_SLICE_LEAST, len(piece) // 4)
            elif self._slice < _SLICE_MOST:
                self._slice *= 2

    def _set_right(self, then: Then) -> None:
        with self._lock:
            if self._closed:
                return
            if then is Then.TAKE_MODES_BACK:
                self._terminal.unset(REFUSED)
            else:
                self._reset_softly()

    def _reset_softly(self) -> None:
        x = self._terminal.get("CURSOR_X", "uint16_t")[0]
        y = self._terminal.get("CURSOR_Y", "uint16_t")[0]
        sequence = _SOFT_RESET + b"\x1b[%d;%dH" % (y + 1, x + 1)
        lib.ghostty_terminal_vt_write(self._terminal.raw, sequence, len(sequence))

    def _measure(self) -> None:
        # The guest can set 80 or 132 columns by itself (DECCOLM, once it has set mode 40).
        columns = self._terminal.get("COLS", "uint16_t")[0]
        lines = self._terminal.get("ROWS", "uint16_t")[0]
        if (columns, lines) != self._size:
            self._size = columns, lines
            self._all = True

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._lock:
            if self._closed:  # The library would be called with memory that is gone.
                raise RuntimeError("this terminal is closed")
            yield

    def frame(self) -> Frame:
        with self._using():
            self._measure()  # In the middle of what is fed, too.
            check(lib.ghostty_render_state_update(self._state, self._terminal.raw), "update")
            if self._all:
                dirty = ffi.new("int *", lib.GHOSTTY_RENDER_STATE_DIRTY_FULL)
                lib.ghostty_render_state_set(
                    self._state, lib.GHOSTTY_RENDER_STATE_OPTION_DIRTY, dirty
                )
                self._all = False
            rows = self._reader.changed()
            lib.ghostty_render_state_clean(self._state)
            bells, self._bells = self._bells, 0
            columns, lines = self._size
            return Frame(
                columns,
                lines,
                rows,
                self._where(),
                self._scroll(),
                self._get_title(),
                self._terminal.get("ACTIVE_SCREEN", "GhosttyTerminalScreen")[0] == 1,
                self._mouse_reports(),
                bells,
            )

    def _where(self) -> Cursor:
        cursor = self._cursor
        lib.ghostty_render_state_get(self._state, lib.GHOSTTY_RENDER_STATE_DATA_CURSOR, cursor)
        shape = _SHAPES.get(cursor.visual_style, CursorShape.BLOCK)
        if not cursor.viewport_has_value:  # It is below the older rows that are shown.
            return Cursor(0, 0, False, shape, bool(cursor.blinking))
        # In the second half of a wide character it is drawn on the first.
        x = cursor.viewport_x - (1 if cursor.wide_tail and cursor.viewport_x else 0)
        visible, blinking = bool(cursor.visible), bool(cursor.blinking)
        return Cursor(x, cursor.viewport_y, visible, shape, blinking)

    def _scroll(self) -> Scroll:
        bar = self._terminal.get("SCROLLBAR", "GhosttyTerminalScrollbar")
        return Scroll(bar.total, bar.offset, bar.len)

    def _get_title(self) -> str:
        title = self._terminal.get("TITLE", "GhosttyString")
        if not title.len:
            return ""
        raw = ffi.buffer(title.ptr, min(title.len, TITLE_MAX * 16))[:]
        return drawable(str(raw.decode("utf-8", "replace")))[:TITLE_MAX]

    def _mouse_reports(self) -> MouseReports:
        for number, reports in (
            (1003, MouseReports.ALL),
            (1002, MouseReports.DRAGS),
            (1000, MouseReports.PRESSES_AND_RELEASES),
            (9, MouseReports.PRESSES),
        ):
            if self._terminal.mode(number):
                return reports
        return MouseReports.NONE

    def bells(self) -> int:
        with self._using():
            bells, self._bells = self._bells, 0
        return bells

    def refresh(self) -> None:
        with self._using():
            self._all = True

    def resize(self, columns: int, lines: int) -> None:
        columns, lines = _sound(columns, lines, self._least)
        with self._using():
            check(
                lib.ghostty_terminal_resize(self._terminal.raw, columns, lines, *CELL_PIXELS),
                "resize",
            )
            self._answers.clear()  # A report of the new size nobody asked this terminal for.
            self._size = columns, lines
            self._all = True

    def reset(self) -> None:
        with self._feeding, self._using():
            lib.ghostty_terminal_reset(self._terminal.raw)
            self._guard = Guard()
            self._measure()
            self._all = True

    def scroll(self, rows: int) -> None:
        with self._using():
            self._terminal.scroll("DELTA", rows)

    def scroll_to(self, row: int | None) -> None:
        with self._using():
            if row is None:
                self._terminal.scroll("BOTTOM")
            else:
                self._terminal.scroll("ROW", max(0, row))

    def text(
        self, first: tuple[int, int] | None = None, last: tuple[int, int] | None = None
    ) -> str:
        with self._using():
            selection = sized("GhosttySelection")
            if first is None or last is None:
                if lib.ghostty_terminal_select_all(self._terminal.raw, selection):
                    return ""
            else:
                ends = [self._terminal.place(*first), self._terminal.place(*last)]
                if ends[0] is None or ends[1] is None:
                    return ""
                selection.start, selection.end = ends[0][0], ends[1][0]
            options = sized("GhosttyTerminalSelectionFormatOptions")
            options.emit = lib.GHOSTTY_FORMATTER_FORMAT_PLAIN
            options.unwrap = options.trim = True
            options.selection = selection
            needed = ffi.new("size_t *")
            call = lib.ghostty_terminal_selection_format_buf
            call(self._terminal.raw, options[0], ffi.NULL, 0, needed)
            buffer = ffi.new("uint8_t[]", max(needed[0], 1))
            check(call(self._terminal.raw, options[0], buffer, needed[0], needed), "format")
            text = str(ffi.buffer(buffer, needed[0])[:].decode("utf-8", "replace"))
        if text.isascii():
            return text
        # It may be pasted elsewhere: nothing in it that is not seen.
        return "\n".join([drawable(line) for line in text.split("\n")])

    def search(self, text: str) -> Found:
        with self._using():
            if self._search is not None:
                self._search.close()
                self._search = None
            if not text:
                return Found(0, None, ())
            self._search = Search(self._terminal, text)
            return self._search.found()

    def step(self, older: bool) -> Found:
        with self._using():
            if self._search is None:
                return Found(0, None, ())
            return self._search.step(older)

    def found(self) -> Found:
        with self._using():
            return self._search.found() if self._search is not None else Found(0, None, ())

    def key(self, name: str, character: str | None) -> bytes:
        with self._using():
            return self._keys.encode(name, character)

    def paste(self, text: str) -> bytes:
        data = text.encode()
        with self._using():
            bracketed = self._terminal.mode(2004)
        source = ffi.new("char[]", data)
        needed = ffi.new("size_t *")
        buffer = ffi.new("char[]", len(data) + 64)
        call = lib.ghostty_paste_encode
        check(call(source, len(data), bracketed, buffer, len(data) + 64, needed), "paste")
        return bytes(ffi.buffer(buffer, needed[0])[:])

    def mouse(self, action: str, button: int, x: int, y: int, modifiers: int) -> bytes:
        with self._using():
            return self._mouse.encode(action, button, x, y, modifiers, self._size)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._search is not None:
                self._search.close()
            self._keys.close()
            self._mouse.close()
            self._reader.close()
            lib.ghostty_render_state_free(self._state)
            self._terminal.free()
