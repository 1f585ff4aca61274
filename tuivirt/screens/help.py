"""Keys and words of the screen one stands on."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual.binding import Binding
from textual.widget import Widget

from tuivirt.actions.registry import Action
from tuivirt.backend.model.fleet import Fleet
from tuivirt.widgets.page import Page, PageLine
from tuivirt.widgets.tones import Toned

from .base import NO_KEY, FleetScreen
from .paged import PagedScreen
from .rooms import ROOMS

_KEYS = {
    "colon": ":",
    "slash": "/",
    "question_mark": "?",
    "escape": "esc",
    "enter": "⏎",
    "plus": "+",
    "minus": "-",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "page up",
    "pagedown": "page down",
    "ctrl+@": "",
}
KEY = 22
"""Cells for the keys."""
TITLE = 34
"""Cells for what a key does, where something stands beside it."""


def key_words(keys: Iterable[str]) -> str:
    """Keys as they are written on a keyboard: ``ctrl+k``, ``⏎``, ``: ``."""
    words = []
    for key in keys:
        before, plus, last = key.rpartition("+")
        word = _KEYS.get(key, before + plus + _KEYS.get(last, last))
        if word and word not in words:
            words.append(word)
    return "  ".join(words)


class HelpScreen(PagedScreen):
    """What ``?`` opens; what it says comes from the bindings and actions of the screen below."""

    HELP = "Help about help: q goes back."
    HINTS = (("/", "search"), ("n N", "next, before"), (":", "go to"))

    def __init__(self, below: FleetScreen | None = None) -> None:
        super().__init__()
        self._below = below
        self._page = Page(id="page")

    def compose_body(self) -> Iterable[Page]:
        yield self._page

    def actions(self) -> list[Action]:
        return []

    def show_fleet(self, fleet: Fleet) -> None:
        below = self._below
        if below is None:
            stack = [s for s in self.app.screen_stack if isinstance(s, FleetScreen)]
            below = stack[-2] if len(stack) > 1 else self
        width = self._page.size.width or self.app.size.width
        self._page.show(help_lines(below, width))

    def action_help(self) -> None:
        self.joint.back()


def help_lines(screen: FleetScreen, width: int) -> Sequence[PageLine]:
    """The help for a screen: what it is, what can be done, its keys, where one can go."""
    lines: list[PageLine] = [
        (Toned(f" {line}"),) for line in textwrap.wrap(screen.HELP, max(width - 2, 20))
    ]
    actions = screen.actions()
    if actions:
        lines += _heading(f"What can be done to a {screen.KIND}, and the virsh command for it")
        for action in actions:
            keys = _bound(screen, action.name)
            lines += _action(keys, action, width)
    lines += _heading("Keys here, and what the settings call them (an action by its verb)")
    for id, keys, words in _bindings(screen):
        if words:
            lines.append((*_pair(keys, f"{words:<{TITLE}}"), Toned(f" {id}", "dim")))
    if screen.table is not None:
        lines.append(_pair("/…", "a filter: enter keeps it, esc the one before"))
    lines += _heading("Where : leads")
    for room in ROOMS:
        lines.append(_pair(f":{room.word}", f"{room.help}  ({', '.join(room.aliases)})"))
    lines.append(_pair(":… /text  :… @host", "go there and filter, or show one host only"))
    lines.append(_pair(":slow on  :slow off", "for a slow line: figures once a second, no charts"))
    lines.append(_pair(":VERB", "any action by its name, with a form: :attach-disk, :start …"))
    return lines


def _heading(text: str) -> list[PageLine]:
    return [(), (Toned(f" {text}", "title"),)]


def _pair(keys: str, words: str) -> PageLine:
    room = max(KEY - cell_len(keys), 1)
    return (Toned(f"   {keys}", "accent"), Toned(" " * room), Toned(words))


def _action(keys: str, action: Action, width: int) -> list[PageLine]:
    words = action.title + (" (asks first)" if action.destructive else "")
    virsh = virsh_words(action.virsh)
    if not virsh:
        return [_pair(keys, words)]
    if len(words) < TITLE and KEY + TITLE + len(virsh) + 6 <= width:
        return [(*_pair(keys, f"{words:<{TITLE}}"), Toned(f" {virsh}", "dim"))]
    return [_pair(keys, words), (Toned(" " * (KEY + 5)), Toned(virsh, "dim"))]


def virsh_words(template: str) -> str:
    """The template's obligatory part, as a manual page writes it: ``virsh start NAME``."""
    text, depth = "", 0
    for char in template:
        depth += char == "["
        if not depth:
            text += char
        depth -= char == "]"
    upper = re.sub(r"\{(\w+)(\|[^}]*)?\}", lambda match: match[1].upper(), text)
    return " ".join(upper.split())


def _bound(screen: FleetScreen, binding_id: str) -> str:
    """The keys that hold for a binding's id now, the operator's own included."""
    if binding_id in screen.joint.settings.keys:
        return key_words(screen.joint.settings.keys[binding_id].split(","))
    keys = [
        key
        for key, bindings in screen._bindings.key_to_bindings.items()
        if any(b.id == binding_id for b in bindings) and not key.startswith(NO_KEY)
    ]
    return key_words(keys)


def _bindings(screen: FleetScreen) -> list[tuple[str, str, str]]:
    """Id, keys and words of all that is bound on the screen, in its widgets, or everywhere."""
    names = {action.name for action in screen.actions()}
    merged: dict[str, tuple[list[str], str]] = {}
    shown = (w for w in screen.walk_children(Widget) if w.can_focus and w.display)
    for holder in (screen, *shown, screen.app):
        for key, bindings in holder._bindings.key_to_bindings.items():
            for binding in bindings:
                if isinstance(binding, Binding) and binding.id and binding.id not in names:
                    keys, _ = merged.setdefault(binding.id, ([], binding.description))
                    keys.append(key)
    own = screen.joint.settings.keys
    return [
        (id, key_words(own[id].split(",") if id in own else keys), words)
        for id, (keys, words) in merged.items()
    ]
