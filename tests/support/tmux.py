"""The real program in a real terminal: tmux runs it, keys go in, the screen comes out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.cells import Grid, cells
from tests.support.needs import need_programs

ROOT = Path(__file__).resolve().parents[2]

TUIVIRT = (sys.executable, "-P", "-m", "tuivirt")
"""What script/run runs."""

MODES = (
    "alternate_on",
    "cursor_flag",
    "insert_flag",
    "keypad_cursor_flag",
    "keypad_flag",
    "mouse_all_flag",
    "mouse_any_flag",
    "origin_flag",
    "scroll_region_lower",
    "scroll_region_upper",
    "wrap_flag",
)
"""The settings of a terminal that a program may leave changed."""


class ScreenTimeout(AssertionError):
    """The screen did not show what was waited for; the message holds what it did show."""


class Terminal:
    """A program in a private tmux server; ``close`` ends both.

    Its settings and state are in a folder of its own, so that nobody's real settings count.
    """

    def __init__(
        self,
        cols: int = 80,
        rows: int = 24,
        argv: Sequence[str] = TUIVIRT,
        env: Mapping[str, str] | None = None,
        *,
        term: str = "tmux-256color",
    ) -> None:
        need_programs("tmux")
        self.folder = Path(tempfile.mkdtemp(prefix="tuivirt-terminal-", dir="/tmp"))
        self.raw_path = self.folder / "raw"
        """Every byte the program wrote to its terminal."""
        self.raw_path.touch()
        self._socket = str(self.folder / "tmux")
        config = self.folder / "tmux.conf"
        config.write_text(
            "set -g status off\nset -g exit-empty off\nset -g remain-on-exit on\n"
            f"set -g escape-time 0\nset -g default-terminal {term}\nset -g default-shell /bin/sh\n"
        )
        start = self.folder / "go"
        os.mkfifo(start)
        settings = {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        settings |= {f"XDG_{kind}_HOME": str(self.folder / kind) for kind in ("CONFIG", "STATE")}
        words = shlex.join(
            [f"{name}={value}" for name, value in {**settings, **(env or {})}.items()]
        )
        # tmux takes one shell command; it waits until the raw log is attached.
        command = f"read go <{shlex.quote(str(start))}; exec env {words} {shlex.join(argv)}"
        self._tmux(
            "-f", str(config), "new-session", "-d", "-x", str(cols), "-y", str(rows), command
        )
        self._tmux("pipe-pane", "-O", f"cat >>{shlex.quote(str(self.raw_path))}")
        start.write_text("\n")

    def _tmux(self, *words: str) -> str:
        argv = ["tmux", "-S", self._socket, *words]
        # Not inside the developer's own tmux.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
        done = subprocess.run(argv, capture_output=True, text=True, env=env)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: ``Enter``, ``C-q``, ``Escape``, ``j``, ``Space``."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type text letter by letter."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> list[str]:
        """The rows as seen now, without blanks at their ends."""
        return [line.rstrip() for line in self._tmux("capture-pane", "-p").split("\n")[:-1]]

    def styled(self) -> list[str]:
        """The rows with their colours as escape sequences, each from plain on."""
        count = len(self.screen())
        rows = (str(row) for row in range(count))
        return [self._tmux("capture-pane", "-p", "-e", "-S", row, "-E", row) for row in rows]

    def cells(self) -> Grid:
        """Each cell of the screen, with its colours; line drawing as the lines it draws."""
        columns = int(self._tmux("display-message", "-p", "#{pane_width}"))
        return cells(self._tmux("capture-pane", "-p", "-e", "-N"), columns)

    @property
    def cursor(self) -> tuple[int, int]:
        """Its column and row, from 0."""
        x, y = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(x), int(y)

    def wait_for(self, pattern: str, timeout: float = 15) -> re.Match[str]:
        """Wait until the screen (rows joined by ``\\n``) shows ``pattern``."""
        return self._wait(pattern, timeout, shown=True)

    def wait_gone(self, pattern: str, timeout: float = 15) -> None:
        """Wait until the screen does not show ``pattern``."""
        self._wait(pattern, timeout, shown=False)

    def _wait(self, pattern: str, timeout: float, *, shown: bool) -> re.Match[str]:
        # tmux tells no one of a change on the screen, so it is looked at again and again.
        wanted = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        while True:
            text = "\n".join(self.screen())
            match = wanted.search(text)
            if match and shown:
                return match
            if not match and not shown:
                return re.match("", "")  # type: ignore[return-value]
            if time.monotonic() > deadline:
                state = "is not" if shown else "is still"
                raise ScreenTimeout(f"{pattern!r} {state} on the screen after {timeout} s:\n{text}")
            time.sleep(0.03)

    def resize(self, cols: int, rows: int) -> None:
        """Change the terminal's size, as a window does."""
        self._tmux("resize-window", "-x", str(cols), "-y", str(rows))

    @property
    def raw(self) -> bytes:
        """Every byte that the program wrote so far."""
        return self.raw_path.read_bytes()

    @property
    def modes(self) -> dict[str, str]:
        """What the terminal is set to, by tmux's names: ``alternate_on``, ``cursor_flag`` …"""
        form = " ".join(f"{name}=#{{{name}}}" for name in MODES)
        said = self._tmux("display-message", "-p", form)
        return dict(word.split("=", 1) for word in said.split())

    @property
    def pid(self) -> int:
        """The program's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @property
    def exit_status(self) -> int | None:
        """None while it runs; 128 and more for a signal."""
        dead, status, number, server = (
            self._tmux(
                "display-message",
                "-p",
                "#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}:#{pid}",
            )
            .strip("\n")
            .split(":")
        )
        if dead != "1":
            return None
        if not (status or number):
            # tmux sees the end of the terminal before it has the program's status, and on a busy
            # machine misses the signal that tells of it (3.3a): the program stays a zombie.
            os.kill(int(server), signal.SIGCHLD)
            return None
        return int(status) if status else 128 + int(number)

    def wait_exit(self, timeout: float = 15) -> int:
        """Wait for the program's end; its exit status."""
        deadline = time.monotonic() + timeout
        while (status := self.exit_status) is None:
            if time.monotonic() > deadline:
                told = self._tmux("display-message", "-p", "#{pane_dead}:#{pane_dead_status}")
                raise ScreenTimeout(f"it still runs ({told.strip()}):\n" + "\n".join(self.screen()))
            time.sleep(0.03)
        return status

    def close(self) -> None:
        """End the program and its terminal."""
        try:
            self._tmux("kill-server")
        except RuntimeError:
            pass  # The server has ended by itself.
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
