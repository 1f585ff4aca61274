"""The program ends when its terminal goes away, wherever it was and whatever hangs by then."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.operator import Operator
from tests.support.guests import Guest
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.line import DEAF, Line
from tuivirt.ending import GRACE_S

Sit = Callable[..., Operator]

SOON_S = GRACE_S + 12.0
"""A program that hangs would do so for ever; a busy machine takes its time."""
HUNG_UP = 128 + signal.SIGHUP


def kill_terminal(at: Operator) -> None:
    """Kill the terminal, and wait for the program's end."""
    process = os.pidfd_open(at.terminal.pid)
    try:
        at.terminal.close()
        poll = select.poll()
        poll.register(process, select.POLLIN)
        assert poll.poll(SOON_S * 1000), "it lives on without a terminal"
    finally:
        os.close(process)


@pytest.mark.parametrize("place", ["", "+", ":", "?"], ids=["list", "form", "command", "help"])
def test_a_terminal_that_is_killed_takes_it_along(operator: Sit, place: str) -> None:
    at = operator("--demo")
    if place:
        at.press(place)
    kill_terminal(at)


def test_a_terminal_killed_in_the_console_takes_it_along(
    operator: Sit, shared_guest: Guest
) -> None:
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.open_console()
    kill_terminal(at)


def test_a_terminal_killed_while_a_task_runs_takes_it_along(
    operator: Sit, idle_guest: Guest
) -> None:
    at = operator("-c", idle_guest.uri)
    at.pick(idle_guest.name)
    at.press("x")
    at.answer(f"Ask {idle_guest.name} to shut down", "y")
    at.go_to("tasks")
    at.sees("running +tuivirt-test")
    kill_terminal(at)
    assert idle_guest.active


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connecting"])
def test_a_terminal_killed_while_the_daemon_is_stopped_takes_it_along(
    operator: Sit, daemon: PrivateLibvirtd, connected: bool
) -> None:
    if not connected:
        daemon.sigstop()
    first = "↻ 2 s" if connected else "Asking local|connecting"
    at = operator("-c", daemon.uri, first=first)
    if connected:
        daemon.sigstop()
        at.sees("stalled, no answer for")
        at.press("C-r")
    kill_terminal(at)


@pytest.fixture
def line() -> Iterator[Callable[..., Line]]:
    """The program on a line that the test holds the other end of; its list is filled."""
    lines: list[Line] = []

    def start(*arguments: str, **more: object) -> Line:
        lines.append(Line(*arguments, **more))  # type: ignore[arg-type]
        lines[-1].sees("web-01")
        return lines[-1]

    yield start
    for one in lines:
        one.close()


@pytest.mark.parametrize("before", [(), DEAF], ids=["", "SIGHUP ignored"])
def test_a_line_that_is_cut_ends_it(line: Callable[..., Line], before: tuple[str, ...]) -> None:
    at = line("--demo", before=before)
    at.cut()
    assert at.ended(SOON_S) == HUNG_UP


@pytest.mark.parametrize("whole", [False, True], ids=["pane", "raw"])
@pytest.mark.parametrize("before", [(), DEAF], ids=["", "SIGHUP ignored"])
def test_a_line_that_is_cut_in_the_console_ends_it(
    line: Callable[..., Line], before: tuple[str, ...], whole: bool
) -> None:
    at = line("--demo", before=before)
    at.type("/ci-runner\r")
    at.sees("Domains 1 of")
    at.type("c")
    at.sees(r"ctrl\+\] menu")
    if whole:
        at.sees("Press Enter")
        at.type("\x1d")
        at.sees("raw: the whole")
        at.type("r")
        at.sees(r"\[connected to ")
    at.cut()
    assert at.ended(SOON_S) == HUNG_UP


def test_a_line_that_took_nothing_any_more_and_is_cut_ends_it(line: Callable[..., Line]) -> None:
    at = line("--demo")
    at.stop_reading()
    at.cut()
    assert at.ended(SOON_S) == HUNG_UP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_it_though_its_terminal_takes_nothing(
    line: Callable[..., Line], number: signal.Signals
) -> None:
    at = line("--demo")
    at.stop_reading()
    at.signal(number)
    assert at.ended(SOON_S) == 128 + number


def test_a_signal_ends_a_console_though_the_terminal_takes_nothing_of_what_the_guest_says(
    shared_guest: Guest,
) -> None:
    with Line("-c", shared_guest.uri, "console", shared_guest.name) as at:
        at.sees(r"\[connected to ")
        at.type("\r")
        at.sees("guest#")
        at.type("yes\r")
        at.sees("y\r\ny")
        at.stop_reading(keys="")
        at.signal(signal.SIGTERM)
        assert at.ended(SOON_S) == 128 + signal.SIGTERM
    shared_guest.serials[0].run("killall yes")
