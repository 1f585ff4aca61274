"""Bulk statistics as libvirt's QEMU driver gives them."""

from __future__ import annotations

import time
from typing import Any

import libvirt
import pytest

from tuivirt.demo.connection import DemoConnection


def figures(demo: DemoConnection, name: str, groups: int = 0) -> dict[str, Any]:
    [(_, record)] = demo.domainListGetStats([demo.lookupByName(name)], groups)
    return dict(record)


def later(demo: DemoConnection, name: str, key: str, value: int) -> int:
    """The figure, once it is past ``value``."""
    deadline = time.monotonic() + 20
    while (now := figures(demo, name)[key]) <= value:
        assert time.monotonic() < deadline, f"{key} stands still"
    return int(now)


@pytest.mark.parametrize(
    "key", ["cpu.time", "vcpu.0.time", "block.0.rd.bytes", "block.0.wr.bytes", "net.0.rx.bytes"]
)
def test_a_busy_guests_counters_rise(demo: DemoConnection, key: str) -> None:
    first = figures(demo, "web-01")[key]
    later(demo, "web-01", key, later(demo, "web-01", key, first))


def test_counters_stand_while_the_guest_is_paused_and_go_on_from_there(
    demo: DemoConnection,
) -> None:
    domain = demo.lookupByName("web-01")
    domain.suspend()
    paused = figures(demo, "web-01")["cpu.time"]
    later(demo, "db-01", "cpu.time", figures(demo, "db-01")["cpu.time"])
    assert figures(demo, "web-01")["cpu.time"] == paused
    domain.resume()
    later(demo, "web-01", "cpu.time", paused)


def test_counters_begin_again_with_a_new_start(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    before = figures(demo, "web-01")["cpu.time"]
    domain.destroy()
    assert "cpu.time" not in figures(demo, "web-01")
    domain.create()
    assert figures(demo, "web-01")["cpu.time"] < before / 1000


def test_only_the_groups_asked_for_are_given(demo: DemoConnection) -> None:
    groups = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    assert set(figures(demo, "web-01", groups)) == {
        "state.state", "state.reason", "cpu.time", "cpu.user", "cpu.system",
    }  # fmt: skip


def test_flags_choose_the_domains_and_nowait_is_accepted(demo: DemoConnection) -> None:
    active = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
    nowait = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    found = demo.getAllDomainStats(0, active | nowait)
    assert {d.name() for d, _ in found} == {d.name() for d in demo.listAllDomains() if d.isActive()}


def test_groups_that_nobody_knows_are_refused_when_enforced(demo: DemoConnection) -> None:
    assert demo.getAllDomainStats(1 << 20, 0)
    enforce = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
    with pytest.raises(libvirt.libvirtError, match="bits 0x100000 are not supported") as refused:
        demo.getAllDomainStats(1 << 20, enforce)
    assert refused.value.get_error_code() == libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED


def test_memory_of_the_guest_is_told_once_the_balloon_is_armed(demo: DemoConnection) -> None:
    before = figures(demo, "build-arm64")
    assert before["balloon.last-update"] == 0
    assert "balloon.usable" not in before
    demo.lookupByName("build-arm64").setMemoryStatsPeriod(2, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    after = figures(demo, "build-arm64")
    assert 0 < after["balloon.usable"] < after["balloon.available"] < after["balloon.current"]
    assert after["balloon.last-update"] > 0


def test_a_guest_without_a_balloon_driver_cannot_be_armed(demo: DemoConnection) -> None:
    with pytest.raises(libvirt.libvirtError, match="No memory balloon device configured"):
        demo.lookupByName("legacy-nt").setMemoryStatsPeriod(2, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def test_figures_of_one_domain_agree_with_the_bulk_call(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    domain.suspend()
    bulk = figures(demo, "web-01")
    assert domain.info()[4] == bulk["cpu.time"]
    assert domain.blockStats("vda")[1] == bulk["block.0.rd.bytes"]
    assert domain.interfaceStats(bulk["net.0.name"])[0] == bulk["net.0.rx.bytes"]
    assert domain.blockInfo("vda")[0] == bulk["block.0.capacity"]
