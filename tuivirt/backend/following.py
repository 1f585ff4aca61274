"""What a guest was asked for and has not done yet, followed until it has.

libvirt tells of a changed balloon, but not of a vCPU that a guest gives up later: so it is looked
at from time to time as well, by one call, for as long as such a task is pending.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import NotConnected, TuivirtError, from_libvirt, is_open
from .events import Event, LinkChanged
from .lifecycle import touch
from .model.host import Link
from .settling import Outcome
from .waiters import domain_event

if TYPE_CHECKING:
    from .host import Host

LOOK_AGAIN_S = 5.0
FOLLOWED_FOR_S = 600.0
"""After so long what the guest has not done is told as failed."""


class Following(Outcome):
    """A pending outcome. ``look`` tells of a running domain how it ended, '' while it has not."""

    def __init__(
        self, host: Host, domain: Any, text: str, advice: str, look: Callable[[Any], str]
    ) -> None:
        super().__init__(text, pending=True, advice=advice)
        self._host = host
        self._name = domain.name()
        self._uuid = domain.UUIDString()
        self._look_at = look
        self._until = time.monotonic() + FOLLOWED_FOR_S
        self._arming = threading.Lock()
        self._timer: threading.Timer | None = None
        self._unsubscribe = host.subscribe(self._take)
        self._look_soon()  # It may have happened before the subscription.

    def _take(self, event: Event) -> None:
        """On libvirt's event thread: only hand on."""
        back = isinstance(event, LinkChanged) and event.link == Link.CONNECTED
        if back or domain_event(self._uuid)(event):
            self._look_soon()

    def _look_soon(self) -> None:
        try:
            self._host.lookups.submit(self._look)
        except RuntimeError:
            self._ended(NotConnected(f"host {self._host.name} was closed"))

    def _look(self) -> None:
        if self.is_settled:
            return
        try:
            conn = self._host.conn
        except NotConnected:
            return  # Looked at again when the host is back.
        try:
            domain = conn.lookupByUUIDString(self._uuid)
            if not domain.isActive():
                self._ended(TuivirtError(f"{self._name} stopped before it had done it", self.text))
                return
            said = self._look_at(domain)
        except (libvirt.libvirtError, TuivirtError) as error:
            if not is_open(conn):
                self._look_later()  # By another connection, which may be there already.
            elif isinstance(error, TuivirtError):
                self._ended(error)
            else:
                self._ended(from_libvirt(error, f"cannot follow {self._name}: {self.text}"))
            return
        if said:
            self._ended(said)
        elif time.monotonic() > self._until:
            self._ended(TuivirtError(self.text, "it is no longer followed", self.advice))
        else:
            self._look_later()

    def _look_later(self) -> None:
        with self._arming:  # Two look-ups may run at a time.
            if self._timer is None:
                self._timer = threading.Timer(LOOK_AGAIN_S, self._due)
                self._timer.daemon = True
                self._timer.start()

    def _due(self) -> None:
        with self._arming:
            self._timer = None
        self._look_soon()

    def _ended(self, end: str | BaseException) -> None:
        self._unsubscribe()
        with self._arming:
            if self._timer is not None:
                self._timer.cancel()
        touch(self._host, self._uuid)
        self.settle(end)
