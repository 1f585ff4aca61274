"""A worker that ticks by itself, and a thread that sees when it does not come back.

The worker may hang in libvirt for ever, so somebody else must look. But nobody hands it its
ticks: to be woken by another thread, and to wake it in turn, took a tenth of what a tick costs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .lanes import Lane

Step = TypeVar("Step")


@dataclass(slots=True)
class Round(Generic[Step]):
    """One tick: since when it is under way (monotonic seconds), and what it has come to."""

    started: float
    steps: list[Step] = field(default_factory=list)

    @property
    def step(self) -> Step | None:
        """What it does now."""
        return self.steps[-1] if self.steps else None


class Ticker(Generic[Step]):
    """Calls ``tick`` every ``interval`` seconds, on a worker's thread.

    ``lane`` gives the worker to start on, or None while there is nothing to tick for. A worker
    goes on for as long as it is given the same. ``stuck`` is told of a round that is not over
    after ``limit`` seconds, with the worker's future, which ends when the round does; it has to
    give another lane. ``failed`` is told what a round raised.
    """

    def __init__(
        self,
        name: str,
        *,
        interval: float,
        limit: float,
        lane: Callable[[], Lane | None],
        tick: Callable[[Lane, Round[Step]], None],
        stuck: Callable[[Future[None], Round[Step]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._interval = interval
        self._limit = limit
        self._lane = lane
        self._tick = tick
        self._stuck = stuck
        self._failed = failed
        self._wake = threading.Event()
        self._within = interval
        self._under_way: Round[Step] | None = None
        self.stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a tick at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; a round under way is not waited for."""
        self.stopping = True
        self._wake.set()

    def wake(self) -> None:
        """Tick now."""
        self._wake.set()

    def soon(self, seconds: float) -> None:
        """Said during a tick: the next comes so soon after this one began."""
        self._within = min(self._within, seconds)

    def _run(self) -> None:
        while not self.stopping:
            due = time.monotonic() + self._interval
            try:
                lane = self._lane()
                if lane is not None:
                    self._watch(lane)
            except Exception as error:
                self._failed(error)
            self._sleep(due)

    def _sleep(self, due: float) -> None:
        self._wake.wait(max(0.0, due - time.monotonic()))
        self._wake.clear()

    def _watch(self, lane: Lane) -> None:
        """Let the worker tick; back when it ended, or was found to be stuck."""
        worker = lane.submit(lambda: self._work(lane))
        limit = self._limit
        while True:
            now = self._under_way
            # A round that begins while nobody looks is seen in time all the same: this thread
            # looks once in so many seconds, and then waits for what is left to that round.
            left = limit if now is None else now.started + limit - time.monotonic()
            # Not by its result: of a round that itself ran out of time that would tell the same.
            if wait((worker,), max(0.0, left)).done:
                worker.result()
                return
            still = self._under_way
            if still is not None and time.monotonic() - still.started >= limit:
                self._under_way = None  # Of the next worker nothing is under way yet.
                self._stuck(worker, still)
                return

    def _work(self, lane: Lane) -> None:
        due = time.monotonic()
        while True:
            self._sleep(due)
            if self.stopping or self._lane() is not lane:
                return
            began = time.monotonic()
            under_way = self._under_way = Round(began)
            self._within = self._interval
            try:
                self._tick(lane, under_way)
            finally:
                due = began + self._within
                # One that was given up must not speak for the one that took its place.
                if self._under_way is under_way:
                    self._under_way = None
