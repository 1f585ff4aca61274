"""The form of a new disk: what it is made of, then what that kind needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.forms import FormFacts
from tuivirt.widgets.form import Field

from .host_choice import DISK_SOURCES, VOLUMES
from .kind_choice import field_as_shown
from .offers import Asked, Offer

_SAID = {
    "file": "Path of the image, as the host sees it",
    "block": "Path of the block device, as the host sees it",
    "volume": "Its pool and its name, as in default/web-01.qcow2",
}
"""By kind: what its source is."""
_RARE = ("subdriver", "cache", "io", "serial", "force")


@dataclass(frozen=True, slots=True)
class AttachDisk:
    """Offers the host's block devices, the fields of a network source by its protocol, and of
    buses and kinds of disk what the host has."""

    @property
    def waits(self) -> str:
        """Nothing: a path can be typed meanwhile."""
        return ""

    def look_up(self, host: Any, key: str) -> FormFacts:
        return lookups.form_facts(host, key, "disk")

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain: what suits it is its own."""
        ((_asked, facts),) = answers

        def shape(given: Mapping[str, Any]) -> tuple[Field, ...]:
            return _shape(fields, facts, given)

        return Offer(shape({}), shape=shape, parameters=_parameters)


def _shape(
    fields: Sequence[Field], facts: FormFacts, given: Mapping[str, Any]
) -> tuple[Field, ...]:
    found: list[Field] = []
    for field in fields:
        if field.name == "source" and given.get("sourcetype") == "network":
            found += _network(facts, given)
        else:
            found.append(_narrowed(field, facts, given))
    return tuple(found)


def _network(facts: FormFacts, given: Mapping[str, Any]) -> list[Field]:
    from tuivirt.actions.disk_forms import network_fields

    return [
        # A digit typed after a port would make it another.
        field_as_shown(
            Field(shown.name, label, required=needed, replaced=shown.name == "port"), shown
        )
        for label, needed, shown in network_fields(facts, given)
    ]


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    from tuivirt.actions.disk_forms import as_options

    return as_options(given) if given.get("sourcetype") == "network" else dict(given)


def _narrowed(field: Field, facts: FormFacts, given: Mapping[str, Any]) -> Field:
    from tuivirt.actions.device_forms import BLOCKS, lacking_of
    from tuivirt.actions.disk_forms import kind_of

    kind = str(given.get("sourcetype") or "")
    if field.name == "sourcetype":
        said = kind_of(str(given.get("source") or ""))
        return replace(field, unset=f"{said}, as the source says" if said else "as the source says")
    if field.name == "source":
        listed = {"": DISK_SOURCES, "block": BLOCKS, "volume": VOLUMES}.get(kind, "")
        return replace(field, listed=listed, help=_SAID.get(kind, field.help))
    if field.name in _RARE:
        return replace(field, rare=True)
    names = {"targetbus": "bus", "type": "device"}
    if field.name not in names:
        return field
    can, missing = lacking_of(names[field.name], [c for c in field.choices if c], facts)
    none = ("",) if "" in field.choices else ()
    bus = facts.buses.get(str(given.get("type", "disk")), "")
    return replace(
        field,
        choices=(*none, *can),
        value=field.value if field.value in can else (*none, *can)[0],
        help=f"{field.help}. {missing}" if missing else field.help,
        unset=f"{bus}, as suits it" if bus else field.unset,
    )
