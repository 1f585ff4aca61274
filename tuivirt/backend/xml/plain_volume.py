"""A ``<volume>`` read by its lines, where it is laid out just as libvirt lays one out.

A pool may have ten thousands of them, and to make elements of each takes as long as to ask libvirt
for it; this takes a tenth of that. Whatever is written in another way, or holds what is rare
(escaped text, encryption), is left to the parser: `xml.volume` asks here first.
"""

from __future__ import annotations

import re

_TEXT = r"[^<>&\x00-\x1f\ud800-\udfff\ufffe\uffff]*"
"""What stands for itself in XML, and in which no line ends."""


def _store(depth: str) -> str:
    """What an image is: its place and its format, whose it is, and when it was written to."""
    in_it = depth + "  "
    return (
        rf"{depth}<path>({_TEXT})</path>\n"
        rf"(?:{depth}<format type='([\w-]*)'/>\n)?"
        rf"(?:{depth}<permissions>\n"
        rf"(?:{in_it}<(?:mode>{_TEXT}</mode|owner>{_TEXT}</owner|group>{_TEXT}</group"
        rf"|label>{_TEXT}</label)>\n)*"
        rf"{depth}</permissions>\n)?"
        rf"(?:{depth}<timestamps>\n"
        rf"(?:{in_it}<atime>{_TEXT}</atime>\n)?"
        rf"(?:{in_it}<mtime>({_TEXT})</mtime>\n)?"
        rf"(?:{in_it}<ctime>{_TEXT}</ctime>\n)?"
        rf"(?:{in_it}<btime>{_TEXT}</btime>\n)?"
        rf"{depth}</timestamps>\n)?"
    )


_PLAIN = re.compile(
    r"<volume type='([a-z]+)'>\n"
    rf"  <name>({_TEXT})</name>\n"
    rf"  <key>({_TEXT})</key>\n"
    r"(?:  <source>\n  </source>\n)?"
    r"  <capacity unit='bytes'>([0-9]+)</capacity>\n"
    r"  <allocation unit='bytes'>([0-9]+)</allocation>\n"
    r"(?:  <physical unit='bytes'>([0-9]+)</physical>\n)?"
    r"  <target>\n"
    rf"{_store('    ')}"
    rf"(?:    <compat>{_TEXT}</compat>\n)?"
    r"(?:    <clusterSize unit='B'>[0-9]+</clusterSize>\n)?"
    r"(?:    <features/>\n|    <features>\n(?:      <[a-z_0-9]+/>\n)*    </features>\n)?"
    r"  </target>\n"
    rf"(?:  <backingStore>\n{_store('    ')}  </backingStore>\n)?"
    r"</volume>\s*"
)

Plain = tuple[str | None, ...]
"""Type, name, key, capacity, allocation, what it takes in its file; path, format, when it was
written to; the same three of what it lies on. None: not told."""


def read_plain(xml: str) -> Plain | None:
    """What it says, as it stands there; None: it is laid out in another way."""
    found = _PLAIN.fullmatch(xml)
    return found.groups() if found is not None else None
