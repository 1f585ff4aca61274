"""A stream is watched for what is wanted of it, and nothing that passes it is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt
import pytest

from tuivirt.backend.consolestream import EAGAIN, QUEUE_BYTES, ConsoleStream

READABLE = libvirt.VIR_STREAM_EVENT_READABLE
WRITABLE = libvirt.VIR_STREAM_EVENT_WRITABLE
HANGUP = libvirt.VIR_STREAM_EVENT_HANGUP


class Raw:
    """Stands where a libvirt.virStream stands: ``incoming`` is what recv returns, in turn."""

    def __init__(self) -> None:
        self.incoming: list[bytes | int | libvirt.libvirtError] = []
        self.sent = b""
        self.takes: list[int] = []
        """How much each send takes; everything when it is empty."""
        self.watched = 0
        self.ready: Callable[[Any, int, object], None] = lambda *_: None

    def eventAddCallback(self, events: int, ready: Any, _opaque: object) -> None:
        self.watched, self.ready = events, ready

    def eventUpdateCallback(self, events: int) -> None:
        self.watched = events

    def eventRemoveCallback(self) -> None:
        self.watched = 0

    def recv(self, _size: int) -> bytes | int:
        answer = self.incoming.pop(0) if self.incoming else EAGAIN
        if isinstance(answer, libvirt.libvirtError):
            raise answer
        return answer

    def send(self, data: bytes) -> int:
        taken = min(self.takes.pop(0), len(data)) if self.takes else len(data)
        if taken > 0:
            self.sent += data[:taken]
        return taken


class Told:
    """What the stream told its owner."""

    def __init__(self, *, paused: bool = False) -> None:
        self.raw = Raw()
        self.data: list[bytes] = []
        self.ends = 0
        self.rooms = 0
        self.stream = ConsoleStream(
            self.raw, paused=paused, on_data=self.data.append, on_end=self.end, on_room=self.room
        )
        self.stream.watch()

    def end(self) -> None:
        self.ends += 1

    def room(self) -> None:
        self.rooms += 1

    def happen(self, events: int) -> None:
        self.raw.ready(self.raw, events, None)


@pytest.fixture
def told() -> Told:
    return Told()


def test_writable_is_watched_only_while_something_is_queued(told: Told) -> None:
    assert not told.raw.watched & WRITABLE
    told.stream.write(b"ls\n")
    told.stream.watch()
    assert told.raw.watched & WRITABLE
    told.happen(WRITABLE)
    assert told.raw.sent == b"ls\n"
    assert not told.raw.watched & WRITABLE


def test_what_a_daemon_does_not_take_is_sent_again_in_order(told: Told) -> None:
    told.raw.takes = [2, EAGAIN]
    told.stream.write(b"abcdef")
    told.happen(WRITABLE)
    assert told.raw.sent == b"ab"
    assert told.raw.watched & WRITABLE
    told.happen(WRITABLE)
    assert told.raw.sent == b"abcdef"


def test_a_full_queue_refuses_the_rest_and_tells_when_there_is_room(told: Told) -> None:
    assert told.stream.write(b"x" * (QUEUE_BYTES + 10)) == QUEUE_BYTES
    assert told.stream.write(b"y") == 0
    told.raw.takes = [10, EAGAIN]
    told.happen(WRITABLE)
    assert told.rooms == 0
    told.happen(WRITABLE)
    assert told.rooms == 1
    assert told.raw.sent == b"x" * QUEUE_BYTES


def test_small_pieces_are_handed_on_as_one(told: Told) -> None:
    told.raw.incoming = [b"log", b"in", b": "]
    told.happen(READABLE)
    assert told.data == [b"login: "]
    assert told.ends == 0


def test_a_paused_stream_is_not_read_until_it_goes_on(told: Told) -> None:
    told.stream.pause(True)
    told.raw.incoming = [b"later"]
    assert not told.raw.watched & READABLE
    told.happen(READABLE)  # Under way when the pause came.
    assert told.data == []
    told.stream.pause(False)
    assert told.raw.watched & READABLE
    told.happen(READABLE)
    assert told.data == [b"later"]


@pytest.mark.parametrize("last", [b"", libvirt.libvirtError("gone")])
def test_what_came_before_the_end_is_handed_on_and_the_end_told_once(
    told: Told, last: bytes | libvirt.libvirtError
) -> None:
    told.raw.incoming = [b"bye", last]
    told.happen(READABLE)
    told.happen(READABLE)
    assert told.data == [b"bye"]
    assert told.ends == 1
    assert told.raw.watched == 0


def test_a_hang_up_hands_on_the_rest_even_when_paused() -> None:
    told = Told(paused=True)
    told.raw.incoming = [b"last words"]
    told.happen(HANGUP)
    assert told.data == [b"last words"]
    assert told.ends == 1


def test_a_dropped_stream_is_heard_of_no_more(told: Told) -> None:
    told.stream.drop()
    told.raw.incoming = [b"too late"]
    told.happen(READABLE | HANGUP)
    assert told.data == []
    assert told.ends == 0
