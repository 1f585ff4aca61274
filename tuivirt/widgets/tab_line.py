"""One line that says which of several views is shown."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from .line import Line
from .text import plain, width_of
from .tones import Toned


class TabLine(Line):
    """Labels side by side; the current one stands in brackets, so nothing moves when it changes."""

    DEFAULT_CSS = "TabLine { width: 1fr; height: 1; }"

    class Picked(Message):
        """A label was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ends: list[int] = []

    def show_tabs(self, labels: Sequence[str], current: int) -> None:
        """Show these labels, the one with the index ``current`` as chosen."""
        pieces: list[Toned] = [Toned(" ")]
        self._ends = []
        end = 1
        for index, label in enumerate(labels):
            text = f"[{plain(label)}]" if index == current else f" {plain(label)} "
            pieces += [Toned("│", "dim")] if index else []
            pieces.append(Toned(text, "accent" if index == current else ""))
            end += width_of(text) + (1 if index else 0)
            self._ends.append(end)
        self.show(pieces)

    def on_click(self, event: events.Click) -> None:
        for index, end in enumerate(self._ends):
            if event.x < end:
                self.post_message(self.Picked(index))
                return
