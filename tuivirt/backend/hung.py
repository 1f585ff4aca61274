"""Ends a try to connect that goes nowhere, where libvirt holds the socket itself.

libvirt waits for ever for a host that accepts a connection by TLS, TCP or libssh and then says
nothing, and has no call to end that. So the socket is looked for by where it leads to, and shut
down: libvirt sees its end, and says so.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from .opening import PORTS, others, sockets

SILENT_S = 60.0
"""How long a try may take, without the time in which the operator is asked."""


class Watch:
    """Watches one try; a context. ``given_up`` tells afterwards whether it was ended here."""

    def __init__(self, uri: str, way: str, asking: Callable[[], bool]) -> None:
        """``asking`` tells whether the operator is being asked something."""
        parts = urlsplit(uri)
        self._where = parts.hostname or "localhost", parts.port or PORTS.get(way, 0)
        self._asking = asking
        self._before = sockets()
        self._over = threading.Event()
        self.given_up = False

    def __enter__(self) -> Watch:
        threading.Thread(target=self._run, name="connecting", daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()

    def _run(self) -> None:
        asked = True
        while asked:
            # Whoever was asked meanwhile has as long again from then on.
            asked = False
            for _part in range(10):
                if self._over.wait(SILENT_S / 10):
                    return
                asked = asked or self._asking()
        self.give_up()

    def give_up(self) -> None:
        """End it now; where it has ended already nothing is done."""
        if self._over.is_set():
            return
        self.given_up = True
        addresses = set()
        with contextlib.suppress(OSError):
            addresses = {info[4][:2] for info in socket.getaddrinfo(*self._where)}
        for fd, _socket in others() - self._before:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as end:
                if end.getpeername()[:2] in addresses and not self._over.is_set():
                    end.shutdown(socket.SHUT_RDWR)
