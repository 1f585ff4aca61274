"""Text of a guest without the characters that the operator's terminal would act on."""

from __future__ import annotations

import unicodedata

_STAND_IN = "·"
_TURNING = frozenset(
    map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""They turn the direction of the text, and of what stands beside it on the screen."""


def _acts(char: str) -> bool:
    return char in _TURNING or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def drawable(text: str) -> str:
    """``text`` without controls, line ends, surrogates, and what turns its direction.

    What joins characters (emoji families, flags, Indic scripts) stays.
    """
    if text.isprintable():
        return text
    return "".join([char for char in text if not _acts(char)])


def in_cell(text: str, cells: int) -> str:
    """What is drawn in a cell, or in two: never nothing, and nothing that takes up no room."""
    text = drawable(text)
    if text and (text[0].isprintable() or unicodedata.category(text[0]) in ("Cn", "Co", "Zs")):
        return text
    return _STAND_IN + " " * (cells - 1)
