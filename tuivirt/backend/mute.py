"""A socket on this machine that takes a connection, and then nobody says anything.

Its daemon is stopped, or what the socket is forwarded to is gone. libvirt waits for ever and has
no call to end that. So it is told, and in the end the socket is shut down: libvirt sees its end.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from .model.host import Link
from .opening import SYSTEM_SOCKETS, others

if TYPE_CHECKING:
    from .host import Host

GIVE_UP_S = 120.0
"""How long a try may take: somebody may be answering polkit meanwhile."""
NO_ANSWER = "it takes connections and does not answer"
ADVICE = "is the daemon stopped, or asks polkit for a password? See: systemctl status libvirtd"


def wait_on(
    host: Host,
    uri: str,
    over: threading.Event,
    lock: threading.Lock,
    before: frozenset[tuple[int, str]],
) -> bool:
    """Say that nobody answers, and end the try when that lasts; whether it was ended here.

    ``over`` is set, under ``lock``, once the try has ended by itself. ``before`` are the sockets
    that there were already: others' connections, which may be well.
    """
    with lock:
        if over.is_set() or host.snapshot.link is Link.CLOSED:
            return False
        host.update(reason=NO_ANSWER, advice=ADVICE)
    return not over.wait(GIVE_UP_S) and _shut(uri, before)


def _shut(uri: str, before: frozenset[tuple[int, str]]) -> bool:
    parts = urlsplit(uri)
    given = parse_qs(parts.query).get("socket")
    found = False
    for fd, _socket in others() - before:
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as end:
            path = end.getpeername() if end.family == socket.AF_UNIX else ""
            if path == given[0] if given else str(path).startswith(SYSTEM_SOCKETS):
                end.shutdown(socket.SHUT_RDWR)
                found = True
    return found
