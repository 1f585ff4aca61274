"""A menu: things to choose from, what cannot be chosen greyed with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from textual import events
from textual.keys import format_key

from .edit import Edit, edit_key
from .panel import Dialog, PanelLine, wrap
from .text import fit, width_of
from .tones import Toned


def shown_key(key: str) -> str:
    """A key as it is written on it: ``plus`` is +, ``ctrl+k`` stays; of several the first."""
    first = key.split(",")[0].strip()
    *held, last = first.split("+") if first != "+" else [first]
    return "+".join([*held, format_key(last)])


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu."""

    id: str
    title: str
    key: str = ""
    """In Textual's notation, several with commas between."""
    refusal: str = ""
    """Why it cannot be chosen now; empty when it can."""
    note: str = ""
    detail: str = ""
    """Said below all of them while it is the one under the cursor."""


MOST = 500
"""So many lines are drawn; with thousands of them each key would take a second."""


class Menu(Dialog[str | None]):
    """Arrows and Enter choose, a choice's own key does at once; with ``search`` typing narrows."""

    def __init__(self, title: str, choices: Sequence[Choice], *, search: bool = False) -> None:
        super().__init__(title)
        self._all = tuple(choices)
        self._search = Edit() if search else None
        self.shown: tuple[Choice, ...] = self._all
        self.at = next((i for i, c in enumerate(self._all) if not c.refusal), 0)

    def refuse(self, refusals: Mapping[str, str]) -> None:
        """By id: why a choice cannot be chosen, when that is known later."""
        self._all = tuple(
            replace(choice, refusal=refusals.get(choice.id, choice.refusal)) for choice in self._all
        )
        by_id = {choice.id: choice for choice in self._all}
        self.shown = tuple(by_id[choice.id] for choice in self.shown)
        self.draw()

    def draw(self) -> None:
        lines: list[PanelLine] = []
        if self._search is not None:
            lines.append([Toned("> ", "accent"), *self._search.drawn(60)])
        drawn = self.shown[:MOST]
        width = max((width_of(c.title) for c in self._all[:MOST]), default=0)
        keys = max((len(shown_key(c.key)) for c in self._all[:MOST]), default=0)
        for number, choice in enumerate(drawn):
            here = number == self.at
            tone = "dim" if choice.refusal else ""
            reason = choice.refusal or choice.note
            lines.append(
                [
                    Toned("▌ " if here else "  ", "accent"),
                    Toned(
                        f"{shown_key(choice.key):>{keys}}  ", "dim" if choice.refusal else "accent"
                    ),
                    Toned(fit(choice.title, width), "reverse" if here else tone),
                    Toned(f"  {reason}" if reason else "", "dim"),
                ]
            )
        if not self.shown:
            lines.append([Toned("nothing fits", "dim")])
        if len(self.shown) > MOST:
            left = f"  {len(self.shown) - MOST} more: type a part of the name"
            lines.append([Toned(left, "dim")])
        pinned = 0
        if any(choice.detail for choice in self._all):
            # As many lines as the longest needs, so that nothing moves with the cursor.
            columns = self.app.size.width
            rows = max(len(wrap(choice.detail, columns)) for choice in self._all)
            said = wrap(self.shown[self.at].detail, columns) if self.shown else []
            said += [""] * (rows - len(said))
            lines += [[], *([Toned(row, "dim")] for row in said)]
            pinned = 1 + rows
        self.panel.show(lines, self.at + (self._search is not None), pinned=pinned)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        step = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}.get(event.key, 0)
        if self._search is None:
            step = step or {"k": -1, "j": 1}.get(event.key, 0)
        if event.key == "escape" or (event.key == "q" and self._search is None):
            self.dismiss(None)
        elif event.key == "enter":
            if self.shown:
                self._choose(self.shown[self.at])
        elif step:
            self.at = max(0, min(len(self.shown[:MOST]) - 1, self.at + step))
            self.draw()
        elif self._search is not None:
            if edit_key(self._search, event.key, event.character):
                self._narrow(self._search.value)
        else:
            for choice in self._all:
                if event.key in choice.key.split(","):
                    self._choose(choice)
                    return

    def _narrow(self, typed: str) -> None:
        words = typed.casefold().split()
        self.shown = tuple(
            c for c in self._all if all(w in f"{c.title} {c.id} {c.note}".casefold() for w in words)
        )
        self.at = 0
        self.draw()

    def _choose(self, choice: Choice) -> None:
        """What cannot be done stays; its reason stands beside it."""
        if not choice.refusal:
            self.dismiss(choice.id)
