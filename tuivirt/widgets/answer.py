"""Asks for a line of text that somebody waits for: a password, a code, a user name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from .edit import Edit, edit_key
from .guard import Guard
from .panel import LOOKING, Dialog, PanelLine, wrap
from .text import plain
from .tones import Toned

_LINE_END = re.compile(r"(?:\r\n|\r|\n)\Z")


class AnswerDialog(Dialog[str | None]):
    """A question with a line to answer it in; None: it will not be answered.

    What was being typed for somewhere else when it came up is no answer, and must not begin one:
    until there was a pause no key is taken, and that is said.
    """

    # Enter and escape are no bindings: they would overtake what was typed just before them.
    BINDINGS: ClassVar[list[BindingType]] = [*LOOKING]
    ALTERED: ClassVar[str] = (
        "nothing of it was taken, as it holds what cannot be typed here (a tab, a line end, a "
        "no-break space or the like)"
    )
    EARLY: ClassVar[str] = "what was typed before the question came is no answer: type it again"

    def __init__(
        self,
        title: str,
        question: str,
        sentences: Sequence[str] = (),
        *,
        wrong: str = "",
        hidden: bool = True,
        value: str = "",
        exact: str = "",
    ) -> None:
        """``wrong`` says what became of the answer before, ``value`` is there to begin with.

        ``exact`` says how else it can be given: what cannot be taken as it is pasted is refused.
        """
        super().__init__(title)
        self._question = question
        self._sentences = tuple(sentences)
        self._complaint = wrong
        self._hidden = hidden
        self._exact = exact
        self._edit = Edit()
        self._edit.put(value, selected=True)
        self._guard = Guard()
        self._begun = False

    def draw(self) -> None:
        width = self.app.size.width
        lines: list[PanelLine] = [[Toned(line)] for line in wrap(self._question.strip(), width)]
        lines += [[Toned("> ", "accent"), *self._typed()]]
        lines += [[Toned(line, "bad")] for line in wrap(self._complaint, width)]
        for sentence in filter(None, self._sentences):
            lines += [[Toned(line, "dim")] for line in wrap(sentence, width)]
        lines += [[], [Toned("[ ⏎ answer ]   [ esc do not answer ]")]]
        self.panel.show(lines, pinned=2)

    def _typed(self) -> list[Toned]:
        if not self._hidden:
            return self._edit.drawn(60)
        stars = Edit("*" * len(self._edit.value), self._edit.at)
        return stars.drawn(60)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key in ("enter", "escape"):
            self._end(event.key == "enter")
        elif self._takes() and not edit_key(self._edit, event.key, event.character):
            self._complaint = f"{plain(event.character or event.key)} does nothing here"
        if self.is_current:
            self.draw()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self._takes():
            # A line end that was copied along is not part of it.
            text = _LINE_END.sub("", event.text)
            if self._exact and not text.isprintable():
                # Nobody would see it altered, and alike each time that it is asked for.
                self._complaint = f"{self.ALTERED}: {self._exact}"
            else:
                self._edit.insert(text)
        self.draw()

    def _takes(self) -> bool:
        """Whether what comes now is meant for this question."""
        self._begun = self._begun or self._guard.meant()
        self._complaint = "" if self._begun else self.EARLY
        return self._begun

    def _end(self, answered: bool) -> None:
        if not self._takes():
            return
        if not answered:
            self.dismiss(None)
        elif self._edit.value:
            self.dismiss(self._edit.value)
        else:
            self._complaint = "nothing was typed"
