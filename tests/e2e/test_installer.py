"""Debian's installer on a serial console: drawn in the pane as a terminal draws it itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.drawing import drawn_by_pane, drawn_by_terminal, go_raw, leave_raw, sees_drawn
from tests.e2e.operator import PANE, Operator
from tests.support import installer
from tests.support.guests import Guest

Size = tuple[int, int]
Sit = Callable[..., Operator]

LANGUAGE = """\



  ┌───────────────────────┤ [!!] Select a language ├────────────────────────┐
  │                                                                         │
  │ Choose the language to be used for the installation process. The        │
  │ selected language will also be the default language for the installed   │
  │ system.                                                                 │
  │                                                                         │
  │ Language:                                                               │
  │                                                                         │
  │                               C                                         │
  │                               English                                   │
  │                                                                         │
  │     <Go Back>                                                           │
  │                                                                         │
  └─────────────────────────────────────────────────────────────────────────┘





<Tab> moves; <Space> selects; <Enter> activates buttons
""".splitlines()
"""The guest's rows but the first, in which it has a clock."""

CHOSEN = "41"
"""SGR's number of the red on which the installer shows where one is."""


@pytest.fixture(scope="module")
def debian(qemu_uri: str) -> Iterator[Guest]:
    """It shows its first dialog, and each test leaves it there."""
    with installer.define(qemu_uri) as guest:
        installer.boot(guest)
        yield guest


def sit_down(operator: Sit, guest: Guest, size: Size) -> Operator:
    """Before its console, each row of which is seen."""
    at = operator("-c", guest.uri, size=size)
    at.pick(guest.name)
    at.press("c")
    at.sees(PANE)
    at.sees_no("opening")
    if size[1] == 24:
        at.choose("z")
        at.sees_no(PANE)
    redraw(at)
    return at


def redraw(at: Operator) -> None:
    """The installer runs in GNU screen, whose key for that this is."""
    at.press("C-a", "l")
    at.sees("activates buttons")


def sees_chosen(at: Operator, text: str) -> None:
    """Wait until what stands on the installer's mark is this."""
    at.sees(text)
    for _ in range(400):
        rows = at.terminal.cells()
        marked = ["".join(cell.char for cell in row if cell.back == CHOSEN).strip() for row in rows]
        if "".join(marked) == text:
            return
    raise AssertionError(f"{text!r} is not chosen but {marked}:\n{at.text}")


def test_its_first_dialogs_are_drawn_and_driven_by_keys(operator: Sit, debian: Guest) -> None:
    at = sit_down(operator, debian, (160, 50))
    at.sees("Select a language")
    assert at.still()[0][2:25] == LANGUAGE  # Below the consoles' names and the guest's clock.
    sees_chosen(at, "English")
    at.press("Up")
    sees_chosen(at, "C")
    at.press("Down")
    sees_chosen(at, "English")
    at.press("Enter")
    at.sees(r"^  ┌─+┤ \[!!\] Select your location ├─+┐$")
    at.sees(r"^  │ +[A-Z].+ +▒ +│$(.*\n)+^  │     <Go Back> {59}│\n  │ +│\n  └─+┘$")
    at.press("Escape")
    at.sees("Select a language")
    sees_chosen(at, "English")
    at.press("Enter")
    at.sees("Select your location")
    at.press("Enter")
    at.sees(r"^ {21}┌──┤ \[!!\] Configure the keyboard ├──┐$")
    at.sees(r"^ {21}│  American English +- +│\n {21}│  Albanian +0 +│$")
    at.press("Tab")
    sees_chosen(at, "<Go Back>")
    at.press("Enter")
    at.sees("Debian installer main menu")
    at.press("Up", "Up")
    at.press("Enter")
    at.sees("Select a language")
    sees_chosen(at, "English")


def test_each_cell_is_as_the_terminal_draws_it_without_the_pane(
    operator: Sit, debian: Guest
) -> None:
    at = sit_down(operator, debian, (80, 24))
    sees_chosen(at, "English")
    assert at.still()[0][1:] == LANGUAGE
    in_pane = drawn_by_pane(at)
    go_raw(at)
    redraw(at)
    sees_drawn(at, drawn_by_terminal, in_pane, below=1)
    # What is drawn here step by step, the pane draws afresh.
    at.press("Up")
    sees_chosen(at, "C")
    at.press("Enter")
    at.sees("Select your location")
    at.press("Down", "Down", "Tab")
    sees_chosen(at, "<Go Back>")
    in_terminal = drawn_by_terminal(at)
    leave_raw(at, "Select a language")
    redraw(at)
    sees_drawn(at, drawn_by_pane, in_terminal, below=1)
