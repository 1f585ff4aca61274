"""The line where ``:`` and ``/`` are typed: over the hints, with completion and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from .edit import Edit, edit_key
from .line import Line
from .text import plain, width_of
from .tones import Toned

Complete = Callable[[str], Sequence[str]]
"""Given what was typed so far: the whole texts it could become, the likeliest first."""


TYPING_LEAST = 24
"""So many cells are left for what is typed, however long the complaint about it is."""

Told = Callable[[str, str], None]
"""Given the mode, ``:`` or ``/``, and the text."""


def _bound(key: str, action: str, id: str) -> Binding:
    return Binding(key, action, show=False, priority=True, id=id)


class CommandBar(Line, can_focus=True):
    """Hidden until asked; gives the focus back when it is done.

    Nothing here waits in a queue: each key has taken effect, and what was asked for is under way,
    before the next key is given out (see KeysInOrder). So two commands may come in one packet.
    """

    DEFAULT_CSS = """
    CommandBar { layer: bar; dock: bottom; display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that they have taken effect before the next key is given out.
        _bound("enter", "submit", "bar.submit"),
        _bound("escape", "cancel", "bar.cancel"),
        _bound("tab", "complete(1)", "bar.complete"),
        _bound("shift+tab", "complete(-1)", "bar.complete-back"),
        _bound("up", "history(-1)", "bar.older"),
        _bound("down", "history(1)", "bar.newer"),
    ]

    def __init__(self, changed: Told, submitted: Told) -> None:
        """``changed`` hears of each other text, ``submitted`` of what Enter was pressed on."""
        super().__init__(id="bar")
        self._changed = changed
        self._submitted = submitted
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

    def ask(
        self,
        mode: str,
        text: str = "",
        complete: Complete | None = None,
        *,
        back_to: Widget | None = None,
    ) -> None:
        """Show the line and take the keys; ``text`` stands there until another is typed.

        ``back_to`` has the focus afterwards, where nothing had it before.
        """
        self.mode, self._before = mode, text
        self.edit.put(text, selected=True)
        self._complete = complete
        self._complaint = ""
        self._back = 0
        self._came_from = self.screen.focused or back_to
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
        self.screen.set_focus(self._came_from)

    @property
    def value(self) -> str:
        """What was typed so far."""
        return self.edit.value

    @property
    def is_typing(self) -> bool:
        """Whether what stands there was begun and may go on."""
        return self.display and not self.edit.selected

    def take(self, event: events.Key | events.Paste) -> bool:
        """Type what was pressed or pasted; False for a key that types nothing."""
        if isinstance(event, events.Paste):
            self.edit.insert(event.text)
        elif event.key in ("backspace", "ctrl+h") and not self.value:
            self.action_cancel()
            return True
        elif not edit_key(self.edit, event.key, event.character):
            return False
        self._typed()
        return True

    def on_blur(self) -> None:
        # It comes by the queue, and may be about the line as it was before it was opened again.
        if self.display and self.screen.focused is not self:
            self.display = False
            self._changed(self.mode, self.value)

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
        self._submitted(mode, text)

    def action_cancel(self) -> None:
        """What the text was before holds again."""
        self.edit.put(self._before)
        self.leave()
        self._changed(self.mode, self.value)

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
        self._changed(self.mode, self.value)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """What is typed is always seen where the cursor is; what is offered has the rest."""
        room = self.size.width - width_of(f" {self.mode}")
        complaint = f"  {self._complaint}" if self._complaint else ""
        typing = max(room - width_of(complaint), min(room, TYPING_LEAST))
        left = [Toned(f" {self.mode}", "accent"), *self.edit.drawn(max(0, typing))]
        right = []
        if complaint:
            # Behind what is typed, which has to be seen to be mended.
            left.append(Toned(complaint, "bad"))
        elif self._offered:
            taken = sum(width_of(piece.text) for piece in left)
            right = _offer(self._offered[:8], self.size.width - taken - 1)
        self.show(left, right)


def _offer(offered: Sequence[str], width: int) -> list[Toned]:
    """As many of them as fit, none cut in two; nothing where not even one fits."""
    told = "  tab completes "
    for count in range(len(offered), 0, -1):
        words = "  ".join([*offered[:count], *(["…"] if count < len(offered) else [])])
        if width_of(plain(words)) + len(told) <= width:
            return [Toned(words, "dim"), Toned(told, "dim")]
    return []
