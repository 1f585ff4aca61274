"""Consoles of this program that wait for their guest, so that its start does not outrun them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from weakref import WeakSet

from .model.console import ConsoleState

if TYPE_CHECKING:
    from .console import Console
    from .host import Host

OPEN_S = 5.0
"""For how long a guest is kept from its first instruction; then it starts without listeners."""
LOOK_S = 0.005

_known: WeakSet[Console] = WeakSet()
_lock = threading.Lock()


def remember(console: Console) -> None:
    """There is a console."""
    with _lock:
        _known.add(console)


def waiting(host: Host, uuid: str) -> list[Console]:
    """The consoles of a domain that is off."""
    with _lock:
        known = list(_known)
    return [
        console
        for console in known
        if console.host is host
        and console.uuid == uuid
        and console.status.state is ConsoleState.GUEST_OFF
    ]


def wait_until_open(consoles: list[Console]) -> None:
    """Return when each of them is open, or will not be; at the latest after OPEN_S seconds."""
    deadline = time.monotonic() + OPEN_S
    pending = (ConsoleState.GUEST_OFF, ConsoleState.OPENING)
    while time.monotonic() < deadline:
        if not any(console.status.state in pending for console in consoles):
            return
        time.sleep(LOOK_S)
