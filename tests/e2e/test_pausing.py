"""ctrl+z goes back to the shell and leaves nothing behind; the shell's ``fg`` goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.e2e.operator import Operator
from tests.support.guests import Guest
from tests.support.tmux import TUIVIRT

Sit = Callable[..., Operator]

SHELL = (
    'stty -g >$HOME/before; "$@"; echo "stopped with $?"; stty -g >$HOME/stopped; read -r _;'
    ' fg >/dev/null; echo "ended with $?"; stty -g >$HOME/after; read -r _'
)
"""A shell with job control around the program: Enter is its ``fg``."""


def from_shell(operator: Sit, *arguments: str, **more: str) -> Operator:
    return operator(*arguments, argv=["bash", "-m", "-c", SHELL, "bash", *TUIVIRT], **more)


def test_the_shell_has_its_terminal_back_and_the_same_screen_goes_on(operator: Sit) -> None:
    at = from_shell(operator, "--demo")
    at.pick("db-01")
    at.press("Enter")
    at.sees(r"\[Overview\]")
    at.press("C-z")
    at.sees("^stopped with 147")
    folder = at.terminal.folder
    assert (folder / "stopped").read_text() == (folder / "before").read_text()
    modes = at.terminal.modes
    assert (modes["alternate_on"], modes["cursor_flag"]) == ("0", "1"), modes
    at.press("Enter")
    # All of it, not only what has changed since.
    at.sees(r"^ db-01 +running")
    at.sees(r"\[Overview\].*XML")
    at.sees(r"title +PostgreSQL")
    at.press("q")
    at.sees("Domains 1 of")
    at.press("C-q")
    at.sees("^ended with 0")


def test_where_no_shell_would_continue_it_it_says_so_and_goes_on(operator: Sit) -> None:
    at = operator("--demo")
    at.press("C-z")
    at.sees(r"no shell would continue tuivirt; ctrl\+q leaves it")
    at.pick("db-01")


def test_while_a_task_is_under_way_it_does_not_stop(operator: Sit, idle_guest: Guest) -> None:
    at = from_shell(operator, "-c", idle_guest.uri)
    at.pick(idle_guest.name)
    at.press("x")
    at.answer(f"Ask {idle_guest.name} to shut down", "y")
    at.go_to("tasks")
    at.sees("running +tuivirt-test")
    at.press("C-z")
    at.sees("the task under way would stand still too")


def test_a_console_that_is_stopped_from_outside_gives_the_shell_its_terminal_and_goes_on(
    operator: Sit,
) -> None:
    at = from_shell(operator, "--demo", "console", "ci-runner", first=r"ctrl\+\] leaves")
    at.press("C-z")  # Typed, it is the guest's.
    at.press("Enter")
    at.type("echo $((6 * 7))")
    at.press("Enter")
    at.sees("^42$")
    at.signal(signal.SIGTSTP)
    at.sees("^stopped with 148")
    at.press("Enter")
    at.sees(r"^\[going on with ci-runner serial0; ctrl\+\] leaves\]")
    at.type("echo $((8 * 8))")
    at.press("Enter")
    at.sees("^64$")
    at.press("C-]")
    at.sees("^ended with 0")
    assert at.now("^42$"), "what was on the screen is written over"
    folder = at.terminal.folder
    modes = [(folder / name).read_text() for name in ("before", "stopped", "after")]
    assert modes[0] == modes[1] == modes[2]
