"""A device type, declared once: its fields with where they lie in its XML.

From the declaration come the parser, the builder, edits that leave the rest alone, and what a
form or a command-line option needs to know (label, help, choices, default).

    SERIAL = Declaration("serial", (
        Field("type", "@type", "Kind", "What stands behind the port.", choices=("pty", "tcp")),
        Field("port", "target/@port", "Port", "Its number in the guest.", FieldType.INT),
    ))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..model.machine import Machine
from .errors import BadValue, MalformedXml
from .field import Field, FieldType, Value
from .offered import initial
from .place import Place, Reading, place_at
from .tree import Element, lxml, to_text

__all__ = ["Declaration", "Field", "FieldType", "Value"]

ANY_MACHINE = Machine()
"""One of which nothing is known: anything suits it."""


@dataclass(frozen=True)
class Declaration:
    """A device type."""

    tag: str
    fields: tuple[Field, ...]
    summary: Callable[[Mapping[str, Value]], str] | None = None
    """One line that says what a device with these values is; None: nothing is to be said."""
    common: tuple[str, ...] = ()
    """The fields that matter to most, in a form's order; the others stand back."""
    _places: dict[str, Place] = field(init=False, default_factory=dict)
    _by_name: dict[str, Field] = field(init=False, default_factory=dict)
    _plan: list[tuple[Field, Place | None]] = field(init=False, default_factory=list)
    _silence: dict[str, Value] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        known: dict[str, Field] = {}
        for each in self.fields:
            if each.name in known:
                raise TypeError(f"<{self.tag}> declares {each.name} twice")
            hangs_on = (each.by, *(on[0] for on in (each.only, each.unless) if on is not None))
            for needed in hangs_on:
                if needed and needed not in known:
                    raise TypeError(f"<{self.tag}> {each.name} depends on {needed}, not yet known")
            known[each.name] = each
            paths = (each.path,) if isinstance(each.path, str) else tuple(each.path.values())
            also = (each.also,) if each.also else ()
            self._places.update({path: place_at(path) for path in (*paths, *also)})
            place = self._places[each.path] if isinstance(each.path, str) else None
            self._plan.append((each, place))
            self._silence[each.name] = each.nothing
        self._by_name.update(known)
        for name in self.common:
            if name not in known:
                raise TypeError(f"<{self.tag}> has no {name} to be common")

    def __getitem__(self, name: str) -> Field:
        """The field of that name; KeyError when there is none."""
        return self._by_name[name]

    def parse(self, element: Element) -> dict[str, Value]:
        """Every field's value, by name; where the XML is silent, what that means.

        Nothing is refused: what a number or a word cannot be read from counts as silence.
        """
        if element.tag != self.tag:
            raise MalformedXml(f"<{element.tag}> found where <{self.tag}> was expected")
        values = dict(self._silence)
        reading = Reading(element)
        for each, place in self._plan:
            # Most of what could be said is not: that is found out first, as it costs least.
            if place is not None and not each.also and not reading.may_have(place):
                continue
            if (each.only or each.unless) and not each.applies(values):
                continue
            at = place or self._place(each, values)
            holder = None if at is None else reading.holder(at)
            if at is not None and holder is not None:
                values[each.name] = each.read(holder, at, element)
            if each.also and values[each.name] == each.nothing:
                at = self._places[each.also]
                values[each.name] = each.read(reading.holder(at), at, element)
        return values

    def applying(self, values: Mapping[str, object]) -> tuple[Field, ...]:
        """The fields that make sense beside these values, the common ones in front.

        What is left open counts as silence, what cannot be is taken as it is. Left out is what
        can say one thing only and is written anyway.
        """
        whole: dict[str, Value] = {each.name: each.nothing for each in self.fields}
        found: list[Field] = []
        for each in self.fields:
            if not each.applies(whole) or self._place(each, whole) is None:
                continue
            given = values.get(each.name)
            if given not in (None, ""):
                whole[each.name] = str(given)
            if not (each.required and len(each.choices) == 1):
                found.append(each)
        order = {name: number for number, name in enumerate(self.common)}
        return tuple(sorted(found, key=lambda each: order.get(each.name, len(order))))

    def is_common(self, each: Field) -> bool:
        """Whether a form shows it at once."""
        return (
            not self.common or each.name in self.common or (each.required and each.default is None)
        )

    def proposal(
        self, values: Mapping[str, Value], machine: Machine = ANY_MACHINE
    ) -> dict[str, Value]:
        """What a new device with these values gets besides: what suits the machine best."""
        whole = {each.name: each.nothing for each in self.fields} | dict(values)
        proposed: dict[str, Value] = {}
        for each in self.fields:
            if each.name in values or not each.applies(whole):
                continue
            value = initial(each, machine, whole)
            if value is not None and self._place(each, whole) is not None:
                whole[each.name] = proposed[each.name] = value
        return proposed

    def check(self, values: Mapping[str, object]) -> dict[str, Value]:
        """``values`` as the fields hold them. Raises BadValue for the first that cannot be."""
        checked: dict[str, Value] = {}
        for name, value in values.items():
            if name not in self._by_name:
                raise BadValue(name, f"<{self.tag}> has no such field")
            checked[name] = self[name].check(value)
        return checked

    def _check_against(
        self, old: Mapping[str, Value], changes: Mapping[str, object]
    ) -> dict[str, Value]:
        """As `check`, but what the XML says already may be said again: a newer libvirt's word."""
        known = {name: old[name] for name in changes if name in old and changes[name] == old[name]}
        new = self.check({name: value for name, value in changes.items() if name not in known})
        return new | {name: None if value == "" else value for name, value in known.items()}

    def build(self, values: Mapping[str, object]) -> str:
        """A new device's XML, in the order of declaration. Raises BadValue.

        Only what is given is written, and what a device cannot be without: where the XML is
        silent, libvirt chooses.
        """
        given = {name: value for name, value in self.check(values).items() if value is not None}
        whole = {each.name: each.nothing for each in self.fields} | given
        self._refuse_misplaced(given, whole)
        element = lxml().Element(self.tag)
        for each in self.fields:
            if not each.applies(whole):
                continue
            value = whole[each.name]
            if each.required and value in ("", None):
                raise BadValue(each.name, f"a {self.tag} cannot be made without it")
            place = self._place(each, whole)
            if place is not None and (each.name in given or each.required):
                each.write(element, place, value)
        return to_text(element)

    def apply(self, element: Element, changes: Mapping[str, object]) -> None:
        """Set what ``changes`` names in ``element`` and leave everything else as it is.

        A value of None or '' takes the field out, and with it the elements that this empties.
        A field whose place depends on another that changes is taken from its old place, and so
        is one that no longer makes sense. A change that says what the element says already
        writes nothing. Raises BadValue, with nothing changed.
        """
        old = self.parse(element)
        wanted = self._check_against(old, changes)
        new = old | {
            name: self[name].nothing if value is None else value for name, value in wanted.items()
        }
        self._refuse_misplaced(wanted, new)
        moves = []
        for each in self.fields:
            before = self._place(each, old) if each.applies(old) else None
            after = self._place(each, new) if each.applies(new) else None
            moves.append((each, after))
            if before is not None and before != after:
                self._clear(element, each, before)
        # All that goes first: two fields may have the same place, each in its own case.
        for each, at in moves:
            if at is None or each.name not in wanted:
                continue
            if wanted[each.name] is None:
                self._clear(element, each, at)
            elif self._read(element, each, at) != wanted[each.name]:
                self._write(element, each, at, wanted[each.name])

    def _read(self, element: Element, each: Field, place: Place) -> Value:
        value = each.read(place.holder(element), place, element)
        if each.also and value == each.nothing:
            other = self._places[each.also]
            value = each.read(other.holder(element), other, element)
        return value

    def _clear(self, element: Element, each: Field, place: Place) -> None:
        for at in (place, *((self._places[each.also],) if each.also else ())):
            each.clear(element, at)

    def _write(self, element: Element, each: Field, place: Place, value: Value) -> None:
        """At both places where the elements for both are there, else where they are."""
        other = self._places[each.also] if each.also else None
        if other is None or other.holder(element) is None:
            each.write(element, place, value)
            return
        each.write(element, other, value)
        if place.holder(element) is not None:
            each.write(element, place, value)

    def _place(self, each: Field, values: Mapping[str, Value]) -> Place | None:
        if isinstance(each.path, str):
            return self._places[each.path]
        path = each.path.get(str(values[each.by]))
        return None if path is None else self._places[path]

    def _refuse_misplaced(self, wanted: Mapping[str, Value], new: Mapping[str, Value]) -> None:
        for name, value in wanted.items():
            each = self[name]
            if value in (None, each.nothing):
                continue
            if not each.applies(new):
                raise BadValue(name, _senseless(each.hangs_on(new), new))
            if self._place(each, new) is None:
                raise BadValue(name, _senseless(each.by, new))


def _senseless(beside: str, new: Mapping[str, Value]) -> str:
    value = new[beside]
    return f"makes no sense while {beside} is {'not given' if value in (None, '') else value}"
