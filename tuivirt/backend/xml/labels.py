"""What operators have written on a domain: an element of ours in its ``<metadata>``.

    <metadata>
      <tuivirt:labels xmlns:tuivirt="https://tuivirt.org/xmlns/domain/1">
        <tuivirt:tag>web</tuivirt:tag>
        <tuivirt:group>shop</tuivirt:group>
        <tuivirt:note>Ask Anna first.</tuivirt:note>
      </tuivirt:labels>
    </metadata>

libvirt keeps one element for each namespace. What else there is in ours is kept when it is written.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..model.domain import UNLABELLED, Labels
from .tree import Element, lxml, parse, to_text

NAMESPACE = "https://tuivirt.org/xmlns/domain/1"
PREFIX = "tuivirt"
_ROOT, _TAG, _GROUP, _NOTE = "labels", "tag", "group", "note"
_OURS = (_TAG, _GROUP, _NOTE)


def read_labels(metadata: Element) -> Labels:
    """The labels in a domain's ``<metadata>``."""
    ours = f"{{{NAMESPACE}}}"
    for element in metadata:
        if isinstance(element.tag, str) and element.tag.startswith(ours):
            return _labels(element)
    return UNLABELLED


def read_own(text: str) -> Labels:
    """The labels in our element, as virDomainGetMetadata returns it; '' for none at all.

    Raises MalformedXml.
    """
    return _labels(parse(text)) if text else UNLABELLED


def written(text: str, labels: Labels) -> str:
    """Our element with these labels in place of those in ``text``; '' when nothing is left in it.

    Raises MalformedXml.
    """
    etree = lxml()
    root = parse(text) if text else etree.Element(_ROOT)
    for child in [child for child in root if _name(child) in _OURS]:
        root.remove(child)
    root.text = (root.text or "").strip() or None
    said = [(_TAG, tag) for tag in labels.tags]
    said += [(_GROUP, labels.group)] if labels.group else []
    said += [(_NOTE, labels.note)] if labels.note else []
    for place, (name, value) in enumerate(said):
        child = etree.Element(name)
        child.text = value
        root.insert(place, child)
    if not len(root) and not root.attrib and not (root.text or "").strip():
        return ""
    return to_text(root)


def unique(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags without those that differ from an earlier one in case alone."""
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(tag.casefold(), tag)
    return tuple(first.values())


def _labels(element: Element) -> Labels:
    found: dict[str, list[str]] = {name: [] for name in _OURS}
    for child in element:
        text = (child.text or "").strip()
        if text and _name(child) in found:
            found[_name(child)].append(text)
    # Another program may have written what ours would refuse: a tag of two words is shown as one.
    tags = unique("_".join(tag.split()) for tag in found[_TAG])
    if not any(found.values()):
        return UNLABELLED
    return Labels(tags, " ".join(" ".join(found[_GROUP][:1]).split()), "\n".join(found[_NOTE][:1]))


def _name(element: Element) -> str:
    """An element's name without its namespace; '' for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
