"""Edits of a domain's own elements (``<vcpu>``, ``<cpu>`` …) that leave all else of it as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from .declare import Declaration
from .spans import Span, spans, without_line
from .tree import Element, lxml, parse, to_text


def change_section(domain_xml: str, declaration: Declaration, changes: Mapping[str, object]) -> str:
    """``domain_xml`` with fields of the one element changed that the declaration is of.

    The element is made where there is none, and taken out where nothing is left in it. A change
    that says what is there already returns the very same text. Raises MalformedXml, BadValue.
    """

    def change(element: Element) -> None:
        declaration.apply(element, changes)

    return _changed(domain_xml, declaration.tag, change)


def keep_vcpus(domain_xml: str, most: int) -> str:
    """``domain_xml`` without the vCPUs of ``<vcpus>`` that are beyond ``most``.

    libvirt refuses a domain that tells of one that it cannot have.
    """

    def change(element: Element) -> None:
        for each in element.findall("vcpu"):
            if int(each.get("id", "0")) >= most:
                element.remove(each)

    root = parse(domain_xml, "domain")
    return domain_xml if root.find("vcpus") is None else _changed(domain_xml, "vcpus", change)


def _changed(domain_xml: str, tag: str, change: Callable[[Element], None]) -> str:
    root = parse(domain_xml, "domain")
    span = spans(domain_xml)
    element = root.find(tag)
    if element is None:
        made = lxml().Element(tag)
        change(made)
        if not _says_something(made):
            return domain_xml
        return _insert(domain_xml, span, to_text(made))
    at = span.children[list(root.iterchildren("*")).index(element)]
    changed = copy.deepcopy(element)
    changed.tail = None
    before = to_text(changed)
    change(changed)
    if not _says_something(changed):
        return without_line(domain_xml, at)
    after = to_text(changed)
    if after == before:
        return domain_xml
    return domain_xml[: at.start] + after + domain_xml[at.end :]


def _says_something(element: Element) -> bool:
    return bool(len(element) or element.attrib or (element.text or "").strip())


def _insert(domain_xml: str, root: Span, text: str) -> str:
    """As the last child, on a line of its own where the others have theirs."""
    first = root.children[0].start if root.children else root.inner_end
    gap = domain_xml[root.inner_start : first]
    blank = gap[len(gap.rstrip()) :]
    indent = blank[blank.rfind("\n") :] if "\n" in blank else ""
    at = root.children[-1].end if root.children else root.inner_end
    return domain_xml[:at] + indent + text + domain_xml[at:]
