"""What an emulated terminal shows: rows of styled text, a cursor, and what the guest asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import NamedTuple, Protocol

Color = int | tuple[int, int, int] | None
"""An index of the palette (0 to 255), red, green and blue (0 to 255 each), or the default."""


class Attr(IntFlag):
    """How text is written, apart from its colours."""

    BOLD = 1
    FAINT = 2
    ITALIC = 4
    UNDERLINE = 8
    BLINK = 16
    INVERSE = 32
    INVISIBLE = 64
    STRIKE = 128
    OVERLINE = 256


class TextStyle(NamedTuple):
    """Colours and attributes of a run."""

    foreground: Color = None
    background: Color = None
    attributes: int = 0
    """Of ``Attr``; a plain number, since a screenful of them is made with each frame."""


class Run(NamedTuple):
    """Characters of one style that stand side by side."""

    text: str
    cells: int
    """How many columns they take up, as the emulator counts."""
    style: TextStyle | None
    """None: the default."""


Row = tuple[Run, ...]
"""A row from its first column on; what is missing up to the width is blank."""


class CursorShape(Enum):
    """How the cursor is to look (DECSCUSR)."""

    BLOCK = "block"
    UNDERLINE = "underline"
    BAR = "bar"


class Cursor(NamedTuple):
    """Where the cursor is in what is shown."""

    x: int
    y: int
    visible: bool
    shape: CursorShape
    blinking: bool


class MouseReports(Enum):
    """Which movements of the mouse the guest wants to be told (DECSET 9, 1000, 1002, 1003)."""

    NONE = 0
    PRESSES = 1
    PRESSES_AND_RELEASES = 2
    DRAGS = 3
    ALL = 4


class Scroll(NamedTuple):
    """Where the rows that are shown lie among all that are kept, in rows."""

    total: int
    offset: int
    """The first row that is shown, 0 is the oldest."""
    shown: int

    @property
    def at_end(self) -> bool:
        """Whether what is shown is the guest's own screen."""
        return self.offset + self.shown >= self.total


class Match(NamedTuple):
    """Columns of a shown row in which the text that is searched for stands."""

    y: int
    first: int
    last: int
    """Included."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    total: int
    selected: int | None
    """Which of them is the present one, 0 is the newest; None before the first step."""
    shown: Sequence[Match]
    """Those in the rows that are shown."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What changed on a terminal since the last frame was taken."""

    columns: int
    lines: int
    rows: Mapping[int, Row]
    """By their place, 0 is the top; only those that changed."""
    cursor: Cursor
    scroll: Scroll
    title: str
    alternate: bool
    """Whether the alternate screen is shown: it has no history."""
    mouse: MouseReports
    bells: int
    """How often the bell rang since the last frame."""


class Emulator(Protocol):
    """A terminal without a screen. All calls are safe from any thread, and none waits for long.

    Nothing that it is fed is passed on as it is: titles are plain text, and queries, clipboard
    requests and images end here.
    """

    def feed(self, data: bytes) -> bytes:
        """Take what the guest printed; what the terminal answers to that, often nothing.

        The answers are bounded: a guest that asks without end is not answered without end.
        """

    def frame(self) -> Frame:
        """What changed since the last call; all rows at the first and after a resize."""

    def bells(self) -> int:
        """How often the bell rang since this or a frame was asked for."""

    def refresh(self) -> None:
        """Have all rows in the next frame."""

    def resize(self, columns: int, lines: int) -> None:
        """Another size, at least 1 by 1; wrapped text flows anew.

        A very small one may be made larger, and a guest may change it (DECCOLM): frames say
        what it is. ValueError for a size that cannot be.
        """

    def reset(self) -> None:
        """As after power-on; the history goes too."""

    def scroll(self, rows: int) -> None:
        """Show older (negative) or newer rows."""

    def scroll_to(self, row: int | None) -> None:
        """Show from that row of ``Scroll`` on; None: the guest's own screen, and stay with it."""

    def text(
        self, first: tuple[int, int] | None = None, last: tuple[int, int] | None = None
    ) -> str:
        """The text between two places of (column, row of ``Scroll``), both included; all of it.

        Lines that were wrapped for the width are one, and blanks at their ends are gone.
        """

    def search(self, text: str) -> Found:
        """Search all that is kept, without regard to case; an empty text ends the search."""

    def found(self) -> Found:
        """What the search finds by now: the guest may have printed more."""

    def step(self, older: bool) -> Found:
        """Go to the next match, older or newer, and show it."""

    def key(self, name: str, character: str | None) -> bytes:
        """What a key sends now, by Textual's name of it (``ctrl+a``, ``shift+f5``)."""

    def paste(self, text: str) -> bytes:
        """What a pasted text sends now, in brackets where the guest asked for them.

        Control characters in it that could end the brackets or run something are blanks.
        """

    def mouse(self, action: str, button: int, x: int, y: int, modifiers: int) -> bytes:
        """What the mouse sends now: ``press``, ``release``, ``motion``; nothing if not asked for.

        ``button``: 1 left, 2 middle, 3 right, 4 and 5 the wheel up and down, 0 none.
        ``modifiers``: 1 shift, 2 ctrl, 4 alt.
        """

    def close(self) -> None:
        """Give its memory back. What is fed after that is dropped; the rest is a RuntimeError."""
