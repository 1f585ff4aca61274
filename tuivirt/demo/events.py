"""Event subscriptions in one place: the test driver's events and the demo's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import libvirt

from .clock import Clock
from .errors import failure

FIRST_ID = 1000
"""Callback ids start here, so that none is taken for one of the wrapped connection's."""


@dataclass(frozen=True, slots=True)
class _Subscriber:
    event: int
    key: str | None
    callback: Callable[..., Any]
    opaque: Any


class Subscriptions:
    """The callbacks of one kind of object (domains, networks, pools or node devices).

    ``listen(event, callback)`` registers with the wrapped connection, once for each event that
    anyone wants; ``wrap`` makes the demo's object of libvirt's; ``key`` names an object.
    ``before`` sees each event of the driver first and may swallow it by returning False.
    """

    def __init__(
        self,
        clock: Clock,
        source: Any,
        listen: Callable[[int, Callable[..., None]], int],
        wrap: Callable[[Any], Any],
        key: Callable[[Any], str],
        before: Callable[..., bool] | None = None,
    ) -> None:
        self._clock = clock
        self._source = source
        self._listen = listen
        self._wrap = wrap
        self._key = key
        self._before = before
        self._lock = threading.Lock()
        self._listening: dict[int, int] = {}
        self._subscribers: dict[int, _Subscriber] = {}
        self._next = FIRST_ID

    @property
    def driver_ids(self) -> tuple[int, ...]:
        """The wrapped connection's callback ids, to be given back at close."""
        return tuple(self._listening.values())

    def listen(self, event: int) -> None:
        """Hear the driver's events of this kind from now on."""
        with self._lock:
            if event in self._listening:
                return

            def heard(_connection: Any, thing: Any, *rest: Any) -> None:
                if self._before is None or self._before(event, thing, *rest[:-1]):
                    self._deliver(event, self._wrap(thing), rest[:-1])

            self._listening[event] = self._listen(event, heard)

    def add(self, thing: Any, event: int, callback: Callable[..., Any], opaque: Any) -> int:
        """Register a callback, for one object or (None) for all; its id."""
        self.listen(event)
        with self._lock:
            number, self._next = self._next, self._next + 1
            key = None if thing is None else self._key(thing)
            self._subscribers[number] = _Subscriber(event, key, callback, opaque)
            return number

    def remove(self, number: int) -> None:
        """Take a callback out. Raises libvirtError when there is none of that id."""
        with self._lock:
            if self._subscribers.pop(number, None) is None:
                raise failure(
                    libvirt.VIR_ERR_INVALID_ARG,
                    f"could not find event callback {number} for deletion",
                    libvirt.VIR_FROM_NONE,
                )

    def emit(self, event: int, thing: Any, *details: Any) -> None:
        """Tell an event of the demo's own; delivered on the event loop's thread."""
        self._clock.soon(lambda: self._deliver(event, thing, details))

    def _deliver(self, event: int, thing: Any, details: tuple[Any, ...]) -> None:
        with self._lock:
            subscribers = [s for s in self._subscribers.values() if s.event == event]
        for subscriber in subscribers:
            if subscriber.key is None or subscriber.key == self._key(thing):
                subscriber.callback(self._source, thing, *details, subscriber.opaque)
