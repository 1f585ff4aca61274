"""The emulator against tables of the published standards; see ``cases``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.backend.terminal.table import Case, described, load, seen
from tuivirt.backend.terminal.emulator import GhosttyEmulator

CASES = load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sequence_has_the_screen_of_the_standard_or_the_difference_that_is_known(
    case: Case,
) -> None:
    got = seen(case, [case.input])
    assert got == case.standard | case.instead
    assert (got == case.standard) == (not case.instead), "the difference is none (any more)"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sequence_split_at_every_byte_has_the_same_screen(case: Case) -> None:
    parts = [case.input[at : at + 1] for at in range(len(case.input))]
    assert seen(case, parts) == case.standard | case.instead


def test_every_known_difference_is_in_the_document() -> None:
    from tests.support.tmux import ROOT

    text = " ".join((ROOT / "docs" / "console.md").read_text().split())
    for why in {case.why for case in CASES if case.instead}:
        assert why in text, why


def test_a_style_is_described_in_words() -> None:
    emulator = GhosttyEmulator()
    emulator.feed(b"\x1b[1;31;48;2;1;2;3mx")
    (run,) = emulator.frame().rows[0]
    emulator.close()
    assert described(run.style) == "bold fg=1 bg=(1,2,3)"


def test_a_case_must_say_where_it_is_from_and_what_it_expects() -> None:
    for case in CASES:
        assert case.source, case.name
        assert case.standard, case.name
        assert bool(case.why) == bool(case.instead), case.name
    names: list[Any] = [case.name for case in CASES]
    assert len(names) == len(set(names))
