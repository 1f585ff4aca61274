"""A framed panel in the middle of the screen, made of lines: what every dialog is drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from .compositing import ExactCompositor
from .text import fit, plain, width_of, wrap_text
from .tones import Toned, style_of

PanelLine = Sequence[Toned]
WIDEST = 78
"""So that it stands on an 80-column screen with a cell at each side."""

LOOKING: tuple[BindingType, ...] = (
    Binding("pagedown", "look(1)", "Further down", show=False, id="dialog.page-down"),
    Binding("pageup", "look(-1)", "Further up", show=False, id="dialog.page-up"),
)
"""For a dialog whose text may be longer than the screen."""

T = TypeVar("T")


class Panel(Widget, can_focus=True):
    """Lines in a frame. Longer than the screen, it scrolls so that ``at`` is in sight.

    What is out of sight is told in the frame, and ``pinned`` last lines always stay: the buttons.
    With ``at`` among those it stays where it is scrolled to, at first at its top.
    """

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
        self._pinned = 0

    def show(self, lines: Sequence[PanelLine], at: int = 0, *, pinned: int = 0) -> None:
        """Draw these lines, ``at`` the one that has to be in sight."""
        self.lines = list(lines)
        self._at = at
        self._pinned = pinned
        self._place()
        self.refresh()

    def look(self, lines: int) -> None:
        """Look further down (or, negative, up), as far as there is something."""
        self._top = max(0, min(self._top + lines, self._last_top))
        self._tell_hidden()
        self.refresh()

    def _place(self) -> None:
        size = self.app.size
        texts = ("".join(plain(t.text) for t in line) for line in self.lines)
        longest = max(map(width_of, texts), default=0)
        width = min(WIDEST, size.width, max(longest + 4, width_of(self._title) + 6, 44))
        self.styles.width = width
        self.styles.height = self._room + self._pinned + 2
        if self._at < self._top:
            self._top = self._at
        elif self._top + self._room <= self._at < len(self.lines) - self._pinned:
            self._top = self._at - self._room + 1
        self._top = max(0, min(self._top, self._last_top))
        self._tell_hidden()

    @property
    def _room(self) -> int:
        """Lines that there is space for, without those that are pinned."""
        return max(1, min(len(self.lines), self.app.size.height - 4) - self._pinned)

    @property
    def _last_top(self) -> int:
        return max(0, len(self.lines) - self._pinned - self._room)

    def _tell_hidden(self) -> None:
        above, below = self._top, self._last_top - self._top
        said = [f"▲ {above} more"] if above else []
        said += [f"▼ {below} more"] if below else []
        self.border_subtitle = f"{'  '.join(said)}  (PgUp PgDn)" if said else ""

    def on_resize(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        number = self._top + y
        if y >= self._room:
            number = len(self.lines) - self._pinned + y - self._room
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
        self._answered = False

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer once: a key that was typed ahead must not take the screen beneath away."""
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    def action_look(self, pages: int) -> None:
        self.panel.look(pages * max(1, self.panel.size.height // 2))

    def draw(self) -> None:
        """Show the panel's lines as they are now."""
        raise NotImplementedError


def wrap(text: str, columns: int = WIDEST) -> list[str]:
    """``text`` in lines that fit into a panel on a screen of so many columns."""
    return wrap_text(text, max(1, min(WIDEST, columns) - 4))
