"""What keys and the mouse send, against tables of what xterm sends."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.unit.backend.terminal.table import unescaped
from tuivirt.backend.terminal.emulator import GhosttyEmulator

HERE = Path(__file__).parent


def tables(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((HERE / name).read_text(encoding="utf-8"))["table"]
    return found


@pytest.mark.parametrize("table", tables("keys.toml"), ids=lambda table: table["name"])
def test_a_key_sends_what_it_sends_in_xterm(table: dict[str, Any]) -> None:
    emulator = GhosttyEmulator()
    emulator.feed(unescaped(table.get("set", "")))
    sent = {name: emulator.key(name, None) for name in table["keys"]}
    emulator.close()
    assert sent == {name: unescaped(text) for name, text in table["keys"].items()}


@pytest.mark.parametrize("table", tables("mouse.toml"), ids=lambda table: table["name"])
def test_the_mouse_sends_what_it_sends_in_xterm(table: dict[str, Any]) -> None:
    emulator = GhosttyEmulator(300, 100)
    emulator.feed(unescaped(table.get("set", "")))
    sent = {}
    for event in table["sends"]:
        action, *numbers = event.split()
        button, x, y, modifiers = map(int, numbers)
        sent[event] = emulator.mouse(action, button, x, y, modifiers)
    emulator.close()
    assert sent == {event: unescaped(text) for event, text in table["sends"].items()}


def test_a_typed_character_is_sent_as_it_is_whatever_the_key_is_called() -> None:
    emulator = GhosttyEmulator()
    assert emulator.key("latin_small_letter_e_with_acute", "é") == "é".encode()
    assert emulator.key("ctrl+a", "\x01") == b"\x01"
    emulator.close()


def test_the_guests_modes_of_the_keyboard_end_with_a_full_reset() -> None:
    emulator = GhosttyEmulator()
    emulator.feed(b"\x1b[?1h\x1b[>1u\x1b[20h\x1bc")
    assert emulator.key("up", None) == b"\x1b[A"
    assert emulator.key("escape", None) == b"\x1b"
    assert emulator.key("enter", None) == b"\r"
    emulator.close()
