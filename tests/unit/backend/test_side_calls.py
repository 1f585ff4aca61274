"""What a tick asks besides the domains' figures: one small thing, where a call is left for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.backend import sampler as module
from tuivirt.backend.errors import NotConnected
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostSnapshot, Link, Sampling
from tuivirt.backend.model.stats import DomainStats
from tuivirt.backend.plan import Ask, Planner
from tuivirt.backend.sampler import CALLS, SIDE_CALLS, Sampler
from tuivirt.backend.traffic import Traffic
from tuivirt.backend.view import View

WEB = Domain("lab", "u1", "web-01", 1, DomainState.RUNNING)


class Guest:
    """libvirt's handle of a domain."""

    def UUIDString(self) -> str:
        return WEB.uuid


class Clock:
    """Time that passes only when somebody takes some."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class FakeHost:
    """As much of a host as the sampler uses; its calls take ``bulk_s`` and ``side_s``."""

    def __init__(self, clock: Clock) -> None:
        self.name = "lab"
        self.traffic = Traffic("lab-traffic", lambda: None)
        self.snapshot = HostSnapshot(
            "lab", "x:", link=Link.CONNECTED, filled=True, domains={WEB.uuid: WEB}
        )
        self.handles: Mapping[str, Any] = {WEB.uuid: Guest()}
        self.view = View(frozenset({WEB.uuid}))
        self.generation = 0
        self.conn = SimpleNamespace(domainListGetStats=self._stats)
        self.bulk_s = self.side_s = 0.0
        self.made: list[str] = []
        """The calls made, in their order."""
        self.words = ["cpu", "memory", "leases"]
        self.planned = 1
        """How many bulk calls the next tick makes."""
        self.took: list[Sampling] = []
        self._clock = clock

    def _stats(self, doms: list[Any], _groups: int, _flags: int) -> list[tuple[Any, Any]]:
        self.made.append("bulk")
        self._clock.pass_by(self.bulk_s)
        return [(dom, {"cpu.time": 1}) for dom in doms]

    def cut(self) -> None:
        raise AssertionError("it is not silent")

    def side_calls(self) -> list[Callable[[Any], None]]:
        def call(word: str) -> Callable[[Any], None]:
            def made(_conn: Any) -> None:
                self.made.append(word)
                self._clock.pass_by(self.side_s)

            return made

        return [call(word) for word in self.words]

    def sampled(
        self, _stats: Mapping[str, DomainStats], _records: list[Any], sampling: Sampling
    ) -> None:
        self.took.append(sampling)

    def stalled(self, since: float | None) -> None:
        raise AssertionError(f"stalled since {since}")

    def domains_stalled(self, since: Mapping[str, float | None]) -> None:
        """Nothing here is about guests that hang."""

    def defect(self, error: BaseException) -> None:
        raise error


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def host(clock: Clock) -> Iterator[FakeHost]:
    host = FakeHost(clock)
    yield host
    host.traffic.close()


@pytest.fixture
def sampler(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sampler]:
    """A sampler whose ticks the test makes."""
    ask = Ask((WEB.uuid,), 1)
    monkeypatch.setattr(Planner, "plan", lambda *_: [ask] * host.planned)
    sampler = Sampler(host, 2.0)
    yield sampler
    sampler.stop()


def tick(sampler: Sampler, host: FakeHost, bulk_calls: int) -> list[str]:
    """Make one tick with so many bulk calls planned; what it called, in order."""
    host.planned = bulk_calls
    host.made.clear()
    sampler._round(host.conn, sampler._lane, [])
    return list(host.made)


def test_each_tick_asks_one_thing_besides_and_all_have_their_turn(
    sampler: Sampler, host: FakeHost
) -> None:
    besides = [tick(sampler, host, 1)[1:] for _ in range(4)]
    assert besides == [["cpu"], ["memory"], ["leases"], ["cpu"]]


def test_the_domains_figures_come_first(sampler: Sampler, host: FakeHost) -> None:
    assert tick(sampler, host, 1) == ["bulk", "cpu"]


def test_a_tick_that_has_no_call_left_asks_nothing_besides_and_no_turn_is_lost(
    sampler: Sampler, host: FakeHost
) -> None:
    full = CALLS - SIDE_CALLS + 1
    assert tick(sampler, host, 0) == ["cpu"]
    assert tick(sampler, host, full) == ["bulk"] * full
    assert tick(sampler, host, 0) == ["memory"]


def test_a_host_that_has_nothing_to_ask_besides_is_asked_nothing(
    sampler: Sampler, host: FakeHost
) -> None:
    host.words = []
    assert tick(sampler, host, 1) == ["bulk"]


def test_the_calls_of_a_tick_are_told_with_those_besides(sampler: Sampler, host: FakeHost) -> None:
    tick(sampler, host, 1)
    tick(sampler, host, CALLS)
    assert [sampling.calls for sampling in host.took] == [1 + SIDE_CALLS, CALLS]


def test_the_lines_own_delay_is_not_counted_as_the_daemons_work(
    sampler: Sampler, host: FakeHost
) -> None:
    host.bulk_s = host.side_s = 0.5
    tick(sampler, host, 0)  # A small call: what it takes is the line's.
    tick(sampler, host, 1)
    assert host.took[-1].daemon_share == 0.0
    host.bulk_s = 0.9
    tick(sampler, host, 1)
    assert host.took[-1].daemon_share > 0.0


def test_a_worker_that_was_given_up_brings_no_figures(sampler: Sampler, host: FakeHost) -> None:
    lane = sampler._lane
    sampler._reset_workers()
    sampler._round(host.conn, lane, [])
    assert not host.took


def test_a_question_besides_that_fails_costs_the_domains_nothing(
    sampler: Sampler, host: FakeHost
) -> None:
    def fails() -> list[Callable[[Any], None]]:
        def call(_conn: Any) -> None:
            raise OSError("no leases")

        return [call]

    host.side_calls = fails  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no leases"):
        tick(sampler, host, 1)
    assert len(host.took) == 1


def test_a_connection_that_goes_as_a_tick_begins_is_told_by_the_keeper_alone(
    sampler: Sampler, host: FakeHost
) -> None:
    # A defect that is told raises here.
    sampler._failed(NotConnected("host lab is not connected"))
    with pytest.raises(OSError, match="no memory"):
        sampler._failed(OSError("no memory"))
