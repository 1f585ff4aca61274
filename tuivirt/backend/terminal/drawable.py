"""Text of a guest without the characters that the operator's terminal would act on."""

from __future__ import annotations

import unicodedata

_STAND_IN = "·"
_ACT = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode. Of Cf some turn the direction of the text, and of what stands beside it;
others join emoji into one of two columns where the emulator counts four."""
_FILLER = "\u115f"
"""A letter without a shape, which terminals give two columns or none."""
_INSTEAD = {
    **{chr(0x1F1E6 + one): chr(0xFF21 + one) for one in range(26)},
    **{chr(0x1F3FB + one): "  " for one in range(5)},
}
"""Halves of flags as wide letters, and skin tones as blanks: terminals join them with what stands
before, and a row would be shorter than the emulator counts."""
_EMOJI_SELECTOR = "\ufe0f"
"""It makes a character wide, in terminals that know it."""


def drawable(text: str) -> str:
    """``text`` without controls, formats, line ends and surrogates."""
    if text.isprintable() and _FILLER not in text:
        return text
    return "".join(
        [char for char in text if char != _FILLER and unicodedata.category(char) not in _ACT]
    )


def in_cell(text: str, cells: int) -> str:
    """What is drawn in a cell, or in two: never nothing, and nothing that takes up no room."""
    text = drawable(text)
    if text in _INSTEAD and cells == 2:
        return _INSTEAD[text]
    if cells == 1:
        text = text.replace(_EMOJI_SELECTOR, "")
    if text and (text[0].isprintable() or unicodedata.category(text[0]) in ("Cn", "Co", "Zs")):
        return text
    return _STAND_IN + " " * (cells - 1)
