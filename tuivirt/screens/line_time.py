"""How long the terminal's line takes there and back: asked of the terminal, which answers itself.

A terminal is asked where its cursor is (every one answers that). One that does not answer is not
asked again. In tmux it is tmux that answers, at this end of the line, so nothing is found there.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from textual import events

QUESTION = "\x1b[6n"
SLOW_S = 0.25
"""A line that takes longer than this is slow."""
AGAIN_S = 300.0
"""So long is an answer believed."""
MOVES = frozenset(("up", "down", "j", "k", "pageup", "pagedown"))
"""Keys that leave nothing: no editor and no shell gets the answer."""


class Line(Protocol):
    """The app, as far as the line is about it."""

    slow: bool
    overhear: Callable[[events.Event], None] | None

    def say(self, text: str, severity: str = "information") -> None: ...

    def call_after_refresh(self, callback: Callable[..., Any], *args: Any) -> bool: ...


class LineTime:
    """Measures at once, and now and then with a key; proposes the slow mode, once."""

    def __init__(self, app: Line, write: Callable[[str], None]) -> None:
        """``write`` sends to the terminal."""
        self._app = app
        self._write = write
        self._asked: float | None = None
        self._answered = 0.0
        self._before: float | None = None
        """The last time it took, when that was long: one such may be a hitch."""
        app.overhear = self._heard
        self._ask()

    def _ask(self) -> None:
        if self._asked is None:
            self._asked = monotonic()
            self._write(QUESTION)

    def _heard(self, event: events.Event) -> None:
        if isinstance(event, events.CursorPosition) and self._asked is not None:
            took, self._asked = event.time - self._asked, None
            self._answered = event.time
            self._judge(took)
        elif isinstance(event, events.Key) and event.key in MOVES and self._is_old(event.time):
            self._app.call_after_refresh(self._ask)  # What the key does goes first.

    def _is_old(self, now: float) -> bool:
        return self._asked is None and not self._app.slow and now - self._answered > AGAIN_S

    def _judge(self, took: float) -> None:
        if took <= SLOW_S or self._app.slow:
            self._before = None
        elif self._before is None:
            self._before = took
            self._ask()
        else:
            self._app.overhear = None
            took = min(took, self._before)
            self._app.say(f"this line takes {took:.1f} s there and back: :slow on sends less")
