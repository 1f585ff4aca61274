"""Carries bytes between a console and the program's standard input and output, untouched.

On a terminal, all keys are the guest's but the one that leaves. Otherwise it is a pipe: input is
sent to a guest that runs, up to its end; then what the guest says is printed until it has been
silent for a while, or has stopped.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .console import Console, ConsoleState, ConsoleStatus
from .errors import TuivirtError
from .ownterminal import OwnTerminal, Signals, writable_soon
from .parting import Ended, Parting

if TYPE_CHECKING:
    from .console_log import ConsoleLog

LEAVE = 0x1D
"""``ctrl+]``"""
READ_BYTES = 4096
TERMINAL_BYTES = 1024
"""A terminal that reports to be writable takes this much without blocking."""
PIPE_BYTES = select.PIPE_BUF
"""And a pipe this much."""
FILE_BYTES = 64 * 1024
HIGH_BYTES = 256 * 1024
"""More than this waiting to be drawn pauses the console."""
TICK_S = 0.02
"""How often the next piece of a paced input is sent."""
LOOK_S = 0.2
"""How often it is looked whether the daemon has taken what was sent: nothing tells of it."""
LONGEST_S = 3600.0
"""The longest single wait; poll's own limit is 24 days."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a console and the terminal, or the pipe, are joined."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2
    escape: int = LEAVE
    """The byte that leaves a terminal's console; a pipe has none."""
    linger_s: float | None = None
    """A pipe ends after the guest has been silent for so long since the end of the input; None:
    when the guest stops."""
    pace_bytes_per_s: float | None = None
    """A pipe sends no faster than this."""
    tidy: bool = True
    """Put right what the guest has set in the terminal."""
    name: str = ""
    """What is open, for the line that says so."""
    log: ConsoleLog | None = None
    """What the guest prints is written there too."""


