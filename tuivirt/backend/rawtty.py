"""Joins a console to the terminal that the program runs in: keys to the guest, its words here.

On a terminal, keys go to the guest raw and ``ctrl+]`` leaves. When standard input is a file or
a pipe, it is sent to a guest that runs, up to its end; then what the guest says is printed
until it has been silent for ``linger_s`` seconds, or has stopped.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .console import Console, ConsoleState, ConsoleStatus
from .errors import TuivirtError

if TYPE_CHECKING:
    from .host import Host

LEAVE = 0x1D
"""``ctrl+]``"""
READ_BYTES = 4096
WRITE_BYTES = 1024
"""A terminal that reports to be writable takes this much without blocking."""
HIGH_BYTES = 256 * 1024
"""More than this waiting to be drawn pauses the console."""
LINGER_S = 2.0

# What a guest may have left behind, put right: an unfinished sequence, colours, the alternate
# screen, a hidden cursor, mouse reports, bracketed paste, keypad modes, another character set,
# a scroll region.
TIDY = (
    b"\x18\x1b\\\x0f\x1b(B\x1b[0m\x1b[?1047l\x1b[?25h"
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?1015l"
    b"\x1b[?2004l\x1b[?1l\x1b>\x1b[?7h\x1b[4l\x1b[?6l\x1b7\x1b[r\x1b8"
)


class Ended(StrEnum):
    """Why the terminal was given back."""

    LEFT = "left"
    """The operator pressed ``ctrl+]``."""
    CLOSED = "closed"
    """The console closed, or is held by another: ``Parting.status`` says why."""
    OFF = "off"
    """The guest was off from the first, and input was not a terminal."""
    STOPPED = "stopped"
    """The guest stopped, and input was not a terminal."""
    END = "end"
    """The end of the input was reached and the guest has been silent since."""
    SIGNAL = "signal"
    """The program was told to end."""


@dataclass(frozen=True, slots=True)
class Parting:
    """How it ended."""

    how: Ended
    signal: int = 0
    """The number of the signal, when it was one: the exit status is 128 and this."""
    status: ConsoleStatus | None = None
    """What the console said when it closed by itself."""


def attach_terminal(
    console: Console,
    stdin_fd: int = 0,
    stdout_fd: int = 1,
    stderr_fd: int = 2,
    *,
    linger_s: float | None = LINGER_S,
    tidy: bool = True,
) -> Parting:
    """Open ``console`` on the terminal and come back when it is over; the console is closed.

    The terminal is restored whatever happens. ``linger_s=None`` prints until the guest stops.
    ``tidy=False`` leaves the terminal's modes as the guest set them, for a caller that resets
    it all the same.
    """
    return _Pump(console, stdin_fd, stdout_fd, stderr_fd, linger_s, tidy).run()


def attach(
    host: Host,
    uuid: str,
    *,
    devname: str | None = None,
    force: bool = False,
    safe: bool = False,
    linger_s: float | None = LINGER_S,
) -> str:
    """Hand the program's own terminal to a domain's console; a sentence of how it ended.

    Raises TuivirtError when the console cannot be had. A signal that ended it is raised again
    once the terminal is restored.
    """
    name = host.domain(uuid).name()
    console = Console(host, uuid, devname=devname, force=force, safe=safe)
    parting = attach_terminal(console, linger_s=linger_s)
    if parting.how is Ended.SIGNAL:
        signal.raise_signal(signal.Signals(parting.signal))
    if parting.how is Ended.OFF:
        raise TuivirtError(f"{name} is off", advice="start it first")
    if parting.how is Ended.CLOSED:
        why = parting.status
        raise (
            why.error
            if why is not None and why.error is not None
            else TuivirtError(f"the console of {name} closed", why.text if why else "")
        )
    if parting.how is Ended.STOPPED:
        return f"{name} stopped"
    return f"left the console of {name}"


class _Pump:
    def __init__(
        self,
        console: Console,
        stdin: int,
        stdout: int,
        stderr: int,
        linger_s: float | None,
        tidy: bool,
    ) -> None:
        self._console = console
        self._in, self._out, self._err = stdin, stdout, stderr
        self._linger_s = linger_s
        self._raw = os.isatty(stdin)
        self._tidy = tidy and os.isatty(stdout)
        self._lock = threading.Lock()
        self._said = bytearray()
        self._paused = False
        self._news: list[ConsoleStatus] = []
        self._typed = b""
        self._input_ended = False
        self._output_ended = False
        self._was_open = False
        self._last: ConsoleStatus | None = None
        self._signal = 0
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> Parting:
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        console = self._console
        console.on_data, console.on_state, console.on_room = self._take, self._news_of, self._wake
        try:
            with self._signals(), self._terminal():
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

    # On libvirt's event thread.

    def _take(self, data: bytes) -> None:
        with self._lock:
            self._said += data
            pause = len(self._said) > HIGH_BYTES and not self._paused
            self._paused = self._paused or pause
        if pause:
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

    # On the caller's thread.

    def _pump(self) -> Parting:
        while True:
            ended = self._take_news()
            if ended is None and self._input_ended and self._output_ended:
                ended = Ended.END
            if ended is not None:
                self._flush()
                return Parting(ended, status=self._last)
            poll = select.poll()
            poll.register(self._wake_read, select.POLLIN)
            if not self._input_ended and (self._raw or not self._typed):
                poll.register(self._in, select.POLLIN)
            if self._said and not self._output_ended:
                poll.register(self._out, select.POLLOUT)
            ready = dict(poll.poll(self._patience()))
            if self._signal:
                return Parting(Ended.SIGNAL, self._signal)
            if self._wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    while os.read(self._wake_read, 4096):
                        pass
            elif not ready and self._patience() is not None:
                return Parting(Ended.END)
            if self._out in ready and self._said and not self._output_ended:
                self._draw()
            if self._in in ready and not self._input_ended and self._read():
                return Parting(Ended.LEFT)
            self._send()

    def _patience(self) -> int | None:
        """For how many milliseconds silence is borne; None: for ever."""
        if self._raw or not self._input_ended or self._typed or self._linger_s is None:
            return None
        return None if self._console.queued else int(self._linger_s * 1000)

    def _read(self) -> bool:
        """Take what was typed; True when ``ctrl+]`` is in it (what is before it is sent)."""
        try:
            data = os.read(self._in, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # The terminal is gone, as after a lost SSH line.
        if not data:
            self._input_ended = True
            return self._raw
        if self._raw:
            before, leave, _ = data.partition(bytes((LEAVE,)))
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
        taken = self._console.write(self._typed)
        self._typed = self._typed[taken:]
        if self._raw:
            # A terminal is always read, or ctrl+] would not be seen: so what is typed for a
            # guest that is not there is dropped, as is a paste that it cannot swallow.
            is_open = self._console.status.state is ConsoleState.OPEN
            self._typed = self._typed[:HIGH_BYTES] if is_open else b""

    def _draw(self) -> None:
        with self._lock:
            chunk = bytes(self._said[:WRITE_BYTES])
        try:
            written = os.write(self._out, chunk)
        except BlockingIOError:
            return
        except OSError:
            # Nobody reads any more: the pipe's other end or the terminal is gone.
            self._output_ended = self._input_ended = True
            return
        with self._lock:
            del self._said[:written]
            resume = self._paused and len(self._said) < HIGH_BYTES // 2
            self._paused = self._paused and not resume
        if resume:
            self._console.resume()

    def _flush(self) -> None:
        """Draw what was said before the end."""
        while self._said and not self._output_ended:
            if not _writable_soon(self._out):
                return
            self._draw()

    def _take_news(self) -> Ended | None:
        with self._lock:
            news, self._news = self._news, []
        for status in news:
            self._last = status
            if status.state is ConsoleState.OPEN:
                self._was_open = True
                self._say("connected; ctrl+] leaves" if self._raw else "")
            elif status.state is ConsoleState.OPENING:
                continue
            elif status.state in (ConsoleState.CLOSED, ConsoleState.HELD):
                return Ended.CLOSED
            elif not self._raw and status.state is ConsoleState.GUEST_OFF:
                # A script is not left waiting for a guest that nobody may start.
                return Ended.STOPPED if self._was_open else Ended.OFF
            else:
                self._say(f"{status.text}; {'ctrl+]' if self._raw else 'ctrl+c'} leaves")
        return None

    def _say(self, text: str) -> None:
        """A line of our own, told from the guest's by its brackets."""
        if not text:
            return
        safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
        line_end = "\r\n" if self._raw else "\n"
        # Nobody may be there to read it.
        with contextlib.suppress(OSError):
            os.write(self._err, f"[{safe}]{line_end}".encode())

    @contextlib.contextmanager
    def _terminal(self) -> Iterator[None]:
        """The terminal raw, and as it was afterwards."""
        if not self._raw:
            yield
            return
        before = termios.tcgetattr(self._in)
        try:
            tty.setraw(self._in, termios.TCSANOW)
            yield
        finally:
            # The terminal may be gone by now. Not TCSADRAIN: it waits for a stopped terminal.
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self._in, termios.TCSANOW, before)
            # Nor is one waited for that takes nothing.
            if self._tidy and _writable_soon(self._out):
                with contextlib.suppress(OSError):
                    os.write(self._out, TIDY + b"\r\n")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals that end the program end the pump first; the window's size is no concern.

        A serial line has no size to be told of. Signals can be taken by the main thread only.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[signal.Signals, Any] = {}
        try:
            for number in (signal.SIGTERM, signal.SIGHUP):
                before[number] = signal.signal(number, self._signalled)
            before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, signal.SIG_IGN)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _signalled(self, number: int, _frame: object) -> None:
        # Not _wake: the lock may be held by the very code that the signal interrupted.
        self._signal = number
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b".")


def _writable_soon(fd: int) -> bool:
    """Whether it becomes writable soon."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(500))


def _nothing(_: Any) -> None:
    return None
