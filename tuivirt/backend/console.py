"""A domain's serial console that outlives the guest's reboots and the host's connection.

All of its state belongs to libvirt's event thread: calls from other threads and the answers of
the host's lanes are handed to it, so nothing here needs a lock. Opening and ending a stream are
calls to the daemon that may hang; they run on the host's look-ups lane, never on the event
thread, which would keep every other host's events waiting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import libvirt

from . import eventloop, listening
from .consolestream import ConsoleStream, GivingBack
from .errors import NotConnected, NotFound, TuivirtError, code_of, from_libvirt, is_gone
from .events import DomainEvent, Event, LinkChanged
from .model.console import ConsoleState, ConsoleStatus
from .model.host import Link
from .waiters import lifecycle
from .xml.belongings import ConsolePort, console_ports

if TYPE_CHECKING:
    from .host import Host

TRY_AGAIN_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Waiting before the next try, after a stream that ended without a byte."""


GIVE_BACK_S = 3.0
"""How long an opening waits for what was just closed to reach the daemon."""

__all__ = ["Console", "ConsoleState", "ConsoleStatus", "consoles"]

_giving_back: WeakKeyDictionary[Host, GivingBack] = WeakKeyDictionary()


def _ignore(_: Any) -> None:
    return None


def consoles(host: Host, uuid: str, *, saved: bool = False) -> tuple[ConsolePort, ...]:
    """The consoles of a domain, libvirt's default first. Source: its XML.

    ``saved``: those that it has from its next start on.
    """
    domain = host.domain(uuid)
    try:
        return console_ports(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if saved else 0))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot list the consoles of {domain.name()}") from error


