"""A stream as libvirt's: non-blocking, with callbacks on the event loop's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import libvirt

from .errors import failure

if TYPE_CHECKING:
    from .machines import Machines


class Port(Protocol):
    """The guest's end: a serial port."""

    def read(self, limit: int) -> bytes:
        """What the guest wrote, at most ``limit`` bytes; empty when there is nothing."""

    def readable(self) -> bool:
        """Whether `read` would give something."""

    def write(self, data: bytes) -> int:
        """Give bytes to the guest; how many it took."""

    def closed(self, stream: DemoStream) -> None:
        """The stream let go of the port."""


class DemoStream:
    """Stands where a virStream stands. Level-triggered, as libvirt's: a callback that leaves
    data unread, or watches WRITABLE with nothing to write, is called again at once."""

    def __init__(self, connection: Machines, flags: int) -> None:
        self._host = connection
        self._blocking = not flags & libvirt.VIR_STREAM_NONBLOCK
        self._ready = threading.Condition(threading.RLock())
        self._port: Port | None = None
        self._state = "new"
        """new, open, ended (the guest stopped), broken (taken away) or closed."""
        self._callback: Callable[..., Any] | None = None
        self._opaque: Any = None
        self._mask = 0
        self._posted = False

    def connect(self) -> Any:
        return self._host

    # ------------------------------------------------------------------ the guest's side
    def open(self, port: Port) -> None:
        with self._ready:
            self._port, self._state = port, "open"
        self.notify()

    def notify(self) -> None:
        """Something may be readable, or the state changed. Any thread, no lock of the port held."""
        with self._ready:
            self._ready.notify_all()
            if self._callback is None or self._posted:
                return
            self._posted = True
        self._host.clock.soon(self._dispatch)

    def end(self) -> None:
        """The guest stopped: what is left can be read, then comes the end."""
        self._leave("ended")

    def take_away(self) -> None:
        """Another console was opened with FORCE: this one breaks."""
        self._leave("broken")

    def _leave(self, state: str) -> None:
        with self._ready:
            if self._state == "open":
                self._state = state
        self.notify()

    def _events(self) -> int:
        if self._state == "broken":
            return int(libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP)
        if self._state == "ended":
            return int(libvirt.VIR_STREAM_EVENT_READABLE | libvirt.VIR_STREAM_EVENT_HANGUP)
        if self._state != "open" or self._port is None:
            return 0
        readable = libvirt.VIR_STREAM_EVENT_READABLE if self._port.readable() else 0
        return int(readable | libvirt.VIR_STREAM_EVENT_WRITABLE)

    def _dispatch(self) -> None:
        with self._ready:
            self._posted = False
            # libvirt tells of errors and hang-ups whatever is watched.
            always = libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP
            events = self._events() & (self._mask | always)
            callback, opaque = self._callback, self._opaque
        if not events or callback is None:
            return
        callback(self, events, opaque)
        with self._ready:
            again = self._events() & self._mask
        if again:
            self.notify()

    # ------------------------------------------------------------------ virStream's methods
    def _check(self) -> None:
        if self._state == "broken":
            raise failure(libvirt.VIR_ERR_RPC, "stream had I/O failure", libvirt.VIR_FROM_STREAMS)
        if self._state in ("new", "closed"):
            raise failure(
                libvirt.VIR_ERR_OPERATION_INVALID,
                "stream is not open",
                libvirt.VIR_FROM_STREAMS,
            )

    def recv(self, nbytes: int) -> Any:
        """Bytes; empty at the end; -2 when nothing is there and the stream does not block."""
        while True:
            with self._ready:
                self._check()
                data = self._port.read(nbytes) if self._port else b""
                if data or self._state == "ended":
                    return data
                if not self._blocking:
                    return -2
                self._ready.wait()

    def send(self, data: bytes) -> int:
        """How many bytes were taken."""
        with self._ready:
            self._check()
            port = self._port
            if self._state == "ended" or port is None:
                raise failure(
                    libvirt.VIR_ERR_RPC, "cannot write to stream", libvirt.VIR_FROM_STREAMS
                )
        # Outside the lock: what the guest answers comes back through `notify`.
        return port.write(bytes(data))

    def eventAddCallback(self, events: int, cb: Callable[..., Any], opaque: Any) -> int:
        with self._ready:
            self._check()
            if self._callback is not None:
                raise failure(
                    libvirt.VIR_ERR_INTERNAL_ERROR,
                    "multiple stream callbacks not supported",
                    libvirt.VIR_FROM_STREAMS,
                )
            self._callback, self._opaque, self._mask = cb, opaque, events
        self.notify()
        return 0

    def eventUpdateCallback(self, events: int) -> int:
        with self._ready:
            if self._callback is None:
                raise failure(
                    libvirt.VIR_ERR_INTERNAL_ERROR,
                    "no stream callback registered",
                    libvirt.VIR_FROM_STREAMS,
                )
            self._mask = events
        self.notify()
        return 0

    def eventRemoveCallback(self) -> int:
        with self._ready:
            if self._callback is None:
                raise failure(
                    libvirt.VIR_ERR_INTERNAL_ERROR,
                    "no stream callback registered",
                    libvirt.VIR_FROM_STREAMS,
                )
            self._callback = self._opaque = None
            self._mask = 0
        return 0

    def finish(self) -> int:
        return self._close()

    def abort(self) -> int:
        return self._close()

    def _close(self) -> int:
        with self._ready:
            port, self._port = self._port, None
            self._state = "closed"
            self._callback = self._opaque = None
            self._ready.notify_all()
        if port is not None:
            port.closed(self)
        return 0
