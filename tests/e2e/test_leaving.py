"""The program goes at once when it is told to, and the terminal is as it was before."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.operator import Operator
from tests.support.guests import Guest
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.tmux import TUIVIRT

Sit = Callable[..., Operator]

AT_ONCE_S = 3.0
"""A call that hangs would be waited for half a minute, or for ever."""

SHELL = 'stty -g >$HOME/before; "$@"; s=$?; stty -g >$HOME/after; echo "ended with $s"; read -r _'
"""What an operator comes from and goes back to."""


@pytest.fixture
def from_shell(operator: Sit) -> Sit:
    """As ``operator``, with a shell around the program."""

    def sit_down(*arguments: str, **more: object) -> Operator:
        return operator(*arguments, argv=["sh", "-c", SHELL, "sh", *TUIVIRT], **more)

    return sit_down


def assert_the_terminal_is_as_before(at: Operator) -> None:
    folder: Path = at.terminal.folder
    assert (folder / "after").read_text() == (folder / "before").read_text()
    modes = at.terminal.modes
    assert modes["alternate_on"] == "0", modes
    assert modes["cursor_flag"] == "1", modes
    assert modes["mouse_any_flag"] == modes["mouse_all_flag"] == "0", modes
    assert modes["keypad_cursor_flag"] == "0", modes
    # What the shell says comes out plain.
    assert "\x1b[?2004l" in at.terminal.raw.decode().rpartition("ended with")[0]
    at.type("typed")
    at.sees("^typed")


def test_ctrl_q_leaves_from_anywhere(from_shell: Sit) -> None:
    for place in ("", "+", ":", "?"):
        at = from_shell("--demo")
        if place:
            at.press(place)
        at.press("C-q")
        at.sees("^ended with 0")
        assert_the_terminal_is_as_before(at)
        at.terminal.close()


def test_q_at_the_first_screen_says_how_to_leave(from_shell: Sit) -> None:
    at = from_shell("--demo")
    at.press("q")
    at.sees(r"ctrl\+q leaves")
    at.press("C-c")
    at.go_to("q")
    at.sees("^ended with 0")


def test_ctrl_q_leaves_at_once_while_the_daemon_is_stopped(
    from_shell: Sit, daemon: PrivateLibvirtd
) -> None:
    at = from_shell("-c", daemon.uri)
    at.sees("↻ 2 s")
    daemon.sigstop()
    at.sees("stalled, no answer for")
    at.press("C-r")
    at.press("C-q")
    at.sees("^ended with 0", timeout=AT_ONCE_S)
    assert_the_terminal_is_as_before(at)


def test_ctrl_q_leaves_at_once_while_it_still_connects(
    from_shell: Sit, daemon: PrivateLibvirtd
) -> None:
    daemon.sigstop()
    at = from_shell("-c", daemon.uri, first="Asking local|connecting")
    at.press("C-q")
    at.sees("^ended with 0", timeout=AT_ONCE_S)
    assert_the_terminal_is_as_before(at)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("stopped", [False, True], ids=["", "daemon stopped"])
def test_a_signal_ends_it_and_restores_the_terminal(
    from_shell: Sit, daemon: PrivateLibvirtd, number: signal.Signals, stopped: bool
) -> None:
    at = from_shell("-c", daemon.uri)
    at.sees("↻ 2 s")
    if stopped:
        daemon.sigstop()
        at.press("C-r")  # A call that now hangs, besides the sampler's.
        at.sees("asked again")
    at.signal(number)
    at.sees(rf"^ended with {128 + number}", timeout=AT_ONCE_S)
    assert_the_terminal_is_as_before(at)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_in_the_console_ends_it_and_restores_the_terminal(
    from_shell: Sit, shared_guest: Guest, number: signal.Signals
) -> None:
    at = from_shell("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.open_console()
    at.signal(number)
    at.sees(rf"^ended with {128 + number}")
    assert_the_terminal_is_as_before(at)
