"""A plan, shown whole before it is carried out; one with risks is confirmed by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tuivirt.actions.advice import in_labels
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action
from tuivirt.backend.model.finding import Plan, Planned, Weight
from tuivirt.backend.model.ref import Ref
from tuivirt.widgets.form import Field, FormDialog

from .telling import joined

_NAME = "name"
_WORD = "risk"
"""What is typed to take the risks of several plans."""


class PlanForm(FormDialog):
    """Says what would be done, what speaks against it and what is lost; then asks.

    Of several objects those that are refused are told, and left out.
    """

    def __init__(self, title: str, action: Action, names: Mapping[Ref, str]) -> None:
        """``names``: the objects that it is planned for."""
        self._action = action
        self._names = names
        self._plans: dict[Ref, Planned | TuivirtError] = {}
        self._word = ""
        self.risky: frozenset[Ref] = frozenset()
        """Those whose plans have risks, which the operator has taken: of the others none was."""
        self.refused: frozenset[Ref] = frozenset()
        """Those for which it is not done."""
        super().__init__(
            title,
            [],
            lambda _given: "",
            yes=action.title.lower(),
            destructive=True,
            blocked="Looking at what would be done …",
        )

    def look_up(self, values: Mapping[str, Any], ask: Callable[..., None]) -> None:
        """Have the plans made, then show them; ``ask`` is the app's look_up."""
        for ref in self._names:
            ask(self, ref.host, self._action.plan, (ref.key, values), partial(self._planned, ref))

    def settled(self, ref: Ref) -> dict[str, str]:
        """What its plan has for options that were left open, so that what was shown is done."""
        plan = self._plans[ref]
        return dict(plan.settled) if isinstance(plan, Plan) else {}

    def _planned(self, ref: Ref, plan: Planned | TuivirtError) -> None:
        self._plans[ref] = plan
        if len(self._plans) == len(self._names):
            self._show()

    def _show(self) -> None:
        plans = {ref: self._plans[ref] for ref in self._names}
        self.refused = frozenset(ref for ref, plan in plans.items() if _is_refused(plan))
        able = {
            ref: plan
            for ref, plan in plans.items()
            if ref not in self.refused and not isinstance(plan, TuivirtError)
        }
        self.risky = frozenset(ref for ref, plan in able.items() if plan.of(Weight.RISK))
        fields = []
        if self.risky:
            self._word = next(iter(able.values())).word if len(plans) == 1 else _WORD
            fields = [
                Field(
                    _NAME,
                    f"Type {self._word}",
                    help="It is done in spite of the risks that stand above.",
                    required=True,
                )
            ]
        self.offer(
            fields,
            self._wrong,
            sentences=tuple(self._sentences_of(plans)),
            blocked="" if able else self._blocked(plans),
        )

    def _sentences_of(self, plans: Mapping[Ref, Planned | TuivirtError]) -> list[str]:
        said = []
        for ref, plan in plans.items():
            lines = (joined(plan),) if isinstance(plan, TuivirtError) else plan.lines
            if len(plans) > 1:
                out = ", which is left out" if ref in self.refused and self.refused else ""
                said.append(f"{self._names[ref]}{out}:")
            # What to do about a finding stands below it; what it names is said as it is.
            said += (in_labels(s, self._action) if s.startswith(" ") else s for s in lines)
        return said

    def _blocked(self, plans: Mapping[Ref, Planned | TuivirtError]) -> str:
        failed = any(isinstance(plan, TuivirtError) for plan in plans.values())
        return "It cannot be done." if failed else "It is not done as long as that holds."

    def _wrong(self, given: Mapping[str, Any]) -> str:
        if self.risky and str(given.get(_NAME, "")).strip() != self._word:
            return f"To take the risks, type {self._word}."
        return ""


def _is_refused(plan: Planned | TuivirtError) -> bool:
    return isinstance(plan, TuivirtError) or bool(plan.of(Weight.REFUSED))
