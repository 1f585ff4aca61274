"""Sending a text to a guest no faster than it takes it: its serial port may have no flow control.

A real line of 115,200 baud brings 11,520 bytes a second to a port that holds 16. So a text goes
out in pieces of that size at no more than that pace, and waits for what was sent before to be
taken; after each line the guest has time to read it, up to its echo if there is one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from .model.console import Sending

PIECE_BYTES = 16
PIECE_S = PIECE_BYTES / 11_520
LINE_S = 0.03
"""The longest wait for the echo of a line. A guest that does not echo (a password, `cat` without
echo) is given this much."""
STUCK_S = 0.002
"""How often a guest that takes nothing is looked at."""


class Line(Protocol):
    """What is sent to."""

    @property
    def received(self) -> int: ...

    @property
    def untaken(self) -> int: ...

    def send(self, data: bytes) -> bool: ...


class Pacer:
    """Sends one text on a thread of its own; ``ended`` is called there at the end."""

    def __init__(self, line: Line, data: bytes, what: str, ended: Callable[[], None]) -> None:
        self._line = line
        self._data = data
        self._what = what
        self._ended = ended
        self._stop = threading.Event()
        self._sent = 0

    @property
    def progress(self) -> Sending:
        return Sending(self._sent, len(self._data), self._what)

    def start(self) -> None:
        threading.Thread(target=self._run, name="console-paste", daemon=True).start()

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()

    def _run(self) -> None:
        try:
            while self._sent < len(self._data) and not self._stop.is_set():
                if not self._piece():
                    return
        finally:
            self._ended()

    def _piece(self) -> bool:
        """Send the next piece, at most to the end of a line; False when nobody is there."""
        began = time.monotonic()
        piece = self._data[self._sent : self._sent + PIECE_BYTES]
        end = max(piece.find(b"\r"), piece.find(b"\n"))
        if end >= 0:
            piece = piece[: end + 1]
        before = self._line.received
        if not self._line.send(piece):
            return False
        self._sent += len(piece)
        while self._line.untaken and not self._stop.wait(STUCK_S):
            pass
        wait = PIECE_S
        if end >= 0:
            deadline = began + LINE_S
            while self._line.received == before and time.monotonic() < deadline:
                if self._stop.wait(STUCK_S):
                    return True
        self._stop.wait(max(0.0, began + wait - time.monotonic()))
        return True
