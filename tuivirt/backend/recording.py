"""A console with an emulated terminal, which records what the guest prints while it is open.

Three threads meet here: libvirt's event thread brings bytes and must go on at once, a thread of
the recording's own feeds the emulator and the log, and the screen takes frames when it draws.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .console import Console
from .model.console import ConsoleState, ConsoleStatus, Sending
from .model.ref import Ref
from .model.terminal import Emulator
from .pacing import Pacer

if TYPE_CHECKING:
    from .console_log import ConsoleLog
    from .host import Host

_log = logging.getLogger(__name__)

COLUMNS, LINES = 80, 24
"""What a guest takes a serial line to be that nobody told it more of."""

HIGH_BYTES = 1 << 20
"""More than this not fed yet: the console is read no more until half of it is."""
FEED_BYTES = 64 * 1024
"""Fed at once, so that the screen never waits for more."""
GATHER_S = 0.004
"""After a feed, what comes within this time is fed together: a serial port brings six bytes at
a time. The first byte after a silence is fed at once."""
TYPED_BYTES = 64 * 1024
"""Typed and not taken by the guest; more is refused."""
ANSWERS_BYTES = 4096
"""Answers to a guest that asks without reading them: more are dropped."""


class Recording:
    """See ``model.console.ConsoleSession``."""

    def __init__(
        self,
        host: Host,
        ref: Ref,
        name: str,
        device: str,
        *,
        safe: bool = False,
        emulator: Emulator | None = None,
    ) -> None:
        if emulator is None:
            from .terminal.emulator import GhosttyEmulator  # 0.1 s and 10 MiB: only for consoles.

            emulator = GhosttyEmulator(COLUMNS, LINES)
        self.ref = ref
        self.name = name
        self.device = device
        self.on_change: Callable[[], None] | None = None
        self._emulator = emulator
        self._safe = safe
        self._console = self._console_on(host)
        self._ready = threading.Condition()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._paused = False
        self._received = 0
        self._told = False
        self._closed = False
        self._logging = threading.Lock()
        """Held while the log is written to: it is closed by another thread."""
        self._log: ConsoleLog | None = None
        self._trouble = ""
        self._remark = ""
        """Told until somebody types."""
        self._typed = bytearray()
        self._typing = threading.Lock()
        self._pacer: Pacer | None = None
        self._thread = threading.Thread(
            target=self._feed, name=f"console-{name}-{device}", daemon=True
        )
        self._thread.start()

    def _console_on(self, host: Host) -> Console:
        return Console(
            host,
            self.ref.key,
            devname=self.device or None,
            safe=self._safe,
            on_data=self._heard,
            on_state=self._state_changed,
            on_room=self._push,
            on_reset=self._drop_typed,
        )

    # What it is

    @property
    def emulator(self) -> Emulator:
        return self._emulator

    @property
    def status(self) -> ConsoleStatus:
        return self._console.status

    @property
    def received(self) -> int:
        return self._received

    @property
    def sending(self) -> Sending | None:
        pacer = self._pacer
        return pacer.progress if pacer is not None else None

    @property
    def log_path(self) -> str:
        log = self._log
        return str(log.path) if log is not None else ""

    @property
    def trouble(self) -> str:
        return self._trouble or self._remark

    # What can be done

    def open(self, *, force: bool = False) -> None:
        self._console.open(force=force)

    def seen(self) -> None:
        self._told = False

    def send(self, data: bytes) -> bool:
        self._remark = ""  # Whoever types has seen it.
        return self._type(data)

    def _type(self, data: bytes) -> bool:
        with self._typing:
            # Asked in here: what is typed just when the guest goes is cleared with the rest.
            if self.status.state is not ConsoleState.OPEN:
                return False
            if len(self._typed) + len(data) > TYPED_BYTES:
                return False
            self._typed += data
        self._push()
        return True

    def send_slowly(self, data: bytes, what: str) -> bool:
        if self._pacer is not None or self.status.state is not ConsoleState.OPEN:
            return False
        self._remark = ""
        self._pacer = Pacer(self, data, what, self._sent)
        self._pacer.start()
        return True

    def stop_sending(self) -> None:
        pacer = self._pacer
        if pacer is not None:
            pacer.stop()

    def start_log(self, path: str | None = None) -> str:
        from .console_log import open_log

        log = open_log(self.ref.host, self.name, self.device, path)
        with self._logging:
            self._log = log
            self._trouble = ""
        self._tell()
        return str(log.path)

    def stop_log(self) -> str:
        why = ""
        with self._logging:
            log, self._log = self._log, None
            if log is not None:
                log.close()
                why = _why(log.error)
                self._trouble = ""
        self._tell()
        return why

    def follow(self, host: Host, ref: Ref) -> None:
        self.let_go()
        self.ref = ref
        self._console = self._console_on(host)
        self._console.open()

    def let_go(self) -> None:
        self.stop_sending()
        self._console.close()

    def close(self) -> None:
        self.stop_sending()
        self._console.close()
        with self._ready:
            self._closed = True
            self._ready.notify()

    # On libvirt's event thread

    def _heard(self, data: bytes) -> None:
        with self._ready:
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            self._received += len(data)
            pause = self._waiting_bytes > HIGH_BYTES and not self._paused
            self._paused = self._paused or pause
            self._ready.notify()
            if pause:  # In here, or it could come behind the end of this very pause.
                self._console.pause()

    def _state_changed(self, status: ConsoleStatus) -> None:
        if status.state is not ConsoleState.OPEN:
            self._drop_typed()
        self._tell()

    def _drop_typed(self) -> None:
        """It was typed for a shell that is gone, and must not run in what comes after it."""
        with self._typing:
            self._typed.clear()
        self.stop_sending()

    # On any thread

    def _push(self) -> None:
        """Hand what was typed to the stream, as much as it takes."""
        with self._typing:
            if self._typed:
                taken = self._console.write(bytes(self._typed))
                del self._typed[:taken]

    @property
    def untaken(self) -> int:
        """Bytes typed that the host has not taken yet."""
        return len(self._typed) + self._console.queued

    def _sent(self) -> None:
        pacer = self._pacer
        if pacer is not None and (done := pacer.progress).sent < done.total:
            self._remark = f"{done.what} was cut short: {done.sent} of {done.total} bytes were sent"
        self._pacer = None
        self._tell()

    def _tell(self) -> None:
        tell = self.on_change  # Another thread may take it away at any time.
        if not self._told and tell is not None:
            self._told = True
            tell()

    # On the recording's own thread

    def _feed(self) -> None:
        while True:
            with self._ready:
                while not self._waiting and not self._closed:
                    self._ready.wait()
                if not self._waiting:
                    break
                data = b"".join(self._waiting)
                self._waiting.clear()
            for start in range(0, len(data), FEED_BYTES):
                self._feed_one(data[start : start + FEED_BYTES])
            with self._ready:
                self._waiting_bytes -= len(data)
                resume = self._paused and self._waiting_bytes <= HIGH_BYTES // 2
                self._paused = self._paused and not resume
                if resume:
                    self._console.resume()
            self._tell()
            if len(data) < FEED_BYTES:
                time.sleep(GATHER_S)
        self.stop_log()
        self._emulator.close()

    def _feed_one(self, data: bytes) -> None:
        try:
            answers = self._emulator.feed(data)
        except Exception as error:
            # A defect, of the emulator or ours: told where it is seen, and what follows is shown.
            _log.exception("unexpected from the emulator of %s", self.name)
            answers = b""
            self._remark = f"some of what was printed cannot be shown: {error}"
        if answers and self.untaken + len(answers) <= ANSWERS_BYTES:
            self._type(answers)
        with self._logging:
            log = self._log
            if log is not None:
                log.write(data)
                if log.error is not None and not self._trouble:
                    self._trouble = _why(log.error)


def _why(error: OSError | None) -> str:
    """Why a log lacks something; '' where nothing went wrong."""
    if error is None:
        return ""
    return f"what is printed cannot be recorded: {error.strerror or error}"
