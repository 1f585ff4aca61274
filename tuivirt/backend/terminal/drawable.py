"""Text of a guest without the characters that the operator's terminal would act on."""

from __future__ import annotations

import unicodedata

_STAND_IN = "·"
_ACT = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode. Of Cf some turn the direction of the text, and of what stands beside it;
others join emoji into one of two columns where the emulator counts four."""
_EMOJI_SELECTOR = "\ufe0f"
"""It makes a character wide, in terminals that know it."""


def drawable(text: str) -> str:
    """``text`` without controls, formats, line ends and surrogates."""
    if text.isprintable():
        return text
    return "".join([char for char in text if unicodedata.category(char) not in _ACT])


def in_cell(text: str, cells: int) -> str:
    """What is drawn in a cell, or in two: never nothing, and nothing that takes up no room."""
    text = drawable(text)
    if cells == 1:
        text = text.replace(_EMOJI_SELECTOR, "")
    if text and (text[0].isprintable() or unicodedata.category(text[0]) in ("Cn", "Co", "Zs")):
        return text
    return _STAND_IN + " " * (cells - 1)
