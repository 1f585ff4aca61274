"""A detach that waits for the guest: followed by events until it is gone, refused or moot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import NotConnected, TuivirtError, from_libvirt, is_gone, is_open
from .events import DomainEvent, Event, LinkChanged
from .lifecycle import touch
from .model.device import DomainConfig
from .model.host import Link
from .settling import Outcome
from .waiters import domain_event
from .xml.domain import skim_domain

if TYPE_CHECKING:
    from .host import Host

REFUSED = "unmount it in the guest and detach it again"
"""What to do when the guest refused."""


class DetachOutcome(Outcome):
    """What is true after a detach was asked for; pending while the guest has not let go."""


class Detaching:
    """One detach of one device of a running domain.

    ``target`` is what the operator calls it, ``alias`` what libvirt's events do, ``has`` tells
    whether a configuration still has it: by more than the alias, which may be given anew.
    """

    def __init__(
        self, host: Host, domain: Any, target: str, alias: str, has: Callable[[DomainConfig], bool]
    ) -> None:
        self._host = host
        self._name = domain.name()
        self._uuid = domain.UUIDString()
        self._target = target
        self._alias = alias
        self._has = has
        self._outcome: DetachOutcome | None = None
        self._done = ""
        self._refused = False
        self._unsubscribe: Callable[[], None] | None = None

    def is_settled(self, events: Iterable[Event], done: str = "") -> bool:
        """Whether it is gone, by reading the XML. Raises when the guest refused."""
        if self._is_gone():
            return True
        if self.is_refused(events):
            raise self._refusal(done)
        return False

    def is_refused(self, events: Iterable[Event]) -> bool:
        """Whether the guest has said that it does not let go."""
        return any(self._is_refusal(event) for event in events)

    def follow(self, done: str) -> DetachOutcome:
        """Follow it by events from now on. ``done``: what of the change has taken effect."""
        text = f"the guest has not let go of {self._target} yet"
        if done:
            text += f"; {done}"
        self._outcome = DetachOutcome(
            text,
            pending=True,
            advice="a guest without a running system never lets go: forcing it off settles it",
        )
        self._done = done
        self._host.set_detaching(self._uuid, self._target, self._alias, True)
        self._unsubscribe = self._host.subscribe(self._take)
        self._look_soon()  # It may have happened before the subscription.
        return self._outcome

    def _take(self, event: Event) -> None:
        """On libvirt's event thread: only note and hand on."""
        mine = domain_event(self._uuid, "device-removed", "device-removal-failed", "lifecycle")
        if mine(event):
            self._refused = self._refused or self._is_refusal(event)
            self._look_soon()
        elif isinstance(event, LinkChanged) and event.link == Link.CONNECTED:
            self._look_soon()

    def _look_soon(self) -> None:
        try:
            self._host.lookups.submit(self._look)
        except RuntimeError:
            self._settle(NotConnected(f"host {self._host.name} was closed", done=self._done))

    def _look(self) -> None:
        if self._outcome is None or not self._outcome.pending:
            return
        generation = self._host.generation
        try:
            conn = self._host.conn
            if self._is_gone():
                self._settle(f"{self._target} is detached from {self._name}")
            elif self._refused:
                self._settle(self._refusal(self._done))
        except NotConnected:
            return  # Looked at again when the host is back.
        except TuivirtError as error:
            if is_open(conn):
                self._settle(error)
            elif self._host.generation != generation:
                self._look_soon()  # The host was back before this look had failed.

    def _settle(self, end: str | BaseException) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._host.set_detaching(self._uuid, self._target, self._alias, False)
        touch(self._host, self._uuid)
        if self._outcome is not None:
            self._outcome.settle(end)

    def _is_gone(self) -> bool:
        """Whether the running domain has it no more; a domain that stopped has nothing."""
        try:
            domain = self._host.conn.lookupByUUIDString(self._uuid)
            if not domain.isActive():
                return True
            config = skim_domain(domain.XMLDesc(0))
        except libvirt.libvirtError as error:
            if is_gone(error):
                return True
            raise from_libvirt(
                error, f"cannot tell whether {self._target} is detached from {self._name}"
            ) from error
        return not self._has(config)

    def _is_refusal(self, event: Event) -> bool:
        return (
            isinstance(event, DomainEvent)
            and event.family == "device-removal-failed"
            and event.key == self._uuid
            and event.detail.get("device") == self._alias
        )

    def _refusal(self, done: str) -> TuivirtError:
        return TuivirtError(
            f"the guest refused to let go of {self._target}",
            f"{self._name} goes on using it",
            REFUSED,
            done=done,
        )
