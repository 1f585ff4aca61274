"""Edits of a domain's XML that leave every other byte as it is.

The text is parsed to know what is where, but never written anew as a whole: an edit cuts out
or puts in the text of one device. So comments, namespaces, metadata, quotes and line ends of
everything else survive, whether we know them or not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..model.record import record
from .declare import Declaration
from .devices import host_device
from .errors import AmbiguousDevice, NoSuchDevice
from .spans import Span, spans, without_line
from .tree import Element, attribute, lxml, parse, to_text


@record(frozen=True, slots=True)
class Selector:
    """Which device is meant."""

    what: str
    """In words, as in ``disk vdb``."""
    matches: Callable[[Element], bool]
    number: int | None = None
    """Which of those that match, from 0; None: there must be only one."""


def disk(target: str) -> Selector:
    """The disk with that target."""
    return Selector(
        f"disk {target}", lambda e: e.tag == "disk" and attribute(e, "target", "dev") == target
    )


def interface(mac: str) -> Selector:
    """The interface with that MAC address, in any case."""
    return Selector(
        f"interface {mac}",
        lambda e: e.tag == "interface" and attribute(e, "mac", "address").lower() == mac.lower(),
    )


def with_alias(alias: str) -> Selector:
    """The device with that alias; a saved configuration has only aliases that users gave."""
    return Selector(f"device {alias}", lambda e: attribute(e, "alias", "name") == alias)


def like(device_xml: str) -> Selector:
    """The device that ``device_xml`` describes, as libvirt would tell it from others.

    A disk by its target, an interface by its MAC address, a host device by what it takes;
    any other by all that it says, what libvirt adds apart. Raises MalformedXml.
    """
    wanted = parse(device_xml)
    identity = identity_of(wanted)
    return Selector(
        f"{wanted.tag} {identity[1]}".strip() if isinstance(identity[1], str) else str(wanted.tag),
        lambda e: e.tag == wanted.tag and identity_of(e) == identity,
    )


def add_device(domain_xml: str, device_xml: str) -> str:
    """``domain_xml`` with a device more, after its other devices. Raises MalformedXml."""
    parse(device_xml)
    device = device_xml.strip()
    root, devices, _children, _elements = _look(domain_xml)
    if devices is None:
        return _insert(domain_xml, root, f"<devices>{device}</devices>")
    return _insert(domain_xml, devices, device)


def replace_device(domain_xml: str, selector: Selector, device_xml: str) -> str:
    """``domain_xml`` with another device in place of the one that ``selector`` means.

    Raises MalformedXml, NoSuchDevice, AmbiguousDevice.
    """
    parse(device_xml)
    span, _element = _select(domain_xml, selector)
    return domain_xml[: span.start] + device_xml.strip() + domain_xml[span.end :]


def remove_device(domain_xml: str, selector: Selector) -> str:
    """``domain_xml`` without the device that ``selector`` means, and without its line.

    Raises MalformedXml, NoSuchDevice, AmbiguousDevice.
    """
    span, _element = _select(domain_xml, selector)
    return without_line(domain_xml, span)


def change_device(
    domain_xml: str, selector: Selector, declaration: Declaration, changes: Mapping[str, object]
) -> str:
    """``domain_xml`` with these fields of one device changed, and all else of it kept.

    A change that says what is there already returns the very same text. Raises MalformedXml,
    NoSuchDevice, AmbiguousDevice, BadValue.
    """
    span, element = _select(domain_xml, selector)
    changed = copy.deepcopy(element)
    changed.tail = None
    before = to_text(changed)
    declaration.apply(changed, changes)
    after = to_text(changed)
    if after == before:
        return domain_xml
    return domain_xml[: span.start] + after + domain_xml[span.end :]


def device_xml(domain_xml: str, selector: Selector) -> str:
    """The text of the device that ``selector`` means. Raises as `remove_device`."""
    span, _element = _select(domain_xml, selector)
    return domain_xml[span.start : span.end]


def _look(domain_xml: str) -> tuple[Span, Span | None, list[Span], list[Element]]:
    """The spans of the root, of ``<devices>`` and of its children; and these as elements."""
    root = parse(domain_xml, "domain")
    span = spans(domain_xml)
    element = root.find("devices")
    if element is None:
        return span, None, [], []
    devices = span.children[list(root.iterchildren("*")).index(element)]
    return span, devices, devices.children, list(element.iterchildren("*"))


def _select(domain_xml: str, selector: Selector) -> tuple[Span, Element]:
    _root, _devices, children, elements = _look(domain_xml)
    found = [
        (span, element)
        for span, element in zip(children, elements, strict=True)
        if selector.matches(element)
    ]
    if selector.number is not None:
        found = found[selector.number : selector.number + 1]
    if not found:
        raise NoSuchDevice(f"the configuration has no {selector.what}")
    if len(found) > 1:
        raise AmbiguousDevice(f"the configuration has {len(found)} of {selector.what}")
    return found[0]


def _insert(xml: str, into: Span, text: str) -> str:
    """``text`` as the last child, on a line of its own where the others have theirs."""
    if into.closed:
        name = xml[into.start + 1 : into.end].split(None, 1)[0].rstrip("/>")
        opened = xml[into.start : into.end - 2].rstrip()
        return f"{xml[: into.start]}{opened}>{text}</{name}>{xml[into.end :]}"
    at = into.inner_end
    indent = ""
    if into.children:
        at = into.children[-1].end
        first = into.children[0].start
        gap = xml[into.inner_start : first]
        blank = gap[len(gap.rstrip()) :]
        indent = blank if "\n" in blank else ""
        indent = indent[indent.rfind("\n") :] if indent else ""
    return xml[:at] + indent + text + xml[at:]


def identity_of(element: Element) -> tuple[str, object]:
    """By what libvirt would tell a device from others, to be held against another's."""
    tag = element.tag
    if tag == "disk":
        return tag, attribute(element, "target", "dev")
    if tag == "interface" and attribute(element, "mac", "address"):
        return tag, attribute(element, "mac", "address").lower()
    if tag == "hostdev":
        where, identity = host_device(element)
        if identity or where:
            return tag, identity or where
    bare = copy.deepcopy(element)
    bare.tail = None
    for name in ("alias", "address"):
        for child in bare.findall(name):
            bare.remove(child)
    for each in bare.iter():
        if not (each.text or "").strip():
            each.text = None
        if not (each.tail or "").strip():
            each.tail = None
    return tag, lxml().tostring(bare, method="c14n", with_comments=False)
