"""What comes into view is asked for now, unless the figures just taken brought it there."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tuivirt.backend.host import LEASES_EVERY_S, SORTED_S, Host
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.resources import DhcpRange, Lease, Network, NetworkAddress
from tuivirt.backend.model.stats import DomainStats
from tuivirt.backend.view import View

SHOWN = Domain("lab", "shown", "web-01", 1, DomainState.RUNNING)
KNOWN = Domain("lab", "known", "web-02", 2, DomainState.RUNNING)
NEVER_ASKED = Domain("lab", "new", "web-03", 3, DomainState.RUNNING)
CHEAP_ONLY = Domain("lab", "cheap", "web-04", 4, DomainState.RUNNING)
OFF = Domain("lab", "off", "web-05", None, DomainState.SHUTOFF)
BEFORE = View(frozenset({"shown"}))


class Woken:
    """Stands where the sampler stands: counts how often it is told to tick now."""

    def __init__(self) -> None:
        self.times = 0

    def wake(self) -> None:
        self.times += 1

    def stop(self) -> None:
        """It has nothing to stop."""


def host_with(sampler: Woken | None, ticked_ago: float | None) -> Host:
    """A host that is not connected, with figures taken so many seconds ago."""
    host = Host("lab", "test:///default", publish=lambda _event: None, sampling=False)
    host._sampler = sampler  # type: ignore[assignment]
    now = time.monotonic()
    figures = {
        "shown": DomainStats(at=now, block_at=now),
        "known": DomainStats(at=now, block_at=now),
        "cheap": DomainStats(at=now),
    }
    host._snapshot = replace(
        host.snapshot,
        domains={d.uuid: d for d in (SHOWN, KNOWN, NEVER_ASKED, CHEAP_ONLY, OFF)},
        domain_stats=figures,
        data_at=None if ticked_ago is None else now - ticked_ago,
    )
    host.view = BEFORE
    return host


LONG_AGO = SORTED_S + 3600.0
JUST_NOW = -3600.0  # However long the test takes.


@pytest.mark.parametrize(
    ("ticked_ago", "view", "woken"),
    [
        (LONG_AGO, BEFORE, False),
        (LONG_AGO, View(), False),
        (LONG_AGO, View(frozenset({"shown", "known"})), True),
        (LONG_AGO, View(frozenset({"off"})), True),
        (None, View(frozenset({"known"})), True),
        # Rows that the figures of a tick have just sorted up.
        (JUST_NOW, View(frozenset({"known"})), False),
        (JUST_NOW, View(frozenset({"off"})), False),
        (JUST_NOW, View(frozenset({"gone meanwhile"})), False),
        # Those have none yet, so no figure can have brought them up.
        (JUST_NOW, View(frozenset({"known", "new"})), True),
        (JUST_NOW, View(frozenset({"cheap"})), True),
        # An opened domain wants figures that no row shows.
        (JUST_NOW, View(frozenset({"shown"}), "shown"), True),
    ],
    ids=[
        "the same",
        "nothing any more",
        "one more",
        "one that is off",
        "before the first tick",
        "sorted up by the tick",
        "off, after the tick",
        "gone, after the tick",
        "never asked for",
        "asked for its CPU only",
        "opened",
    ],
)
def test_a_view_is_asked_for_now_when_its_figures_are_missing(
    ticked_ago: float | None, view: View, woken: bool
) -> None:
    sampler = Woken()
    host = host_with(sampler, ticked_ago)
    host.watch(view)
    assert bool(sampler.times) is woken
    assert host.view == view


def test_a_domain_that_stays_open_or_is_closed_is_no_reason_for_a_tick() -> None:
    sampler = Woken()
    host = host_with(sampler, JUST_NOW)
    host.view = View(frozenset({"shown"}), "shown")
    host.watch(View(frozenset({"shown"}), "shown"))
    host.watch(View(frozenset({"shown"})))
    assert sampler.times == 0


def test_the_configurations_of_what_is_in_view_are_read_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = host_with(Woken(), LONG_AGO)
    hurried: list[frozenset[str]] = []
    monkeypatch.setattr(host.configs, "hurry", hurried.append)
    host.watch(View(frozenset({"known", "new"})))
    assert hurried == [{"known", "new"}]


def test_a_host_that_takes_no_figures_keeps_the_view_all_the_same() -> None:
    host = host_with(None, None)
    host.watch(View(frozenset({"known"})))
    assert host.view.domains == {"known"}


# What a host asks besides: its own figures, and the leases of its networks in turn.


LEASE = Lease("n", "52:54:00:00:00:01", "10.0.0.2", 24, "web-01", 0.0)


def network(uuid: str, *, active: bool = True) -> Network:
    addresses = (NetworkAddress("10.0.0.1/24", (DhcpRange("10.0.0.2", "10.0.0.9"),)),)
    return Network("lab", uuid, uuid, active, True, True, addresses=addresses)


class Leasing:
    """A connection whose networks hand out one lease each; notes which was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def networkLookupByUUIDString(self, uuid: str) -> Leasing:
        self.asked.append(uuid)
        return self

    def DHCPLeases(self) -> list[dict[str, object]]:
        return [
            {
                "mac": LEASE.mac,
                "ipaddr": LEASE.address,
                "prefix": LEASE.prefix,
                "hostname": LEASE.hostname,
                "expirytime": 0,
            }
        ]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that a host knows; its last is now."""
    times = [1000.0]
    monkeypatch.setattr("tuivirt.backend.host.time", SimpleNamespace(monotonic=lambda: times[-1]))
    return times


@pytest.fixture
def leasing(clock: list[float]) -> Host:
    """A host with two networks that run and one that does not."""
    host = Host("lab", "test:///default", publish=lambda _event: None, sampling=False)
    networks = {n.uuid: n for n in (network("a"), network("b"), network("c", active=False))}
    host._snapshot = replace(host.snapshot, networks=networks)
    return host


def test_each_running_networks_leases_are_asked_for_in_turn_and_then_not_for_a_while(
    leasing: Host, clock: list[float]
) -> None:
    conn = Leasing()
    for _ in range(3):
        for call in leasing.side_calls():
            call(conn)
    assert conn.asked == ["a", "b"]
    clock.append(clock[-1] + LEASES_EVERY_S)
    (call,) = leasing.side_calls()
    call(conn)
    assert conn.asked == ["a", "b", "a"]


def test_leases_are_shown_and_those_that_have_not_changed_are_no_news(
    leasing: Host, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[str] = []
    monkeypatch.setattr(leasing.configs, "leases_changed", lambda: changes.append("changed"))
    (call,) = leasing.side_calls()
    call(Leasing())
    assert leasing.snapshot.networks["a"].leases == (replace(LEASE, network="a"),)
    before = leasing.snapshot
    call(Leasing())
    assert leasing.snapshot is before
    assert changes == ["changed"]


def test_a_network_that_goes_away_while_it_is_asked_is_let_go(leasing: Host) -> None:
    (call,) = leasing.side_calls()
    leasing._snapshot = replace(leasing.snapshot, networks={})
    call(Leasing())
    assert leasing.snapshot.networks == {}
