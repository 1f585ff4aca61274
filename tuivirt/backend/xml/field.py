"""One property of a device: what it is called, what it may hold, and where it lies in the XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from ..model.record import record
from .errors import BadValue, MalformedXml
from .offered import ALL, Offer
from .place import Place, remove
from .tree import Element, number, pci_address, unit_factor

Value = str | int | bool | None
"""What a field can hold; '' or None: the XML says nothing."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PCI = re.compile(r"(?:([\da-f]{1,4}):)?([\da-f]{1,2}):([\da-f]{1,2})\.([0-7])", re.IGNORECASE)
_SIZED = re.compile(r"(\d+)\s*([A-Za-z]*)")
_PCI_PARTS = (("domain", 4), ("bus", 2), ("slot", 2), ("function", 1))
_PCI_NAMES = (*(name for name, _digits in _PCI_PARTS), "multifunction")


class FieldType(StrEnum):
    """How a value is written in XML."""

    TEXT = "text"
    SECRET = "secret"
    """Text that is not to be shown; libvirt gives it out only where it is asked for."""
    INT = "int"
    """A whole number; read in decimal or as 0x…, written in decimal."""
    FLAG = "flag"
    """True when the element is there, as in ``<readonly/>``."""
    YES_NO = "yes or no"
    ON_OFF = "on or off"
    SIZE = "size"
    """Bytes, in an element's text with a unit attribute; written in the field's unit."""
    LIST = "list"
    """One element for each value, of which the field holds all, with ``, `` between them."""
    HEX = "hex"
    """Four hexadecimal digits, held and written as ``0x1d6b``; the 0x may be left out."""
    PCI = "pci"
    """An address such as ``0000:04:00.0``, in attributes of the element that the path names."""


_TEXTS = (FieldType.TEXT, FieldType.SECRET, FieldType.LIST, FieldType.HEX, FieldType.PCI)
_WORDS = {FieldType.YES_NO: ("yes", "no"), FieldType.ON_OFF: ("on", "off")}


