"""A host far away: what is read of it costs few turns there and back, and nothing is missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.bench.proxy import CountingProxy
from tests.support.guests import Guest, unique_name
from tests.support.libvirtd import until
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.host import Link
from tuivirt.backend.together import together

EACH_WAY_S = 0.025
LIST_ALL_DOMAINS, BULK_STATS, REGISTER = 273, 344, 316
"""Procedures of libvirt's remote protocol."""


def _socket() -> Path:
    return Path("/run/libvirt/libvirt-sock")


@pytest.fixture
def line(qemu_uri: str, tmp_path: Path) -> Iterator[Callable[[float], CountingProxy]]:
    """Opens a line that takes so many seconds each way."""
    opened: list[CountingProxy] = []

    def open_line(each_way_s: float) -> CountingProxy:
        path = tmp_path / f"line{len(opened)}"
        opened.append(CountingProxy(path, _socket(), each_way_s))
        return opened[-1]

    yield open_line
    for proxy in opened:
        proxy.close()


@pytest.fixture
def far(line: Callable[[float], CountingProxy]) -> Iterator[Callable[[CountingProxy], Host]]:
    """Connects through a line."""
    hosts: list[Host] = []

    def connect(proxy: CountingProxy) -> Host:
        uri = f"qemu+unix:///system?socket={proxy.path}"
        hosts.append(Host("far", uri, publish=lambda _event: None, interval=60.0))
        hosts[-1].start()
        return hosts[-1]

    yield connect
    for host in hosts:
        host.close()


def test_the_list_is_filled_after_at_most_eight_turns_there_and_back(
    line: Callable[[float], CountingProxy], far: Callable[[CountingProxy], Host]
) -> None:
    proxy = line(EACH_WAY_S)
    host = far(proxy)
    host.wait_filled(30)
    lists = [call.turn for call in proxy.calls if call.procedure == LIST_ALL_DOMAINS]
    assert max(lists) <= 8, [(call.turn, call.procedure) for call in proxy.calls]


def test_the_domains_are_read_again_in_one_turn(
    line: Callable[[float], CountingProxy], far: Callable[[CountingProxy], Host]
) -> None:
    proxy = line(EACH_WAY_S)
    host = far(proxy)
    host.wait_filled(30)
    until(lambda: _rests(proxy), "it leaves the daemon alone", pause=0.3)
    proxy.count_anew()
    host.refresh()
    until(lambda: _count(proxy, LIST_ALL_DOMAINS) >= 4, "the lists are read")
    assert {call.turn for call in proxy.calls if call.procedure == LIST_ALL_DOMAINS} == {1}


def test_what_is_defined_while_the_lists_are_on_their_way_is_seen(
    line: Callable[[float], CountingProxy],
    far: Callable[[CountingProxy], Host],
    define: Callable[..., Guest],
) -> None:
    proxy = line(0.2)
    host = far(proxy)
    # Its lists have been asked for, and what the daemon says to that is to be outdated.
    until(lambda: _count(proxy, LIST_ALL_DOMAINS) >= 4, "the lists are asked for")
    until(lambda: _count(proxy, BULK_STATS) >= 1, "the states are asked for")
    guest = define(unique_name("late"), memory_mib=32, kernel=False)
    until(lambda: guest.uuid in host.snapshot.domains, "it is listed", 15)
    assert _count(proxy, REGISTER) >= 20
    assert _first(proxy, LIST_ALL_DOMAINS) > _last(proxy, REGISTER)


def test_a_line_that_is_cut_in_the_middle_of_a_list_is_opened_again_and_all_is_true(
    line: Callable[[float], CountingProxy],
    far: Callable[[CountingProxy], Host],
    define: Callable[..., Guest],
) -> None:
    guest = define(unique_name("cut"), memory_mib=32, kernel=False)
    proxy = line(0.0)
    host = far(proxy)
    host.wait_filled(30)
    generation = host.generation
    proxy.cut_in = 150
    host.refresh()
    until(lambda: host.generation > generation, "it is opened again")
    until(lambda: _holds(host), "it is connected again")
    guest.domain.undefine()
    until(lambda: guest.uuid not in host.snapshot.domains, "what changed then is seen")


def test_a_line_that_is_cut_at_any_place_while_it_is_filled_is_filled_in_the_end(
    line: Callable[[float], CountingProxy], far: Callable[[CountingProxy], Host]
) -> None:
    # How much the daemon says until then depends on what else is on it: it is measured.
    proxy = line(0.0)
    proxy.cut_in = more_than_all = 1 << 30
    host = far(proxy)
    host.wait_filled(30)
    whole = more_than_all - proxy.cut_in
    host.close()
    for cut_in in (1, 60, whole // 4, whole // 2, whole * 3 // 4):
        proxy = line(0.0)
        proxy.cut_in = cut_in
        host = far(proxy)
        until(lambda host=host: _holds(host), "it is filled")  # type: ignore[misc]
        assert proxy.cut_in is None
        host.close()


def test_calls_made_together_end_together_and_give_the_first_error() -> None:
    conn = libvirt.open("test:///default")
    met = threading.Barrier(3)

    def meet(number: int) -> int:
        met.wait(10)
        if number:
            raise TuivirtError(f"number {number}")
        return number

    calls = [lambda: meet(0), lambda: meet(1), lambda: meet(2)]
    with pytest.raises(TuivirtError, match="number 1"):
        together(calls, conn.getLibVersion)
    assert together([lambda: 1, lambda: 2, lambda: 3], conn.getLibVersion, 2) == [1, 2, 3]
    conn.close()


def _holds(host: Host) -> bool:
    return host.snapshot.filled and host.snapshot.link is Link.CONNECTED


def _count(proxy: CountingProxy, procedure: int) -> int:
    return sum(call.procedure == procedure for call in proxy.calls)


def _first(proxy: CountingProxy, procedure: int) -> float:
    return next(call.at for call in proxy.calls if call.procedure == procedure)


def _last(proxy: CountingProxy, procedure: int) -> float:
    return [call.at for call in proxy.calls if call.procedure == procedure][-1]


def _rests(proxy: CountingProxy) -> bool:
    return time.monotonic() - proxy.calls[-1].at > 1.0
