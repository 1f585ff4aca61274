"""What a key sends to the guest, as xterm would, in the modes that the guest has set."""

from __future__ import annotations

import unicodedata

from .encoder import Encoder
from .native import lib

_NAMED = {
    "up": "ARROW_UP",
    "down": "ARROW_DOWN",
    "left": "ARROW_LEFT",
    "right": "ARROW_RIGHT",
    "home": "HOME",
    "end": "END",
    "insert": "INSERT",
    "delete": "DELETE",
    "pageup": "PAGE_UP",
    "pagedown": "PAGE_DOWN",
    "enter": "ENTER",
    "tab": "TAB",
    "backspace": "BACKSPACE",
    "escape": "ESCAPE",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}
"""Textual's names of keys without a character, and the library's."""

_CHARACTERS = {
    "at": "@",
    "slash": "/",
    "backslash": "\\",
    "underscore": "_",
    "minus": "-",
    "hyphen": "-",
    "hyphen_minus": "-",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "plus": "+",
    "space": " ",
}
"""Textual's names of characters that are not those of Unicode."""

_CONTROLS = dict(zip(" 2345678/?", b"\0\0\x1b\x1c\x1d\x1e\x1f\x7f\x1f\x7f", strict=True))
"""What xterm sends for ctrl and a character outside of ``@`` to ``_``."""

_MODIFIERS = {"shift": 1, "ctrl": 2, "alt": 4, "meta": 4, "super": 8}
_SHIFT, _CTRL, _ALT = 1, 2, 4
_PLAIN = {"ENTER": _ALT, "ESCAPE": _ALT, "TAB": _ALT | _SHIFT}
"""The modifiers that make a difference to these keys, as xterm has it. The library would send
sequences that a shell takes for typed text."""
_LNM = 20 | 1 << 15
"""The library's number of the ANSI mode."""


def control(character: str) -> bytes | None:
    """The byte of a character typed with ctrl; None when there is none."""
    upper = character.upper()
    if upper in _CONTROLS:
        return bytes([_CONTROLS[upper]])
    if len(upper) == 1 and "@" <= upper <= "_":
        return bytes([ord(upper) & 0x1F])
    return None


def _character(name: str) -> str | None:
    """The character that Textual calls so."""
    if len(name) == 1:
        return name
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    if name.startswith("upper_") and len(name) == 7:
        return name[-1].upper()
    try:
        return unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return None


class KeyEncoder(Encoder):
    """Encodes what Textual tells of the keyboard; its caller holds the terminal's lock."""

    KIND = "key"

    def encode(self, name: str, character: str | None) -> bytes:
        """The bytes; none for a key that sends nothing."""
        *before, last = name.split("+") if name != "+" else ["+"]
        modifiers = 0
        for one in before:
            modifiers |= _MODIFIERS.get(one, 0)
        if last in _NAMED:
            return self._named(_NAMED[last], modifiers)
        text = _character(last) or character or ""
        if modifiers & _CTRL:
            sent = control(text) or (character or text).encode()
        else:
            sent = (character or text).encode()
        return b"\x1b" + sent if modifiers & _ALT and sent else sent

    def _named(self, key: str, modifiers: int) -> bytes:
        self._follow_terminal()
        if not self._terminal.get("KITTY_KEYBOARD_FLAGS", "uint8_t")[0]:
            modifiers &= _PLAIN.get(key, modifiers)
            if key == "ENTER" and self._terminal.mode(_LNM):
                return b"\x1b\r\n" if modifiers else b"\r\n"
        event = self._event
        lib.ghostty_key_event_set_action(event, lib.GHOSTTY_KEY_ACTION_PRESS)
        lib.ghostty_key_event_set_key(event, getattr(lib, f"GHOSTTY_KEY_{key}"))
        lib.ghostty_key_event_set_mods(event, modifiers)
        return self._encoded()
