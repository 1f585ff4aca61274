"""A place in a device's XML: found, made with the elements on the way, or cleared again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from .tree import Element, lxml

_STEP = re.compile(r"([\w.-]+)(?:\[@([\w.-]+)='([^']*)'\])?")


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way: the first child of that tag (with that attribute's value)."""

    tag: str
    name: str = ""
    value: str = ""

    def find(self, element: Element) -> Element | None:
        if not self.name:
            return element.find(self.tag)
        for child in element:
            if child.tag == self.tag and child.get(self.name) == self.value:
                return child
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """Elements to go down, and the attribute there; without one, the last element's text."""

    steps: tuple[Step, ...]
    attribute: str = ""
    way: str = ""
    """The steps as they were written."""
    simple: bool = False
    """At most one step, by its tag alone."""

    def holder(self, element: Element) -> Element | None:
        """The element that holds the value, or None."""
        for step in self.steps:
            element = step.find(element)
            if element is None:
                return None
        return element

    def make(self, element: Element) -> Element:
        """The element that holds the value, made when it is not there."""
        for step in self.steps:
            child = step.find(element)
            if child is None:
                child = append(element, step.tag)
                if step.name:
                    child.set(step.name, step.value)
            element = child
        return element

    def clear(self, element: Element) -> None:
        """Take the value out, and the elements on the way that hold nothing any more."""
        holder = self.holder(element)
        if holder is None or (holder is element and not self.attribute):
            return
        if self.attribute:
            if self.attribute not in holder.attrib:
                return
            del holder.attrib[self.attribute]
        else:
            holder.text = None
        while holder is not element and _is_empty(holder):
            parent = holder.getparent()
            remove(holder)
            holder = parent


class Reading:
    """One element being read at many places: each element on the way is looked for once.

    Its children are walked once instead of once for each place, which is most of the time
    that reading a domain of sixty devices takes.
    """

    __slots__ = ("_element", "_found")

    def __init__(self, element: Element) -> None:
        self._element = element
        self._found: dict[str, Element | None] = {"": element}
        for child in element:
            self._found.setdefault(child.tag, child)

    def holder(self, place: Place) -> Element | None:
        """As Place.holder."""
        if place.simple:
            return self._found.get(place.way)
        if place.way not in self._found:
            self._found[place.way] = place.holder(self._element)
        return self._found[place.way]


@cache
def place_at(path: str) -> Place:
    """The place that a path such as ``source/host/@port`` names."""
    way, _, attribute = path.rpartition("@") if _ends_in_attribute(path) else (path, "", "")
    way = way.strip("/")
    steps = []
    for word in way.split("/") if way else ():
        match = _STEP.fullmatch(word)
        if match is None:
            raise TypeError(f"cannot read the step {word!r} of {path!r}")
        steps.append(Step(match[1], match[2] or "", match[3] or ""))
    simple = len(steps) <= 1 and not any(step.name for step in steps)
    return Place(tuple(steps), attribute, way, simple)


def _ends_in_attribute(path: str) -> bool:
    return path.rpartition("/")[2].startswith("@")


def _is_empty(element: Element) -> bool:
    return not len(element) and not element.attrib and not (element.text or "").strip()


def append(parent: Element, tag: str) -> Element:
    """A new last child, indented as its siblings are."""
    child = lxml().SubElement(parent, tag)
    before = child.getprevious()
    if before is not None:
        closing = before.tail
        if not (closing or "").strip():
            child.tail = closing
            before.tail = parent.text if not (parent.text or "").strip() else None
    return child


def remove(element: Element) -> None:
    """Take an element out and leave the text around it in place, indentation apart."""
    parent, before, after = element.getparent(), element.getprevious(), element.getnext()
    tail = element.tail or ""
    element.tail = None
    parent.remove(element)
    if not tail.strip():
        if after is not None:
            return  # The indentation before it now stands before the next one.
        if before is not None and not (before.tail or "").strip():
            before.tail = tail or None
        elif before is None and not (parent.text or "").strip():
            parent.text = None
        return
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
