"""What a terminal sends for alt and a key reaches the guest as it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

from tuivirt.backend.terminal.emulator import GhosttyEmulator
from tuivirt.widgets import alt_keys


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    known: Any = ANSI_SEQUENCES_KEYS
    before = dict(known)
    alt_keys.install()
    yield
    known.clear()
    known.update(before)


def keys(sent: str) -> list[events.Key]:
    return [event for event in XTermParser().feed(sent) if isinstance(event, events.Key)]


# Textual takes ctrl+h for a backspace key of an old kind.
ALT = [code for code in range(128) if chr(code) not in "\x1b[O\x08"]


@pytest.mark.parametrize("code", ALT)
def test_a_key_that_is_held_down_with_alt_arrives_as_it_was_sent(code: int) -> None:
    sent = f"\x1b{chr(code)}" * 3
    emulator = GhosttyEmulator(80, 24)
    try:
        # What comes behind them tells the last from the beginning of another sequence.
        pressed = keys(sent + "\x1b[A")
        assert pressed.pop().key == "up"
        got = b"".join(emulator.key(key.key, key.character) for key in pressed)
    finally:
        emulator.close()
    assert got == sent.encode()


def test_escape_and_a_key_of_the_program_that_come_together_are_both_heard() -> None:
    assert [key.key for key in keys("\x1b\x1d")] == ["escape", "ctrl+right_square_bracket"]
    assert [key.key for key in keys("\x1b\r")] == ["escape", "enter"]


def test_sequences_that_begin_alike_are_still_known() -> None:
    pressed = keys("\x1b[1;5D\x1b[15~\x1bOP\x1b[A")
    assert [key.key for key in pressed] == ["ctrl+left", "f5", "f1", "up"]
