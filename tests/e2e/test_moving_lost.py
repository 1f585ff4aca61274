"""The target of a move is lost on the way, and stays so: what is left where is told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import libvirt
import pytest

from tests.e2e.operator import Operator
from tests.e2e.test_moving import WIDE, fill_in, reads, state_on
from tests.support.libvirtd import until
from tests.support.two_hosts import TwoHosts

Sit = Callable[..., Operator]

IMPATIENT = """
import runpy, sys
from tuivirt.backend import sampler
from tuivirt.backend.migration import truth
sampler.SILENT_S, truth.COMES_BACK_S = 5.0, 2.0
sys.argv[0] = "tuivirt"
runpy.run_module("tuivirt", run_name="__main__", alter_sys=True)
"""
"""The program, with less patience for a host that says nothing."""
RUNNING = libvirt.VIR_DOMAIN_RUNNING


@pytest.fixture(scope="module")
def two() -> Iterator[TwoHosts]:
    with TwoHosts() as two:
        yield two


@pytest.fixture(autouse=True)
def _clean(two: TwoHosts) -> Iterator[None]:
    yield
    if two.far.pid is None:
        two.far.start()
    two.far.sigcont()
    two.clear()


@pytest.fixture(params=[8])
def at(operator: Sit, two: TwoHosts, request: pytest.FixtureRequest) -> Operator:
    """Somebody who sees a running guest on ``near``, and one beside it that is off.

    It takes about as many seconds to be moved as its disk has MiB.
    """
    two.idle(two.near, "web", fill_mib=request.param).start()
    two.idle(two.near, "other")
    argv = [sys.executable, "-P", "-c", IMPATIENT]
    at = operator(argv=argv, env=two.env, size=WIDE)
    at.press("N")
    at.pick("web")
    return at


def _move(at: Operator) -> None:
    """Have it moved, slowly; its task is seen under way."""
    at.type(":migrate")
    at.press("Enter")
    at.sees("Move to another host: ")
    fill_in(at, 1)
    at.accept("move the running web")
    at.go_to("tasks")
    at.sees(r"running +web.*(images|memory): ")


def _keys_are_answered(at: Operator) -> None:
    """From the tasks to other screens and back, while one of them is under way."""
    at.press("?")
    at.sees("Where : leads")
    at.press("Escape")
    at.go_to("hosts")
    at.sees(r"Hosts 2 of 2")
    at.press("j")
    at.sees("^▌ +connected +near")
    at.press("k")
    at.sees_no("^▌ +connected +near")
    at.go_to("tasks")


def _is_on_near_alone(at: Operator, two: TwoHosts) -> None:
    at.go_to("domains")
    at.sees(r"run +web.* near$")
    assert state_on(two.near, "web") == RUNNING


def test_a_target_whose_daemon_is_killed_and_stays_dead(at: Operator, two: TwoHosts) -> None:
    _move(at)
    two.far.kill()
    at.sees("far .*connection lost")
    assert at.now(r"running +web")
    _keys_are_answered(at)
    at.sees(r"failed +web")
    for said in (
        "web was not moved to far (it runs on near; far cannot be asked",
        "web.img on far is left, as it may be in use",
        "look again when both hosts answer, before you start it anywhere",
    ):
        reads(at, said)
    assert two.image(two.far, "web.img").exists()
    _is_on_near_alone(at, two)
    two.far.start()
    at.sees_no("connection lost")
    until(lambda: state_on(two.far, "web") is None, "nothing of it is on the target")
    at.sees(r"Domains 1 of 2\b")


@pytest.mark.parametrize("at", [24], indirect=True)
def test_a_target_that_stands_still_and_a_move_that_is_aborted(at: Operator, two: TwoHosts) -> None:
    _move(at)
    two.far.sigstop()
    at.sees("far stalled")
    _keys_are_answered(at)
    at.press("C-k")
    at.answer("Abort: Move to another host of web", "y")
    at.sees(r"aborted +web")
    for said in (
        "moving web to far was aborted: it runs on near; far cannot be asked",
        "web.img on far is left, as it may be in use",
    ):
        reads(at, said)
    _is_on_near_alone(at, two)
    two.far.sigcont()
    until(lambda: state_on(two.far, "web") is None, "nothing of it is on the target")
    at.sees(r"Domains 1 of 2\b")


def test_a_target_that_stands_still_until_it_is_given_up(at: Operator, two: TwoHosts) -> None:
    _move(at)
    two.far.sigstop()
    at.sees("far .*connection lost")
    at.sees(r"failed +web")
    reads(at, "web was not moved to far (it runs on near; far cannot be asked")
    _is_on_near_alone(at, two)
    two.far.sigcont()
    until(lambda: state_on(two.far, "web") is None, "nothing of it is on the target")
