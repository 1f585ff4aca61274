"""The form of a move: which of the other hosts, what of the images, and what few need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.actions.migrations import RARE, STORAGE
from tuivirt.widgets.form import Field

from .offers import Asked, Offer

_STORAGE = "storage"
_STORAGE_CHOICES = {"": "what is missing there", **STORAGE}


@dataclass(frozen=True, slots=True)
class MigrateForm:
    """Offers the hosts to move to; ``dest`` is the parameter's name."""

    dest: str = "dest"

    @property
    def waits(self) -> str:
        """The hosts are known at once."""
        return "Looking for other hosts …"

    def look_up(self, host: Any, key: str) -> Sequence[tuple[str, str]]:
        return lookups.destinations(host, key)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one host or several: only what each of them can go to."""
        names = [dict(hosts) for _asked, hosts in answers]
        common = [(name, note) for name, note in names[0].items() if all(name in n for n in names)]
        if not common:
            return Offer((), blocked="There is no other host: connect one (:hosts).")
        shown = []
        for field in fields:
            if field.name == self.dest:
                shown += [self._hosts(field, common), _storage()]
            else:
                shown.append(replace(field, rare=field.name in RARE))
        return Offer(tuple(shown), parameters=_parameters)

    def _hosts(self, field: Field, hosts: Sequence[tuple[str, str]]) -> Field:
        none = [] if field.required else [""]
        notes = [note for _name, note in hosts]
        return replace(
            field,
            kind="choice",
            value=hosts[0][0] if field.required else "",
            choices=(*none, *(name for name, _note in hosts)),
            helps=(*none, *notes),
            unset="all others that are connected",
        )


def _storage() -> Field:
    return Field(
        _STORAGE,
        "Images copied",
        "choice",
        "",
        tuple(_STORAGE_CHOICES),
        "Which images are copied to the target.",
        labels=tuple(_STORAGE_CHOICES.values()),
    )


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if name != _STORAGE}
    if given.get(_STORAGE):
        values[str(given[_STORAGE])] = True
    return values
