"""The serial console takes the terminal over, and gives it back as it was."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.e2e.operator import PANE, PROMPT, Operator
from tests.support.guests import Guest

Size = tuple[int, int]
Sit = Callable[..., Operator]

NOTICE = -2
"""The row where the screen says how the console ended."""

GARBLE = r"printf '\033[?1049h\033[?25l\033[?1000h\033[5;9r\033(0\033[31;44m\033[4h\033[2J'"
"""What a program in the guest leaves behind when it dies: everything a terminal can be set to."""

FIGURES = re.compile(r"[\d.?·▁-█]+ *[kMG]?|…| +")


def without_notice(screen: tuple[list[str], list[str]]) -> list[list[str]]:
    return [[*rows[:NOTICE], *rows[NOTICE + 1 :]] for rows in screen]


def without_figures(rows: list[str]) -> list[str]:
    """What stands still in a live list."""
    return [FIGURES.sub(" ", row).strip() for row in rows]


def test_from_the_list_to_the_guests_shell_and_back_to_the_same_screen(
    operator: Sit, shared_guest: Guest, slow_ticks: dict[str, str], size: Size
) -> None:
    at = operator("-c", shared_guest.uri, size=size, env=slow_ticks)
    at.pick(shared_guest.name)
    before, _ = without_notice(at.still())
    at.open_console()
    at.type("echo $((6 * 7))")
    at.press("Enter")
    at.sees("^42$")
    at.leave_console()
    after, _ = without_notice(at.still())
    assert without_figures(after) == without_figures(before)
    # The keys are the program's again.
    at.press("?")
    at.sees("What can be done to a domain")


@pytest.mark.parametrize("typed", ["", GARBLE], ids=["left at once", "after a wild program"])
def test_from_the_detail_the_same_tab_is_there_again_to_the_last_colour(
    operator: Sit, shared_guest: Guest, slow_ticks: dict[str, str], size: Size, typed: str
) -> None:
    at = operator("-c", shared_guest.uri, size=size, env=slow_ticks)
    at.pick(shared_guest.name)
    at.press("Enter")
    at.sees("Overview")
    at.press("6")
    at.sees(f"<name>{shared_guest.name}</name>")
    before, modes = at.still(), at.terminal.modes
    at.open_console()
    if typed:
        at.type(typed)
        at.press("Enter")
        at.sees_no("printf")
        at.still()
    at.leave_console()
    assert without_notice(at.still())[1][1:] == without_notice(before)[1][1:]
    assert at.terminal.modes == modes


def test_the_console_stays_while_the_guest_reboots(
    operator: Sit, define: Callable[..., Guest]
) -> None:
    guest = define()
    guest.boot().close()
    guest.serials[0].close()
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    at.open_console()
    at.type("clear; echo before >/tmp/boot; reboot -f")
    at.press("Enter")
    at.sees("reboot: Restarting system")
    at.sees(rf"built-in shell(.*\n)+{PROMPT}")
    at.type("ls /tmp/boot; echo back $((40 + 2))")
    at.press("Enter")
    at.sees("back 42")
    assert at.now("/tmp/boot: No such file")
    at.leave_console()
    at.sees_row(guest.name, "run +{name}")


def test_the_console_opens_from_the_command_line_and_its_shell_is_ours_again(
    operator: Sit, shared_guest: Guest
) -> None:
    at = operator("-c", shared_guest.uri, "console", shared_guest.name, first=r"ctrl\+\] leaves")
    at.press("Enter")
    at.sees(rf"^{PROMPT}")
    at.press("C-]")
    at.sees(f"left the console of {shared_guest.name}")
    assert at.terminal.wait_exit() == 0


def test_a_console_that_somebody_else_holds_is_told_with_what_to_do(
    operator: Sit, shared_guest: Guest
) -> None:
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    with shared_guest.serial("serial0"):
        at.press("c")
        at.sees(r"ctrl\+\] t takes it over: somebody else has it open")
        at.choose("t")
        at.sees_no("somebody else has it open")
        at.press("Enter")
        at.sees(rf"^{PROMPT}")
        at.leave_pane()


def test_the_second_port_is_named_in_the_form(operator: Sit, define: Callable[..., Guest]) -> None:
    guest = define(serials=2)
    guest.boot().close()
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    at.go_to("console")
    at.sees("Serial console: ")
    at.type("serial1")
    at.press("C-s")
    at.sees(PANE)
    at.sees("serial1]")
    at.press("Enter")
    at.sees(rf"^{PROMPT}")
    at.type("ls -l /proc/self/fd/0")
    at.press("Enter")
    at.sees("ttyS1")
    at.leave_pane()
