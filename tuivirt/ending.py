"""Ends the program when it is told to or its terminal has gone, whatever hangs by then.

The screen ends by itself on SIGTERM and SIGHUP, but only as long as its loop turns. A terminal
that takes no more output (a dead SSH line) holds the loop in a write for ever, and one that has
gone may end the thread that writes, so that nobody takes what the loop wants written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import termios
import threading
import time
from collections.abc import Callable

GRACE_S = 3.0
"""How long the screen is given to end by itself."""
HEARD_S = 0.5
"""For how long the kernel's own SIGHUP is waited for when the terminal has gone."""

_log = logging.getLogger(__name__)


class Ending:
    """Watches the terminal, from a thread of its own, until the process ends.

    ``last`` is what is owed before the process is ended by force, as by ``os._exit``.
    """

    def __init__(self, terminal_fd: int, last: Callable[[], None], *, grace_s: float = GRACE_S):
        self._terminal = terminal_fd
        self._last = last
        self._grace_s = grace_s
        self._modes = termios.tcgetattr(terminal_fd)
        self._told = 0
        self._read, self._write = os.pipe()
        threading.Thread(target=self._run, name="ending", daemon=True).start()

    def watch_signals(self) -> None:
        """Note the signals that end the program; for the main thread, once its loop takes them.

        The loop is told through its own pipe whichever function handles a signal. This one runs
        even while the main thread waits for a write.
        """
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._signalled)

    def _signalled(self, number: int, _frame: object) -> None:
        # No lock here: it may be held by the code that the signal interrupted.
        self._told = number
        os.write(self._write, b".")

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        poll.register(self._terminal, 0)  # That it has gone is always told.
        poll.poll()
        if not self._told and not _readable(self._read, HEARD_S):
            # Nobody told us, as after nohup: the screen ends on it all the same.
            os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(self._grace_s)
        try:
            self._last()
            _log.warning("the screen has not ended within %g s: ended by force", self._grace_s)
        finally:
            # Whatever went wrong: nobody is left to tell it to.
            with contextlib.suppress(termios.error):  # It may have gone.
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._modes)
            os._exit(128 + (self._told or signal.SIGHUP))


def _readable(fd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
