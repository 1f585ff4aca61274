"""The demo's ``less``: a text between two bars, moved by the terminal's own scrolling region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fullscreen import DOWN, FIRST, LAST, PAGE_DOWN, PAGE_UP, UP, FullScreen

if TYPE_CHECKING:
    from .terminal import Terminal


class Viewer(FullScreen):
    """Lines that come into sight are drawn alone; the rest the terminal moves."""

    def __init__(self, terminal: Terminal, rows: int, columns: int, name: str, text: str) -> None:
        super().__init__(terminal, rows, columns)
        self._name = name
        self._lines = text.splitlines()
        self._first = 0

    @property
    def _height(self) -> int:
        return max(1, self.rows - 2)

    def draw(self) -> None:
        head = self.line(1, f" {self._name}", "1;37;44")
        rows = "".join(map(self._text_line, range(self._height)))
        self.terminal.put(head + rows + self._foot())

    def _text_line(self, row: int) -> str:
        at = self._first + row
        return self.line(2 + row, self._lines[at] if at < len(self._lines) else "~")

    def _foot(self) -> str:
        last = min(len(self._lines), self._first + self._height)
        where = f"lines {self._first + 1}-{last} of {len(self._lines)}"
        return self.line(self.rows, f" {where}; arrows, pages, g G, q leaves", "7")

    def key(self, key: bytes) -> None:
        end = max(0, len(self._lines) - self._height)
        steps = {
            **dict.fromkeys(UP, -1),
            **dict.fromkeys(DOWN, 1),
            **dict.fromkeys(PAGE_UP, -self._height),
            **dict.fromkeys(PAGE_DOWN, self._height),
            **dict.fromkeys(FIRST, -len(self._lines)),
            **dict.fromkeys(LAST, len(self._lines)),
        }
        first = min(max(0, self._first + steps.get(key, 0)), end)
        step, self._first = first - self._first, first
        if not step:
            return
        if abs(step) >= self._height:
            self.draw()
            return
        # Index and reverse index at the region's edges (ECMA-48 8.3.133 as DEC's DECSTBM bounds).
        region = f"\x1b[2;{self.rows - 1}r"
        rows = range(self._height - step, self._height) if step > 0 else range(-step)
        moved = f"\x1b[{self.rows - 1};1H" + "\x1bD" * step if step > 0 else "\x1b[2;1H"
        moved += "\x1bM" * -step
        drawn = "".join(map(self._text_line, rows))
        self.terminal.put(f"{region}{moved}\x1b[r{drawn}{self._foot()}")
