"""The last lines: what was said last and what runs, and the keys that matter where one stands."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from .line import Line
from .text import plain, width_of, wrap_text
from .tones import Toned

MOST_LINES = 3
"""Of a notice: the reason of an error seldom fits into one line of 80 columns."""

_MARKS = {"information": ("", ""), "warning": ("⚠ ", "warn"), "error": ("✗ ", "bad")}


class Footer(Widget):
    """A notice with the number of tasks under way, and below it the hints.

    It grows with a notice longer than a line: what failed, why and what to do are read here.
    """

    DEFAULT_CSS = "Footer { width: 1fr; height: 2; layout: vertical; }"

    def __init__(self) -> None:
        super().__init__()
        self._notice = [Line(id=f"notice{n or ''}") for n in range(MOST_LINES)]
        for line in self._notice[1:]:
            line.display = False
        self._hints = Line(id="hints")

    def compose(self) -> ComposeResult:
        yield from self._notice
        yield self._hints

    def show_notice(self, text: str, severity: str, tasks: int) -> None:
        """``severity`` is information, warning or error; ``tasks`` run at the moment."""
        sign, tone = _MARKS[severity]
        under_way = f"{tasks} task{'s' if tasks > 1 else ''} ▸ :job " if tasks else ""
        room = self.app.size.width - 2 - width_of(sign) - width_of(under_way)
        said = wrap_text(text, max(1, room)) if text else []
        # What still does not fit is cut on the last line.
        said[MOST_LINES - 1 :] = filter(None, [" ".join(said[MOST_LINES - 1 :])])
        for number, line in enumerate(self._notice):
            words = said[number] if number < len(said) else ""
            first = number == 0
            shown = f" {sign if first else ' ' * width_of(sign)}{words}"
            line.display = first or bool(words)
            line.show([Toned(shown, tone)] if words else [], [Toned(under_way)] if first else [])
        self.styles.height = 1 + max(1, len(said))

    def show_hints(self, hints: Sequence[tuple[str, str]], back: str = "back") -> None:
        """(key, word) pairs, the important ones first; those that do not fit are left out."""
        room = self.app.size.width - width_of(back) - 4
        left = [Toned(" ")]
        for key, word in hints:
            key = plain(key)
            room -= width_of(key) + width_of(word) + 3
            if room < 0:
                break
            left += [Toned(key, "accent"), Toned(f" {word}  ")]
        self._hints.show(left, [Toned("q", "accent"), Toned(f" {back} ")])

    @property
    def notice(self) -> str:
        return " ".join(line.text.strip() for line in self._notice if line.display).strip()

    @property
    def hints(self) -> str:
        return self._hints.text.strip()
