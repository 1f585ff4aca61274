"""Waiting for the truth: events wake, a look decides.

A waiter is made before the call whose effect it waits for, so that an event that comes while
the call is still under way is not missed. Events are only hints: they may be lost with a
connection, so what is waited for is looked at again from time to time as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from .errors import Aborted
from .events import DomainEvent, Event, LibvirtEvent, LinkChanged

if TYPE_CHECKING:
    from .host import Host

LOOK_AGAIN_S = 2.0
"""How often a thing waited for is looked at without an event."""
ABORT_CHECK_S = 0.1
"""How soon an abort is noticed."""

Predicate = Callable[[Event], bool]


def domain_event(uuid: str, *families: str) -> Predicate:
    """Events of this domain, of these families (any when none is given)."""

    def wanted(event: Event) -> bool:
        return (
            isinstance(event, DomainEvent)
            and event.key == uuid
            and (not families or event.family in families)
        )

    return wanted


def object_event(key: str) -> Predicate:
    """Every event of libvirt about this object."""
    return lambda event: isinstance(event, LibvirtEvent) and event.key == key


def lifecycle(event: Event, *numbers: int, detail: int | None = None) -> bool:
    """Whether it is a life cycle event with one of these VIR_DOMAIN_EVENT_* numbers.

    ``detail``: and with this one of what libvirt tells besides.
    """
    return (
        isinstance(event, DomainEvent)
        and event.family == "lifecycle"
        and event.detail.get("event") in numbers
        and (detail is None or event.detail.get("detail") == detail)
    )


class Waiter:
    """Collects the events of a host that ``predicate`` wants, from ``with`` on.

    The predicate runs on libvirt's event thread: it must not block nor call libvirt.
    """

    def __init__(self, host: Host, predicate: Predicate) -> None:
        self._host = host
        self._predicate = predicate
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._unsubscribe: Callable[[], None] | None = None

    def __enter__(self) -> Waiter:
        self._unsubscribe = self._host.subscribe(self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _take(self, event: Event) -> None:
        if self._predicate(event):
            with self._lock:
                self._events.append(event)
            self._wake.set()
        elif isinstance(event, LinkChanged):
            # Events may have been lost meanwhile: whoever waits looks again.
            self._wake.set()

    @property
    def events(self) -> tuple[Event, ...]:
        """What came so far, oldest first."""
        with self._lock:
            return tuple(self._events)

    def until(
        self,
        true: Callable[[], bool],
        timeout_s: float,
        *,
        aborted: threading.Event | None = None,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> bool:
        """Wait until ``true()`` is; False when ``timeout_s`` passed first.

        ``true`` runs on the caller's thread: at once, after each event, when the connection
        changed, and every ``look_again_s`` seconds. Raises Aborted when ``aborted`` is set.
        """
        end = time.monotonic() + timeout_s
        look_at = 0.0
        while True:
            now = time.monotonic()
            if self._wake.is_set() or now >= look_at:
                self._wake.clear()
                if true():
                    return True
                now = time.monotonic()
                look_at = now + look_again_s
            if now >= end:
                return False
            if aborted is not None and aborted.is_set():
                raise Aborted("stopped waiting")
            rest = min(end, look_at) - now
            self._wake.wait(min(rest, ABORT_CHECK_S) if aborted is not None else rest)
