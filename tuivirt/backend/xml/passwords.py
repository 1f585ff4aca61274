"""Passwords of a domain's screens (VNC, SPICE) in the record of a snapshot.

libvirt tells them only where it is asked for secrets. A domain defined by a record that was told
without them has screens without a password.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .tree import Element, lxml, parse, skim

_OF_DOMAINS = ("domain", "inactiveDomain")
_ATTRIBUTES = ("passwd", "passwdValidTo", "connected")


def lacks_passwords(xml: str) -> bool:
    """Whether a record has a screen without a password in it. Raises MalformedXml."""
    return any(_lacks(each) for _key, each in _screens(skim(xml, "domainsnapshot")))


def with_passwords(xml: str, known: str) -> str:
    """A record with those passwords that it lacks and ``known``, one told with secrets, has.

    A screen is the one of its kind that it is by number. Raises MalformedXml.
    """
    told = {key: each for key, each in _screens(skim(known, "domainsnapshot")) if not _lacks(each)}
    root = parse(xml, "domainsnapshot")
    lacking = [(each, told[key]) for key, each in _screens(root) if key in told and _lacks(each)]
    for screen, known_one in lacking:
        for attribute in _ATTRIBUTES:
            if value := known_one.get(attribute):
                screen.set(attribute, value)
    return str(lxml().tostring(root, encoding="unicode")) if lacking else xml


def _screens(root: Element) -> Iterator[tuple[tuple[str, str, int], Element]]:
    for tag in _OF_DOMAINS:
        count = Counter[str]()
        for each in root.iterfind(f"{tag}/devices/graphics"):
            kind = each.get("type", "")
            if kind in ("vnc", "spice"):
                yield (tag, kind, count[kind]), each
                count[kind] += 1


def _lacks(screen: Element) -> bool:
    """Asterisks alone stand for one that was not told."""
    return not (screen.get("passwd") or "").strip("*")
