"""The last lines: what was said last and what runs, and the keys that matter where one stands."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from .line import Line
from .text import width_of
from .tones import Toned

_MARKS = {"information": ("", ""), "warning": ("⚠ ", "warn"), "error": ("✗ ", "bad")}


class Footer(Widget):
    """A notice with the number of tasks under way, and below it the hints."""

    DEFAULT_CSS = "Footer { width: 1fr; height: 2; layout: vertical; }"

    def __init__(self) -> None:
        super().__init__()
        self._notice = Line(id="notice")
        self._hints = Line(id="hints")

    def compose(self) -> ComposeResult:
        yield self._notice
        yield self._hints

    def show_notice(self, text: str, severity: str, tasks: int) -> None:
        """``severity`` is information, warning or error; ``tasks`` run at the moment."""
        sign, tone = _MARKS[severity]
        left = [Toned(f" {sign}{text}", tone)] if text else []
        right = [Toned(f"{tasks} task{'s' if tasks > 1 else ''} ▸ :job ")] if tasks else []
        self._notice.show(left, right)

    def show_hints(self, hints: Sequence[tuple[str, str]], back: str = "back") -> None:
        """(key, word) pairs, the important ones first; those that do not fit are left out."""
        room = self.app.size.width - width_of(back) - 4
        left = [Toned(" ")]
        for key, word in hints:
            room -= width_of(key) + width_of(word) + 3
            if room < 0:
                break
            left += [Toned(key, "accent"), Toned(f" {word}  ")]
        self._hints.show(left, [Toned("q", "accent"), Toned(f" {back} ")])

    @property
    def notice(self) -> str:
        return self._notice.text.strip()

    @property
    def hints(self) -> str:
        return self._hints.text.strip()
