"""Reading XML text safely, and small helpers over its elements."""

from __future__ import annotations

import copy
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

from .errors import MalformedXml

Element = Any
"""An lxml element, or of what was only skimmed ElementTree's; lxml has no types of its own."""


@cache
def lxml() -> Any:
    """The module lxml.etree, imported where it is needed first: it takes 5 MB and 10 ms."""
    from lxml import etree

    return etree


_UNITS = {
    "": 1,
    "b": 1,
    "byte": 1,
    "bytes": 1,
    "k": 1024,
    "m": 1024**2,
    "g": 1024**3,
    "t": 1024**4,
    "p": 1024**5,
    "e": 1024**6,
}


def parse(xml: str, *expected: str) -> Element:
    """The root element of ``xml``, which must be one of ``expected`` when any is given.

    Raises MalformedXml. A DOCTYPE is refused: libvirt never writes one, and its entities are
    the way to read files and to fill memory.
    """
    try:
        data = xml.encode()
    except UnicodeEncodeError as error:
        raise MalformedXml(f"the XML holds a lone surrogate at character {error.start}") from None
    # The encoding is given: a declaration in the text speaks of bytes that we never saw.
    etree = lxml()
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise MalformedXml(f"the XML is not well-formed: {error.msg or 'it is empty'}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedXml("the XML holds a DOCTYPE, which libvirt's formats never do")
    _check_tag(root, expected)
    return root


def skim(xml: str, *expected: str) -> Element:
    """As `parse`, for who only reads: the lists read thousands of these.

    Without comments, and without the ways up and back that a change needs.
    """
    if "<!DOCTYPE" not in xml:
        try:
            root = ElementTree.fromstring(xml)
        except (ElementTree.ParseError, UnicodeEncodeError):
            pass  # `parse` says what is wrong.
        else:
            _check_tag(root, expected)
            return root
    return parse(xml, *expected)


def _check_tag(root: Element, expected: tuple[str, ...]) -> None:
    if expected and root.tag not in expected:
        raise MalformedXml(f"<{root.tag}> found where <{'> or <'.join(expected)}> was expected")


def text_of(element: Element, path: str) -> str:
    """The stripped text at a simple path, or ''."""
    found = element.findtext(path)
    return found.strip() if found else ""


def attribute(element: Element, path: str, name: str) -> str:
    """An attribute of the first element at a simple path, or ''."""
    found = element.find(path)
    return (found.get(name) or "") if found is not None else ""


def number(text: str | None) -> int | None:
    """A decimal number, or a hexadecimal one with 0x; None when it is neither."""
    if not text:
        return None
    try:
        return int(text.strip(), 0) if "x" in text.lower() else int(text.strip(), 10)
    except ValueError:
        return None


def unit_factor(unit: str) -> int:
    """How many bytes libvirt's unit stands for (``KiB`` and ``K`` are 1024, ``KB`` is 1000)."""
    word = unit.strip().lower()
    if word in _UNITS:
        return _UNITS[word]
    if word.endswith("ib") and word[:-2] in _UNITS:
        return _UNITS[word[:-2]]
    if len(word) == 2 and word[1] == "b" and word[0] in _UNITS:
        power = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}[word[0]]
        return int(1000**power)
    raise MalformedXml(f"unknown unit {unit!r}")


def size_of(element: Element | None, default_unit: str = "bytes") -> int | None:
    """The bytes that an element such as ``<memory unit='KiB'>1024</memory>`` holds, or None."""
    if element is None:
        return None
    amount = number(element.text)
    return None if amount is None else amount * unit_factor(element.get("unit", default_unit))


def to_text(element: Element) -> str:
    """The element as text, without what follows it and without namespaces it does not use.

    Of an element that was only skimmed, ''.
    """
    if isinstance(element, ElementTree.Element):
        return ""
    if element.getparent() is not None and element.nsmap:
        element = copy.deepcopy(element)  # A copy leaves the root's unused declarations behind.
    return str(lxml().tostring(element, encoding="unicode", with_tail=False))


def pci_address(element: Element | None) -> str:
    """``0000:04:00.0`` from an element with domain, bus, slot and function; '' when incomplete."""
    if element is None:
        return ""
    get = element.get
    return _pci_address(get("domain"), get("bus"), get("slot"), get("function"))


@lru_cache(maxsize=512)
def _pci_address(*words: str | None) -> str:
    """Guests have the same few: they are spelt once."""
    domain, bus, slot, function = map(number, words)
    if bus is None or slot is None:
        return ""
    return f"{domain or 0:04x}:{bus:02x}:{slot:02x}.{function or 0:x}"


def address_of(element: Element | None) -> str:
    """A device's ``<address>`` in one word, by its type: ``pci 0000:00:03.0``, ``usb 0:1`` …"""
    if element is None:
        return ""
    kind = element.get("type", "")
    if kind == "pci":
        where = pci_address(element)
        return f"pci {where}" if where else "pci"
    names = {
        "drive": ("controller", "bus", "target", "unit"),
        "usb": ("bus", "port"),
        "virtio-serial": ("controller", "bus", "port"),
        "ccw": ("cssid", "ssid", "devno"),
        "isa": ("iobase",),
        "spapr-vio": ("reg",),
        "dimm": ("slot",),
        "ccid": ("controller", "slot"),
    }.get(kind, ())
    parts = [element.get(name, "") for name in names]
    return " ".join(word for word in (kind, ":".join(part for part in parts if part)) if word)
