"""Counters become figures: never a spike, never a negative, never a stale one as fresh."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.backend.model.stats import HISTORY, DomainStats
from tuivirt.backend.rates import BALLOON_PERIOD_S, LONG_HISTORY, Meter


def feed(meter: Meter, at: float, record: dict[str, Any], **more: Any) -> DomainStats:
    given: dict[str, Any] = {"run": 1, "vcpus": 2, "host_cpus": 4, **more}
    return meter.feed(record, at, **given)


def cpu(seconds: float) -> dict[str, int]:
    return {"cpu.time": int(seconds * 1e9)}


def disk(read: int = 0, write: int = 0, requests: int = 0, ns: int = 0) -> dict[str, Any]:
    return {
        "block.count": 1,
        "block.0.name": "vda",
        "block.0.path": "/a.qcow2",
        "block.0.rd.bytes": read,
        "block.0.wr.bytes": write,
        "block.0.rd.reqs": requests,
        "block.0.wr.reqs": 0,
        "block.0.rd.times": ns,
        "block.0.wr.times": 0,
        "block.0.capacity": 1 << 30,
    }


def nic(name: str, rx: int, tx: int) -> dict[str, Any]:
    record: dict[str, Any] = {"net.count": 1, "net.0.name": name}
    for way, count in (("rx", rx), ("tx", tx)):
        record |= {
            f"net.0.{way}.bytes": count,
            f"net.0.{way}.pkts": count // 100,
            f"net.0.{way}.drop": 0,
            f"net.0.{way}.errs": 0,
        }
    return record


def test_the_first_sample_gives_no_rate() -> None:
    meter = Meter()
    assert not meter.is_unrated
    stats = feed(meter, 10.0, cpu(100))
    assert stats.cpu_percent is None
    assert stats.cpu_history == b""
    assert meter.is_unrated
    feed(meter, 11.0, cpu(100))
    assert not meter.is_unrated


def test_cpu_is_told_of_one_cpu_of_all_and_of_the_guests_own() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(100))
    stats = feed(meter, 12.0, cpu(103))
    assert stats.cpu_percent == pytest.approx(150)
    assert stats.cpu_host_percent == pytest.approx(37.5)
    assert stats.cpu_guest_percent == pytest.approx(75)
    assert stats.cpu_history == bytes((75,))


def test_a_new_run_of_the_guest_starts_anew() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(100) | disk(1000))
    feed(meter, 12.0, cpu(101) | disk(5000))
    stats = feed(meter, 14.0, cpu(900) | disk(9_000_000), run=2)
    assert stats.cpu_percent is None
    assert stats.read_bytes_per_s is None


def test_a_counter_that_went_back_gives_no_rate_and_the_next_one_is_right() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(100) | disk(1000))
    assert feed(meter, 12.0, cpu(5) | disk(10)).cpu_percent is None
    stats = feed(meter, 14.0, cpu(6) | disk(2010))
    assert stats.cpu_percent == pytest.approx(50)
    assert stats.read_bytes_per_s == pytest.approx(1000)


def test_a_paused_guest_shows_zero() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(100))
    assert feed(meter, 12.0, cpu(100)).cpu_percent == 0


def test_a_guest_that_stopped_shows_nothing_but_its_past() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(100))
    feed(meter, 12.0, cpu(101))
    stats = meter.stop(14.0)
    assert stats.cpu_percent is None
    assert stats.cpu_history == bytes((25,))


def test_disk_rates_and_latency_come_from_requests_that_ended_meanwhile() -> None:
    meter = Meter()
    feed(meter, 10.0, disk())
    stats = feed(meter, 12.0, disk(read=8192, write=4096, requests=4, ns=6_000_000))
    (vda,) = stats.disks
    assert vda.read_bytes_per_s == 4096
    assert vda.write_bytes_per_s == 2048
    assert vda.read_requests_per_s == 2
    assert vda.read_latency_ms == pytest.approx(1.5)
    assert vda.write_latency_ms is None
    assert vda.capacity_bytes == 1 << 30


def test_a_disk_that_was_just_plugged_in_makes_no_spike() -> None:
    meter = Meter()
    feed(meter, 10.0, disk(1000))
    two = disk(2000) | {
        "block.count": 2,
        "block.1.name": "vdb",
        "block.1.rd.bytes": 10**12,
        "block.1.wr.bytes": 10**12,
    }
    stats = feed(meter, 12.0, two)
    assert stats.read_bytes_per_s == 500
    assert stats.disks[1].read_bytes_per_s is None


def test_an_interface_of_another_name_is_another_interface() -> None:
    meter = Meter()
    feed(meter, 10.0, nic("vnet0", 1000, 10))
    stats = feed(meter, 12.0, nic("vnet7", 10**9, 10**9))
    assert stats.rx_bytes_per_s is None
    assert feed(meter, 14.0, nic("vnet7", 10**9 + 200, 10**9)).rx_bytes_per_s == 100


def test_a_group_that_is_missing_keeps_its_figure_and_its_age() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(1) | disk(0))
    feed(meter, 12.0, cpu(2) | disk(4000))
    stats = feed(meter, 14.0, cpu(3))
    assert (stats.read_bytes_per_s, stats.block_at) == (2000, 12.0)
    assert stats.cpu_at == 14.0


def test_memory_is_what_the_guest_can_not_use_and_is_stale_when_its_driver_stops() -> None:
    meter = Meter()
    record = {
        "balloon.rss": 3_000_000,
        "balloon.available": 4_000_000,
        "balloon.usable": 1_000_000,
        "balloon.unused": 500_000,
        "balloon.last-update": 1_700_000_000,
    }
    stats = feed(meter, 10.0, record)
    assert (stats.memory_used_kib, stats.memory_rss_kib) == (3_000_000, 3_000_000)
    assert not stats.memory_stale
    late = 10.0 + 10 * BALLOON_PERIOD_S
    assert feed(meter, late, record).memory_stale
    assert not feed(meter, late + 1, record | {"balloon.last-update": 1_700_000_999}).memory_stale


def test_memory_without_a_balloon_driver_is_unknown_not_zero() -> None:
    stats = feed(Meter(), 10.0, {"balloon.rss": 100})
    assert stats.memory_used_kib is None
    assert stats.memory_rss_kib == 100


def test_only_a_domain_in_focus_gets_vcpus_and_a_long_history_and_both_are_bounded() -> None:
    meter = Meter()
    for tick in range(LONG_HISTORY + 20):
        record = cpu(tick) | {"vcpu.maximum": 2, "vcpu.0.time": int(tick * 1e9)}
        stats = feed(meter, 10.0 + 2 * tick, record, focus=True)
    assert len(stats.history) == LONG_HISTORY
    assert len(stats.cpu_history) == HISTORY
    assert stats.vcpus[0].percent == pytest.approx(50)
    assert len(stats.vcpus) == 1, "a vCPU that is not plugged in is not shown"
    assert feed(meter, 9000.0, cpu(9000)).history == ()


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.integers(0, 1 << 62), st.integers(0, 1 << 62)), max_size=30
    )
)
def test_no_sequence_of_samples_gives_a_negative_or_more_than_full(
    samples: list[tuple[float, int, int]],
) -> None:
    meter = Meter()
    at = 0.0
    for step, time_ns, read in samples:
        at += step
        stats = feed(meter, at, {"cpu.time": time_ns} | disk(read))
        assert stats.cpu_percent is None or stats.cpu_percent >= 0
        assert stats.cpu_guest_percent is None or 0 <= stats.cpu_guest_percent <= 100
        assert stats.read_bytes_per_s is None or stats.read_bytes_per_s >= 0


def test_two_samples_too_close_together_are_not_held_against_one_another() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(100) | disk(1000))
    feed(meter, 12.0, cpu(101) | disk(5000))
    stats = feed(meter, 12.06, cpu(101.9) | disk(900_000))
    assert stats.cpu_percent == pytest.approx(50)
    assert stats.read_bytes_per_s == pytest.approx(2000)
    later = feed(meter, 14.0, cpu(102) | disk(1_005_000))
    assert later.cpu_percent == pytest.approx(50)
    assert later.read_bytes_per_s == pytest.approx(500_000)


def test_no_guest_uses_more_than_all_the_hosts_cpus() -> None:
    meter = Meter()
    feed(meter, 10.0, cpu(0))
    assert feed(meter, 12.0, cpu(100)).cpu_percent == 400
