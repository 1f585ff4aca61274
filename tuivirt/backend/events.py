"""What happened, in the past tense: one stream of frozen events from every host.

Events of libvirt carry the host, the time, the object and the detail; events of our own tell
of snapshots and tasks. They are made on any thread and handed on; whoever receives them must
not block.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, ClassVar

from .model.host import HostSnapshot
from .model.record import record
from .model.ref import Kind, Ref
from .model.task import Task


@record(frozen=True, slots=True, kw_only=True)
class Event:
    """Anything that happened."""

    host: str
    at: float = field(default_factory=time.time)
    """Wall clock, seconds since the epoch."""
    since: float = field(default_factory=time.monotonic, compare=False)
    """``at`` by the monotonic clock, for how long ago it was: the other one may be set."""


@record(frozen=True, slots=True, kw_only=True)
class LibvirtEvent(Event):
    """An event that libvirt told. `families.py` declares every family there is."""

    kind: ClassVar[Kind]
    """What it is an event of."""

    family: str
    """The family's word: lifecycle, device-added, job-completed …"""
    what: str
    """What happened, in libvirt's words: started, shutdown (guest) …"""
    name: str
    """The object's name."""
    key: str
    """Its UUID, or its name where it has none."""
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    """The rest of what the callback was given, by field name."""

    @property
    def ref(self) -> Ref:
        """The object it is about."""
        return Ref(self.host, self.kind, self.key)


@record(frozen=True, slots=True, kw_only=True)
class DomainEvent(LibvirtEvent):
    """An event of a domain."""

    kind: ClassVar[Kind] = Kind.DOMAIN


@record(frozen=True, slots=True, kw_only=True)
class NetworkEvent(LibvirtEvent):
    """An event of a virtual network."""

    kind: ClassVar[Kind] = Kind.NETWORK


@record(frozen=True, slots=True, kw_only=True)
class PoolEvent(LibvirtEvent):
    """An event of a storage pool."""

    kind: ClassVar[Kind] = Kind.POOL


@record(frozen=True, slots=True, kw_only=True)
class NodeDeviceEvent(LibvirtEvent):
    """An event of a device of the host."""

    kind: ClassVar[Kind] = Kind.DEVICE


@record(frozen=True, slots=True, kw_only=True)
class LinkChanged(Event):
    """The connection to a host opened, stalled, was lost, came back or failed."""

    link: str
    reason: str = ""


@record(frozen=True, slots=True, kw_only=True)
class ListChanged(Event):
    """A list of a host was read and differs from before: by key what is gone, new, changed."""

    kind: Kind
    gone: frozenset[str]
    new: frozenset[str]
    changed: frozenset[str]


@record(frozen=True, slots=True, kw_only=True)
class SnapshotChanged(Event):
    """What is known of a host changed; the newest snapshot replaces all before."""

    snapshot: HostSnapshot


@record(frozen=True, slots=True, kw_only=True)
class HostsChanged(Event):
    """Hosts were added, taken away or made anew."""

    hosts: Mapping[str, Any]
    """All there are now, by name: each a ``backend.host.Host``."""


@record(frozen=True, slots=True, kw_only=True)
class TaskChanged(Event):
    """A task started, made progress or ended."""

    task: Task


@record(frozen=True, slots=True, kw_only=True)
class Noticed(Event):
    """Something the operator should know that no action of theirs caused."""

    text: str
    severity: str = "warning"
    """information, warning or error."""
    target: Ref | None = None


Publish = Callable[[Event], None]
UNHEARD = 100
"""So many notices are kept for whoever comes."""


class EventHub:
    """Hands each event on to every subscriber, on the publishing thread.

    A subscriber that raises is a defect; it is reported to ``on_defect`` and the others go on.
    What the operator should know waits for the first subscriber: a host may be there before the
    screen.
    """

    def __init__(self, on_defect: Callable[[BaseException], None] | None = None) -> None:
        self._subscribers: tuple[Publish, ...] = ()
        self._lock = threading.Lock()
        self._on_defect = on_defect
        self._unheard: deque[Noticed] | None = deque(maxlen=UNHEARD)
        """None once somebody has come for them."""

    def publish(self, event: Event) -> None:
        if isinstance(event, Noticed):
            with self._lock:
                if self._unheard is not None:
                    self._unheard.append(event)
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception as defect:
                if self._on_defect is None:
                    raise
                self._on_defect(defect)

    def subscribe(self, subscriber: Publish, *, waited: bool = True) -> Callable[[], None]:
        """Add a subscriber; the function returned takes it out again.

        Without ``waited`` it is not whom the notices so far have waited for.
        """
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)
            unheard: Iterable[Noticed] | None = None
            if waited:
                unheard, self._unheard = self._unheard, None
        for event in unheard or ():
            subscriber(event)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(s for s in self._subscribers if s is not subscriber)

        return unsubscribe
