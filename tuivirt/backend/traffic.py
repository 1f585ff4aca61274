"""Keeps calls that share a connection from being forgotten by libvirt's client.

Up to at least 9.0.0 the thread that waits for a reply also sends what other threads queue, and
may miss being told to: the call is then sent only with the next packet that arrives. Measured
with one call held by a stuck guest: every second call beside it took until the daemon's next
keepalive, 5 s; with a call every 50 ms beside them, none took 0.3 s. So while two or more jobs
are under way, and only then, a small call is made now and then: soon at first, as somebody may
be looking at the row that the forgotten call is for, then every 50 ms.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NUDGE_AFTER_S = (0.005, 0.01, 0.02, 0.05)
"""Since two jobs met, and then since the nudge before; the last one again and again."""


class Traffic:
    """The jobs under way on one connection. ``nudge`` makes a call that costs next to nothing."""

    def __init__(self, name: str, nudge: Callable[[], None]) -> None:
        self._name = name
        self._nudge = nudge
        self._condition = threading.Condition()
        self._jobs = 0
        self._standing = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def job(self) -> Iterator[None]:
        """Count what is done inside as one job."""
        with self._condition:
            self._jobs += 1
            if self._meets:
                self._start()
        try:
            yield
        finally:
            with self._condition:
                self._jobs -= 1
                if not self._jobs:
                    self._condition.notify_all()

    @contextmanager
    def standing(self) -> Iterator[None]:
        """As ``job``, for one whose calls wait for minutes: alone, or beside its like, it needs
        no nudge; whatever meets it does."""
        with self._condition:
            self._standing += 1
        try:
            yield
        finally:
            with self._condition:
                self._standing -= 1
                self._condition.notify_all()

    @property
    def _meets(self) -> bool:
        """Whether a call may be forgotten for another."""
        return self._jobs >= 2 or (self._jobs == 1 and self._standing > 0)

    def rest(self, timeout: float) -> bool:
        """Wait until no job is under way; False when one still is after ``timeout`` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._jobs and not self._standing, timeout)

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._condition.notify_all()

    def _run(self) -> None:
        nudges = 0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._meets)
                # Most jobs are over by then, and nothing need be sent.
                after = NUDGE_AFTER_S[min(nudges, len(NUDGE_AFTER_S) - 1)]
                self._condition.wait_for(lambda: self._closed, after)
                if self._closed:
                    return
                still = self._meets
            if still:
                self._nudge()
            nudges = nudges + 1 if still else 0

    def close(self) -> None:
        """End; a nudge that hangs is left to its daemon thread."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
