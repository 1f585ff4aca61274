"""What goes to the operator's terminal while a guest prints every control sequence there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.unit.backend.terminal.table import load
from tuivirt.actions import consoles
from tuivirt.screens.console import ConsoleScreen

from . import factory
from .consoles import ScriptedSession
from .driver import DrivenApp, sent_bytes, until

OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\d+;\d+H|\x1b\[K")
"""Colours, moves and an erasure of the rest of a line: all that a frame is made of."""

TOGETHER = 10
"""Sequences whose outcome is drawn at once."""

INTRODUCERS = ["\x1b[", "\x1b[?", "\x1b[>", "\x1b[=", "\x1b[!", "\x1b(", "\x1b#", "\x1b "]
STRINGS = ["\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bk"]


def every_sequence() -> Iterator[bytes]:
    """All finals behind all introducers, all strings by both ends, all of the tables' cases."""
    for start in INTRODUCERS:
        for final in range(0x30, 0x7F):
            for parameters in ("", "1", "5;10", "38;5;1"):
                yield f"{start}{parameters}{chr(final)}x".encode()
    for start in STRINGS:
        for number in (*range(60), 99, 104, 112, 133, 777, 1337):
            for end in ("\x07", "\x1b\\", "\x18"):
                yield f"{start}{number};payload;?{end}x".encode()
    yield from (bytes([code]) for code in range(256))
    yield from (chr(code).encode() for code in (*range(0x80, 0xA0), 0x200B, 0x202E, 0x2066, 0xFEFF))
    yield from (case.input for case in load())


def prints(screen: ConsoleScreen, session: ScriptedSession, some: list[bytes]) -> None:
    """The guest prints these, and each is drawn."""
    for sequence in some:
        session.emulator.feed(sequence)
        screen.panes.slot.paint()


@pytest.mark.parametrize("part", range(4))
async def test_none_of_the_guests_sequences_reaches_the_operators_terminal(
    monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    one = ScriptedSession()
    monkeypatch.setattr(consoles, "open_console", lambda *_: one)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_console(one.ref, {})
        screen = app.screen
        assert isinstance(screen, ConsoleScreen)
        await until(pilot, lambda: screen.session is one, "the console is shown")

        sequences = list(every_sequence())[part::4]
        sent = ""
        for at in range(0, len(sequences), TOGETHER):
            some = sequences[at : at + TOGETHER]
            sent += sent_bytes(app, lambda some=some: prints(screen, one, some))  # type: ignore[misc]
        assert len(sent) > len(sequences)
        left = OURS.sub("", sent)
        assert not {char for char in left if not char.isprintable()}