class Console:
    """One console of one domain.

    ``on_data`` (bytes), ``on_state`` (ConsoleStatus), ``on_room`` (there is room again after
    ``write`` had to refuse some) and ``on_reset`` (the guest begins anew; its ports stay open) run
    on libvirt's event thread and must not block.

    libvirt's protocol has no way to slow a guest down: while paused, the client library keeps
    what arrives in memory, at the pace of the serial port (some 45 KiB/s).
    """

    def __init__(
        self,
        host: Host,
        uuid: str,
        *,
        devname: str | None = None,
        force: bool = False,
        safe: bool = False,
        on_data: Callable[[bytes], None] = _ignore,
        on_state: Callable[[ConsoleStatus], None] = _ignore,
        on_room: Callable[[], None] | None = None,
        on_reset: Callable[[], None] | None = None,
    ) -> None:
        self.host = host
        self.uuid = uuid
        self.devname = devname
        self.on_data = on_data
        self.on_state = on_state
        self.on_room = on_room
        self.on_reset = on_reset
        self._force = force
        self._safe = safe
        self._loop = eventloop.start()
        self._giving_back = _giving_back.setdefault(host, GivingBack())
        self._status = ConsoleStatus(ConsoleState.CLOSED, "not opened yet")
        self._stream: ConsoleStream | None = None
        self._old: list[Any] = []
        """Streams that the daemon still has to be given back."""
        self._attempt = 0
        self._under_way = False
        self._again = False
        self._was_open = False
        self._barren = 0
        self._paused = False
        self._closing = False
        self._timer: threading.Timer | None = None
        self._unsubscribe: Callable[[], None] | None = None
        listening.remember(self)

    # For any thread.

    @property
    def status(self) -> ConsoleStatus:
        return self._status

    @property
    def queued(self) -> int:
        """Bytes that ``write`` took and the daemon has not."""
        stream = self._stream
        return stream.queued if stream is not None else 0

    def open(self, *, force: bool = False) -> None:
        """Begin to open it; ``on_state`` tells how it goes. Again after HELD: another try."""
        if self._unsubscribe is None:
            self._closing = False
            self._unsubscribe = self.host.subscribe(self._take)
        self._force = self._force or force
        self._loop.call(self._open)

    def write(self, data: bytes) -> int:
        """Queue input for the guest; how many bytes were taken, 0 while it is not open.

        After a refusal ``on_room`` is called once there is room again.
        """
        stream = self._stream
        if stream is None:
            return 0
        taken = stream.write(data)
        self._loop.call(stream.watch)
        return taken

    def pause(self) -> None:
        """Read no more until ``resume``."""
        self._loop.call(lambda: self._pause(True))

    def resume(self) -> None:
        """Read again."""
        self._loop.call(lambda: self._pause(False))

    def close(self) -> None:
        """Close it for good; ``on_state`` is told CLOSED once that is so."""
        self._closing = True
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._loop.call(lambda: self._set(ConsoleState.CLOSED, "closed"))

    def _take(self, event: Event) -> None:
        if isinstance(event, LinkChanged):
            self._loop.call(lambda: self._link_changed(event))
        elif isinstance(event, DomainEvent) and event.key == self.uuid:
            self._loop.call(lambda: self._domain_event(event))

    # From here on: libvirt's event thread only.

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        if self._stream is not None:
            self._stream.pause(paused)

    def _set(self, state: ConsoleState, text: str, error: TuivirtError | None = None) -> None:
        if state is not ConsoleState.OPEN:
            self._drop_stream()
        if state not in (ConsoleState.OPEN, ConsoleState.OPENING) and self._old:
            self._give_back()
        if state is ConsoleState.CLOSED:
            self._cancel_timer()
        if self._status.state is not state or self._status.text != text:
            self._status = ConsoleStatus(state, text, error)
            self.on_state(self._status)

    def _host_away(self) -> None:
        self._set(ConsoleState.HOST_AWAY, "the host is not connected, waiting for it")

    def _guest_off(self) -> None:
        self._barren = 0
        self._set(ConsoleState.GUEST_OFF, "the guest is off, waiting for it")

    def _open(self) -> None:
        """Have a stream opened on the lane; ``_answered`` is told.

        One at a time, and after the older stream was given back: the daemon would refuse us
        our own console.
        """
        if self._closing or self._stream is not None:
            return
        if self._under_way:
            self._again = True
            return
        self._cancel_timer()
        self._attempt += 1
        attempt = self._attempt
        self._set(ConsoleState.OPENING, "opening the console")
        give_back = self._old_streams()

        def call() -> None:
            give_back()
            self._open_call(attempt)

        self._under_way = True
        if self._submit(call) is None:
            self._set(ConsoleState.CLOSED, "the host was closed")

    def _open_call(self, attempt: int) -> None:
        """On the look-ups lane."""
        raw = None
        failure: Exception | None = None
        off = alive = False
        try:
            conn = self.host.conn
            domain = self.host.domain(self.uuid)
            off = not domain.isActive()
            if not off:
                self._giving_back.wait(self.uuid, GIVE_BACK_S)
                raw = conn.newStream(libvirt.VIR_STREAM_NONBLOCK)
                flags = libvirt.VIR_DOMAIN_CONSOLE_FORCE if self._force else 0
                flags |= libvirt.VIR_DOMAIN_CONSOLE_SAFE if self._safe else 0
                domain.openConsole(self.devname, raw, flags)
        except (libvirt.libvirtError, TuivirtError) as error:
            failure = error
            with contextlib.suppress(libvirt.libvirtError, TuivirtError):
                alive = bool(self.host.conn.isAlive())
        self._loop.call(lambda: self._answered(attempt, raw, failure, off, alive))

    def _answered(
        self, attempt: int, raw: Any, failure: Exception | None, off: bool, alive: bool
    ) -> None:
        if attempt != self._attempt:
            return  # The connection that it was made on is gone, and so is what it opened.
        self._under_way = False
        again, self._again = self._again, False
        if failure is None and raw is not None:
            if self._closing:
                self._old.append(raw)
                self._give_back()
            else:
                self._opened(raw)
        elif again and not self._closing:
            self._open()  # Something happened while we asked: the answer may be out of date.
        elif failure is not None:
            self._refused(failure, alive)
        elif off:
            self._guest_off()

    def _opened(self, raw: Any) -> None:
        # Only the first opening takes it from another: two that force would fight for ever.
        self._force = False
        stream = ConsoleStream(
            raw,
            paused=self._paused,
            on_data=lambda data: self.on_data(data),
            on_end=self._ended,
            on_room=lambda: self.on_room() if self.on_room is not None else None,
        )
        self._stream = stream
        try:
            stream.watch()
        except libvirt.libvirtError:
            self._ended()
            return
        self._was_open = True
        self._set(ConsoleState.OPEN, "open")

    def _refused(self, error: Exception, alive: bool) -> None:
        """Why it could not be opened, and so what is waited for."""
        what = "cannot open the console"
        if self._closing:
            return
        if isinstance(error, NotFound):
            self._set(ConsoleState.CLOSED, "the domain is gone", error)
        elif isinstance(error, NotConnected) or not alive:
            self._host_away()
        elif not isinstance(error, libvirt.libvirtError):
            known = error if isinstance(error, TuivirtError) else TuivirtError(what, str(error))
            self._set(ConsoleState.CLOSED, str(known), known)
        elif code_of(error) == libvirt.VIR_ERR_OPERATION_INVALID:
            self._guest_off()
        elif code_of(error) == libvirt.VIR_ERR_OPERATION_FAILED:
            # What drivers say of an active session; the text is in the daemon's language.
            told = from_libvirt(error, what, "take it over (force) if nobody needs it")
            self._set(ConsoleState.HELD, f"somebody else has it open ({told.why})", told)
        elif is_gone(error):
            self._set(ConsoleState.CLOSED, "the domain is gone", from_libvirt(error, what))
        elif self._was_open:
            # A guest that is just dying still counts as active, its port already gone.
            self._try_again(from_libvirt(error, what))
        else:
            told = from_libvirt(error, what)
            self._set(ConsoleState.CLOSED, str(told), told)

    def _ended(self) -> None:
        """The stream ended by itself: the guest stopped, another took it, or the line broke."""
        stream = self._stream
        if stream is not None and stream.heard:
            self._barren = 0
        self._drop_stream()
        if self.host.snapshot.link not in (Link.CONNECTED, Link.STALLED):
            self._host_away()
            return
        text = "it ends as soon as it is opened"
        self._try_again(TuivirtError("cannot keep the console open", text))

    def _try_again(self, error: TuivirtError) -> None:
        """Open it again, later each time; closed with ``error`` when that never helps."""
        if self._barren >= len(TRY_AGAIN_S):
            self._set(ConsoleState.CLOSED, str(error), error)
            return
        delay = TRY_AGAIN_S[self._barren]
        self._barren += 1
        if not delay:
            self._open()
            return
        self._set(ConsoleState.OPENING, "opening the console again")
        self._timer = threading.Timer(delay, lambda: self._loop.call(self._open))
        self._timer.daemon = True
        self._timer.start()

    def _link_changed(self, event: LinkChanged) -> None:
        if self._closing or self._status.state is ConsoleState.CLOSED:
            return
        if event.link == Link.CONNECTED:
            if self._stream is None:
                self._open()
        elif event.link != Link.STALLED:
            # An opening under way belongs to the old connection, and may hang for long.
            self._attempt += 1
            self._under_way = self._again = False
            self._cancel_timer()
            self._host_away()

    def _domain_event(self, event: DomainEvent) -> None:
        if self._closing or self._status.state is ConsoleState.CLOSED:
            return
        if event.family == "reboot" and self.on_reset is not None:
            self.on_reset()
        if lifecycle(event, libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_RESUMED):
            if self._stream is None:
                self._barren = 0
                self._open()
        elif lifecycle(event, libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_CRASHED):
            if self._stream is not None:
                self._stream.drain()
                self._drop_stream()
            # The domain is asked before the guest is called off: it may be up again already.
            self._open()

    def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.drop()
            self._old.append(stream.raw)
            # libvirt's binding keeps what it calls: each would keep the other, and the connection.
            stream.raw = None

    def _old_streams(self) -> Callable[[], None]:
        """A call for the lane that gives old streams back: it hangs on a dead line."""
        streams, self._old = self._old, []

        def give_back() -> None:
            for raw in streams:
                # One that has ended already refuses, and that is all that is wanted.
                with contextlib.suppress(libvirt.libvirtError):
                    raw.abort()

        return give_back

    def _give_back(self) -> None:
        """Let the daemon have what is not needed any more."""
        call = self._old_streams()
        future = self._submit(call)
        if future is not None:
            self._giving_back.add(self.uuid, future)
        else:
            # Its host is closed; until each stream has gone the line to it is not.
            threading.Thread(target=call, name="giving-back", daemon=True).start()

    def _submit(self, call: Callable[[], None]) -> Future[None] | None:
        """Queue a call on the lane; None when the host is closed."""
        try:
            return self.host.lookups.submit(call)
        except RuntimeError:
            return None

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
