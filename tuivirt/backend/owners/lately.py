"""What the snapshots of a host keep, for lists: as it was read a moment ago.

Whoever changes or deletes something asks the `Finder`, which reads anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .kept import kept_by
from .named import Named

if TYPE_CHECKING:
    from ..host import Host

FRESH_S = 5.0
"""The pools of a host that are listed one after the other share one reading so long."""


@dataclass(slots=True)
class _Read:
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: list[Named] = field(default_factory=list)
    at: float = float("-inf")
    """Monotonic."""
    told: set[Hashable] = field(default_factory=set)
    """Who has been given it already, and gets a new one next time."""


_lately: WeakKeyDictionary[Host, _Read] = WeakKeyDictionary()
_lock = threading.Lock()


def kept_lately(host: Host, asker: Hashable) -> list[Named]:
    """All that the snapshots keep; read anew for an asker who has it already, or once it is old.

    Raises libvirtError. One call where no domain has a snapshot; else as many as `kept_by` makes,
    whatever the number of images. What their domains have themselves is among it.
    """
    with _lock:
        read = _lately.setdefault(host, _Read())
    with read.lock:  # Who comes meanwhile waits for this reading, and makes none of its own.
        if asker in read.told or time.monotonic() - read.at >= FRESH_S:
            read.kept, read.told = kept_by(host, ()), set()
            read.at = time.monotonic()
        read.told.add(asker)
        return read.kept
