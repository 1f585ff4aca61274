"""A device type, declared once: its fields with where they lie in its XML.

From the declaration come the parser, the builder, edits that leave the rest alone, and what a
form or a command-line option needs to know (label, help, choices, default).

    SERIAL = Declaration("serial", (
        Field("type", "@type", "Kind", "What stands behind the port.", choices=("pty", "tcp")),
        Field("port", "target/@port", "Port", "Its number in the guest.", FieldType.INT),
    ))
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .errors import BadValue, MalformedXml
from .place import Place, Reading, place_at
from .tree import Element, lxml, number, to_text, unit_factor

Value = str | int | bool | None
"""What a field can hold; '' or None: the XML says nothing."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FieldType(StrEnum):
    """How a value is written in XML."""

    TEXT = "text"
    INT = "int"
    """A whole number; read in decimal or as 0x…, written in decimal."""
    FLAG = "flag"
    """True when the element is there, as in ``<readonly/>``."""
    YES_NO = "yes or no"
    ON_OFF = "on or off"
    SIZE = "size"
    """Bytes, in an element's text with a unit attribute; written in the field's unit."""


_NOTHING: dict[FieldType, Value] = {FieldType.TEXT: "", FieldType.FLAG: False}
_WORDS = {FieldType.YES_NO: ("yes", "no"), FieldType.ON_OFF: ("on", "off")}


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a device."""

    name: str
    path: str | Mapping[str, str]
    """Where it lies, from the device's element on: ``target/@dev``, ``serial``, ``@type``, or
    ``option[@name='x']/@value``. A mapping, when that depends on the field ``by``."""
    label: str
    help: str
    """One line."""
    type: FieldType = FieldType.TEXT
    choices: tuple[str, ...] = ()
    """What may be written; reading accepts whatever a newer libvirt has."""
    default: Value = None
    """What is meant where the XML is silent."""
    by: str = ""
    """The field (declared before) whose value chooses the path."""
    only: tuple[str, tuple[str, ...]] | None = None
    """It makes sense only while that field (declared before) has one of these values."""
    required: bool = False
    """A device cannot be built without it (where ``only`` lets it be)."""
    unit: str = "KiB"
    """The unit in which a SIZE is written and, without a unit attribute, read."""

    @property
    def nothing(self) -> Value:
        """Its value when the XML is silent."""
        if self.default is not None:
            return self.default
        return _NOTHING.get(self.type)

    def applies(self, values: Mapping[str, Value]) -> bool:
        """Whether it makes sense beside these values."""
        return self.only is None or values[self.only[0]] in self.only[1]

    def check(self, value: object) -> Value:
        """``value`` as this field holds it; None to take it out. Raises BadValue."""
        if value is None or value == "":
            return None
        if self.type is FieldType.TEXT:
            return self._check_text(value)
        if self.type in (FieldType.INT, FieldType.SIZE):
            return self._check_number(value)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("yes", "on", "true", "no", "off", "false"):
            return value.lower() in ("yes", "on", "true")
        raise BadValue(self.name, f"{value!r} is neither yes nor no")

    def _check_text(self, value: object) -> str:
        text = str(value)
        bad = _NOT_XML.search(text)
        if bad:
            raise BadValue(
                self.name, f"holds the character U+{ord(bad[0]):04X}, which XML cannot hold"
            )
        if self.choices and text not in self.choices:
            raise BadValue(self.name, f"{text!r} is not one of {', '.join(self.choices)}")
        return text

    def _check_number(self, value: object) -> int:
        amount = number(value) if isinstance(value, str) else value
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise BadValue(self.name, f"{value!r} is not a whole number")
        if amount < 0:
            raise BadValue(self.name, f"{amount} is below zero")
        return amount

    def _read(self, holder: Element | None, place: Place) -> Value:
        if holder is None:
            return self.nothing
        if self.type is FieldType.FLAG:
            return True
        text = holder.get(place.attribute) if place.attribute else (holder.text or "")
        if text is None or text == "":
            return self.nothing
        if self.type is FieldType.TEXT:
            return str(text)
        if self.type in _WORDS:
            return bool(text.strip() == _WORDS[self.type][0])
        amount = number(text)
        if amount is None:
            return self.nothing
        if self.type is FieldType.INT:
            return amount
        return amount * unit_factor(holder.get("unit", self.unit))

    def _write(self, element: Element, place: Place, value: Value) -> None:
        if self.type is FieldType.FLAG and not value:
            place.clear(element)
            return
        holder = place.make(element)
        if self.type is FieldType.FLAG:
            return
        if self.type in _WORDS:
            text = _WORDS[self.type][0 if value else 1]
        elif self.type is FieldType.SIZE:
            assert isinstance(value, int)
            unit = self.unit if value % unit_factor(self.unit) == 0 else "bytes"
            holder.set("unit", unit)
            text = str(value // unit_factor(unit))
        else:
            text = str(value)
        if place.attribute:
            holder.set(place.attribute, text)
        else:
            holder.text = text


@dataclass(frozen=True)
class Declaration:
    """A device type."""

    tag: str
    fields: tuple[Field, ...]
    _places: dict[str, Place] = field(init=False, default_factory=dict)
    _by_name: dict[str, Field] = field(init=False, default_factory=dict)
    _plan: list[tuple[Field, Place | None]] = field(init=False, default_factory=list)
    _silence: dict[str, Value] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        known: dict[str, Field] = {}
        for each in self.fields:
            if each.name in known:
                raise TypeError(f"<{self.tag}> declares {each.name} twice")
            for needed in (each.by, each.only[0] if each.only else ""):
                if needed and needed not in known:
                    raise TypeError(f"<{self.tag}> {each.name} depends on {needed}, not yet known")
            known[each.name] = each
            paths = (each.path,) if isinstance(each.path, str) else tuple(each.path.values())
            self._places.update({path: place_at(path) for path in paths})
            place = self._places[each.path] if isinstance(each.path, str) else None
            self._plan.append((each, place))
            self._silence[each.name] = each.nothing
        self._by_name.update(known)

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
            if each.only is not None and not each.applies(values):
                continue
            at = place or self._place(each, values)
            holder = None if at is None else reading.holder(at)
            if at is not None and holder is not None:
                values[each.name] = each._read(holder, at)
        return values

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
                each._write(element, place, value)
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
        for each in self.fields:
            before = self._place(each, old) if each.applies(old) else None
            after = self._place(each, new) if each.applies(new) else None
            if before is not None and before != after:
                before.clear(element)
            if after is None or each.name not in wanted:
                continue
            if wanted[each.name] is None:
                after.clear(element)
            elif each._read(after.holder(element), after) != wanted[each.name]:
                each._write(element, after, wanted[each.name])

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
                assert each.only is not None
                raise BadValue(name, f"makes no sense while {each.only[0]} is {new[each.only[0]]}")
            if self._place(each, new) is None:
                raise BadValue(name, f"makes no sense while {each.by} is {new[each.by]}")
