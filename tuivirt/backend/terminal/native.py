"""libghostty-vt, as pyghostty carries it: the library, and calls that need a little help.

Importing this module takes about 0.1 s and 10 MiB, so it is done when a console is opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyghostty._ffi import check, ffi, lib

__all__ = ["TerminalHandle", "check", "ffi", "lib", "sized"]

# cffi cannot pass a union by value. A plain struct of the same layout goes the same way.
ffi.cdef(
    "typedef struct { int tag; uint64_t value; uint64_t rest; } TuivirtScroll;"
    "typedef struct { uint16_t x; uint32_t y; uint64_t rest; } TuivirtPlace;"
    "typedef struct { int tag; TuivirtPlace value; } TuivirtPoint;"
)


def _alike(ours: str, theirs: str) -> None:
    def layout(ctype: str) -> list[int]:
        return [ffi.sizeof(ctype), ffi.alignof(ctype), ffi.offsetof(ctype, "value")]

    if layout(ours) != layout(theirs):
        raise ImportError(f"this pyghostty has another {theirs} than the one known here")


_alike("TuivirtScroll", "GhosttyTerminalScrollViewport")
_alike("TuivirtPoint", "GhosttyPoint")
_scroll_viewport = ffi.cast(
    "void (*)(GhosttyTerminal, TuivirtScroll)",
    ffi.addressof(lib, "ghostty_terminal_scroll_viewport"),
)
_grid_ref = ffi.cast(
    "GhosttyResult (*)(GhosttyTerminal, TuivirtPoint, GhosttyGridRef *)",
    ffi.addressof(lib, "ghostty_terminal_grid_ref"),
)


def sized(ctype: str) -> Any:
    """A new struct that begins with its own size, as this library's options and records do."""
    made = ffi.new(f"{ctype} *")
    made.size = ffi.sizeof(ctype)
    return made


class TerminalHandle:
    """One terminal of the library, its plain values, and its memory."""

    def __init__(self, columns: int, lines: int) -> None:
        holder = ffi.new("GhosttyTerminal *")
        check(lib.ghostty_terminal_new(ffi.NULL, holder, columns, lines), "terminal_new")
        self.raw = holder[0]

    def set(self, option: str, value: Any) -> None:
        """Set an option by its name in the library's header."""
        key = getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        check(lib.ghostty_terminal_set(self.raw, key, value), option)

    def get(self, data: str, ctype: str) -> Any:
        """A value by its name in the library's header, as a pointer to a ``ctype``."""
        out = ffi.new(f"{ctype} *")
        key = getattr(lib, f"GHOSTTY_TERMINAL_DATA_{data}")
        check(lib.ghostty_terminal_get(self.raw, key, out), data)
        return out

    def mode(self, number: int) -> bool:
        """Whether a DEC private mode is set."""
        config = ffi.new("GhosttyTerminalModeConfig *")
        config.mode = number
        check(lib.ghostty_terminal_get(self.raw, lib.GHOSTTY_TERMINAL_DATA_MODE, config), "mode")
        return bool(config.value)

    def unset(self, modes: Iterable[int]) -> None:
        """Reset DEC private modes."""
        config = ffi.new("GhosttyTerminalModeConfig *")
        for mode in modes:
            config.mode = mode
            lib.ghostty_terminal_set(self.raw, lib.GHOSTTY_TERMINAL_OPT_MODE, config)

    def scroll(self, how: str, value: int = 0) -> None:
        """Move what is shown: TOP, BOTTOM, DELTA (rows, negative is older), ROW."""
        tag = getattr(lib, f"GHOSTTY_SCROLL_VIEWPORT_{how}")
        target = ffi.new("TuivirtScroll *", {"tag": tag, "value": value & 0xFFFFFFFFFFFFFFFF})
        _scroll_viewport(self.raw, target[0])

    def place(self, x: int, y: int, where: str = "SCREEN") -> Any:
        """A reference to a cell; good until the terminal changes. None: there is no such cell."""
        tag = getattr(lib, f"GHOSTTY_POINT_TAG_{where}")
        point = ffi.new("TuivirtPoint *", {"tag": tag, "value": {"x": x, "y": y}})
        ref = sized("GhosttyGridRef")
        return None if _grid_ref(self.raw, point[0], ref) else ref

    def free(self) -> None:
        """Give the memory back."""
        lib.ghostty_terminal_free(self.raw)
        self.raw = ffi.NULL
