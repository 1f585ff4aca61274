"""Hyperlinks (OSC 8) taken out of a guest's output: of a link the text is left.

They would not be shown, and libghostty-vt as of pyghostty 0.1.3 ends the process when it scrolls
a region of very many.
"""

from __future__ import annotations

import re

_IN_ESCAPE = rb"[\x00-\x17\x19\x1c-\x1f\x7f-\x9a\x9e-\xff]*"
_IN_STRING = rb"[\x00-\x06\x08-\x17\x19\x1c-\x1f\x7f-\xff]*"
"""What may stand within, and the sequence goes on: it is carried out or passed over."""

_LINKS = (
    re.compile(rb"(\x1b" + _IN_ESCAPE + rb"\]" + _IN_STRING + rb")8"),
    re.compile(rb"(\x9d" + _IN_STRING + rb")8"),
)
_ESCAPE = re.compile(rb"\x1b" + _IN_ESCAPE + rb"\Z")
_STRING = re.compile(rb"(?:\x1b" + _IN_ESCAPE + rb"\]|\x9d)" + _IN_STRING + rb"\Z")
_UNKNOWN = rb"\g<1>98"
"""A number of OSC that means nothing."""


class LinkFilter:
    """For one terminal's output, in parts of any length."""

    def __init__(self) -> None:
        self._begun = b""
        """What the last part's end comes to: nothing, an escape, or a string's beginning."""

    def without(self, data: bytes) -> bytes:
        """The same, with another number for OSC 8."""
        if not data:
            return data
        begun, whole = len(self._begun), self._begun + data
        escape, string = whole.rfind(b"\x1b"), whole.rfind(b"\x9d")
        if escape < 0 and string < 0:
            self._begun = b""
            return whole
        # A sequence is open as long as all behind it is passed over.
        if (escape >= 0 and _STRING.match(whole, escape)) or (
            string >= 0 and _STRING.match(whole, string)
        ):
            self._begun = b"\x1b]"
        else:
            self._begun = b"\x1b" if escape >= 0 and _ESCAPE.match(whole, escape) else b""
        for link in _LINKS:
            whole = link.sub(_UNKNOWN, whole)
        return whole[begun:]
