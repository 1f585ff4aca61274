"""A program in a pseudo-terminal, read byte by byte with the time of each arrival."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType

from tests.support.tmux import ROOT

COLUMNS, LINES = 160, 50
PYTHON = (sys.executable, "-P", "-m")
_QUERY = re.compile(rb"\x1b\[\?(\d+)\$p")
_KNOWN_MODES = {b"2026"}
"""Synchronized output: what terminals of today have."""


class Ended(Exception):
    """The program ended, or did not show what was waited for; the message has its last words."""


class Program:
    """A running program with a terminal of 160×50; ``close`` ends it."""

    def __init__(self, module: str, *arguments: str, home: str, python: bool = True) -> None:
        """``home`` is the folder for its settings and state, so that nobody's own count.

        ``module`` is one of Python's, or with ``python=False`` the path of a program.
        """
        env = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        env |= {f"XDG_{kind}_HOME": f"{home}/{kind}" for kind in ("CONFIG", "STATE")}
        argv = [*(PYTHON if python else ()), module, *arguments]
        self.started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                os.execve(argv[0], argv, env)
            finally:
                os._exit(127)
        self.arrived: list[tuple[float, bytes]] = []
        """(monotonic time, bytes) as they came."""
        self._tail = b""

    def pump(self, timeout: float) -> bytes:
        """What arrives next within ``timeout`` seconds; empty: nothing did. Answers queries."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, timeout))
        if not ready:
            return b""
        now = time.monotonic()
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # Linux says so when the last of the other side has closed it.
            data = b""
        if not data:
            raise Ended(f"it ended; its last words: {self.text[-500:]!r}")
        self.arrived.append((now, data))
        looked_at = self._tail + data
        end = 0
        for query in _QUERY.finditer(looked_at):
            state = b"2" if query[1] in _KNOWN_MODES else b"0"
            self.write(b"\x1b[?" + query[1] + b";" + state + b"$y")
            end = query.end()
        self._tail = looked_at[max(end, len(looked_at) - 12) :]
        return data

    def write(self, data: bytes) -> None:
        """Type."""
        os.write(self._fd, data)

    @property
    def text(self) -> str:
        """All that it wrote."""
        return b"".join(data for _, data in self.arrived).decode(errors="replace")

    def wait_for(self, *words: str, timeout: float = 30) -> float:
        """Seconds from its start until it had written all these words."""
        deadline = time.monotonic() + timeout
        missing = set(words)
        while True:
            text = self.text
            missing = {word for word in missing if word not in text}
            if not missing:
                return self.arrived[-1][0] - self.started
            if time.monotonic() > deadline:
                raise Ended(f"it did not write {sorted(missing)}: {text[-500:]!r}")
            self.pump(0.2)

    def run(self, seconds: float) -> int:
        """Let it run, reading what it writes; how many bytes that were."""
        deadline = time.monotonic() + seconds
        count = 0
        while (left := deadline - time.monotonic()) > 0:
            count += len(self.pump(left))
        return count

    def settle(self, quiet: float = 0.03) -> None:
        """Read until it has written nothing for ``quiet`` seconds."""
        while self.pump(quiet):
            pass

    def key(self, data: bytes, timeout: float = 10) -> float:
        """Seconds from a key's bytes to the first byte of the answer."""
        self.settle()
        started = time.monotonic()
        self.write(data)
        if not self.pump(timeout):
            raise Ended(f"no answer to {data!r} within {timeout:g} s")
        return self.arrived[-1][0] - started

    def since(self, moment: float) -> list[tuple[float, bytes]]:
        """What arrived after this moment."""
        return [(at, data) for at, data in self.arrived if at >= moment]

    def close(self) -> None:
        """End it and read its last words, so that it does not wait to be read."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # It has ended by itself.
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        self.close()


def bursts(arrived: Sequence[tuple[float, bytes]], gap: float) -> list[bytes]:
    """What was written, parted where nothing came for ``gap`` seconds."""
    found: list[bytes] = []
    last = float("-inf")
    for at, data in arrived:
        if at - last > gap:
            found.append(data)
        else:
            found[-1] += data
        last = at
    return found
