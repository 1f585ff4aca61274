"""In which fields a running device differs from the saved one, in an operator's words."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..model.device import Device, Disk, Interface
from ..model.twins import FILLED, differing
from .field import Field, FieldType

_NOTHING = "default"


def changes(
    kind_name: str,
    what: str,
    live: Disk | Interface | Device,
    saved: Disk | Interface | Device,
    told: Collection[str] = (),
) -> Iterator[str]:
    """A phrase for each field that differs, as in ``disk vda: copy on read default → on``.

    ``what`` names the device; ``{}`` in it stands for its kind. What lies at a path of ``told``,
    or below it, is left out. What is not declared is told in one phrase without values.
    """
    paths = {path for path in differing(live, saved) if not _within(path, told)}
    if not paths:
        return
    from .catalog import kinds  # As the detail view does, and only where something differs.

    kind = kinds().get(kind_name)
    name = what.format(kind.noun if kind is not None else kind_name) if "{}" in what else what
    now, later = (_said(one) for one in (live, saved))
    for field in kind.declaration.fields if kind is not None else ():
        for place in _places(field):
            mine = {path for path in paths if _within(path, (place,))}
            paths -= mine
            if mine:
                before, after = (_value(field, place, said) for said in (now, later))
                values = f" {before} → {after}" if before != after else ""
                yield f"{name}: {small(field.label)}{values}"
    if paths:
        yield f"{name} is changed"


def small(label: str) -> str:
    """A label within a sentence; MTU and TLS stay as they are written."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _within(path: str, places: Collection[str]) -> bool:
    """Whether it is one of these places, an attribute of it, or another one of its kind."""
    return any(path == place or path.startswith((f"{place}/", f"{place}[")) for place in places)


def _places(field: Field) -> list[str]:
    paths = [field.path] if isinstance(field.path, str) else list(field.path.values())
    return list(dict.fromkeys([*paths, field.also] if field.also else paths))


def _said(one: Disk | Interface | Device) -> dict[str, str]:
    return {path.removeprefix(FILLED): value for path, value in one.facts}


def _value(field: Field, place: str, said: dict[str, str]) -> str:
    if field.type is FieldType.FLAG:
        return "yes" if any(_within(path, (place,)) for path in said) else "no"
    value = said.get(place, "")
    unit = said.get(f"{place}/@unit", "")
    return " ".join(word for word in (value, unit) if word) or _NOTHING
