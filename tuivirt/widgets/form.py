"""A form of typed fields: filled in with the keyboard, checked before it is handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events

from .edit import Edit, edit_key
from .guard import Guard
from .panel import WIDEST, Dialog, PanelLine, wrap
from .text import width_of
from .tones import Toned

Check = Callable[[Mapping[str, Any]], str]
"""What is wrong with these values, in a sentence, or ''."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    label: str
    kind: str = "text"
    """text, flag or choice."""
    value: Any = ""
    """Where it starts: a text, True or False, or one of the choices."""
    choices: tuple[str, ...] = ()
    help: str = ""
    required: bool = False


class FormDialog(Dialog[dict[str, Any] | None]):
    """Fields under one another, then two buttons; None when it was left.

    Up, down and tab move; space or left and right change a flag or a choice; Enter goes on to the
    next field and, from the last, to the button. Where something is lost, the button must be
    gone to, and is not pressed by a key that follows too fast on another (see Guard): Enter held
    down, or typed ahead, would otherwise go through all the fields and do it.
    """

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        check: Check,
        *,
        sentences: Sequence[str] = (),
        yes: str = "do it",
        destructive: bool = False,
    ) -> None:
        super().__init__(title)
        self.fields = tuple(fields)
        self._check = check
        self._sentences = tuple(sentences)
        self._yes = yes
        self._destructive = destructive
        self._guard = Guard()
        self._edits = {f.name: Edit(str(f.value), len(str(f.value))) for f in self.fields}
        self._flags = {f.name: bool(f.value) for f in self.fields}
        self._chosen = {
            f.name: f.choices.index(f.value) if f.value in f.choices else 0 for f in self.fields
        }
        self.at = 0
        """The field that has the focus; beyond the last: the button, then ``no``."""
        self.problem = ""

    @property
    def values(self) -> dict[str, Any]:
        """What is filled in now: texts, flags and choices by name."""
        return {field.name: self._value(field) for field in self.fields}

    def _value(self, field: Field) -> Any:
        if field.kind == "flag":
            return self._flags[field.name]
        if field.kind == "choice":
            return field.choices[self._chosen[field.name]]
        return self._edits[field.name].value

    def draw(self) -> None:
        lines: list[PanelLine] = []
        for sentence in self._sentences:
            lines += [[Toned(line)] for line in wrap(sentence, self.app.size.width)]
        if lines:
            lines.append([])
        label_width = max((width_of(f.label) for f in self.fields), default=0) + 2
        sight = 0
        for number, field in enumerate(self.fields):
            focused = number == self.at
            if focused:
                sight = len(lines)
            label = f"{field.label}{' *' if field.required else ''}"
            head = Toned(f"{'▸' if focused else ' '} {label:<{label_width}} ", _label(focused))
            lines.append([head, *self._drawn(field, focused, WIDEST - label_width - 9)])
        focus = self.fields[self.at] if self.at < len(self.fields) else None
        lines.append([])
        said = wrap(focus.help, self.app.size.width) if focus is not None and focus.help else [""]
        lines += [[Toned(line, "dim")] for line in said]
        if self.problem:
            lines += [[Toned(line, "bad")] for line in wrap(self.problem, self.app.size.width)]
        lines.append([])
        button = self.at - len(self.fields)
        if button >= 0:
            sight = len(lines)
        tone = "reverse" if button == 0 else "bad" if self._destructive else ""
        lines.append(
            [
                Toned(f"[ {self._yes} ]", tone),
                Toned("   "),
                Toned("[ no ]", "reverse" if button == 1 else ""),
                Toned("   ctrl+s does it, esc leaves" if not self._destructive else "", "dim"),
            ]
        )
        self.panel.show(lines, sight)

    def _drawn(self, field: Field, focused: bool, width: int) -> list[Toned]:
        if field.kind == "flag":
            sign = "[x] yes" if self._flags[field.name] else "[ ] no"
            return [Toned(sign, "reverse" if focused else "")]
        if field.kind == "choice":
            chosen = field.choices[self._chosen[field.name]] or "default"
            count = f"  {self._chosen[field.name] + 1} of {len(field.choices)}"
            return [Toned(f"‹ {chosen} ›", "reverse" if focused else ""), Toned(count, "dim")]
        if focused:
            return self._edits[field.name].drawn(width)
        return [Toned(self._edits[field.name].value or "…")]

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        meant = self._guard.meant()
        if event.key == "escape":
            self.dismiss(None)
        elif event.key == "ctrl+s" and not self._destructive:
            self.submit()
        elif event.key in ("pagedown", "pageup"):
            self.action_look(1 if event.key == "pagedown" else -1)
        elif event.key in ("down", "tab"):
            self._go(1)
        elif event.key in ("up", "shift+tab"):
            self._go(-1)
        elif self.at >= len(self.fields):
            self._button_key(event.key, meant)
        elif event.key == "enter":
            self._go(1)
        else:
            self._field_key(self.fields[self.at], event)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._guard.typed()
        if self.at < len(self.fields) and self.fields[self.at].kind == "text":
            self._edits[self.fields[self.at].name].insert(event.text)
            self.draw()

    def _button_key(self, key: str, meant: bool) -> None:
        if key in ("left", "right"):
            self.at = len(self.fields) + (1 - (self.at - len(self.fields)))
            self.draw()
        elif key == "enter" and self.at == len(self.fields):
            if meant or not self._destructive:
                self.submit()
            else:
                self.problem = Guard.TOO_FAST
                self.draw()
        elif key == "enter":
            self.dismiss(None)

    def _field_key(self, field: Field, event: events.Key) -> None:
        if field.kind == "flag":
            if event.key in ("space", "left", "right"):
                self._flags[field.name] = not self._flags[field.name]
        elif field.kind == "choice":
            step = {"left": -1, "right": 1, "space": 1}.get(event.key, 0)
            self._chosen[field.name] = (self._chosen[field.name] + step) % len(field.choices)
        else:
            edit_key(self._edits[field.name], event.key, event.character)
        self.draw()

    def _go(self, step: int) -> None:
        self.at = (self.at + step) % (len(self.fields) + 2)
        if self.problem == Guard.TOO_FAST:
            self.problem = ""
        self.draw()

    def submit(self) -> None:
        """Hand the values on if they are right; else say what is wrong and lose nothing."""
        self.problem = self._check(self.values)
        if self.problem:
            self.draw()
        else:
            self.dismiss(self.values)


def _label(focused: bool) -> str:
    return "accent" if focused else ""
