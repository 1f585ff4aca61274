"""A framed panel in the middle of the screen, made of lines: what every dialog is drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from .compositing import ExactCompositor
from .text import fit, plain, width_of, wrap_text
from .tones import Toned, style_of

PanelLine = Sequence[Toned]
WIDEST = 78
"""So that it stands on an 80-column screen with a cell at each side."""

T = TypeVar("T")


class Panel(Widget, can_focus=True):
    """Lines in a frame. Longer than the screen, it scrolls so that ``at`` is in sight."""

    DEFAULT_CSS = """
    Panel { background: ansi_default; color: ansi_default; border: round ansi_cyan; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.border_title = plain(title).replace("[", "\\[")
        self._title = plain(title)
        self.lines: list[PanelLine] = []
        self._at = 0
        self._top = 0

    def show(self, lines: Sequence[PanelLine], at: int = 0) -> None:
        """Draw these lines, ``at`` the one that has to be in sight."""
        self.lines = list(lines)
        self._at = at
        self._place()
        self.refresh()

    def _place(self) -> None:
        size = self.app.size
        longest = max((sum(width_of(t.text) for t in line) for line in self.lines), default=0)
        width = min(WIDEST, size.width, max(longest + 4, width_of(self._title) + 6, 44))
        height = min(len(self.lines) + 2, size.height - 2)
        self.styles.width = width
        self.styles.height = height
        room = height - 2
        if self._at < self._top:
            self._top = self._at
        elif self._at >= self._top + room:
            self._top = self._at - room + 1
        self._top = max(0, min(self._top, len(self.lines) - room))

    def on_resize(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        number = self._top + y
        if number >= len(self.lines):
            return Strip.blank(width)
        segments = [Segment(" ")]
        left = width - 2
        for text, tone in self.lines[number]:
            shown = fit(text, left, pad=False)
            left -= width_of(shown)
            segments.append(Segment(shown, style_of(tone)))
        return Strip(segments).adjust_cell_length(width)

    @property
    def text(self) -> str:
        """All its lines as text."""
        return "\n".join("".join(plain(t.text) for t in line) for line in self.lines)


class Dialog(ModalScreen[T]):
    """A modal screen with one panel; subclasses draw into ``panel`` and take its keys."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    """
    AUTO_FOCUS: ClassVar[str | None] = "Panel"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._compositor = ExactCompositor()
        self.panel = Panel(title)

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Show the panel's lines as they are now."""
        raise NotImplementedError


def wrap(text: str) -> list[str]:
    """``text`` in lines that fit into a panel."""
    return wrap_text(text, WIDEST - 4)
