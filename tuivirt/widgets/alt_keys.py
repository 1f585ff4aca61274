"""Keys typed with alt, as a guest has to get them: Textual takes some of them for other keys.

Of what a terminal sends for alt, escape and the key, Textual makes ctrl+left of alt+b, ``¡`` of
alt+1, a plain dot of alt+full stop, and of a key that is held down ``^b^b``. What is told here it
knows at once. ``[`` and ``O`` begin sequences and stay as they are; so does what is not ASCII.
"""

from __future__ import annotations

import string
from typing import Any, NamedTuple

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys, _character_to_key


class _Key(NamedTuple):
    """Stands where Textual has a member of its enumeration of keys, which lacks these."""

    value: str


def install() -> None:
    """Tell Textual's parser of them, for as long as the program runs."""
    # What Textual declares is what it has itself.
    known: Any = ANSI_SEQUENCES_KEYS
    for char in string.printable[:94] + " ":
        if char not in "[O":
            known[f"\x1b{char}"] = (_Key(f"alt+{_character_to_key(char)}"),)
    known["\x1b\x7f"] = (_Key("alt+backspace"),)
    for code in range(32):
        # Escape and such a key may as well have been typed one after the other, and come together
        # on a slow line: a guest gets the same, and the program's own keys stay what they are.
        plain = known.get(chr(code))
        if plain and chr(code) != "\x1b":
            known[f"\x1b{chr(code)}"] = (Keys.Escape, *plain)
