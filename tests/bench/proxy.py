"""A proxy on a unix socket between a libvirt client and its daemon that counts the calls.

libvirt's packets: a length of 4 bytes (itself included, big-endian), then program, version,
procedure, type, serial and status of 4 bytes each. Type 0 is a call. Keepalive has a program of
its own and is not a call.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

KEEPALIVE = 0x6B656570
CALL = 0
_HEADER = struct.Struct(">IIIII")
_SMALLEST = 28


class Call(NamedTuple):
    """A call, as it went by."""

    at: float
    """Monotonic seconds."""
    program: int
    procedure: int


class BadPacket(ValueError):
    """This is not libvirt's protocol."""


@dataclass(slots=True)
class Packets:
    """Cuts a stream of bytes into packets, however it is parted."""

    _rest: bytes = b""

    def feed(self, data: bytes) -> list[tuple[int, int, int]]:
        """(program, procedure, type) of each packet that ``data`` completes."""
        self._rest += data
        found = []
        while len(self._rest) >= 4:
            length = int.from_bytes(self._rest[:4], "big")
            if length < _SMALLEST:
                raise BadPacket(f"a packet of {length} bytes")
            if len(self._rest) < length:
                break
            _, program, _version, procedure, kind = _HEADER.unpack_from(self._rest)
            found.append((program, procedure, kind))
            self._rest = self._rest[length:]
        return found


class CountingProxy:
    """Listens on ``path`` and hands everything on to ``target``; a context manager."""

    def __init__(self, path: Path, target: Path) -> None:
        self.calls: list[Call] = []
        self.problem: BaseException | None = None
        """What went wrong: then the count is worth nothing."""
        self._target = str(target)
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # Closed.
            daemon = socket.socket(socket.AF_UNIX)
            try:
                daemon.connect(self._target)
            except OSError as error:
                self.problem = error
                client.close()
                continue
            self._open += [client, daemon]
            for pair in ((client, daemon, Packets()), (daemon, client, None)):
                threading.Thread(target=self._hand_on, args=pair, daemon=True).start()

    def _hand_on(self, come: socket.socket, go: socket.socket, packets: Packets | None) -> None:
        try:
            while data := come.recv(1 << 16):
                if packets is not None:
                    now = time.monotonic()
                    for program, procedure, kind in packets.feed(data):
                        if kind == CALL and program != KEEPALIVE:
                            self.calls.append(Call(now, program, procedure))
                go.sendall(data)
        except OSError:
            pass  # One side has gone: so does the other.
        except BadPacket as error:
            self.problem = error
        finally:
            for end in (come, go):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # It was shut by the other direction.

    def close(self) -> None:
        """Close all connections."""
        for end in (self._listener, *self._open):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It has gone already.
            end.close()

    def __enter__(self) -> CountingProxy:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
