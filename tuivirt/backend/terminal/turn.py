"""A lock whose waiters come before one who takes it again and again."""

from __future__ import annotations

import threading


class Turn:
    """``with`` it. A plain lock can be taken again by the thread that has just given it back,
    many times, before another that waits for it wakes up."""

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._now = threading.Lock()

    def __enter__(self) -> None:
        with self._next:
            self._now.acquire()

    def __exit__(self, *_: object) -> None:
        self._now.release()
