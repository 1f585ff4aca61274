"""The event loop and the lanes: nothing hangs the program."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from tuivirt.backend import eventloop, lanes
from tuivirt.backend.lanes import Lane

_STOP = """
import threading, time
from tuivirt.backend import eventloop
loop = eventloop.start()
done = threading.Event()
loop.call(done.set)
assert done.wait(5)
assert loop.stop(0.2), "the loop's thread did not end"
"""

_HUNG = """
import threading
from tuivirt.backend.lanes import Lane
started = threading.Event()
def hang():
    started.set()
    threading.Event().wait()
Lane("x").submit(hang)
started.wait(5)
"""


def test_the_event_loop_stops_within_its_time() -> None:
    subprocess.run([sys.executable, "-c", _STOP], check=True, timeout=20)


def test_a_call_that_hangs_does_not_keep_the_program_from_ending() -> None:
    subprocess.run([sys.executable, "-c", _HUNG], check=True, timeout=20)


def test_a_call_runs_on_the_loops_thread() -> None:
    loop = eventloop.start()
    seen: list[bool] = []
    done = threading.Event()

    def call() -> None:
        seen.append(loop.on_thread)
        done.set()

    loop.call(call)
    assert done.wait(5)
    assert seen == [True]
    assert not loop.on_thread


def test_one_hung_call_leaves_the_other_workers_of_a_lane() -> None:
    lane = Lane("test", 2)
    release = threading.Event()
    hung = lane.submit(release.wait)
    assert [lane.submit(partial(abs, n)).result(5) for n in range(10)] == list(range(10))
    assert not hung.done()
    release.set()
    assert hung.result(5)
    lane.close()


def test_a_lane_that_is_widened_takes_up_what_waits_and_is_never_made_narrower() -> None:
    lane = Lane("test", 1)
    release = threading.Event()
    hung = lane.submit(release.wait)
    waiting = lane.submit(lambda: 7)
    lane.widen(2)
    assert waiting.result(5) == 7
    lane.widen(1)
    assert lane.submit(lambda: 8).result(5) == 8
    release.set()
    assert hung.result(5)
    lane.close()


def test_of_calls_about_one_thing_one_is_under_way_and_the_rest_take_no_worker() -> None:
    lane = Lane("test", 2)
    release = threading.Event()
    hung = lane.submit(release.wait, alone="pool")
    ran: list[int] = []
    behind = [lane.submit(partial(ran.append, n), alone="pool") for n in range(5)]
    assert lane.submit(lambda: 7).result(5) == 7
    assert lane.submit(lambda: 8, alone="another").result(5) == 8
    assert ran == []
    release.set()
    assert hung.result(5)
    for each in behind:
        each.result(5)
    assert ran == list(range(5))
    assert lane.submit(lambda: 9, alone="pool").result(5) == 9
    lane.close()


def test_one_that_fails_or_is_given_up_lets_the_next_about_the_same_thing_begin() -> None:
    lane = Lane("test", 1)
    release = threading.Event()
    hung = lane.submit(release.wait)
    given_up = lane.submit(lambda: 1, alone="pool")
    failing = lane.submit(lambda: 1 // 0, alone="pool")
    last = lane.submit(lambda: 7, alone="pool")
    assert given_up.cancel()
    release.set()
    assert hung.result(5)
    with pytest.raises(ZeroDivisionError):
        failing.result(5)
    assert last.result(5) == 7
    lane.close()


def test_calls_that_hang_are_replaced_by_so_many_workers_which_go_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "HUNG_S", 0.05)
    lane = Lane("replaced", 2, spare=1)
    release = threading.Event()
    hung = [lane.submit(release.wait) for _ in range(2)]
    assert lane.submit(lambda: 7).result(5) == 7
    hung.append(lane.submit(release.wait))
    waits = lane.submit(lambda: 8)
    with pytest.raises(TimeoutError):
        waits.result(0.5)
    release.set()
    assert [each.result(5) for each in hung] == [True] * 3
    assert waits.result(5) == 8
    assert [lane.submit(partial(abs, n)).result(5) for n in range(9)] == list(range(9))
    there = [each for each in threading.enumerate() if each.name == "replaced"]
    deadline = time.monotonic() + 5
    while sum(each.is_alive() for each in there) > 2:
        assert time.monotonic() < deadline, "who stood in stays"
        time.sleep(0.005)
    lane.close()
    for each in there:
        each.join(5)
        assert not each.is_alive()


def test_a_lane_hands_on_what_a_call_raised() -> None:
    lane = Lane("test")

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        lane.submit(fail).result(5)
    lane.close()
    with pytest.raises(RuntimeError, match="closed"):
        lane.submit(fail)


def test_a_call_that_fails_on_the_event_loop_does_not_cost_those_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = eventloop.start()
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        # Both of the next are queued while this one runs, and so are taken together.
        assert ready.wait(10)

    def fail() -> None:
        raise ValueError("a defect")

    loop.call(hold)
    loop.call(fail)
    loop.call(done.set)
    ready.set()
    assert done.wait(10)
    assert "a defect" in caplog.text
