"""A call that libvirt's client never returns from is one test's failure, not the suite's end.

libvirt 9.0's client may lose the answer to a call where several threads share a connection (its
loop is told to end before it runs), and then waits for ever unless more comes in.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading

LONGEST_S = 300.0
"""Far more than any test takes beside those of the lab, which have limits of their own."""


class Watchdog:
    """Cuts this process's connections to libvirt when it is not fed for too long."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._fed = threading.Event()
        self._over = False
        self.bites = 0
        """How often it had to."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def feed(self) -> None:
        """A test begins, or has ended."""
        self._fed.set()

    def stop(self) -> None:
        """It is not needed any more."""
        self._over = True
        self._fed.set()

    def _watch(self) -> None:
        while not self._over:
            if not self._fed.wait(self._longest_s):
                self.bites += 1
                cut_all()
            self._fed.clear()


def cut_all() -> None:
    """Shut every socket down that leads to a libvirt daemon by a path: its calls fail then."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as end:
                if end.family is socket.AF_UNIX and "libvirt-sock" in str(end.getpeername()):
                    end.shutdown(socket.SHUT_RDWR)
