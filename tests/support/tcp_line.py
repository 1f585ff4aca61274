"""A way to a port of this machine that may die without a word."""

from __future__ import annotations

import contextlib
import socket
import threading


class TcpLine:
    """Listens on a ``port`` of 127.0.0.1 and hands everything on to another; a context manager.

    What dies stays dead, as where a firewall between has forgotten of it: a connection that was
    open, or was taken, while the line was dead hears and says nothing ever again.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._lock = threading.Lock()
        self._alive = True
        self._live: set[socket.socket] = set()
        """The ends of the connections that are not dead."""
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="tcp-line", daemon=True).start()

    def die(self) -> None:
        """Swallow everything from now on, of new connections too; they are taken."""
        with self._lock:
            self._alive = False
            self._live.clear()

    def live(self) -> None:
        """Hand on again what comes by new connections."""
        with self._lock:
            self._alive = True

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            self._alive = False
            ends = [self._listener, *self._open]
        for end in ends:
            _shut(end)
            end.close()

    def __enter__(self) -> TcpLine:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # Closed.
            with self._lock:
                self._open.append(client)
                if not self._alive:
                    continue  # Nobody reads what it says.
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open.append(far)
                self._live |= {client, far}
            for come, go in ((client, far), (far, client)):
                threading.Thread(target=self._hand_on, args=(come, go), daemon=True).start()

    def _hand_on(self, come: socket.socket, go: socket.socket) -> None:
        with contextlib.suppress(OSError):  # One side has gone, and so does the other.
            while data := come.recv(1 << 16):
                with self._lock:
                    heard = go in self._live
                if heard:
                    go.sendall(data)
        # Not even an end is heard through a dead line.
        with self._lock:
            ends = {come, go} & self._live
            self._live -= ends
        for end in ends:
            _shut(end)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # It has gone already.
        end.shutdown(socket.SHUT_RDWR)