class Pump:
    """One console on one terminal, or pipe; ``run`` is for the thread that owns it."""

    def __init__(self, console: Console, way: Way) -> None:
        self._console = console
        self._way = way
        self._in, self._out, self._err = way.stdin, way.stdout, way.stderr
        self._raw = os.isatty(way.stdin) and os.isatty(way.stdout)
        self._write_bytes = _takes(way.stdout)
        self._terminal = OwnTerminal(way.stdin, way.stdout, raw=self._raw, tidy=way.tidy)
        self._signals = Signals(self._wake_on_signal, raw=self._raw)
        self._lock = threading.Lock()
        self._said = bytearray()
        self._paused = False
        self._news: list[ConsoleStatus] = []
        self._typed = b""
        self._input_ended = False
        self._over: Parting | None = None
        self._was_open = False
        self._last: ConsoleStatus | None = None
        self._busy_at = 0.0
        """When something went either way last."""
        self._sent_at = 0.0
        self._log_told = False
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> Parting:
        """Open the console and come back when it is over; it is closed then."""
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        console = self._console
        console.on_data, console.on_state, console.on_room = self._take, self._news_of, self._wake
        try:
            with self._signals.heard(), self._terminal.taken():
                console.open()
                return self._pump()
        finally:
            console.on_data, console.on_room = _nothing, None
            console.on_state = _nothing
            console.close()
            os.close(self._wake_read)
            with self._lock:  # The event thread may be about to wake us.
                os.close(self._wake_write)
                self._wake_write = -1
            self._keep(bytes(self._said))

    # On libvirt's event thread.

    def _take(self, data: bytes) -> None:
        with self._lock:
            self._said += data
            pause = len(self._said) > HIGH_BYTES and not self._paused
            self._paused = self._paused or pause
            if pause:  # In here, or it could come behind the end of this very pause.
                self._console.pause()
        self._wake()

    def _news_of(self, status: ConsoleStatus) -> None:
        with self._lock:
            self._news.append(status)
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._wake_write >= 0:
                # A full pipe wakes as well.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._wake_write, b".")

    def _wake_on_signal(self) -> None:
        # Not _wake: the lock may be held by the very code that the signal interrupted.
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b".")

    # On the caller's thread.

    def _pump(self) -> Parting:
        while True:
            parting = self._over or self._take_news() or self._silent()
            if parting is not None:
                self._flush()
                # What is said last may not fit into the terminal, or the disk, any more.
                return self._over or parting
            ready = self._wait()
            if self._signals.ending:
                return self._parting(Ended.SIGNAL)
            self._obey()
            if self._wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    while os.read(self._wake_read, 4096):
                        pass
            told = ready.get(self._out, 0)
            if told & select.POLLOUT and self._said:
                self._draw()
            elif told & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                self._over = self._parting(Ended.LEFT if self._raw else Ended.UNHEARD)
            if self._has_input(ready) and self._read():
                return self._parting(Ended.LEFT)
            self._send()

    def _parting(self, how: Ended, error: TuivirtError | None = None) -> Parting:
        return Parting(
            how, self._signals.ending, self._last, len(self._typed), self._was_open, error
        )

    def _obey(self) -> None:
        """Do what signals ask for that do not end the program."""
        if self._signals.stopping:
            self._signals.stopping = False
            self._terminal.stop()
            self._signals.continued = False
            self._say(f"going on with {self._way.name or 'the console'}; {self._leaving}")
        elif self._signals.continued:
            self._signals.continued = False
            self._terminal.make_raw_again()

    # When to look again

    def _wait(self) -> dict[int, int]:
        """Wait until there is something to do; what is ready for what, by file."""
        # That nobody reads the output any more is told whatever is asked for.
        asked = {self._wake_read: select.POLLIN, self._out: select.POLLOUT if self._said else 0}
        if not self._input_ended and (self._raw or not self._typed):
            asked[self._in] = asked.get(self._in, 0) | select.POLLIN  # One file may be both.
        poll = select.poll()
        for file, events in asked.items():
            poll.register(file, events)
        wait_s = self._wait_s()
        return dict(poll.poll(None if wait_s is None else max(1, int(wait_s * 1000))))

    def _wait_s(self) -> float | None:
        """How long to wait for something to happen; None: for ever."""
        if self._raw:
            return None
        if self._typed and self._is_open and self._way.pace_bytes_per_s:
            return TICK_S
        if not self._input_ended or self._typed:
            return None
        if self._console.queued:
            return LOOK_S
        if self._way.linger_s is None or self._said:
            return None
        left = self._busy_at + self._way.linger_s - time.monotonic()
        return min(max(0.0, left), LONGEST_S)

    def _silent(self) -> Parting | None:
        """The end of a pipe: all is sent, and nothing has come for long enough."""
        if self._raw or not self._input_ended or self._typed or self._way.linger_s is None:
            return None
        now = time.monotonic()
        if self._console.queued or self._said or not self._was_open:
            self._busy_at = now
            return None
        return self._parting(Ended.END) if now >= self._busy_at + self._way.linger_s else None

    @property
    def _is_open(self) -> bool:
        return self._console.status.state is ConsoleState.OPEN

    # From the operator to the guest

    def _has_input(self, ready: dict[int, int]) -> bool:
        """Whether a read tells something: bytes, or the end."""
        told = ready.get(self._in, 0) & ~select.POLLOUT
        return bool(told) and not self._input_ended and (self._raw or not self._typed)

    def _read(self) -> bool:
        """Take what was typed; True when the key that leaves is in it (what is before is sent)."""
        try:
            data = os.read(self._in, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            data = b""  # A terminal that is gone, as after a lost SSH line.
            if not self._raw:
                self._over = self._failed("read standard input", error)
        if not data:
            self._input_ended = True
            self._busy_at = time.monotonic()
            return self._raw
        if self._raw:
            before, leave, _ = data.partition(bytes((self._way.escape,)))
            self._typed += before
            if leave:
                self._send()
                return True
        else:
            self._typed += data
        return False

    def _send(self) -> None:
        if not self._typed:
            return
        room = self._room()
        if room:
            taken = self._console.write(self._typed[:room])
            self._typed = self._typed[taken:]
            self._busy_at = time.monotonic()
        if self._raw:
            # A terminal is always read, or the key that leaves would not be seen: so what is
            # typed for a guest that is not there is dropped, as is a paste that it cannot swallow.
            self._typed = self._typed[:HIGH_BYTES] if self._is_open else b""

    def _room(self) -> int:
        """How much may be sent now."""
        pace = self._way.pace_bytes_per_s
        if self._raw or not pace:
            return len(self._typed)
        now = time.monotonic()
        if now - self._sent_at < TICK_S:
            return 0
        self._sent_at = now
        return max(1, int(pace * TICK_S))

    # From the guest to the operator

    def _draw(self) -> None:
        with self._lock:
            chunk = bytes(self._said[: self._write_bytes])
        try:
            written = os.write(self._out, chunk)
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._over = self._parting(Ended.UNHEARD)
            return
        except OSError as error:
            # The terminal is gone, or the disk is full.
            self._over = (
                self._parting(Ended.LEFT)
                if self._raw
                else self._failed("write to standard output", error)
            )
            return
        self._keep(chunk[:written])
        self._busy_at = time.monotonic()
        with self._lock:
            del self._said[:written]
            resume = self._paused and len(self._said) < HIGH_BYTES // 2
            self._paused = self._paused and not resume
            if resume:
                self._console.resume()

    def _keep(self, data: bytes) -> None:
        """Write it to the log too, and say once when that fails."""
        log = self._way.log
        if log is None or not data:
            return
        log.write(data)
        if log.error is not None and not self._log_told:
            self._log_told = True
            why = log.error.strerror or log.error
            self._say(f"what is printed cannot be kept in {log.path}: {why}")

    def _flush(self) -> None:
        """Draw what was said before the end."""
        while self._said and self._over is None:
            if not writable_soon(self._out):
                return
            self._draw()

    def _failed(self, what: str, error: OSError) -> Parting:
        told = TuivirtError(f"cannot {what}", error.strerror or str(error))
        return self._parting(Ended.FAILED, told)

    def _take_news(self) -> Parting | None:
        with self._lock:
            news, self._news = self._news, []
        for status in news:
            self._last = status
            self._busy_at = time.monotonic()
            if status.state is ConsoleState.OPEN:
                self._was_open = True
                to = f" to {self._way.name}" if self._way.name else ""
                self._say(f"connected{to}; {self._leaving}" if self._raw else "")
            elif status.state is ConsoleState.OPENING:
                continue
            elif status.state in (ConsoleState.CLOSED, ConsoleState.HELD):
                return self._parting(Ended.CLOSED)
            elif self._raw:
                who = f"{self._way.name}: " if self._way.name else ""
                self._say(f"{who}{status.text}; {self._leaving}")
            elif status.state is ConsoleState.GUEST_OFF:
                # A script is not left waiting for a guest that nobody may start.
                return self._parting(Ended.STOPPED if self._was_open else Ended.OFF)
            else:
                # Nor does it miss what was lost with the connection.
                return self._parting(Ended.LOST)
        return None

    @property
    def _leaving(self) -> str:
        return f"{key_name(self._way.escape)} leaves"

    def _say(self, text: str) -> None:
        """A line of our own, told from the guest's by its brackets."""
        if not text:
            return
        safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
        line_end = "\r\n" if self._raw else "\n"
        # Nobody may be there to read it.
        with contextlib.suppress(OSError):
            os.write(self._err, f"[{safe}]{line_end}".encode())


def key_name(byte: int) -> str:
    """What the key is called that types this byte, as in ``ctrl+]``."""
    return f"ctrl+{chr(byte ^ 0x40).lower()}" if byte < 0x20 else chr(byte)


def _takes(fd: int) -> int:
    """How much it takes without blocking when it is said to be writable."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return FILE_BYTES
    return PIPE_BYTES if stat.S_ISFIFO(mode) else TERMINAL_BYTES


def _nothing(_: Any) -> None:
    return None
