"""A line of text that is being typed: no drawing, no keys of its own."""

from __future__ import annotations

from dataclasses import dataclass

from .text import chars_within, fit, width_of
from .tones import Toned


@dataclass(slots=True)
class Edit:
    """The text and where the next character goes."""

    value: str = ""
    at: int = 0
    selected: bool = False
    """All of it: what is typed next takes its place."""

    def put(self, value: str, *, selected: bool = False) -> None:
        """Another text, the cursor at its end."""
        self.value, self.at, self.selected = value, len(value), selected and bool(value)

    def _cleared(self) -> bool:
        """Take what is selected away; whether there was something."""
        if not self.selected:
            return False
        self.put("")
        return True

    def insert(self, text: str) -> None:
        """What is not printable stays out: a pasted escape sequence is not typed."""
        text = "".join(char for char in text if char.isprintable())
        self._cleared()
        self.value = self.value[: self.at] + text + self.value[self.at :]
        self.at += len(text)

    def go(self, step: int) -> None:
        self.selected = False
        self.at = max(0, min(len(self.value), self.at + step))

    def rub_out(self) -> None:
        if not self._cleared() and self.at:
            self.value = self.value[: self.at - 1] + self.value[self.at :]
            self.at -= 1

    def delete(self) -> None:
        if not self._cleared():
            self.value = self.value[: self.at] + self.value[self.at + 1 :]

    def rub_out_word(self) -> None:
        if self._cleared():
            return
        kept = self.value[: self.at].rstrip()
        kept = kept[: kept.rfind(" ") + 1]
        self.value, self.at = kept + self.value[self.at :], len(kept)

    def rub_out_all(self) -> None:
        self.selected = False
        self.value, self.at = self.value[self.at :], 0

    def drawn(self, width: int = 0) -> list[Toned]:
        """The text with the cursor in it; wider than ``width`` cells it shows what is around it."""
        if self.selected:
            return [Toned(self.value, "reverse"), Toned(" ")]
        before, rest = self.value[: self.at], self.value[self.at + 1 :]
        under = self.value[self.at : self.at + 1] or " "
        if width:
            room = width - width_of(under)
            before = before[len(before) - chars_within(before[::-1], room) :]
            rest = fit(rest, room - width_of(before), pad=False)
        return [Toned(before), Toned(under, "reverse"), Toned(rest)]


KEYS: dict[str, str] = {
    "left": "left",
    "ctrl+b": "left",
    "right": "right",
    "ctrl+f": "right",
    "home": "home",
    "ctrl+a": "home",
    "end": "end",
    "ctrl+e": "end",
    "backspace": "rub_out",
    "ctrl+h": "rub_out",
    "delete": "delete",
    "ctrl+w": "rub_out_word",
    "alt+backspace": "rub_out_word",
    "ctrl+u": "rub_out_all",
}


def edit_key(edit: Edit, key: str, character: str | None) -> bool:
    """Do what the key does to a line of text; False when it does nothing to one."""
    verb = KEYS.get(key)
    if verb is None:
        if character is None or not character.isprintable():
            return False
        edit.insert(character)
    elif verb in ("left", "right"):
        edit.go(1 if verb == "right" else -1)
    elif verb in ("home", "end"):
        edit.go(len(edit.value) if verb == "end" else -len(edit.value))
    else:
        getattr(edit, verb)()
    return True
