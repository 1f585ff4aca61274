"""Things that happen later: one timer on libvirt's event loop, ended with the connection."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt

from ..backend import eventloop


class Clock:
    """Runs functions on libvirt's event loop thread, soon or after a while.

    One timer in all: it sleeps until the next thing is due and for ever when there is none.
    """

    def __init__(self) -> None:
        self._loop = eventloop.start()
        self._lock = threading.Lock()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._closed = False
        self._timer = libvirt.virEventAddTimeout(-1, self._ring, None)

    def soon(self, function: Callable[[], None]) -> None:
        """Run it on the event loop's thread, after what was given before."""
        if not self._closed:
            self._loop.call(function)

    def after(self, delay: float, function: Callable[[], None]) -> None:
        """Run it on the event loop's thread after ``delay`` seconds."""
        with self._lock:
            if self._closed:
                return
            self._number += 1
            heapq.heappush(self._due, (time.monotonic() + delay, self._number, function))
            self._set()

    def _set(self) -> None:
        wait = -1
        if self._due:
            wait = max(0, int((self._due[0][0] - time.monotonic()) * 1000) + 1)
        libvirt.virEventUpdateTimeout(self._timer, wait)

    def _ring(self, _timer: int, _opaque: Any) -> None:
        ready = []
        with self._lock:
            if self._closed:
                return
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                ready.append(heapq.heappop(self._due)[2])
        # The next time is set whatever a function does: a timer left due would ring for ever.
        try:
            for function in ready:
                function()
        finally:
            with self._lock:
                if not self._closed:
                    self._set()

    def close(self) -> None:
        """Drop what is due and end the timer."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._due.clear()
            libvirt.virEventRemoveTimeout(self._timer)