@record(frozen=True, slots=True)
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
    unless: tuple[str, tuple[str, ...]] | None = None
    """It makes none while that field (declared before) has one of these values."""
    required: bool = False
    """A device cannot be built without it (where ``only`` lets it be)."""
    unit: str = "KiB"
    """The unit in which a SIZE is written and, without a unit attribute, read."""
    initial: Value = None
    """What a new device gets where nothing else is said; None: what libvirt chooses."""
    least: int = 0
    most: int | None = None
    """The range of a number."""
    also: str = ""
    """Another place that says the same: read where the first is silent, kept equal to it."""
    offer: Offer = ALL
    """What of it a host offers, and what suits which machine."""

    @property
    def nothing(self) -> Value:
        """Its value when the XML is silent."""
        if self.default is not None:
            return self.default
        if self.type in _TEXTS:
            return ""
        return False if self.type is FieldType.FLAG else None

    def applies(self, values: Mapping[str, Value]) -> bool:
        """Whether it makes sense beside these values."""
        if self.unless is not None and values[self.unless[0]] in self.unless[1]:
            return False
        return self.only is None or values[self.only[0]] in self.only[1]

    def hangs_on(self, values: Mapping[str, Value]) -> str:
        """The field whose value here leaves this one without sense; '' when none does."""
        if self.unless is not None and values[self.unless[0]] in self.unless[1]:
            return self.unless[0]
        return "" if self.only is None or self.applies(values) else self.only[0]

    def check(self, value: object) -> Value:
        """``value`` as this field holds it; None to take it out. Raises BadValue."""
        if value is None or value == "":
            return None
        if self.type in _TEXTS:
            return self._check_text(str(value))
        if self.type in (FieldType.INT, FieldType.SIZE):
            return self._check_number(value)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("yes", "on", "true", "no", "off", "false"):
            return value.lower() in ("yes", "on", "true")
        raise BadValue(self.name, f"{value!r} is neither yes nor no")

    def _check_text(self, text: str) -> str | None:
        bad = _NOT_XML.search(text)
        if bad:
            raise BadValue(
                self.name, f"holds the character U+{ord(bad[0]):04X}, which XML cannot hold"
            )
        if self.choices and text not in self.choices:
            raise BadValue(self.name, f"{text!r} is not one of {', '.join(self.choices)}")
        if self.type is FieldType.LIST:
            return _listed(text.split(",")) or None
        if self.type is FieldType.HEX:
            return self._check_hex(text)
        if self.type is FieldType.PCI:
            return self._check_pci(text)
        return text

    def _check_hex(self, text: str) -> str:
        amount = _hex(text)
        if amount is None or not 0 <= amount <= 0xFFFF:
            raise BadValue(self.name, f"{text!r} is not a number of four hexadecimal digits")
        return f"0x{amount:04x}"

    def _check_pci(self, text: str) -> str:
        match = _PCI.fullmatch(text.strip())
        if match is None or int(match[3], 16) > 0x1F:
            raise BadValue(self.name, f"{text!r} is no PCI address such as 0000:04:00.0")
        domain, bus, slot, function = (int(part or "0", 16) for part in match.groups())
        return f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"

    def _check_number(self, value: object) -> int:
        amount = value
        if isinstance(value, str):
            amount = self._sized(value) if self.type is FieldType.SIZE else number(value)
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise BadValue(self.name, f"{value!r} is not a whole number")
        if amount < self.least:
            least = f"{self.least}" if self.least else "zero"
            raise BadValue(self.name, f"{amount} is below {least}")
        if self.most is not None and amount > self.most:
            raise BadValue(self.name, f"{amount} is above {self.most}")
        return amount

    def _sized(self, text: str) -> int | None:
        """``512 MiB``, ``1G`` or bytes."""
        match = _SIZED.fullmatch(text.strip())
        try:
            return int(match[1]) * unit_factor(match[2]) if match else None
        except MalformedXml:
            raise BadValue(self.name, f"{match and match[2]!r} is no unit of size") from None

    def read(self, holder: Element | None, place: Place, element: Element) -> Value:
        """The value in ``holder``, to which ``place`` leads from ``element`` (None: nowhere)."""
        if holder is None:
            return self.nothing
        if self.type is FieldType.FLAG:
            return True
        if self.type is FieldType.PCI:
            return pci_address(holder)
        if self.type is FieldType.LIST:
            return _listed(place.text(each) for each in place.all(element))
        text = place.text(holder)
        if text == "":
            return self.nothing
        if self.type in _WORDS:
            return bool(text.strip() == _WORDS[self.type][0])
        if self.type is FieldType.HEX:
            amount = _hex(text)
            return text if amount is None else f"0x{amount:04x}"
        if self.type in _TEXTS:
            return text
        amount = number(text)
        if amount is None:
            return self.nothing
        if self.type is FieldType.INT:
            return amount
        return amount * unit_factor(holder.get("unit", self.unit))

    def clear(self, element: Element, place: Place) -> None:
        """Take the value out of ``element``, and the elements that this empties."""
        holder = place.holder(element)
        if holder is None:
            return
        if self.type is FieldType.PCI:
            said = [name for name in _PCI_NAMES if name in holder.attrib]
            for name in said:
                del holder.attrib[name]
            if said:
                place.prune(element, holder)
        elif self.type is FieldType.SIZE:
            holder.attrib.pop("unit", None)
            place.clear(element)
        elif self.type is FieldType.LIST:
            # Of the first, other fields may say something; the rest are of this one alone.
            for each in place.all(element)[1:]:
                remove(each)
            place.clear(element)
        else:
            place.clear(element)

    def write(self, element: Element, place: Place, value: Value) -> None:
        """Make ``element`` say ``value``, as `check` gave it."""
        if self.type is FieldType.FLAG and not value:
            place.clear(element)
            return
        holder = place.make(element)
        if self.type is FieldType.FLAG:
            return
        if self.type is FieldType.PCI:
            parts = (int(part, 16) for part in re.split("[:.]", str(value)))
            for (name, digits), part in zip(_PCI_PARTS, parts, strict=True):
                holder.set(name, f"0x{part:0{digits}x}")
        elif self.type is FieldType.LIST:
            self._write_list(element, place, str(value).split(", "))
        elif self.type is FieldType.SIZE:
            assert isinstance(value, int)
            unit = self.unit if value % unit_factor(self.unit) == 0 else "bytes"
            holder.set("unit", unit)
            place.put(holder, str(value // unit_factor(unit)))
        elif self.type in _WORDS:
            place.put(holder, _WORDS[self.type][0 if value else 1])
        else:
            place.put(holder, str(value))

    def _write_list(self, element: Element, place: Place, wanted: list[str]) -> None:
        place.make(element)
        there = place.all(element)
        for surplus in there[len(wanted) :]:
            remove(surplus)
        for number_, word in enumerate(wanted):
            holder = there[number_] if number_ < len(there) else place.another(element)
            place.put(holder, word)


def _hex(text: str) -> int | None:
    try:
        return int(text.strip(), 16)
    except ValueError:
        return None


def _listed(words: Iterable[str]) -> str:
    return ", ".join(word.strip() for word in words if word.strip())
