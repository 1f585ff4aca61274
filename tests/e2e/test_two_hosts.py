"""Two real hosts in one list: one that stands still, bulk over both, and a clock that is set."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.cli import tuivirt
from tests.contract.test_connection import qemu_pid
from tests.e2e.operator import Operator
from tests.support.two_hosts import TwoHosts

Sit = Callable[..., Operator]

ANSWERS_WITHIN_S = 1.0
"""A key whose effect takes longer waited for something."""
TOLD_WITHIN_S = 3.0
"""An event that takes longer waited for the host that does not answer, or for the next tick."""
DAY = 86400
CLOCK = """
import runpy, sys, time
real, path = time.time, sys.argv.pop(1)
time.time = lambda: real() + float(open(path).read())
sys.argv[0] = "tuivirt"
runpy.run_module("tuivirt", run_name="__main__", alter_sys=True)
"""
"""The program with a clock that is set by a file: seconds that it is ahead."""


@pytest.fixture(scope="module")
def two() -> Iterator[TwoHosts]:
    with TwoHosts() as two:
        yield two


@pytest.fixture(autouse=True)
def _clean(two: TwoHosts) -> Iterator[None]:
    yield
    two.near.sigcont()
    two.clear()


def test_a_host_that_stands_still_holds_up_neither_a_key_nor_the_other_and_a_set_clock_nothing(
    operator: Sit, two: TwoHosts, tmp_path: Path
) -> None:
    for name in ("a-near", "b-near"):
        two.idle(two.near, name).start()
    for name in ("c-far", "d-far"):
        quick = two.idle(two.far, name)
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    argv = [sys.executable, "-P", "-c", CLOCK, str(ahead)]
    at = operator(argv=argv, env=two.env)
    at.sees("Domains 4 of 4")
    at.press("N", "g")  # By name, so that rows stay where they are.
    at.sees(r"^▌ +run +a-near")
    at.sees(r"off +d-far")

    two.near.sigstop()
    at.sees(r"^▌ +stalled +a-near +\d+ s ago")
    assert not at.now("stalled +c-far")
    # One of them dies meanwhile, which nobody can tell yet.
    os.kill(qemu_pid("b-near"), signal.SIGKILL)
    for number, name in enumerate(("b-near", "c-far", "d-far", "c-far", "b-near", "a-near")):
        at.press("j" if number < 3 else "k")
        at.sees(rf"^▌.*{name}", timeout=ANSWERS_WITHIN_S)
    # The clock goes on by a day, and then back by two.
    ahead.write_text(str(DAY))
    quick.start()
    at.sees(r"run +d-far", timeout=TOLD_WITHIN_S)
    ahead.write_text(str(-DAY))
    quick.domain.suspend()
    at.sees(r"paused +d-far", timeout=TOLD_WITHIN_S)
    at.sees(r"^▌ +stalled +a-near +\d+ s ago")
    at.go_to("events")
    at.sees(r"domain +d-far .*suspended(.|\n)*host +near .*stalled")
    at.go_to("hosts")
    at.sees(r"connected +far .* \d+ s +d-far")

    two.near.sigcont()
    at.go_to("domains")
    at.sees(r"^▌ +run +a-near")
    at.sees(r"off +b-near")
    assert not at.now("stalled")


def test_what_is_done_to_domains_of_both_hosts_is_told_for_each(
    operator: Sit, two: TwoHosts
) -> None:
    for daemon in (two.near, two.far):
        two.idle(daemon, "twin")
    env = two.env
    ran = tuivirt("start", "twin@near", "twin@far", **env)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == ["twin@near is running", "twin@far is running"]
    two.idle(two.far, "other")
    ran = tuivirt("start", "twin@near", "other@far", **env)
    assert ran.status == 1
    assert ran.out == "other@far is running\n"
    assert "near: cannot start twin" in ran.err

    at = operator(env=env)
    at.type("/twin")
    at.press("Enter")
    at.sees(r"run +twin(.|\n)*run +twin")
    # By name, as by CPU the cursor may have followed its domain to the end of the list.
    at.press("N", "g", "Space", "Space", "C-k")
    at.sees("2 domains: twin @(far|near), twin @(far|near)")
    at.answer("2 domains: twin", "y")
    at.sees(r"off +twin(.|\n)*off +twin")
    # One of them has no disk any more.
    two.image(two.far, "twin.img").unlink()
    at.press("s")
    at.go_to("tasks")
    at.sees(r"done +twin@near +Start")
    at.sees(r"failed +twin@far +Start")
    at.press("g")
    at.sees(r"cannot start twin(.|\n)*twin\.img")
