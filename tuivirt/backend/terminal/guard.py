"""What the library must not be fed as it comes: found in the bytes, wherever they are split.

A guest that sets one of two modes can crash libghostty-vt as of pyghostty 0.1.3, so that they are
taken back before the next byte: clusters (a wide cluster in the last column below a scroll
region), and left and right margins (scrolling between them with many links). DECSTR, the soft
reset, is one that the library does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from .links import LinkFilter

REFUSED = 2027, 69
"""The modes: clusters, and DECLRMM."""

_SOFT_RESET = b"\x1b[!p"
_BEGINS = b"\x1b[?", b"\x9b?"
_PASSED_OVER = bytes(set(range(256)) - set(range(0x20, 0x7F)) - {0x1B, 0x9B})
"""They may stand within a sequence, and it goes on behind them."""
_SETS = re.compile(
    rb"\x1b[^\x1b\x20-\x7e]*\[[^\x1b\x20-\x7e]*\?[^\x1b\x40-\x7e]*[\x40-\x7e](?<=[hr])"
)
"""What sets modes, or sets them back to what they were before."""
_MAY_SET = re.compile(rb"(?:^|[^\x20-\x2f\x40-\x7e])[hr]")
"""The end of it, if its beginning was in a part before, or is a C1 control. Takes ten times as
long to find."""
_ENDS = re.compile(rb"[\x1b\x40-\x7e]")


class Then(Enum):
    """What is to be done once a part was fed."""

    NOTHING = 0
    TAKE_MODES_BACK = 1
    RESET_SOFTLY = 2


class Guard:
    """Parts one terminal's output; remembers what a sequence began with."""

    def __init__(self) -> None:
        self._held = b""
        self._tail = b""
        self._open = False
        """Whether a sequence that may set a mode has not ended."""
        self._links = LinkFilter()

    def parts(self, data: bytes) -> Iterator[tuple[bytes, Then]]:
        """The same bytes in parts, and what is to be done after each.

        DEL is left out: a terminal ignores it, and the library would draw it. Links are, too.
        """
        data = self._links.without(data)
        if b"\x7f" in data:
            data = data.replace(b"\x7f", b"")
        data = self._held + data
        self._held = b""
        for length in (3, 2, 1):
            if data.endswith(_SOFT_RESET[:length]):
                self._held, data = data[-length:], data[:-length]
                break
        first, *others = data.split(_SOFT_RESET)
        yield from self._watched(first)
        for part in others:
            yield b"", Then.RESET_SOFTLY
            yield from self._watched(part)

    def _watched(self, data: bytes) -> Iterator[tuple[bytes, Then]]:
        added = data.translate(None, _PASSED_OVER)
        within = not (self._open or b"\x1b" in self._tail or b"\x9b" in self._tail + data)
        bare = self._tail + added
        self._tail = bare[-2:]
        begun = max(bare.rfind(begin) for begin in _BEGINS)
        if begun < 0 and not self._open:
            yield data, Then.NOTHING
            return
        self._open = not _ENDS.search(bare[begun + 3 :] if begun >= 0 else added)
        start = 0
        for match in (_SETS if within else _MAY_SET).finditer(data):
            yield data[start : match.end()], Then.TAKE_MODES_BACK
            start = match.end()
        yield data[start:], Then.NOTHING
