"""Workers on daemon threads: a libvirt call may hang for ever, and the program must still end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

T = TypeVar("T")


class Lane:
    """A queue of calls worked off by up to ``width`` daemon threads, started when needed.

    Each call runs inside a context manager that ``around`` makes.

    Not concurrent.futures' executor: that one joins its threads at exit, and so a hung call
    would keep the program from ending.
    """

    def __init__(
        self,
        name: str,
        width: int = 1,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.name = name
        self._around = around
        self._width = width
        self._queue: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0
        self._closed = False
        self._busy = 0

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Queue a call; its future holds the result or the exception."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"lane {self.name} is closed")
            self._queue.put((future, function))
            self._waiting += 1
            if self._threads < self._width and self._waiting > self._threads - self._busy:
                self._threads += 1
                threading.Thread(target=self._work, name=self.name, daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            future, function = job
            with self._lock:
                self._waiting -= 1
                self._busy += 1
            try:
                if future.set_running_or_notify_cancel():
                    try:
                        with self._around():
                            result = function()
                    except BaseException as error:
                        future.set_exception(error)
                    else:
                        future.set_result(result)
            finally:
                with self._lock:
                    self._busy -= 1

    def widen(self, width: int) -> None:
        """Work off up to ``width`` calls at the same time from now on; never fewer than before."""
        with self._lock:
            self._width = max(self._width, width)
            for _ in range(min(self._width - self._threads, self._waiting)):
                self._threads += 1
                threading.Thread(target=self._work, name=self.name, daemon=True).start()

    def close(self) -> None:
        """Take no more calls and let idle threads end; a call under way is not waited for."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in range(self._threads):
                self._queue.put(None)
