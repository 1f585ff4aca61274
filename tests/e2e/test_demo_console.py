"""The demo's console has all that a real one has, and the pane draws it as a terminal does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.drawing import drawn_by_pane, drawn_by_terminal, go_raw, sees_drawn
from tests.e2e.operator import PANE, Operator

Sit = Callable[..., Operator]

PROMPT = r"^root@web-01:~#"


def sit_down(operator: Sit, size: tuple[int, int] = (80, 24)) -> Operator:
    """At the console of a guest that does nothing by itself."""
    colours = {"COLORTERM": "truecolor"}
    at = operator("-c", "demo:///?life=0", size=size, env=colours)
    at.pick("web-01")
    at.press("c")
    at.sees(PANE)
    at.sees("Press Enter for a shell")
    at.press("Enter")
    at.sees(PROMPT)
    return at


def test_it_boots_before_its_operators_eyes(operator: Sit, size: tuple[int, int]) -> None:
    at = sit_down(operator, size)
    at.type("reboot")
    at.press("Enter")
    at.sees("^Demo firmware .*, booting")
    at.sees(r"^\[ +0\.000000\] Linux version")
    at.sees(r"^\[  OK  \] Reached target Multi-User System\.")
    at.sees(r"^web-01 login: root")
    at.sees(rf"{PROMPT}$")


def test_its_programs_take_the_size_of_the_pane_and_its_keys(
    operator: Sit, size: tuple[int, int]
) -> None:
    at = sit_down(operator, size)
    at.choose("w")
    at.sees("stty rows")
    at.type("less numbers.txt")
    at.press("Enter")
    rows = size[1] - 2
    at.sees(rf"^ lines 1-{rows - 2} of 500.*$")
    at.press("Down", "Down", "NPage", "Up")
    at.sees(rf"^ lines {rows}-{2 * rows - 3} of 500")
    at.sees(rf"^ numbers.txt *\n +{rows}  line {rows} of 500, times itself {rows * rows}$")
    at.press("End")
    at.sees(rf"^ 500  line 500 of 500, times itself 250000\n lines {503 - rows}-500 of 500")
    at.press("q")
    at.sees(rf"{PROMPT}$")
    at.type("keys")
    at.press("Enter")
    at.sees("Press keys, click, drag, paste")
    at.press("F5")
    at.sees(r"^key   \^\[\[15~ +1b 5b 31 35 7e$")
    at.press("M-b", "M-1", "M-.", "M-BSpace", "Up")
    sent = [r"\^\[b", r"\^\[1", r"\^\[\.", r"\^\[\^\?", r"\^\[OA"]
    at.sees("^" + r".*\n".join(f"key   {key} " for key in sent))
    at.press("q")
    at.sees(rf"{PROMPT}$")


@pytest.mark.parametrize("program", ["less numbers.txt", "clear; letters; colours; ls --color /"])
def test_each_cell_is_as_the_terminal_draws_it_without_the_pane(
    operator: Sit, program: str
) -> None:
    at = sit_down(operator)
    at.choose("z")
    at.sees_no(PANE)
    at.type(program)
    at.press("Enter")
    at.sees("500, times|^bin  boot")
    if program.startswith("less"):
        at.press("Down", "Down", "NPage", "Up")
        at.sees("^ lines 24-45 of 500")
    in_pane = drawn_by_pane(at)
    if program.startswith("less"):
        at.choose("r")  # What has the screen is drawn for whoever comes.
    else:
        go_raw(at)
        at.press("Enter")
        at.type(program)
        at.press("Enter")
        at.sees("^bin  boot")
    sees_drawn(at, drawn_by_terminal, in_pane)
