"""The proxy counts calls, and nothing but calls."""

from __future__ import annotations

import socket
import struct
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.calls import ticks
from tests.bench.proxy import KEEPALIVE, BadPacket, Call, CountingProxy, Packets

REMOTE = 0x20008086
BULK_STATS = 344


def packet(program: int, procedure: int, kind: int, payload: bytes = b"") -> bytes:
    head = struct.pack(">IIIIIII", 28 + len(payload), program, 1, procedure, kind, 7, 0)
    return head + payload


STREAM = (
    packet(REMOTE, BULK_STATS, 0, b"\0" * 40)
    + packet(KEEPALIVE, 1, 2)
    + packet(REMOTE, 3, 3, b"stream data")
    + packet(REMOTE, 66, 0)
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_packets_are_found_however_the_stream_is_parted(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    packets = Packets()
    found = [one for start, end in pairwise(edges) for one in packets.feed(STREAM[start:end])]
    told = [one[:3] for one in found]
    assert told == [(REMOTE, BULK_STATS, 0), (KEEPALIVE, 1, 2), (REMOTE, 3, 3), (REMOTE, 66, 0)]


def test_what_is_not_libvirts_protocol_is_an_error_and_not_a_small_count() -> None:
    with pytest.raises(BadPacket):
        Packets().feed(b"\0\0\0\4GET / HTTP/1.1")


def test_calls_are_counted_and_all_bytes_are_handed_on_both_ways(tmp_path: Path) -> None:
    target = tmp_path / "daemon"
    daemon = socket.socket(socket.AF_UNIX)
    daemon.bind(str(target))
    daemon.listen()
    got = bytearray()

    def answer() -> None:
        end, _ = daemon.accept()
        while len(got) < len(STREAM):
            got.extend(end.recv(4096))
        end.sendall(packet(REMOTE, BULK_STATS, 1, b"figures"))
        end.close()

    serving = threading.Thread(target=answer, daemon=True)
    serving.start()
    with CountingProxy(tmp_path / "proxy", target) as proxy:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(tmp_path / "proxy"))
        client.sendall(STREAM)
        reply = bytearray()
        while part := client.recv(4096):
            reply.extend(part)
        client.close()
    serving.join(10)
    daemon.close()
    assert bytes(got) == STREAM
    assert bytes(reply) == packet(REMOTE, BULK_STATS, 1, b"figures")
    calls = [(call.program, call.procedure) for call in proxy.calls]
    assert calls == [(REMOTE, BULK_STATS), (REMOTE, 66)]
    assert proxy.problem is None


def test_calls_near_to_one_another_are_one_tick() -> None:
    times = (0.0, 0.1, 0.3, 2.0, 4.0, 4.2)
    assert ticks([Call(at, REMOTE, BULK_STATS) for at in times]) == [3, 1, 2]
    assert ticks([]) == []


def test_a_daemon_that_is_not_there_is_a_problem_and_the_client_is_told(tmp_path: Path) -> None:
    with CountingProxy(tmp_path / "proxy", tmp_path / "nobody") as proxy:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(tmp_path / "proxy"))
        assert client.recv(1) == b""
        client.close()
        assert isinstance(proxy.problem, OSError)
