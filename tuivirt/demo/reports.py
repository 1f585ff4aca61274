"""The demo's ``keys``: shows what the terminal sends, by key, by mouse and by paste."""

from __future__ import annotations

import re

from .fullscreen import FullScreen

_MOUSE = re.compile(rb"\x1b\[<(\d+);(\d+);(\d+)([Mm])")
_BUTTONS = {0: "left", 1: "middle", 2: "right", 3: "no button", 64: "wheel up", 65: "wheel down"}
_MODIFIERS = {4: "shift+", 8: "alt+", 16: "ctrl+"}
_DRAG = 32


class Reports(FullScreen):
    """Asks for clicks, drags and bracketed pastes (xterm's modes 1002, 1006 and 2004)."""

    ON = "\x1b[?1002h\x1b[?1006h\x1b[?2004h"
    OFF = "\x1b[?2004l\x1b[?1006l\x1b[?1002l"

    def __init__(self, *where: object) -> None:
        super().__init__(*where)  # type: ignore[arg-type]
        self._told: list[str] = []

    def draw(self) -> None:
        head = self.line(1, " Press keys, click, drag, paste; q leaves", "1;37;44")
        told = self._told[-max(1, self.rows - 1) :]
        rows = [self.line(2 + number, text) for number, text in enumerate(told)]
        self.terminal.put(f"{head}{''.join(rows)}\x1b[{2 + len(rows)};1H\x1b[J" if rows else head)

    def key(self, key: bytes) -> None:
        self._told = [*self._told, _meaning(key)][-200:]
        self.draw()


def _meaning(key: bytes) -> str:
    """A line of text without controls."""
    mouse = _MOUSE.fullmatch(key)
    if mouse:
        code, column, row = (int(number) for number in mouse.groups()[:3])
        held = "".join(name for bit, name in _MODIFIERS.items() if code & bit)
        button = _BUTTONS.get(code & ~(_DRAG | 28), f"button {code}")
        deed = "drag" if code & _DRAG else "press" if mouse[4] == b"M" else "release"
        return f"mouse {held}{button} {deed}, column {column} row {row}"
    if key.startswith(b"\x1b[200~"):
        text = key[6:-6].decode(errors="replace").replace("\r", "\n")
        count = text.rstrip("\n").count("\n") + 1
        lines = "1 line" if count == 1 else f"{count} lines"
        return f"paste {len(text)} characters, {lines}: {text[:40]!a}"
    shown = "".join(
        f"^{chr(byte ^ 64)}" if byte < 32 or byte == 127 else chr(byte)
        for byte in key
        if byte < 128
    )
    return f"key   {shown or key.decode(errors='replace')}   {key.hex(' ')}"
