"""When the screen in front is given what is known: soon, but not with everything that arrives."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.timer import Timer

SetTimer = Callable[[float, Callable[[], None]], Timer]
"""Textual's: calls something once, after so many seconds."""


class Painting:
    """Calls ``paint`` as it was planned, once for all that was planned for the same time."""

    def __init__(self, set_timer: SetTimer, paint: Callable[[], None]) -> None:
        self._set_timer = set_timer
        self._paint = paint
        self._last = 0.0
        self._due = 0.0
        self._timer: Timer | None = None

    def plan(self, every_s: float) -> None:
        """Paint when the last time is ``every_s`` seconds ago, at once if it is, or as planned."""
        due = self._last + every_s
        if self._timer is not None and self._due <= due:
            return
        left = due - time.monotonic()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if left <= 0:
            self._now()
        else:
            self._due, self._timer = due, self._set_timer(left, self._now)

    def _now(self) -> None:
        self._timer = None
        self._last = time.monotonic()
        self._paint()
