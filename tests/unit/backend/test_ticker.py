"""A worker ticks by itself; one that does not come back is found, and another takes its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from tuivirt.backend.lanes import Lane
from tuivirt.backend.ticker import Round, Ticker

PATIENCE_S = 20.0


def _over() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


class Ticked:
    """What a ticker calls, with a ticker on it."""

    def __init__(self, interval: float, limit: float) -> None:
        self.lane: Lane | None = Lane("lane")
        self.rounds = threading.Semaphore(0)
        self.hang = _over()
        """Not set: the next round hangs until it is."""
        self.work: Callable[[Round[str]], None] = lambda _round: None
        self.stuck_steps: list[str | None] = []
        self.stuck = threading.Semaphore(0)
        self.errors: list[Exception] = []
        self.late: Future[None] | None = None
        self.threads: set[str] = set()
        self.ticker: Ticker[str] = Ticker(
            "ticker",
            interval=interval,
            limit=limit,
            lane=lambda: self.lane,
            tick=self._tick,
            stuck=self._stuck,
            failed=self.errors.append,
        )
        self.ticker.start()

    def _tick(self, _lane: Lane, under_way: Round[str]) -> None:
        under_way.steps.append("asking")
        self.threads.add(threading.current_thread().name)
        self.hang.wait(PATIENCE_S)
        self.work(under_way)
        self.rounds.release()

    def _stuck(self, worker: Future[None], under_way: Round[str]) -> None:
        self.late = worker
        self.stuck_steps.append(under_way.step)
        self.lane = Lane("next")
        self.hang = _over()  # The one that hangs waits for another event.
        self.stuck.release()

    def ticks(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.rounds.acquire(timeout=PATIENCE_S), "no tick came"


@pytest.fixture
def started() -> Iterator[Callable[[float, float], Ticked]]:
    made: list[Ticked] = []

    def start(interval: float, limit: float) -> Ticked:
        made.append(Ticked(interval, limit))
        return made[-1]

    yield start
    for one in made:
        one.hang.set()
        one.ticker.stop()


def test_it_ticks_at_once_and_goes_on(started: Callable[[float, float], Ticked]) -> None:
    one = started(0.01, PATIENCE_S)
    one.ticks(3)
    assert not one.errors


def test_it_ticks_when_it_is_told_to(started: Callable[[float, float], Ticked]) -> None:
    one = started(3600.0, 7200.0)
    one.ticks()
    one.ticker.wake()
    one.ticks()


def test_a_round_can_ask_for_the_next_one_soon_and_only_that(
    started: Callable[[float, float], Ticked],
) -> None:
    one = started(3600.0, 7200.0)
    one.ticks()
    began: list[float] = []

    def ask(under_way: Round[str]) -> None:
        began.append(under_way.started)
        if len(began) == 1:
            one.ticker.soon(0.05)

    one.work = ask
    one.ticker.wake()
    one.ticks(2)
    assert began[1] - began[0] >= 0.05
    assert not one.rounds.acquire(timeout=0.2)


def test_a_round_that_hangs_is_told_of_once_and_another_worker_goes_on(
    started: Callable[[float, float], Ticked],
) -> None:
    one = started(0.01, 0.2)
    one.ticks()
    one.hang = threading.Event()
    assert one.stuck.acquire(timeout=PATIENCE_S)
    one.ticks(30)  # Longer than the limit, while the first is still not back.
    assert one.stuck_steps == ["asking"]
    assert one.threads == {"lane", "next"}


def test_a_worker_that_comes_back_late_ends_and_speaks_for_nobody(
    started: Callable[[float, float], Ticked],
) -> None:
    one = started(0.01, 0.2)
    late = one.hang = threading.Event()
    assert one.stuck.acquire(timeout=PATIENCE_S)
    one.ticks()
    late.set()
    assert one.late is not None
    one.late.result(PATIENCE_S)
    one.threads.clear()
    one.ticks(3)
    assert one.threads == {"next"}
    assert one.stuck_steps == ["asking"]


def test_an_error_is_told_and_the_next_tick_comes(
    started: Callable[[float, float], Ticked],
) -> None:
    one = started(0.01, PATIENCE_S)

    def fails(_round: Round[str]) -> None:
        one.work = lambda _round: None
        raise OSError("no daemon")

    one.work = fails
    one.ticks(2)
    assert [str(error) for error in one.errors] == ["no daemon"]


def test_a_time_out_of_the_work_itself_is_an_error_as_any_other(
    started: Callable[[float, float], Ticked],
) -> None:
    one = started(0.01, PATIENCE_S)

    def fails(_round: Round[str]) -> None:
        one.work = lambda _round: None
        raise TimeoutError("no answer from the kernel")

    one.work = fails
    one.ticks(2)
    assert [str(error) for error in one.errors] == ["no answer from the kernel"]


def test_while_there_is_nothing_to_tick_for_nothing_is_done(
    started: Callable[[float, float], Ticked],
) -> None:
    one = started(0.01, PATIENCE_S)
    one.ticks()
    lane, one.lane = one.lane, None
    one.threads.clear()
    one.lane = Lane("again")
    while "again" not in one.threads:
        one.ticks()
    assert lane is not one.lane
    assert not one.errors
