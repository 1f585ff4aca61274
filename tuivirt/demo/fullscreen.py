"""What the demo's full-screen programs share: the other screen, keys one by one, the size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from .keys import Keys

if TYPE_CHECKING:
    from .terminal import Terminal

UP, DOWN = (b"k", b"\x1b[A", b"\x1bOA"), (b"j", b"\x1b[B", b"\x1bOB")
PAGE_UP, PAGE_DOWN = (b"b", b"\x1b[5~", b"\x02"), (b" ", b"\x1b[6~", b"\x06")
FIRST, LAST = (b"g", b"\x1b[H", b"\x1bOH", b"\x1b[1~"), (b"G", b"\x1b[F", b"\x1bOF", b"\x1b[4~")
_QUIT, _REDRAW = (b"q", b"\x03"), b"\x0c"


class FullScreen(ABC):
    """A program that has the screen until ``q`` or ctrl+c. The host's lock is held."""

    ON = OFF = ""
    """Further modes that it sets, and sets back."""

    def __init__(self, terminal: Terminal, rows: int, columns: int) -> None:
        self.terminal = terminal
        self.rows = rows
        self.columns = columns
        self._keys = Keys()

    def start(self) -> None:
        """Draw all; again for somebody who opens the console while it runs."""
        self.terminal.put(f"\x1b[?1049h\x1b[?25l\x1b[?1h{self.ON}")
        self.draw()

    def feed(self, data: bytes) -> bytes | None:
        """Take keys. None while it goes on, else what was typed after the last."""
        keys = self._keys.split(data)
        for number, key in enumerate(keys):
            if key in _QUIT:
                self.end()
                return b"".join(keys[number + 1 :])
            if key == _REDRAW:
                self.draw()
            else:
                self.key(key)
        return None

    def end(self) -> None:
        """Leave the screen as it was."""
        self.terminal.put(f"{self.OFF}\x1b[?1l\x1b[r\x1b[?25h\x1b[?1049l")

    def line(self, row: int, text: str, style: str = "") -> str:
        """What draws a row, from 1, as long as the screen is wide."""
        text = text[: self.columns].ljust(self.columns) if style else text[: self.columns]
        return f"\x1b[{row};1H\x1b[0{style and ';' + style}m{text}\x1b[0m" + (
            "" if style else "\x1b[K"
        )

    @abstractmethod
    def draw(self) -> None:
        """Draw all of the screen."""

    @abstractmethod
    def key(self, key: bytes) -> None:
        """Act on a key other than those that end it."""
