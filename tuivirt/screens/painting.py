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
        self._last: dict[float, float] = {}
        """When it was last painted by a plan as urgent as this."""
        self._due = 0.0
        self._every_s = 0.0
        self._timer: Timer | None = None

    def plan(self, every_s: float) -> None:
        """Paint when the last time is ``every_s`` seconds ago, at once if it is, or as planned.

        The last time that was as urgent: what happens just after a tick was painted does not wait.
        """
        last = max((at for each, at in self._last.items() if each <= every_s), default=0.0)
        due = last + every_s
        if self._timer is not None and self._due <= due:
            return
        left = due - time.monotonic()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._every_s = every_s
        if left <= 0:
            self._now()
        else:
            self._due, self._timer = due, self._set_timer(left, self._now)

    def _now(self) -> None:
        self._timer = None
        self._last[self._every_s] = time.monotonic()
        self._paint()
