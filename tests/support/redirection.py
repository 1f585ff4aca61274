"""A USB device that a viewer redirects to a guest, without the device: it says what it is.

Protocol: usbredir-protocol.txt of usbredir, version 0.7, with what QEMU wants beside xHCI: packet
sizes of endpoints, and long numbers and lengths.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self

VENDOR_ID, PRODUCT_ID = 0x1209, 0x0001
"""Of pid.codes, for tests."""

_HELLO, _CONNECT, _INTERFACES, _ENDPOINTS = 0, 1, 4, 5
_SET_CONFIGURATION, _CONFIGURATION = 6, 8
_CONTROL = 100
_CAPABILITIES = struct.pack("<I", 1 << 4 | 1 << 5 | 1 << 6)
_FULL_SPEED, _STALL, _NO_ENDPOINT = 1, 4, 255
_DEVICE = struct.pack(
    "<BBHBBBBHHHBBBB", 18, 1, 0x0110, 0xFF, 0, 0, 64, VENDOR_ID, PRODUCT_ID, 1, 0, 0, 0, 1
)
# One configuration with one interface, which has no endpoint but that of control.
_CONFIGURED = struct.pack("<BBHBBBBB", 9, 2, 18, 1, 1, 0, 0x80, 50) + bytes(
    (9, 4, 0, 0, 0, 0xFF, 0, 0, 0)
)
_DESCRIPTORS = {1: _DEVICE, 2: _CONFIGURED}


def free_port() -> int:
    """A TCP port of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Peer:
    """Calls the port at which the guest's redirected device listens, and plugs the device in."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._line.settimeout(None)
        hello = b"tuivirt tests".ljust(64, b"\0") + _CAPABILITIES
        self._line.sendall(struct.pack("<III", _HELLO, len(hello), 0) + hello)
        self._send(_INTERFACES, 0, struct.pack("<I", 1) + self._table(0, 0xFF, 0, 0))
        kinds = bytes(0 if number in (0, 16) else _NO_ENDPOINT for number in range(32))
        self._send(_ENDPOINTS, 0, kinds + bytes(64) + struct.pack("<32H", *([64] * 32)))
        connect = struct.pack("<BBBBHH", _FULL_SPEED, 0xFF, 0, 0, VENDOR_ID, PRODUCT_ID)
        self._send(_CONNECT, 0, connect)
        self._thread = threading.Thread(target=self._answer, name="redirection", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pull it out."""
        with contextlib.suppress(OSError):  # The guest's end may have gone first.
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @staticmethod
    def _table(*firsts: int) -> bytes:
        """For 32 interfaces each; all but the first are none."""
        return b"".join(bytes([first]).ljust(32, b"\0") for first in firsts)

    def _send(self, kind: int, number: int, data: bytes) -> None:
        self._line.sendall(struct.pack("<IIQ", kind, len(data), number) + data)

    def _answer(self) -> None:
        with contextlib.suppress(ConnectionError), self._line.makefile("rb") as said:
            _kind, length, _number = struct.unpack("<III", said.read(12))  # Its hello.
            said.read(length)
            while len(head := said.read(16)) == 16:
                kind, length, number = struct.unpack("<IIQ", head)
                data = said.read(length)
                if kind == _SET_CONFIGURATION:
                    self._send(_CONFIGURATION, number, bytes((0, data[0])))
                elif kind == _CONTROL:
                    self._send(_CONTROL, number, self._control(data))

    @staticmethod
    def _control(asked: bytes) -> bytes:
        """The answer to a request: descriptors are told, all else is not known."""
        end, request, way, _status, value, index, length = struct.unpack_from("<BBBBHHH", asked)
        found = _DESCRIPTORS.get(value >> 8) if (request, way) == (6, 0x80) else None
        data = (found or b"")[:length]
        status = 0 if found is not None else _STALL
        return struct.pack("<BBBBHHH", end, request, way, status, value, index, len(data)) + data
