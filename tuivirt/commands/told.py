"""SIGTERM and SIGHUP while a verb's task runs: it is stopped first, as by ctrl+c.

Otherwise it would leave behind what it made. Anywhere else they end the program by themselves,
at once.
"""

from __future__ import annotations

import signal
import time
from typing import Any

SAME_S = 1.0
"""For so long more of them are the first one still: that a line broke is told by the shell and
by the kernel, and a service manager sends both."""


class Told(KeyboardInterrupt):
    """The program was told to end by the signal of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def status_of(interrupt: KeyboardInterrupt) -> int:
    """The program's exit status, as a shell has it."""
    return 128 + (interrupt.number if isinstance(interrupt, Told) else signal.SIGINT)


class Heeding:
    """Around a task and the telling of how it ended; for the main thread.

    The first signal interrupts, as ctrl+c does, and what was interrupted goes on from there; so
    does a later one, for whoever does not wait any more. Leaving the context raises Told when
    there was one, whatever else went wrong: a terminal that has gone takes no words.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._number = 0
        self._at = 0.0

    def __enter__(self) -> Heeding:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # As nohup has it.
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_exc: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        if self._number:
            raise Told(self._number)

    def _take(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._number and now - self._at < SAME_S:
            return
        if not self._number:
            self._number, self._at = number, now
        raise Told(number)
