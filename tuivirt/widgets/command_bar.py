"""The line where ``:`` and ``/`` are typed: over the hints, with completion and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from .edit import Edit, edit_key
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
        self.edit = Edit()
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
        self.mode, self._before = mode, text
        self.edit.put(text)
        self._complete = complete
        self._complaint = ""
        self._back = 0
        self._came_from = self.screen.focused
        self.display = True
        # At once: what is typed ahead, in one packet with the colon, belongs to this line.
        self.screen.set_focus(self)
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

    @property
    def value(self) -> str:
        """What was typed so far."""
        return self.edit.value

    def on_key(self, event: events.Key) -> None:
        if event.key in ("backspace", "ctrl+h") and not self.value:
            self.action_cancel()
        elif not edit_key(self.edit, event.key, event.character):
            return
        else:
            self._typed()
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.edit.insert(event.text)
        self._typed()

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
        self.edit.put(self._before)
        self.post_message(self.Changed(self.mode, self.value))
        self.leave()

    def action_complete(self, step: int) -> None:
        if self._offered:
            self._offer = (self._offer + step) % len(self._offered)
            self.edit.put(self._offered[self._offer])
            self._draw()

    def action_history(self, step: int) -> None:
        known = self._history.get(self.mode, [])
        self._back = max(-len(known), min(0, self._back + step))
        self.edit.put(known[self._back] if self._back else self._before)
        self._typed()

    def _typed(self) -> None:
        self._offered = list(self._complete(self.value)) if self._complete else []
        self._offer = -1
        self.post_message(self.Changed(self.mode, self.value))
        self._draw()

    def _draw(self) -> None:
        left = [Toned(f" {self.mode}", "accent"), *self.edit.drawn()]
        right = []
        if self._complaint:
            # Behind what is typed, which has to be seen to be mended.
            left.append(Toned(f"  {self._complaint}", "bad"))
        elif self._offered:
            words = "  ".join(self._offered[:8])
            right = [Toned(words, "dim"), Toned("  tab completes ", "dim")]
        self.show(left, right)
