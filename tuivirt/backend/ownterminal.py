"""The terminal that the program itself runs in: raw while a guest has it, and given back.

Whatever happens: an exception, a signal that ends the program, one that stops it for a while.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from typing import Any

# What a guest may have left behind, put right: an unfinished sequence, colours, the alternate
# screen, a hidden cursor, mouse reports, bracketed paste, keypad modes, another character set,
# a scroll region.
TIDY = (
    b"\x18\x1b\\\x0f\x1b(B\x1b[0m\x1b[?1047l\x1b[?25h"
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?1015l"
    b"\x1b[?2004l\x1b[?1l\x1b>\x1b[?7h\x1b[4l\x1b7\x1b[?6l\x1b[r\x1b8"
)  # The last three move the cursor: what is on the screen would be written over.

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals that end the program. Typed, ctrl+c and ctrl+\\ are the guest's."""


class OwnTerminal:
    """Standard input and output; ``raw``: both are a terminal, which the guest is to have."""

    def __init__(self, stdin: int, stdout: int, *, raw: bool, tidy: bool) -> None:
        self._in, self._out = stdin, stdout
        self.raw = raw
        self._tidy = tidy and os.isatty(stdout)
        self._before: list[Any] = []

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """The terminal raw, and as it was afterwards."""
        try:
            if self.raw:
                self._before = termios.tcgetattr(self._in)
                self._make_raw()
            yield
        finally:
            self._give_back()

    def make_raw_again(self) -> None:
        """After the program was stopped and continued: the shell had the terminal meanwhile."""
        if self.raw:
            # Gone meanwhile, it is found closed at the next look.
            with contextlib.suppress(termios.error, OSError):
                self._make_raw()

    def stop(self) -> None:
        """Stop the program as the signal wants it, the terminal given back until it goes on."""
        self._give_back()
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            signal.raise_signal(signal.SIGTSTP)
        finally:
            signal.signal(signal.SIGTSTP, before)
        self.make_raw_again()

    def _make_raw(self) -> None:
        _patiently(lambda: tty.setraw(self._in, termios.TCSANOW))

    def _give_back(self) -> None:
        if self._before:
            # The terminal may be gone by now. Not TCSADRAIN: it waits for a stopped terminal.
            with contextlib.suppress(termios.error, OSError):
                _patiently(lambda: termios.tcsetattr(self._in, termios.TCSANOW, self._before))
        # Nor is one waited for that takes nothing.
        if self._tidy and writable_soon(self._out):
            with contextlib.suppress(OSError):
                os.write(self._out, TIDY + b"\r\n" * self.raw)


class Signals:
    """What the program was told by signals while a console is open.

    ``wake`` is called with each; it must be safe in the middle of anything. Signals can be taken
    by the main thread only; in another nothing is told.
    """

    def __init__(self, wake: Callable[[], None], *, raw: bool) -> None:
        self._wake = wake
        self._raw = raw
        self.ending = 0
        """The number of the signal that ends the program, or 0."""
        self.stopping = False
        self.continued = False

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Signals are noted, not obeyed; the window's size is no concern of a serial line."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers: dict[signal.Signals, Any] = dict.fromkeys(ENDING, self._end)
        if self._raw:
            handlers[signal.SIGWINCH] = signal.SIG_IGN
            handlers[signal.SIGTSTP] = self._stop
            handlers[signal.SIGCONT] = self._continue
        before: dict[signal.Signals, Any] = {}
        try:
            for number, handler in handlers.items():
                before[number] = signal.signal(number, handler)
                if before[number] is signal.SIG_IGN and number in ENDING:
                    # As under nohup: who started us wants it so.
                    signal.signal(number, signal.SIG_IGN)
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, signal.SIG_DFL if old is None else old)

    def _end(self, number: int, _frame: object) -> None:
        self.ending = number
        self._wake()

    def _stop(self, _number: int, _frame: object) -> None:
        self.stopping = True
        self._wake()

    def _continue(self, _number: int, _frame: object) -> None:
        self.continued = True
        self._wake()


def writable_soon(fd: int) -> bool:
    """Whether it becomes writable soon."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(500))


def _patiently(call: Callable[[], object]) -> None:
    """Do it again when a signal came between: a job in the background is stopped by it."""
    while True:
        try:
            call()
        except termios.error as error:
            if error.args[0] != errno.EINTR:
                raise
        else:
            return
