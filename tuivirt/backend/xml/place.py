"""A place in a device's XML: found, made with the elements on the way, or cleared again."""

from __future__ import annotations

import re
from functools import cache

from ..model.record import record
from .tree import Element, lxml

_STEP = re.compile(r"([\w.-]+)(?:\[@([\w.-]+)='([^']*)'\])?")


@record(frozen=True, slots=True)
class Step:
    """One element on the way: the first child of that tag (with that attribute's value)."""

    tag: str
    name: str = ""
    value: str = ""

    def find(self, element: Element) -> Element | None:
        if not self.name:
            return element.find(self.tag)
        for child in element:
            if self.fits(child):
                return child
        return None

    def fits(self, child: Element) -> bool:
        """Whether it leads to this child."""
        return child.tag == self.tag and (not self.name or child.get(self.name) == self.value)

    def is_empty(self, element: Element) -> bool:
        """Whether an element that it leads to holds nothing but what it was told apart by."""
        if len(element) or (element.text or "").strip():
            return False
        return all(name == self.name for name in element.attrib)


@record(frozen=True, slots=True)
class Place:
    """Elements to go down, and the attribute there; without one, the last element's text."""

    steps: tuple[Step, ...]
    attribute: str = ""
    way: str = ""
    """The steps as they were written."""
    simple: bool = False
    """At most one step, by its tag alone."""
    first: str = ""
    """The tag of the first step; without steps, ''."""

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

    def text(self, holder: Element) -> str:
        """What the element that holds the value says here; '' for nothing."""
        return (holder.get(self.attribute) if self.attribute else holder.text) or ""

    def put(self, holder: Element, text: str) -> None:
        """Make the element that holds the value say ``text`` here."""
        if self.attribute:
            holder.set(self.attribute, text)
        else:
            holder.text = text

    def all(self, element: Element) -> list[Element]:
        """The element that holds the value, and its siblings that the last step leads to too."""
        for step in self.steps[:-1]:
            element = step.find(element)
            if element is None:
                return []
        return [child for child in element if self.steps[-1].fits(child)]

    def another(self, element: Element) -> Element:
        """One more element to hold a value, beside those there are."""
        step = self.steps[-1]
        child = append(self.make(element).getparent(), step.tag)
        if step.name:
            child.set(step.name, step.value)
        return child

    def clear(self, element: Element) -> None:
        """Take the value out, and the elements on the way that hold nothing any more."""
        holder = self.holder(element)
        if holder is None:
            return
        if self.attribute:
            if self.attribute not in holder.attrib:
                return
            del holder.attrib[self.attribute]
        elif holder is element:
            return
        else:
            holder.text = None
        self.prune(element, holder)

    def prune(self, element: Element, holder: Element) -> None:
        """Take out ``holder`` and the elements above that hold nothing any more."""
        for step in reversed(self.steps):
            if holder is element or not step.is_empty(holder):
                return
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

    def may_have(self, place: Place) -> bool:
        """False when the way to that place does not even begin here."""
        return place.first in self._found

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
    return Place(tuple(steps), attribute, way, simple, steps[0].tag if steps else "")


def _ends_in_attribute(path: str) -> bool:
    return path.rpartition("/")[2].startswith("@")


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
