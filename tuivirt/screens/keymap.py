"""Whether the operator's keys can be as they were set: bindings that exist, a key for each.

Every screen is made once to be asked for its bindings, which takes 0.2 s: only where keys were set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode

from tuivirt.actions.catalog import listed
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.settings import default_path
from tuivirt.widgets.answer import AnswerDialog
from tuivirt.widgets.command_bar import CommandBar
from tuivirt.widgets.dialogs import ConfirmDialog, MessageDialog

from .rooms import DETAILS, ROOMS, XML, make

Keys = dict[str, frozenset[str]]
"""By binding id: the keys that it has."""


def key_problems(keys: Mapping[str, str], app: type[DOMNode]) -> tuple[str, ...]:
    """What is wrong with ``keys`` (binding id to keys with commas between), a sentence each."""
    if not keys:
        return ()
    listed()  # Those that have no key of their own may have been given one.
    places = [(where, _set(bindings, keys)) for where, bindings in _places(app)]
    known = {id for _, bindings in places for id in bindings}
    problems = [_unknown(id, known) for id in keys if id not in known]
    found: dict[tuple[str, str, str], list[str]] = {}
    for where, bindings in places:
        for key, one, other in _shared(bindings, keys):
            rooms = found.setdefault((key, one, other), [])
            if where not in rooms:
                rooms.append(where)
    for (key, one, other), rooms in found.items():
        # The command line and dialogs are places too, but most meet everywhere or nowhere.
        where = f" ({', '.join(rooms[:3])}{' …' if len(rooms) > 3 else ''})"
        problems.append(f"{key} is a key of both {one} and {other}{where}: only one of them has it")
    return tuple(f"{default_path()}: [keys] {problem}" for problem in problems)


def _unknown(id: str, known: Iterable[str]) -> str:
    near = get_close_matches(id, known, 1)
    hint = f"; did you mean {near[0]}?" if near else "; ? shows the bindings of a screen"
    return f"there is no binding {id}{hint}"


def _shared(bindings: Keys, keys: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(key, id, other id) where one of the two was set by the operator."""
    for one in sorted(id for id in bindings if id in keys):
        for other in sorted(bindings):
            if other == one or (other in keys and other < one):
                continue
            for key in sorted(bindings[one] & bindings[other]):
                yield key, one, other


def _set(bindings: Keys, keys: Mapping[str, str]) -> Keys:
    """The bindings as they are with the operator's keys."""
    return {id: frozenset(keys[id].split(",")) if id in keys else bindings[id] for id in bindings}


def _places(app: type[DOMNode]) -> Iterator[tuple[str, Keys]]:
    """Each place where keys are pressed, and all the bindings that hold there together."""
    everywhere = _of(_merged(app))
    for dialog in (AnswerDialog, ConfirmDialog, MessageDialog):
        yield "questions and messages", _of(_merged(dialog)) | everywhere
    yield "the command line", _of(_merged(CommandBar)) | everywhere
    rooms = [(room.word, make(room.where)) for room in ROOMS]
    rooms += [(f"a {kind}", make(where, Ref("", kind, ""))) for kind, where in DETAILS.items()]
    rooms.append(("XML", make(XML, Ref("", Kind.DOMAIN, ""))))
    for word, screen in rooms:
        of_screen = _of(screen._bindings) | everywhere
        yield word, of_screen
        for widget in screen.compose_body():
            yield word, _of(widget._bindings) | of_screen


def _merged(node: Any) -> BindingsMap:
    merged: BindingsMap | None = node._merge_bindings()
    return merged or BindingsMap()


def _of(bindings: BindingsMap) -> Keys:
    """Those with an id: Textual's own have none."""
    found: dict[str, set[str]] = {}
    for key, each in bindings.key_to_bindings.items():
        binding: Binding
        for binding in each:
            if binding.id:
                found.setdefault(binding.id, set()).add(key)
    return {id: frozenset(keys) for id, keys in found.items()}
