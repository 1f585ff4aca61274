"""A domain's devices of any kind: which kind is meant, which device of it, and what it is to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.forms import FormFacts
from tuivirt.backend.model.when import When
from tuivirt.widgets.form import Field
from tuivirt.widgets.menu import Choice, Menu

from .offers import Asked, Offer, Offering

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


def refusals_of(lacking: Mapping[str, str]) -> dict[str, str]:
    """What `kinds_lacking` told, by the id of the choice in the menu of what could be added."""
    return {f"attach-{kind}": why for kind, why in lacking.items()}


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
            tuple(which_of(field, devices) if field.name == "which" else field for field in fields)
        )


def which_of(field: Field, devices: Sequence[tuple[str, str]]) -> Field:
    """The field for which device is meant, as a choice among these."""
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


@dataclass(frozen=True, slots=True)
class DeviceForm:
    """Offers what a device of a kind can be on this host: a new one, or one that there is."""

    kind: str
    new: bool

    @property
    def waits(self) -> str:
        """The fields depend on what the host offers, and on what the device is now."""
        return "Looking up what the host offers…"

    def look_up(self, host: Any, key: str) -> FormFacts:
        return lookups.form_facts(host, key, self.kind)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain: what it can have is its own."""
        from tuivirt.actions.device_forms import asked_for

        ((asked, facts),) = answers
        if self.new and facts.lacking:
            return Offer((), blocked=f"{asked.name} cannot have one: it {facts.lacking}.")
        if not self.new and not facts.devices:
            return Offer((), blocked=f"{asked.name} has none.")

        def shape(given: Mapping[str, Any]) -> tuple[Field, ...]:
            return self._fields(fields, facts, given)

        return Offer(
            shape({field.name: field.value for field in fields if field.value not in ("", None)}),
            check=lambda given: self._check(facts, given),
            parameters=lambda given: asked_for(self.kind, facts, given, new=self.new),
            shape=shape,
        )

    def _fields(
        self, fields: Sequence[Field], facts: FormFacts, given: Mapping[str, Any]
    ) -> tuple[Field, ...]:
        from tuivirt.actions import device_forms

        known = {field.name: field for field in fields}
        asked = device_forms.attaching if self.new else device_forms.changing
        found = []
        if "which" in known:
            devices = [(device.label, device.what) for device in facts.devices]
            found.append(which_of(known["which"], devices))
        found += [
            field_as_shown(known[shown.name], shown) for shown in asked(self.kind, facts, given)
        ]
        later = device_forms.live_refusal(self.kind, facts, given, new=self.new)
        found.append(_later(known["when"], later) if later else known["when"])
        return tuple(found)

    def _check(self, facts: FormFacts, given: Mapping[str, Any]) -> str:
        """What the running domain refuses, said before it is asked."""
        from tuivirt.actions import device_forms

        if not self.new and not given.get("which"):
            return "Which one?"
        if not device_forms.now_too(given.get("when")):
            return ""
        why = device_forms.live_refusal(self.kind, facts, given, new=self.new)
        return f"{why[0].upper()}{why[1:]}. Choose When: {When.NEXT_BOOT}." if why else ""


def field_as_shown(field: Field, shown: Any) -> Field:
    """An option's field as it is beside the others."""
    return replace(
        field,
        kind="choice" if shown.choices else "text",
        value=shown.start,
        choices=shown.choices,
        help=f"{shown.help} {shown.missing}".rstrip(),
        rare=shown.rare,
        of=shown.of,
        unset=shown.unset,
        listed=shown.listed,
    )


def _later(field: Field, why: str) -> Field:
    """The time of a change that cannot be made while the guest runs."""
    return replace(
        field,
        value=str(When.NEXT_BOOT),
        choices=(str(When.NEXT_BOOT),),
        help=f"{why[0].upper()}{why[1:]}.",
        of="later",
    )


def offering_of(action: str) -> Offering | None:
    """For the actions that are made for each kind of device; None for others."""
    verb, _, kind = action.partition("-")
    if verb == "detach":
        return KindChoice(kind)
    return DeviceForm(kind, new=verb == "attach") if verb in ("attach", "update") else None
