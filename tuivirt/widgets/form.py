"""A form of typed fields: filled in with the keyboard, checked before it is handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events

from .edit import Edit, edit_key
from .guard import Guard
from .panel import WIDEST, Dialog, PanelLine, wrap
from .text import fit, width_of
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
    labels: tuple[str, ...] = ()
    """How the choices are shown; as they are, where there are no labels."""
    warnings: tuple[str, ...] = ()
    """What is said of each choice while it is the chosen one; '' says nothing."""
    helps: tuple[str, ...] = ()
    """Said of each choice in place of ``help``; '' leaves that."""
    unset: str = "default"
    """How a choice of nothing is shown."""

    def shown(self, number: int) -> str:
        """A choice as it is drawn."""
        return (self.labels or self.choices)[number] or self.unset


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
        blocked: str = "",
    ) -> None:
        """``blocked``: why it cannot be done, now or at all; then only ``no`` can be pressed."""
        super().__init__(title)
        self.fields: tuple[Field, ...] = ()
        self.blocked = blocked
        self._sentences = tuple(sentences)
        self._yes = yes
        self._destructive = destructive
        self._guard = Guard()
        self._edits: dict[str, Edit] = {}
        self._flags: dict[str, bool] = {}
        self._chosen: dict[str, int] = {}
        self._begun = ""
        self._take(fields, check)
        self.at = 0 if self.fields else 1
        """The field that has the focus; beyond the last: the button, then ``no``."""
        self.problem = ""

    def _take(self, fields: Sequence[Field], check: Check) -> None:
        self.fields, self._check = tuple(fields), check
        for field in self.fields:
            if field.kind == "flag":
                self._flags.setdefault(field.name, bool(field.value))
            elif field.kind == "choice":
                known = field.value in field.choices
                self._chosen[field.name] = field.choices.index(field.value) if known else 0
            else:
                self._edits.setdefault(field.name, Edit(str(field.value), len(str(field.value))))

    def offer(
        self,
        fields: Sequence[Field],
        check: Check,
        *,
        sentences: Sequence[str],
        blocked: str = "",
    ) -> None:
        """Other fields from now on, when it is known what there is to decide about.

        What was filled in meanwhile stays: a text that has become a choice chooses what begins so.
        """
        begun = {f.name: str(self._value(f)) for f in self.fields if f.kind != "flag"}
        here = self.fields[self.at].name if self.at < len(self.fields) else ""
        self._take(fields, check)
        for field in self.fields:
            if field.kind == "choice" and begun.get(field.name):
                self._choose(field, begun[field.name])
        names = [field.name for field in self.fields]
        # Without fields: ``no``, so that nothing is done by Enter alone.
        self.at = names.index(here) if here in names else 0 if names else 1
        self.blocked, self._sentences, self.problem = blocked, tuple(sentences), ""
        self.draw()

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
            lines += [[Toned(f"    {line}", "warn")] for line in self._warned(field)]
        focus = self.fields[self.at] if self.at < len(self.fields) else None
        if self.fields:
            lines.append([])
        said = wrap(self._helped(focus), self.app.size.width) if focus is not None else [""]
        lines += [[Toned(line, "dim")] for line in said]
        if self.blocked:
            lines += [[Toned(line, "warn")] for line in wrap(self.blocked, self.app.size.width)]
        if self.problem:
            lines += [[Toned(line, "bad")] for line in wrap(self.problem, self.app.size.width)]
        lines.append([])
        button = self.at - len(self.fields)
        if button >= 0:
            sight = len(lines)
        tone = "bad" if self._destructive else ""
        if self.blocked:
            tone = "dim"
        if button == 0:
            tone = "reverse"
        quick = not self._destructive and not self.blocked
        lines.append(
            [
                Toned(f"[ {self._yes} ]", tone),
                Toned("   "),
                Toned("[ no ]", "reverse" if button == 1 else ""),
                Toned("   ctrl+s does it, esc leaves" if quick else "", "dim"),
            ]
        )
        self.panel.show(lines, sight)

    def _helped(self, field: Field) -> str:
        return (field.helps[self._chosen[field.name]] if field.helps else "") or field.help

    def _warned(self, field: Field) -> list[str]:
        """What is to be known of the choice as it is now."""
        warning = field.warnings[self._chosen[field.name]] if field.warnings else ""
        return wrap(warning, min(WIDEST, self.app.size.width) - 4) if warning else []

    def _drawn(self, field: Field, focused: bool, width: int) -> list[Toned]:
        if field.kind == "flag":
            sign = "[x] yes" if self._flags[field.name] else "[ ] no"
            return [Toned(sign, "reverse" if focused else "")]
        if field.kind == "choice":
            chosen = fit(field.shown(self._chosen[field.name]), width - 11, pad=False)
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
            if not step and event.character is not None:
                self._choose(field, self._begun + event.character)
        else:
            edit_key(self._edits[field.name], event.key, event.character)
        self.draw()

    def _choose(self, field: Field, begun: str) -> None:
        """Choose what begins with what was typed, or with its last character."""
        for start in (begun, begun[-1]):
            for words in (field.choices, field.labels):
                for number, word in enumerate(words):
                    if word and word.casefold().startswith(start.casefold()):
                        self._chosen[field.name], self._begun = number, start
                        return

    def _go(self, step: int) -> None:
        self._begun = ""
        self.at = (self.at + step) % (len(self.fields) + 2)
        if self.problem == Guard.TOO_FAST:
            self.problem = ""
        self.draw()

    def submit(self) -> None:
        """Hand the values on if they are right; else say what is wrong and lose nothing."""
        self.problem = "" if self.blocked else self._check(self.values)
        if self.problem or self.blocked:
            self.draw()
        else:
            self.dismiss(self.values)


def _label(focused: bool) -> str:
    return "accent" if focused else ""
