"""A form of typed fields: filled in with the keyboard, checked before it is handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from textual import events

from .edit import Edit, edit_key
from .field import MORE, Check, Field, Shape, more_of
from .guard import Guard
from .panel import WIDEST, Dialog, PanelLine, wrap
from .text import fit, width_of
from .tones import Toned

__all__ = ["MORE", "NOTHING", "Check", "Draft", "Field", "FormDialog", "Shape"]

Draft = Mapping[tuple[str, str], Any]
"""Values by `Field.key`."""
NOTHING: Draft = MappingProxyType({})


class FormDialog(Dialog[dict[str, Any] | None]):
    """Fields under one another, then two buttons; None when it was left.

    With a ``shape`` they are asked for anew when a choice changes; what was filled in stays, even
    of those that go and come again. Rare ones wait behind a row that opens them.

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
        draft: Draft = NOTHING,
    ) -> None:
        """``blocked``: why it cannot be done, now or at all; then only ``no`` can be pressed.

        ``draft``: what was `typed` into such a form before; fields begin with that.
        """
        super().__init__(title)
        self.fields: tuple[Field, ...] = ()
        self.blocked = blocked
        self._sentences = tuple(sentences)
        self._yes = yes
        self._destructive = destructive
        self._guard = Guard()
        self._edits: dict[tuple[str, str], Edit] = {}
        self._flags: dict[tuple[str, str], bool] = {}
        self._chosen: dict[tuple[str, str], str] = {}
        self._begun = ""
        self._shape: Shape | None = None
        self._every: tuple[Field, ...] = ()
        self._open = False
        self._draft = draft
        self._take(fields, check)
        starts = (number for number, field in enumerate(fields) if field.begins)
        self.at = next(starts, 0) if self.fields else 1
        """The field that has the focus; beyond the last: the button, then ``no``."""
        self.problem = ""
        self._refused = ""
        """What was wrong when it was last submitted."""

    def _take(self, fields: Sequence[Field], check: Check, *, anew: bool = True) -> None:
        """These fields from now on; ``anew`` has choices start where they say."""
        self._every, self._check = tuple(fields), check
        for field in self._every:
            begun = self._draft.get(field.key, field.value)
            if field.kind == "flag":
                self._flags.setdefault(field.key, bool(begun))
            elif field.kind == "choice":
                starts = (begun, field.value)
                first = next((each for each in starts if each in field.choices), field.choices[0])
                if anew or self._chosen.get(field.key) not in field.choices:
                    self._chosen[field.key] = first
            else:
                edit = Edit()
                edit.put(str(begun), selected=field.replaced)
                self._edits.setdefault(field.key, edit)
        rare = [field for field in self._every if field.rare]
        shown = [field for field in self._every if not field.rare]
        if rare:
            shown.append(more_of(rare, self._open))
        self.fields = (*shown, *(rare if self._open else ()))

    def _reshape(self) -> None:
        """Have the fields fit the choices as they are now; the focus stays where it is."""
        here = self.fields[self.at].name if self.at < len(self.fields) else None
        beyond = self.at - len(self.fields)
        shape = self._shape
        if shape is None:
            return
        # A field that comes may itself decide about others.
        for _turn in range(len(self._every)):
            before = self._every
            self._take(shape(self.values), self._check, anew=False)
            if self._every == before:
                break
        names = [field.name for field in self.fields]
        if here is None:
            self.at = len(names) + beyond
        else:
            self.at = names.index(here) if here in names else min(self.at, len(names))

    def offer(
        self,
        fields: Sequence[Field],
        check: Check,
        *,
        sentences: Sequence[str],
        blocked: str = "",
        shape: Shape | None = None,
    ) -> None:
        """Other fields from now on, when it is known what there is to decide about.

        What was filled in meanwhile stays: a text that has become a choice chooses what begins so.
        """
        begun = {f.name: str(self._value(f)) for f in self._every if f.kind != "flag"}
        here = self.fields[self.at].name if self.at < len(self.fields) else ""
        before, button = [field.name for field in self.fields], self.at - len(self.fields)
        self._shape = shape
        self._take(fields, check)
        for field in self._every:
            if field.kind == "choice" and begun.get(field.name):
                # No other that ends alike: what was meant may not be among them.
                self._choose(field, begun[field.name], typed=False)
        if shape is not None:
            self._reshape()
        names = [field.name for field in self.fields]
        # Without fields: ``no``, so that nothing is done by Enter alone.
        self.at = names.index(here) if here in names else 0 if names else 1
        if button >= 0 and names == before:  # Nothing has come that must be looked at first.
            self.at = len(names) + button
        self.blocked, self._sentences = blocked, tuple(sentences)
        # What was refused before the answer came is wrong still, or is no more.
        refused = bool(self.problem) and self.problem == self._refused
        self.problem = check(self.values) if refused and not blocked else ""
        self.draw()

    @property
    def values(self) -> dict[str, Any]:
        """What is filled in now: texts, flags and choices by name."""
        return {field.name: self._value(field) for field in self._every}

    @property
    def typed(self) -> Draft:
        """What the operator has filled in: the values that are not what their fields began with."""
        return {f.key: self._value(f) for f in self._every if str(self._value(f)) != str(f.value)}

    def _value(self, field: Field) -> Any:
        if field.kind == "flag":
            return self._flags[field.key]
        if field.kind == "choice":
            return self._chosen[field.key]
        return self._edits[field.key].value

    def _number(self, field: Field) -> int:
        """Which of its choices is chosen, from 0."""
        return field.choices.index(self._chosen[field.key])

    def fill(self, field: Field, value: str) -> None:
        """Have a field say this: a text, or one of its choices."""
        if field.kind == "choice":
            self._choose(field, value, typed=False)
            self._reshape()
        else:
            self._edits[field.key].put(value)
            self._reshape()
        self.problem = ""
        self.draw()

    def draw(self) -> None:
        lines: list[PanelLine] = []
        for sentence in self._sentences:
            lines += [[Toned(line)] for line in wrap(sentence, self.app.size.width)]
        if lines:
            lines.append([])
        told = len(lines)
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
            wide = min(WIDEST, self.app.size.width) - 4
            for refused in field.refusals:
                lines += [[Toned(f"    {line}", "dim")] for line in wrap(refused, wide)]
        focus = self.fields[self.at] if self.at < len(self.fields) else None
        above = len(lines)
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
        # What is said of a field stays in sight however many there are, unless it needs the room;
        # so do few fields, below sentences that are read from their beginning: a plan.
        least = max(1, len(lines) - (self.app.size.height - 4) // 2)
        first = next((each for each in (told, above) if each >= least), len(lines))
        self.panel.show(lines, sight, pinned=len(lines) - first)

    def _helped(self, field: Field) -> str:
        if field.kind == "flag" and field.refusal(1):
            return f"{field.help}; not now: {field.refusal(1)}"
        return (field.helps[self._number(field)] if field.helps else "") or field.help

    def _warned(self, field: Field) -> list[str]:
        """What is to be known of the choice as it is now."""
        warning = field.warnings[self._number(field)] if field.warnings else ""
        return wrap(warning, min(WIDEST, self.app.size.width) - 4) if warning else []

    def _drawn(self, field: Field, focused: bool, width: int) -> list[Toned]:
        if field.kind == "flag":
            sign = "[x] yes" if self._flags[field.key] else "[ ] no"
            drawn = [Toned(sign, "reverse" if focused else "")]
            if why := field.refusal(1):
                drawn.append(Toned(f"  {fit(why, width - 9, pad=False)}", "dim"))
            return drawn
        if field.kind == "choice":
            chosen = fit(field.shown(self._number(field)), width - 11, pad=False)
            count = f"  {self._number(field) + 1} of {len(field.choices)}"
            return [Toned(f"‹ {chosen} ›", "reverse" if focused else ""), Toned(count, "dim")]
        if field.kind == MORE:
            return [Toned(fit(str(field.value), width, pad=False), "reverse" if focused else "dim")]
        edit, hint = self._edits[field.key], f"  ctrl+o: {field.listed}"
        if not focused:
            return [Toned(edit.value or "…")]
        if not field.listed:
            return edit.drawn(width)
        return [*edit.drawn(width - width_of(hint)), Toned(hint, "dim")]

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
        elif self.fields[self.at].kind == MORE:
            self._more_key(event.key)
        elif event.key == "enter":
            self._go(1)
        elif event.key == "ctrl+o" and self.fields[self.at].listed:
            self.list_choices(self.fields[self.at])
        else:
            self._field_key(self.fields[self.at], event)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._guard.typed()
        if self.at < len(self.fields) and self.fields[self.at].kind == "text":
            self._edits[self.fields[self.at].key].insert(event.text)
            self._reshape()
            self.draw()

    def list_choices(self, field: Field) -> None:
        """Show what there is to choose from, and `fill` the field with what is chosen."""
        raise NotImplementedError

    def _more_key(self, key: str) -> None:
        if key in ("enter", "space", "left", "right"):
            self._open = not self._open
            self._take(self._every, self._check, anew=False)
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
            on = not self._flags[field.key]
            # What has become impossible can be taken back.
            if event.key in ("space", "left", "right") and not (on and field.refusal(1)):
                self._flags[field.key] = on
                self._reshape()
        elif field.kind == "choice":
            step = {"left": -1, "right": 1, "space": 1}.get(event.key, 0)
            many, number = len(field.choices), self._number(field)
            for ahead in range(1, many):
                if step and not field.refusal(there := (number + step * ahead) % many):
                    self._chosen[field.key] = field.choices[there]
                    break
            if not step and event.character is not None:
                self._choose(field, self._begun + event.character)
            self._reshape()
        else:
            edit_key(self._edits[field.key], event.key, event.character)
            self._reshape()
        self.draw()

    def _choose(self, field: Field, begun: str, *, typed: bool = True) -> None:
        """Choose what begins with what was typed, or with its last character: a new word."""
        for start in (begun, begun[-1]) if typed else (begun,):
            for words in (field.choices, field.labels):
                for number, (choice, word) in enumerate(zip(field.choices, words, strict=False)):
                    if typed and field.refusal(number):
                        continue
                    if word and word.casefold().startswith(start.casefold()):
                        self._chosen[field.key], self._begun = choice, start
                        return

    def _go(self, step: int) -> None:
        self._begun = ""
        self.at = (self.at + step) % (len(self.fields) + 2)
        if self.problem == Guard.TOO_FAST:
            self.problem = ""
        self.draw()

    def submit(self) -> None:
        """Hand the values on if they are right; else say what is wrong and lose nothing."""
        self.problem = self._refused = "" if self.blocked else self._check(self.values)
        if self.problem or self.blocked:
            self.draw()
        else:
            self.dismiss(self.values)


def _label(focused: bool) -> str:
    return "accent" if focused else ""
