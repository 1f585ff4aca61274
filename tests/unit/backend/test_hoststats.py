"""A host's own figures: its CPU every second tick, its memory every fourth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tuivirt.backend import hoststats as module
from tuivirt.backend.hoststats import HostMeter

TICK_S = 2.0


class Conn:
    """A host of which nothing is known but its counters, which move with each question."""

    def __init__(self, without: str = "") -> None:
        self.asked: list[str] = []
        self._without = without

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what == self._without:
            error = libvirt.libvirtError("no")
            error.err = (libvirt.VIR_ERR_NO_SUPPORT, 0, "no", 0, "", "", "", 0, 0)
            raise error

    def getCPUStats(self, _cpu: int, _flags: int) -> dict[str, int]:
        self._note("cpu")
        asked = len(self.asked)
        return {"user": 25 * asked, "kernel": 25 * asked, "idle": 40 * asked, "iowait": 10 * asked}

    def getMemoryStats(self, _cell: int, _flags: int) -> dict[str, int]:
        self._note("memory")
        return {"total": 1000, "free": 300, "buffers": 50, "cached": 150}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(module, "time", clock)
    return clock


def ticks(meter: HostMeter, conn: Any, clock: SimpleNamespace, count: int) -> list[list[str]]:
    """What each of so many ticks asked for, when each asks all that is due."""
    asked = []
    for _ in range(count):
        before = len(conn.asked)
        for call in meter.calls(clock.now):
            call(conn)
        asked.append(conn.asked[before:])
        clock.now += TICK_S - 0.01
    return asked


def test_its_cpu_is_asked_for_every_second_tick_and_its_memory_every_fourth(
    clock: SimpleNamespace,
) -> None:
    asked = ticks(HostMeter(4, False, TICK_S), Conn(), clock, 5)
    assert asked == [["cpu", "memory"], [], ["cpu"], [], ["cpu", "memory"]]


def test_one_question_tells_the_memory_but_not_how_busy_the_cpus_are(
    clock: SimpleNamespace,
) -> None:
    meter = HostMeter(4, False, TICK_S)
    ticks(meter, Conn(), clock, 1)
    assert meter.stats is not None
    assert meter.stats.cpu_percent is None
    assert (meter.stats.memory_used_kib, meter.stats.memory_total_kib) == (500, 1000)


def test_half_of_the_time_spent_is_half(clock: SimpleNamespace) -> None:
    meter = HostMeter(4, False, TICK_S)
    conn = Conn()
    ticks(meter, conn, clock, 3)
    assert meter.stats is not None
    assert meter.stats.cpu_percent == pytest.approx(50.0)


@pytest.mark.parametrize("what", ["cpu", "memory"])
def test_what_a_driver_does_not_know_is_not_asked_again(clock: SimpleNamespace, what: str) -> None:
    conn = Conn(without=what)
    ticks(HostMeter(4, False, TICK_S), conn, clock, 9)
    assert conn.asked.count(what) == 1
    assert len(conn.asked) > 2
