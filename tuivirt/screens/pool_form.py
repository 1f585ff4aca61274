"""The form of a new storage pool: the types that the host can have, and what each is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuivirt.actions.pool_making import types_offered
from tuivirt.backend.model.pool_type import POOL_TYPES
from tuivirt.widgets.form import Field

from .offers import Asked, Offer

_ALWAYS = ("pool", "type", "start", "autostart")
_BUILT = frozenset(("dir", "fs", "netfs", "disk", "logical", "zfs", "vstorage"))
"""Types of which libvirt makes what they need, a folder at least."""
_OVER = ("overwrite", "no_overwrite")
"""What is asked where something is written over, and is built at once."""
_FOUND = {
    "netfs": "source_path",
    "iscsi": "source_dev",
    "logical": "source_name",
    "gluster": "source_name",
}
"""By type that libvirt looks for: the field in which what it finds is chosen."""
_RARE = ("source_protocol_ver", "adapter_wwnn", "adapter_wwpn", "adapter_parent")


class PoolForm:
    """Shows just the fields of the chosen type."""

    waits = ""
    """Nothing: the name can be typed meanwhile."""

    def look_up(self, host: Any, key: str) -> frozenset[str]:
        return types_offered(host, key)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one host: what its libvirt was built with."""
        ((_asked, offered),) = answers

        def shape(given: Mapping[str, Any]) -> tuple[Field, ...]:
            return tuple(_shape(fields, offered, given))

        return Offer(shape({}), shape=shape)


def _shape(
    fields: Sequence[Field], offered: frozenset[str], given: Mapping[str, Any]
) -> list[Field]:
    kind = POOL_TYPES[str(given.get("type") or "dir")]
    shown = {*_ALWAYS, *kind.needs, *kind.may}
    if kind.name in _BUILT:
        shown.add("build")
    if kind.builds and given.get("build"):
        shown |= {*_OVER}
    found = []
    for field in fields:
        if field.name == "type":
            types = tuple(each for each in field.choices if not offered or each in offered)
            helps = tuple(f"Its volumes are {POOL_TYPES[each].what}." for each in types)
            field = replace(field, choices=types, helps=helps)
        elif field.name == "source_format":
            field = replace(
                field,
                kind="choice",
                value="",
                choices=("", *kind.formats),
                unset="found out",
                of=kind.name,
            )
        elif field.name == "target" and kind.target:
            place = kind.target.format(name="its name")
            field = replace(field, help=f"{field.help}; {place} unless given")
        elif field.name == "secret_uuid":
            field = replace(field, listed="secrets")
        if field.name == _FOUND.get(kind.name):
            field = replace(field, listed="pool sources")
        if field.name in shown:
            required = field.required or field.name in kind.needs
            found.append(replace(field, required=required, rare=field.name in _RARE))
    return found
