"""What was published on other threads and is still to be taken by the screen's."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator

from tuivirt.backend.events import Event, SnapshotChanged
from tuivirt.backend.model.host import HostSnapshot

SLICE_S = 0.004
"""For how long hosts' new figures are looked at without a look at the keys in between."""


class Inbox:
    """Events in their order, and of each host what it was last; ``put`` is called on any thread."""

    def __init__(self, wake: Callable[[], object]) -> None:
        """``wake`` is called once for all that is put in until ``opened``."""
        self._wake = wake
        self._called = False
        self._events: deque[Event] = deque()
        self._snapshots: dict[str, HostSnapshot] = {}

    def __bool__(self) -> bool:
        """Whether hosts are left to be looked at."""
        return bool(self._snapshots)

    def put(self, event: Event) -> None:
        """Keep it, and wake the screen's thread once."""
        if isinstance(event, SnapshotChanged):
            self._snapshots[event.host] = event.snapshot
        else:
            self._events.append(event)
        self.call()

    def call(self) -> None:
        """Have the screen's thread come, after a key that was pressed meanwhile."""
        if not self._called:
            self._called = True
            self._wake()

    def opened(self) -> None:
        """It comes; to be said first: what is put in from here on calls again."""
        self._called = False

    def events(self) -> Iterator[Event]:
        """Takes out all events, those too that come meanwhile."""
        while self._events:
            yield self._events.popleft()

    def snapshots(self) -> Iterator[HostSnapshot]:
        """Takes out hosts, the one that waits longest first, until a key might be waiting too."""
        until = time.monotonic() + SLICE_S
        for name in list(self._snapshots):
            yield self._snapshots.pop(name)
            if time.monotonic() > until:
                return

    def forget(self, host: str) -> None:
        """Newer is known of that host."""
        self._snapshots.pop(host, None)
