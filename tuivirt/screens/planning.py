"""A plan, shown whole before it is carried out; one with risks is confirmed by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action
from tuivirt.backend.model.passthrough import Plan, Weight
from tuivirt.backend.model.ref import Ref
from tuivirt.widgets.form import Field, FormDialog

from .telling import joined

_NAME = "name"


class PlanForm(FormDialog):
    """Says what would be done, what speaks against it and what is lost; then asks."""

    def __init__(self, title: str, action: Action) -> None:
        self._action = action
        self._name = ""
        self.risky = False
        """The plan has risks, and the operator has taken them."""
        super().__init__(
            title,
            [],
            lambda _given: "",
            yes=action.title.lower(),
            destructive=True,
            blocked="Looking at the device and what the host does with it …",
        )

    def look_up(self, ref: Ref, values: Mapping[str, Any], ask: Callable[..., None]) -> None:
        """Have the plan made, then show it; ``ask`` is the app's look_up."""
        ask(self, ref.host, self._action.plan, (ref.key, values), self._show)

    def _show(self, plan: Plan | TuivirtError) -> None:
        if isinstance(plan, TuivirtError):
            self.offer([], self._wrong, sentences=(joined(plan),), blocked="It cannot be done.")
            return
        refused = plan.of(Weight.REFUSED)
        risks = plan.of(Weight.RISK)
        self.risky = bool(risks) and not refused
        fields = []
        if self.risky:
            device = plan.given[0]
            self._name = device.address or device.name
            fields = [
                Field(
                    _NAME,
                    f"Type {self._name}",
                    help="It is done in spite of the risks that stand above.",
                    required=True,
                )
            ]
        self.offer(
            fields,
            self._wrong,
            sentences=plan.lines,
            blocked="It is not done as long as that holds." if refused else "",
        )

    def _wrong(self, given: Mapping[str, Any]) -> str:
        if self.risky and str(given.get(_NAME, "")).strip() != self._name:
            return f"To take the risks, type {self._name}."
        return ""
