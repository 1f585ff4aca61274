"""A question and a message: what, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from .guard import Guard
from .panel import LOOKING, Dialog, PanelLine, wrap
from .text import plain
from .tones import Toned


class ConfirmDialog(Dialog[bool | None]):
    """A question: True, False, or None for the options that ``o`` opens where there are any.

    Where something is lost, ``no`` has the focus: Enter alone does nothing.

    What was typed for somewhere else is no answer: a word whose ``/`` was missed (``my-vm`` would
    be *save and stop*, *yes*), a second Enter. So a key that follows too fast on one that is no
    answer is none either, nor one that comes before the question can have been read; that of
    something lost has its own key, with ctrl, which no word holds, and may be answered at once.
    Enter ends what is typed, however slowly, and Tab completes it: once a key was no answer, or no
    answer yet, Enter is no *yes* in this question.
    """

    ENDS_A_WORD: ClassVar[str] = "y or n: enter may end what was typed for somewhere else"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes"),
        Binding("n,q", "answer(False)", "No", id="confirm.no"),
        Binding("escape", "leave", "No", id="confirm.leave"),
        Binding("o", "options", "Options", id="confirm.options"),
        Binding("left,right,tab,shift+tab", "other", "Other", id="confirm.other"),
        Binding("enter", "take", "Take", id="confirm.take"),
        *LOOKING,
    ]

    def __init__(
        self,
        title: str,
        sentences: Sequence[str],
        *,
        yes: str = "yes",
        no: str = "no",
        destructive: bool = False,
        options: bool = False,
    ) -> None:
        super().__init__(title)
        self._options = options
        self._sentences = tuple(sentences)
        self._words = (yes, no)
        self._destructive = destructive
        self.on_yes = not destructive
        self._guard = Guard(read=destructive)
        self._complaint = ""
        self._strayed = False
        """Whether something was typed that is no answer."""

    def draw(self) -> None:
        lines: list[PanelLine] = []
        for sentence in filter(None, self._sentences):
            lines += [[Toned(line)] for line in wrap(sentence, self.app.size.width)]
        lines.append([Toned(self._complaint, "bad")])
        yes, no = self._words
        lines.append(
            [
                Toned(f"[ y {yes} ]", _button(self.on_yes, self._destructive)),
                Toned("   "),
                Toned(f"[ n {no} ]", _button(not self.on_yes, False)),
                Toned("   o options" if self._options else "", "dim"),
            ]
        )
        self.panel.show(lines, pinned=2)

    def on_key(self, event: events.Key) -> None:
        if event.key not in self.active_bindings:
            self._guard.typed()
            self._stray(f"{plain(event.character or event.key)} is no answer")

    def _meant(self) -> bool:
        """Whether what is pressed now is an answer, not the rest of something typed."""
        if self._guard.meant():
            return True
        self._complain(Guard.TOO_FAST)
        return False

    def _complain(self, text: str) -> None:
        self._complaint = text
        self.draw()

    def _stray(self, complaint: str) -> None:
        self._strayed = True
        self._complain(complaint)

    def action_answer(self, answer: bool) -> None:
        if self._meant():
            self.dismiss(answer)
        else:
            self._strayed = True

    def action_leave(self) -> None:
        self.dismiss(False)

    def action_options(self) -> None:
        if not self._options:
            self._guard.typed()
            self._stray("o is no answer")
        elif self._meant():
            self.dismiss(None)
        else:
            self._strayed = True

    def action_other(self) -> None:
        self.on_yes = not self.on_yes
        self.draw()

    def action_take(self) -> None:
        if not self._meant():
            return
        if self._strayed and self.on_yes:
            self._complain(self.ENDS_A_WORD)
        else:
            self.dismiss(self.on_yes)


def _button(focused: bool, bad: bool) -> str:
    return "reverse" if focused else "bad" if bad else ""


class MessageDialog(Dialog[None]):
    """What happened, why, and what to do next, in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,space", "close", "Close", id="message.close"),
        *LOOKING,
    ]

    def __init__(self, title: str, what: str, why: str = "", advice: str = "") -> None:
        super().__init__(title)
        self._parts = (("", what), ("dim", why), ("accent", advice))

    def draw(self) -> None:
        lines: list[PanelLine] = []
        for tone, part in self._parts:
            if part:
                if lines:
                    lines.append([])
                lines += [[Toned(line, tone)] for line in wrap(part, self.app.size.width)]
        lines += [[], [Toned("[ ⏎ close ]", "reverse")]]
        self.panel.show(lines, pinned=2)

    def action_close(self) -> None:
        self.dismiss(None)
