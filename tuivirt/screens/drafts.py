"""What was typed into a form that was left, or whose plan was not carried out."""

from __future__ import annotations

from collections.abc import Iterable

from tuivirt.actions.registry import Action
from tuivirt.backend.model.ref import Ref
from tuivirt.widgets.form import NOTHING, Draft

AGAIN = "What was typed before is here again: ctrl+u empties a field."


class Drafts:
    """One for each action on certain objects, as long as the program runs.

    Not of what destroys: there nothing is to be chosen that was not chosen now.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, frozenset[Ref]], Draft] = {}

    def keep(self, action: Action, refs: Iterable[Ref], typed: Draft) -> None:
        """In place of what was kept."""
        self.drop(action, refs)
        if typed and not action.destructive:
            self._kept[action.name, frozenset(refs)] = typed

    def of(self, action: Action, refs: Iterable[Ref]) -> Draft:
        """What was typed and never carried out."""
        return self._kept.get((action.name, frozenset(refs)), NOTHING)

    def drop(self, action: Action, refs: Iterable[Ref]) -> None:
        """It is carried out."""
        self._kept.pop((action.name, frozenset(refs)), None)
