"""A proxy on a unix socket between a libvirt client and its daemon that counts the calls.

libvirt's packets: a length of 4 bytes (itself included, big-endian), then program, version,
procedure, type, serial and status of 4 bytes each. Type 0 is a call, type 1 its reply. Keepalive
has a program of its own and is neither.

It may hold everything back for a while, as a long line does, it may cut its connections, and it
may hand on nothing at all with its connections open, as a line does that has died silently.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

KEEPALIVE = 0x6B656570
CALL, REPLY = 0, 1
_HEADER = struct.Struct(">IIIIII")
_SMALLEST = 28


class Call(NamedTuple):
    """A call, as it went by."""

    at: float
    """Monotonic seconds."""
    program: int
    procedure: int
    turn: int = 1
    """One more than that of the calls of which a reply had come back before this was made: calls
    of one turn wait for the line together."""


class BadPacket(ValueError):
    """This is not libvirt's protocol."""


@dataclass(slots=True)
class Packets:
    """Cuts a stream of bytes into packets, however it is parted."""

    _rest: bytes = b""

    def feed(self, data: bytes) -> list[tuple[int, int, int, int]]:
        """(program, procedure, type, serial) of each packet that ``data`` completes."""
        self._rest += data
        found = []
        while len(self._rest) >= 4:
            length = int.from_bytes(self._rest[:4], "big")
            if length < _SMALLEST:
                raise BadPacket(f"a packet of {length} bytes")
            if len(self._rest) < length:
                break
            _, program, _version, procedure, kind, serial = _HEADER.unpack_from(self._rest)
            found.append((program, procedure, kind, serial))
            self._rest = self._rest[length:]
        return found


class CountingProxy:
    """Listens on ``path`` and hands everything on to ``target``; a context manager."""

    def __init__(self, path: Path, target: Path, delay_s: float = 0.0) -> None:
        self.path = path
        self.calls: list[Call] = []
        self.answered: list[tuple[float, Call]] = []
        """The calls by when their reply was handed on, in monotonic seconds."""
        self.problem: BaseException | None = None
        """What went wrong: then the count is worth nothing."""
        self.delay_s = delay_s
        """For how long everything is held back, each way; may be changed at any time."""
        self.cut_in: int | None = None
        """After so many more bytes of what the daemon says all connections are cut, once."""
        self._alive = threading.Event()
        self._alive.set()
        self._turn = 0
        """The latest turn of which a reply has come back."""
        self._under_way: dict[tuple[int, int], Call] = {}
        """The calls without a reply, by connection and serial."""
        self._target = str(target)
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def count_anew(self) -> None:
        """Forget the calls so far; the next is of turn 1."""
        self.calls, self.answered, self._turn = [], [], 0
        self._under_way.clear()

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
            number = len(self._open)
            for come, go, side in ((client, daemon, CALL), (daemon, client, REPLY)):
                waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                for work in (
                    partial(self._take, come, waiting, side, number),
                    partial(self._hand_on, (come, go), waiting, side, number),
                ):
                    threading.Thread(target=work, daemon=True).start()

    def _take(
        self,
        come: socket.socket,
        waiting: queue.SimpleQueue[tuple[float, bytes]],
        side: int,
        number: int,
    ) -> None:
        packets = Packets()
        try:
            while data := come.recv(1 << 16):
                if side == CALL:
                    self._count(packets, data, number)
                waiting.put((time.monotonic() + self.delay_s, data))
        except OSError:
            pass  # One side has gone: so does the other.
        except BadPacket as error:
            self.problem = error
        finally:
            waiting.put((time.monotonic() + self.delay_s, b""))

    def _hand_on(
        self,
        ends: tuple[socket.socket, socket.socket],
        waiting: queue.SimpleQueue[tuple[float, bytes]],
        side: int,
        number: int,
    ) -> None:
        packets = Packets()
        try:
            while True:
                due, data = waiting.get()
                if not data:
                    break
                time.sleep(max(0.0, due - time.monotonic()))
                self._alive.wait()
                if side == REPLY:
                    self._count(packets, data, number, REPLY)
                    if self.cut_in is not None:
                        self.cut_in -= len(data)
                        if self.cut_in <= 0:
                            ends[1].sendall(data[: self.cut_in or len(data)])
                            self.cut_in = None
                            self.cut()
                            break
                ends[1].sendall(data)
        except OSError:
            pass  # As above.
        except BadPacket as error:
            self.problem = error
        finally:
            _shut(ends)

    def _count(self, packets: Packets, data: bytes, number: int, side: int = CALL) -> None:
        now = time.monotonic()
        for program, procedure, kind, serial in packets.feed(data):
            if kind != side or program == KEEPALIVE:
                continue
            if side == CALL:
                call = Call(now, program, procedure, self._turn + 1)
                self._under_way[number, serial] = call
                self.calls.append(call)
            elif (answered := self._under_way.pop((number, serial), None)) is not None:
                self._turn = max(self._turn, answered.turn)
                self.answered.append((now, answered))

    def die(self) -> None:
        """Hand on nothing from now on; connections stay open, and new ones are taken."""
        self._alive.clear()

    def live(self) -> None:
        """Hand on again, what was held back too."""
        self._alive.set()

    def cut(self) -> None:
        """Cut all connections, as a line that breaks does; new ones are taken."""
        ends, self._open = self._open, []
        _shut(ends)

    def close(self) -> None:
        """Close all connections."""
        ends = (self._listener, *self._open)
        _shut(ends)
        self._alive.set()  # Nobody waits for it any more.
        for end in ends:
            end.close()

    def __enter__(self) -> CountingProxy:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def _shut(ends: Iterable[socket.socket]) -> None:
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # It was shut by the other direction, or has gone already.
