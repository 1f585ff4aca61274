"""Workers on daemon threads: a libvirt call may hang for ever, and the program must still end."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
HUNG_S = 5.0
"""A call that takes longer is replaced on a lane that has workers to spare: it may never end."""


@dataclass(frozen=True, slots=True)
class _Job:
    future: Future[Any]
    function: Callable[[], Any]
    alone: Hashable


class Lane:
    """A queue of calls worked off by up to ``width`` daemon threads, started when needed.

    Each call runs inside a context manager that ``around`` makes. Calls that hang are replaced
    once others wait for them: by ``spare`` more threads at most.

    Not concurrent.futures' executor: that one joins its threads at exit, and so a hung call
    would keep the program from ending.
    """

    def __init__(
        self,
        name: str,
        width: int = 1,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
        spare: int = 0,
    ) -> None:
        self.name = name
        self._around = around
        self._width = width
        self._spare = spare
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0
        self._closed = threading.Event()
        self._since: dict[Future[Any], float] = {}
        """When each call under way was begun."""
        self._alone: dict[Hashable, deque[_Job]] = {}
        """By key of what is queued or under way: what comes after it."""
        self._watched = False

    def submit(self, function: Callable[[], T], alone: Hashable = None) -> Future[T]:
        """Queue a call; its future holds the result or the exception.

        Of those that have the same key ``alone`` one is under way at a time. The next takes no
        worker while it waits for that.
        """
        future: Future[T] = Future()
        job = _Job(future, function, alone)
        with self._lock:
            if self._closed.is_set():
                raise RuntimeError(f"lane {self.name} is closed")
            if alone is not None and alone in self._alone:
                self._alone[alone].append(job)
                return future
            if alone is not None:
                self._alone[alone] = deque()
            self._put(job)
        return future

    def _put(self, job: _Job) -> None:
        self._queue.put(job)
        self._waiting += 1
        if self._waiting <= self._threads - len(self._since):
            return
        if self._threads < self._width:
            self._start()
        elif self._spare and not self._watched:
            self._watched = True
            threading.Thread(target=self._watch, name=f"{self.name}-hung", daemon=True).start()

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=self.name, daemon=True).start()

    def _room(self) -> int:
        """How many threads there may be, those included whose calls hang."""
        before = time.monotonic() - HUNG_S
        hung = sum(since <= before for since in self._since.values())
        return self._width + min(hung, self._spare)

    def _watch(self) -> None:
        """As long as calls wait, look for those that keep them waiting."""
        while True:
            with self._lock:
                if self._closed.is_set() or not self._waiting:
                    self._watched = False
                    return
                if self._threads < self._room():
                    self._start()
            self._closed.wait(HUNG_S / 5)

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            with self._lock:
                self._waiting -= 1
                self._since[job.future] = time.monotonic()
            try:
                if job.future.set_running_or_notify_cancel():
                    try:
                        with self._around():
                            result = job.function()
                    except BaseException as error:
                        job.future.set_exception(error)
                    else:
                        job.future.set_result(result)
            finally:
                with self._lock:
                    del self._since[job.future]
                    self._go_on(job.alone)
                    # What hung has ended: whoever stood in for it goes.
                    too_many = self._threads > self._room()
                    self._threads -= too_many
            if too_many:
                return

    def _go_on(self, alone: Hashable) -> None:
        """What has waited for the end of another one's turn."""
        if alone is None:
            return
        if self._alone[alone]:
            self._put(self._alone[alone].popleft())
        else:
            del self._alone[alone]

    def widen(self, width: int) -> None:
        """Work off up to ``width`` calls at the same time from now on; never fewer than before."""
        with self._lock:
            self._width = max(self._width, width)
            for _ in range(min(self._width - self._threads, self._waiting)):
                self._start()

    def close(self) -> None:
        """Take no more calls and let idle threads end; a call under way is not waited for."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            for _ in range(self._threads):
                self._queue.put(None)
