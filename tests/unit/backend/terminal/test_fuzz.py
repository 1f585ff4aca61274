"""The fuzz run finds what it is there for, and tells how to see it again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import Any, cast

import pytest

from tests.fuzz import terminal
from tuivirt.backend.terminal.emulator import ANSWERS_MAX, GhosttyEmulator


class Talkative:
    """Answers more than it may."""

    def feed(self, _data: bytes) -> bytes:
        return b"x" * (ANSWERS_MAX + 1)


def test_a_round_is_the_same_each_time() -> None:
    assert terminal.operations(random.Random("1.2")) == terminal.operations(random.Random("1.2"))


@pytest.mark.parametrize("number", [0, 1])
def test_a_round_ends_without_a_fault(number: int) -> None:
    terminal.play(1, number)


def test_an_answer_without_bounds_is_a_fault() -> None:
    with pytest.raises(terminal.Fault, match="4097 bytes of answers"):
        terminal.perform(cast("GhosttyEmulator", Talkative()), [("feed", (b"x",))])


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print(7, flush=True); import os; os.abort()", "ended with -6"),
        ("print(7, flush=True); raise SystemExit(3)", "ended with 3"),
        ("print(7, flush=True); print('done')", ""),
    ],
)
def test_a_crash_is_told_with_its_round(
    monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    popen: Any = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda _argv, **options: popen([sys.executable, "-c", program], **options),
    )
    assert terminal.run_child(1, 0, 10, time.monotonic() + 60) == (7, told)
