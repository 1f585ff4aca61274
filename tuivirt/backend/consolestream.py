"""One open stream of libvirt, read and written without blocking on libvirt's event thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import libvirt

QUEUE_BYTES = 64 * 1024
"""How much is taken from the writer ahead of what the daemon took."""
READ_BYTES = 64 * 1024
READ_AT_ONCE = 256 * 1024
"""How much is read before the loop may serve others."""
EAGAIN = -2
"""What libvirt's streams return instead of data when they would block."""


class GivingBack:
    """Streams on their way back to a daemon, by domain.

    Until it has them, it refuses the next opening of the same console as held by another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, list[Future[None]]] = {}

    def add(self, uuid: str, future: Future[None]) -> None:
        with self._lock:
            known = self._under_way.setdefault(uuid, [])
            known[:] = [each for each in known if not each.done()]
            known.append(future)

    def wait(self, uuid: str, timeout_s: float) -> None:
        """Wait until the daemon has those of this domain; not on libvirt's event thread."""
        with self._lock:
            known = self._under_way.pop(uuid, [])
        wait(known, timeout_s)


class _Hearing:
    """Who hears of a stream, in its place.

    libvirt's binding never lets go of what it was given there: seen in 12.8, a callback that
    was removed still held the stream, and that its connection with its files.
    """

    def __init__(self, raw: Any, ready: Callable[[Any, int, object], None]) -> None:
        self._o = getattr(raw, "_o", None)
        self._raw = raw
        self._ready: Callable[[Any, int, object], None] | None = ready

    def begin(self, events: int) -> None:
        """Hear of these. Raises libvirtError."""
        if isinstance(self._raw, libvirt.virStream):
            self._raw = None
            libvirt.virStream.eventAddCallback(self, events, self._told, None)
        else:  # The demo's has its own, and lets go.
            self._raw.eventAddCallback(events, self._told, None)

    def end(self) -> None:
        """It was removed."""
        self._ready = self._raw = self._o = None

    def _dispatchStreamEventCallback(self, events: int, _data: object) -> int:
        """What the binding calls."""
        self._told(None, events, None)
        return 0

    def _told(self, _raw: Any, events: int, opaque: object) -> None:
        if self._ready is not None:
            self._ready(None, events, opaque)


class ConsoleStream:
    """Gathers what arrives, and sends what is queued.

    ``on_data`` (bytes), ``on_end`` (once, when the stream ended by itself) and ``on_room`` (there
    is room again after ``write`` had to refuse some) run on the event thread. All methods but
    ``write`` are for that thread too.
    """

    def __init__(
        self,
        raw: Any,
        *,
        paused: bool,
        on_data: Callable[[bytes], None],
        on_end: Callable[[], None],
        on_room: Callable[[], None],
    ) -> None:
        self.raw = raw
        self.heard = False
        """Whether anything has arrived."""
        self._paused = paused
        self._on_data = on_data
        self._on_end = on_end
        self._on_room = on_room
        self._queue = bytearray()
        self._refused = False
        self._lock = threading.Lock()
        self._watched = 0
        self._over = False
        self._hearing: _Hearing | None = None

    @property
    def queued(self) -> int:
        """Bytes that ``write`` took and the daemon has not."""
        return len(self._queue)

    def watch(self) -> None:
        """Have the loop look for what is wanted now. Raises libvirtError when the first call
        finds the stream dead; later that is an end like any other.
        """
        # WRITABLE only while something is queued: a stream is writable at nearly all times, and
        # the loop would spin.
        wanted = 0 if self._paused else libvirt.VIR_STREAM_EVENT_READABLE
        wanted |= libvirt.VIR_STREAM_EVENT_WRITABLE if self._queue else 0
        wanted |= libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP
        if self._over or wanted == self._watched:
            return
        before, self._watched = self._watched, wanted
        if not before:
            self._hearing = _Hearing(self.raw, self._ready)
            self._hearing.begin(wanted)
            return
        try:
            self.raw.eventUpdateCallback(wanted)
        except libvirt.libvirtError:
            self._end()

    def pause(self, paused: bool) -> None:
        """Read no more, or again."""
        self._paused = paused
        self.watch()

    def write(self, data: bytes) -> int:
        """Queue input, as much as there is room for; ``watch`` must follow on the event thread."""
        with self._lock:
            taken = min(len(data), QUEUE_BYTES - len(self._queue))
            self._queue += data[:taken]
            self._refused = taken < len(data)
        return taken

    def drain(self) -> None:
        """Hand on all that has arrived, paused or not: the stream is about to be dropped."""
        while not self._over and self._read() is None:
            pass

    def drop(self) -> None:
        """Hear of it no more. The raw stream is still to be aborted, which may block."""
        self._over = True
        # None is there any more when the connection it belonged to was closed.
        with contextlib.suppress(libvirt.libvirtError):
            self.raw.eventRemoveCallback()
        if self._hearing is not None:
            self._hearing.end()

    def _end(self) -> None:
        if not self._over:
            self.drop()
            self._on_end()

    def _ready(self, _raw: Any, events: int, _opaque: object) -> None:
        if self._over:
            return
        ended = False
        if events & libvirt.VIR_STREAM_EVENT_READABLE and not self._paused:
            ended = self._read() is True
        if not ended and not self._over and events & libvirt.VIR_STREAM_EVENT_WRITABLE:
            ended = not self._send()
        if events & (libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP):
            self.drain()
            ended = True
        if ended:
            self._end()
        else:
            self.watch()

    def _read(self) -> bool | None:
        """Hand on what has arrived: True when the stream ended, False when no more is there
        now, None when there may be.

        A serial port delivers some six bytes at a time, so they are gathered first.
        """
        chunks: list[bytes] = []
        size = 0
        ended: bool | None = None
        while size < READ_AT_ONCE:
            try:
                data = self.raw.recv(READ_BYTES)
            except libvirt.libvirtError:
                ended = True  # An aborted stream and one whose connection died end so.
                break
            if data == EAGAIN:
                ended = False
                break
            if not data:
                ended = True
                break
            chunks.append(data)
            size += len(data)
        if chunks:
            self.heard = True
            self._on_data(b"".join(chunks))
        return ended

    def _send(self) -> bool:
        """Send what is queued, as far as it is taken; False when the stream has ended."""
        while self._queue:
            try:
                sent = self.raw.send(bytes(self._queue[:READ_BYTES]))
            except libvirt.libvirtError:
                return False
            if sent == EAGAIN:
                break
            with self._lock:
                del self._queue[:sent]
        with self._lock:
            tell = self._refused and len(self._queue) <= QUEUE_BYTES // 2
            self._refused = self._refused and not tell
        if tell:
            self._on_room()
        return True
