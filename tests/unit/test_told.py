"""What SIGTERM and SIGHUP do to a verb whose task runs: it is stopped, said, and left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuivirt.commands.told import SAME_S

ROOT = Path(__file__).parents[2]
LONG = 60.0
SOON = 10.0
"""Less than the task would wait for by itself."""

PROGRAM = """
import sys, time
from tests.unit.actions.test_runner import WEB, FakeHost
from tuivirt import __main__, cli
from tuivirt.actions.registry import ACTIONS, action
from tuivirt.actions.runner import Tasks
from tuivirt.backend.errors import Aborted
from tuivirt.commands.verbs import run_one

cleaning_s = float(sys.argv[1])


@action("domain", virsh="", api="virTry")
def try_it(run, domain):
    "Try it."
    print("under way", flush=True)
    assert run.aborted.wait(30)
    print("stopping", flush=True)
    time.sleep(cleaning_s)
    raise Aborted("it was aborted", "nothing is left")


def one(_argv):
    tasks = Tasks(lambda event: None)
    done = run_one(tasks, ACTIONS["try-it"], FakeHost(), WEB.ref, WEB.name, {}, False)
    return 0 if done else 1


cli._main = one
__main__.main()
"""

Program = subprocess.Popen[str]


def _heed(ignored: tuple[signal.Signals, ...]) -> None:
    """A shell that runs its tests in the background has some ignored, and children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """A program whose task is under way; once stopped that takes ``cleaning_s`` to end."""
    begun: list[Program] = []

    def begin(cleaning_s: float = 0.0, *, ignored: tuple[signal.Signals, ...] = ()) -> Program:
        begun.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(cleaning_s)],
                cwd=ROOT,
                preexec_fn=lambda: _heed(ignored),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        assert line(begun[-1]) == "under way"
        return begun[-1]

    yield begin
    for each in begun:
        each.kill()
        each.communicate()


def line(program: Program) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


STATUSES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 1}


@pytest.mark.parametrize("number", STATUSES, ids=lambda number: number.name)
def test_its_task_is_stopped_and_how_it_ended_is_said(
    program: Callable[..., Program], number: signal.Signals
) -> None:
    at = program()
    at.send_signal(number)
    _out, err = at.communicate(timeout=LONG)
    assert err == "tuivirt: h: it was aborted: nothing is left\n"
    assert at.returncode == STATUSES[number]


def test_a_line_that_breaks_is_told_of_several_times_and_is_one_signal(
    program: Callable[..., Program],
) -> None:
    at = program(0.5)
    at.send_signal(signal.SIGHUP)
    assert line(at) == "stopping"
    at.send_signal(signal.SIGHUP)
    at.send_signal(signal.SIGTERM)
    _out, err = at.communicate(timeout=LONG)
    assert "nothing is left" in err
    assert at.returncode == 129


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_second_one_leaves_at_once(
    program: Callable[..., Program], number: signal.Signals
) -> None:
    at = program(LONG)
    at.send_signal(number)
    assert line(at) == "stopping"
    time.sleep(SAME_S)  # From when the first was heard of, which was before.
    at.send_signal(number)
    _out, err = at.communicate(timeout=SOON)
    assert (at.returncode, err) == (128 + number, "")


def test_what_was_ignored_before_is_ignored_still(program: Callable[..., Program]) -> None:
    at = program(ignored=(signal.SIGHUP,))
    at.send_signal(signal.SIGHUP)
    at.send_signal(signal.SIGTERM)
    at.communicate(timeout=LONG)
    assert at.returncode == 143


def test_a_terminal_that_has_gone_changes_nothing_of_it(program: Callable[..., Program]) -> None:
    at = program()
    assert at.stderr is not None
    at.stderr.close()
    at.stderr = None
    at.send_signal(signal.SIGHUP)
    assert line(at) == "stopping"
    assert at.wait(LONG) == 129
