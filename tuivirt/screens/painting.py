"""When the screen in front is given what is known (soon, but not with everything that arrives),
and how it is drawn from the start."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.timer import Timer

from tuivirt.widgets.sparkline import show_bars
from tuivirt.widgets.text import spell_out

if TYPE_CHECKING:
    from tuivirt.settings import Settings

PAINT_EVERY_S, EVENT_PAINT_S = 0.1, 0.025
"""The screen is given a new state at most this often, and at most so when a domain changes."""
FIGURES_PAINT_S, SLOWEST_S = 0.02, 1.0
"""The same for mere figures, for each host: their ticks are spread, and rows are to be read.
Never more seldom than the second; on a slow line just as seldom."""
SLOW_AGE_S = 5.0
"""How often ages alone are counted on on a slow line."""


def figures_every_s(hosts: int, slow: bool) -> float:
    """How often the figures of so many hosts are drawn."""
    return SLOWEST_S if slow else max(PAINT_EVERY_S, min(SLOWEST_S, FIGURES_PAINT_S * hosts))


def event_every_s(urgent: bool) -> float:
    """How often what happened is drawn, on a slow line as well."""
    return EVENT_PAINT_S if urgent else PAINT_EVERY_S


def ages_every_s(slow: bool) -> float:
    """How often ages are drawn where nothing else is new."""
    return SLOW_AGE_S if slow else PAINT_EVERY_S


SetTimer = Callable[[float, Callable[[], None]], Timer]
"""Textual's: calls something once, after so many seconds."""


def draw_as(app: App[Any], settings: Settings) -> None:
    """At the start: draw as the settings and ``NO_COLOR`` want."""
    show_bars(not settings.slow)
    spell_out(settings.ascii)
    if app.no_color or settings.ascii or settings.slow:
        from .looks import dress  # Most terminals show all, and take all.

        dress(app, settings, settings.slow)


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
