"""The line where ``:`` and ``/`` are typed: over the hints, with completion and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from .line import Line
from .tones import Toned

Complete = Callable[[str], Sequence[str]]
"""Given what was typed so far: the whole texts it could become, the likeliest first."""


class CommandBar(Line, can_focus=True):
    """Hidden until asked; gives the focus back when it is done."""

    DEFAULT_CSS = """
    CommandBar { layer: bar; dock: bottom; display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", show=False, id="bar.submit"),
        Binding("escape", "cancel", show=False, id="bar.cancel"),
        Binding("tab", "complete(1)", show=False, id="bar.complete"),
        Binding("shift+tab", "complete(-1)", show=False, id="bar.complete-back"),
        Binding("up", "history(-1)", show=False, id="bar.older"),
        Binding("down", "history(1)", show=False, id="bar.newer"),
        Binding("left", "go(-1)", show=False, id="bar.left"),
        Binding("right", "go(1)", show=False, id="bar.right"),
        Binding("home,ctrl+a", "go(-9999)", show=False, id="bar.home"),
        Binding("end,ctrl+e", "go(9999)", show=False, id="bar.end"),
        Binding("backspace,ctrl+h", "rub_out", show=False, id="bar.rub-out"),
        Binding("ctrl+w", "rub_out_word", show=False, id="bar.rub-out-word"),
        Binding("ctrl+u", "rub_out_all", show=False, id="bar.rub-out-all"),
    ]

    class Submitted(Message):
        """Enter was pressed; ``mode`` is ``:`` or ``/``."""

        def __init__(self, mode: str, text: str) -> None:
            super().__init__()
            self.mode = mode
            self.text = text

    class Changed(Message):
        """The text is another one."""

        def __init__(self, mode: str, text: str) -> None:
            super().__init__()
            self.mode = mode
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="bar")
        self.mode = ""
        self.value = ""
        self._at = 0
        self._begun = ""
        self._before = ""
        self._complete: Complete | None = None
        self._offered: list[str] = []
        self._offer = -1
        self._history: dict[str, list[str]] = {}
        self._back = 0
        self._complaint = ""
        self._came_from: Widget | None = None

    def ask(self, mode: str, text: str = "", complete: Complete | None = None) -> None:
        """Show the line, with ``text`` in it, and take the keys."""
        self.mode, self.value, self._before = mode, text, text
        self._at = len(text)
        self._complete = complete
        self._complaint = ""
        self._back = 0
        self._came_from = self.screen.focused
        self.display = True
        self.focus()
        self._typed()

    def complain(self, text: str) -> None:
        """Say beside the text what is wrong with it; empty when nothing is."""
        if text != self._complaint:
            self._complaint = text
            self._draw()

    def leave(self) -> None:
        self.display = False
        if self._came_from is not None:
            self._came_from.focus()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            self._insert(event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._insert("".join(char for char in event.text if char.isprintable()))

    def on_blur(self) -> None:
        self.display = False

    def action_submit(self) -> None:
        if self.mode == "/" and self._complaint:
            return
        text, mode = self.value, self.mode
        if text:
            known = self._history.setdefault(mode, [])
            if text in known:
                known.remove(text)
            known.append(text)
        self.leave()
        self.post_message(self.Submitted(mode, text))

    def action_cancel(self) -> None:
        """What the text was before holds again."""
        self.value = self._before
        self.post_message(self.Changed(self.mode, self.value))
        self.leave()

    def action_complete(self, step: int) -> None:
        if self._offered:
            self._offer = (self._offer + step) % len(self._offered)
            self.value = self._offered[self._offer]
            self._at = len(self.value)
            self._draw()

    def action_history(self, step: int) -> None:
        known = self._history.get(self.mode, [])
        self._back = max(-len(known), min(0, self._back + step))
        self.value = known[self._back] if self._back else self._before
        self._at = len(self.value)
        self._typed()

    def action_go(self, step: int) -> None:
        self._at = max(0, min(len(self.value), self._at + step))
        self._draw()

    def action_rub_out(self) -> None:
        if not self.value:
            self.action_cancel()
        elif self._at:
            self.value = self.value[: self._at - 1] + self.value[self._at :]
            self._at -= 1
            self._typed()

    def action_rub_out_word(self) -> None:
        kept = self.value[: self._at].rstrip()
        kept = kept[: kept.rfind(" ") + 1]
        self.value = kept + self.value[self._at :]
        self._at = len(kept)
        self._typed()

    def action_rub_out_all(self) -> None:
        self.value, self._at = self.value[self._at :], 0
        self._typed()

    def _insert(self, text: str) -> None:
        self.value = self.value[: self._at] + text + self.value[self._at :]
        self._at += len(text)
        self._typed()

    def _typed(self) -> None:
        self._offered = list(self._complete(self.value)) if self._complete else []
        self._offer = -1
        self.post_message(self.Changed(self.mode, self.value))
        self._draw()

    def _draw(self) -> None:
        under = self.value[self._at : self._at + 1] or " "
        left = [
            Toned(f" {self.mode}", "accent"),
            Toned(self.value[: self._at]),
            Toned(under, "reverse"),
            Toned(self.value[self._at + 1 :]),
        ]
        right = []
        if self._complaint:
            right = [Toned(self._complaint + " ", "bad")]
        elif self._offered:
            words = "  ".join(self._offered[:8])
            right = [Toned(words, "dim"), Toned("  tab completes ", "dim")]
        self.show(left, right)
