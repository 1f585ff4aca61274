"""What was typed into a form that was left, or whose plan was not carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tuivirt.actions.registry import Action
from tuivirt.backend.model.ref import Ref
from tuivirt.widgets.form import NOTHING, Draft

AGAIN = "What was typed before is here again: ctrl+u empties a field."


class Drafts:
    """One for each action on certain objects, as long as the program runs.

    What an action was given is a part of what it is about: a volume's is done to its pool. Not of
    what destroys: there nothing is to be chosen that was not chosen now.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, frozenset[Ref], str], Draft] = {}

    def keep(
        self, action: Action, refs: Iterable[Ref], given: Mapping[str, Any], typed: Draft
    ) -> None:
        """In place of what was kept."""
        about = _about(action, refs, given)
        self._kept.pop(about, None)
        if typed and not action.destructive:
            self._kept[about] = typed

    def of(self, action: Action, refs: Iterable[Ref], given: Mapping[str, Any]) -> Draft:
        """What was typed and never carried out."""
        return self._kept.get(_about(action, refs, given), NOTHING)

    def drop(self, action: Action, refs: Iterable[Ref]) -> None:
        """It is carried out: what was typed is no draft any more, whatever was given before."""
        carried_out = (action.name, frozenset(refs))
        self._kept = {about: kept for about, kept in self._kept.items() if about[:2] != carried_out}


def _about(
    action: Action, refs: Iterable[Ref], given: Mapping[str, Any]
) -> tuple[str, frozenset[Ref], str]:
    return action.name, frozenset(refs), repr(sorted(given.items()))
