"""A domain's devices of any kind: which kind is meant, and which device of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.widgets.form import Field
from tuivirt.widgets.menu import Choice, Menu

from .offers import Asked, Offer

TITLES = {"attach": "Add a device…", "update": "Change a device…", "detach": "Remove a device…"}
"""What the menu of a domain says in place of sixty actions, by the verb they begin with."""


def menu_of_kinds(verb: str, name: str) -> Menu:
    """Which kind of device; its answer is the name of the action."""
    from tuivirt.actions.device_kinds import of_each_kind

    title = f"{TITLES[verb].removesuffix('…')}: {name}"
    choices = [
        Choice(action.name, action.title, note=action.name.partition("-")[2])
        for action in of_each_kind(verb)
    ]
    return Menu(title, choices, search=True)


@dataclass(frozen=True, slots=True)
class KindChoice:
    """Offers the devices of one kind that the domain has."""

    kind: str

    @property
    def waits(self) -> str:
        """Nothing: what it is called can be typed as well."""
        return ""

    def look_up(self, host: Any, key: str) -> list[tuple[str, str]]:
        return lookups.devices_of_kind(host, key, self.kind)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain: its devices are its own."""
        ((asked, devices),) = answers
        if not devices:
            return Offer((), blocked=f"{asked.name} has none.")
        return Offer(
            tuple(
                self._choice(field, devices) if field.name == "which" else field for field in fields
            )
        )

    def _choice(self, field: Field, devices: list[tuple[str, str]]) -> Field:
        names = [name for name, _what in devices]
        alone = len(names) == 1
        none = [] if alone or field.value in names else [""]
        return replace(
            field,
            kind="choice",
            value=names[0] if alone else field.value,
            choices=(*none, *names),
            labels=(*none, *(f"{name}  {what}".rstrip() for name, what in devices)),
            unset="which one?",
        )


def offering_of(action: str) -> KindChoice | None:
    """For the actions that are made for each kind of device; None for others."""
    verb, _, kind = action.partition("-")
    return KindChoice(kind) if verb in ("update", "detach") else None
