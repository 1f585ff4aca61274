"""A terminal whose other end is the test: it can be left unread, and it can be cut."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.needs import need_programs
from tests.support.tmux import ROOT, TUIVIRT

DEAF = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
"""As nohup does it: what follows is not ended by SIGHUP."""


class Line:
    """A program on a line of its own, as sshd gives one; ``close`` ends both."""

    def __init__(
        self, *arguments: str, before: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        need_programs("setsid")
        self._folder = tempfile.TemporaryDirectory(prefix="tuivirt-line-", dir="/tmp")
        home = self._folder.name
        settings = {"HOME": home, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TERM": "xterm"}
        settings |= {f"XDG_{kind}_HOME": str(Path(home, kind)) for kind in ("CONFIG", "STATE")}
        self._end, end = os.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "-c", *before, *TUIVIRT, *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            env={**os.environ, **settings, **(env or {})},
        )
        os.close(end)
        self._said = b""
        self._reading = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="line", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while self._reading:
            if not select.select([self._end], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self._end, 65536)
            except OSError:
                return  # The program has ended.
            with self._changed:
                self._said += data
                self._changed.notify_all()

    def sees(self, pattern: str, timeout: float = 40) -> bytes:
        """Wait until the program has written this, since the last ``sees``; all it wrote so far."""
        found: list[re.Match[bytes]] = []

        def is_there() -> bool:
            found.extend(re.finditer(pattern.encode(), self._said))
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(is_there, timeout):
                raise AssertionError(f"it never wrote {pattern!r}: {self._said[-2000:]!r}")
            said, self._said = self._said[: found[0].end()], self._said[found[0].end() :]
            return said

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def stop_reading(self, keys: str = "?q") -> None:
        """Take nothing more of what the program writes, and wait until that holds it up.

        ``keys`` make it write, one after another, again and again.
        """
        self._reading = False
        self._thread.join()
        deadline = time.monotonic() + 60
        for key in itertools.cycle(keys or [""]):
            if time.monotonic() > deadline:
                raise AssertionError("it is not held up by a terminal that takes nothing")
            before = self._worked()
            self.type(key)
            if not self._works_on(before):
                return

    def _works_on(self, before: int, seconds: float = 2.0) -> bool:
        """Whether its main thread does anything; nobody tells of that, so it is looked at."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._worked() != before:
                return True
            time.sleep(0.01)
        return False

    def _worked(self) -> int:
        """For how many nanoseconds the main thread has had a processor."""
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def cut(self) -> None:
        """Let the terminal go away, as when a line breaks."""
        self._reading = False
        self._thread.join()
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    def ended(self, timeout: float) -> int | None:
        """Its exit status as ``$?`` has it, or None when it still runs."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return status if status >= 0 else 128 - status

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self.cut()
        self._folder.cleanup()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
