"""Fleets made by hand: what a screen is given, with no backend behind it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostInfo, HostSnapshot, Link, Sampling
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.stats import DomainStats, HostStats

HOST = "srv1"
GIB = 1024 * 1024


def uuid_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def ref_of(number: int, host: str = HOST) -> Ref:
    return Ref(host, Kind.DOMAIN, uuid_of(number))


def domain(number: int, name: str, state: DomainState = DomainState.RUNNING, **more: Any) -> Domain:
    """A domain; ``number`` makes its UUID."""
    active = state.active
    values: dict[str, Any] = {
        "host": HOST,
        "uuid": uuid_of(number),
        "name": name,
        "id": number if active else None,
        "state": state,
        "vcpus": 2,
        "memory_kib": 4 * GIB,
        "memory_max_kib": 4 * GIB,
    }
    return Domain(**(values | more))


def stats(cpu: float, used_gib: float | None = None, now: float | None = None, **more: Any) -> (
    DomainStats
):  # fmt: skip
    """Figures taken just now."""
    at = time.monotonic() if now is None else now
    values: dict[str, Any] = {
        "at": at,
        "cpu_percent": cpu,
        "cpu_guest_percent": cpu,
        "cpu_history": bytes(max(0, min(100, int(cpu) + d)) for d in (-30, -20, -10, 0, 0)),
        "cpu_at": at,
        "memory_used_kib": None if used_gib is None else int(used_gib * GIB),
        "memory_rss_kib": 4 * GIB,
        "memory_at": at,
        "read_bytes_per_s": 0.0,
        "write_bytes_per_s": 0.0,
        "block_at": at,
        "rx_bytes_per_s": 0.0,
        "tx_bytes_per_s": 0.0,
        "net_at": at,
    }
    return DomainStats(**(values | more))


def host(
    domains: list[Domain] | None = None,
    figures: dict[str, DomainStats] | None = None,
    name: str = HOST,
    **more: Any,
) -> HostSnapshot:
    """A connected host with these domains; ``figures`` by UUID."""
    now = time.monotonic()
    values: dict[str, Any] = {
        "name": name,
        "uri": "qemu:///system",
        "link": Link.CONNECTED,
        "data_at": now,
        "info": HostInfo(
            uri="qemu:///system",
            hostname=name,
            hypervisor="QEMU",
            libvirt_version="9.0.0",
            cpus=16,
            memory_kib=128 * GIB,
        ),
        "stats": HostStats(
            at=now,
            cpu_percent=23.0,
            memory_total_kib=128 * GIB,
            memory_used_kib=78 * GIB,
        ),
        "sampling": Sampling(interval_s=2.0),
        "filled": True,
        "domains": {d.uuid: d for d in domains or []},
        "domain_stats": figures or {},
    }
    return HostSnapshot(**(values | more))


def fleet(*hosts: HostSnapshot) -> Fleet:
    return Fleet(hosts={h.name: h for h in hosts})


def sketch() -> Fleet:
    """Domains in every state, each with something that the list must tell apart."""
    now = time.monotonic()
    domains = [
        domain(1, "web-01", addresses=("192.168.122.41",), vcpus=4, autostart=True),
        domain(2, "db-01", memory_kib=16 * GIB),
        domain(3, "build-arm64", memory_kib=8 * GIB, vcpus=8),
        domain(4, "gpu-train", memory_kib=64 * GIB, pending=("new disk vdb",)),
        domain(5, "legacy-nt", stalled_since=now - 150),
        domain(6, "win11", DomainState.PAUSED, memory_kib=8 * GIB),
        domain(7, "kernel-test", DomainState.CRASHED),
        domain(8, "template-deb12", DomainState.SHUTOFF),
    ]
    figures = {
        uuid_of(1): stats(83, 1.9, read_bytes_per_s=12e6, rx_bytes_per_s=2.1e6),
        uuid_of(2): stats(41, 14, write_bytes_per_s=95e6, rx_bytes_per_s=300e3),
        uuid_of(3): stats(7, 0.9),
        uuid_of(4): stats(99, 60, tx_bytes_per_s=1e6),
        uuid_of(5): stats(20, 1, now=now - 150),
        uuid_of(6): stats(0, 8),
    }
    return fleet(host(domains, figures))


def many(count: int, salt: int = 0) -> Fleet:
    """``count`` running domains; another ``salt`` gives every one of them other figures."""
    domains, figures = [], {}
    for number in range(count):
        domains.append(domain(number, f"guest-{number:05d}"))
        busy = (number * 7 + salt * 13) % 100
        figures[uuid_of(number)] = stats(
            busy,
            1 + busy / 50,
            read_bytes_per_s=busy * 1e5 + salt,
            write_bytes_per_s=busy * 2e5 + salt * 3e5,
            rx_bytes_per_s=busy * 3e4 + salt * 5e4,
            tx_bytes_per_s=busy * 4e3 + salt * 7e3,
        )
    return fleet(host(domains, figures))


def renamed(snapshot: HostSnapshot, number: int, name: str) -> HostSnapshot:
    uuid = uuid_of(number)
    changed = replace(snapshot.domains[uuid], name=name)
    return replace(snapshot, domains={**snapshot.domains, uuid: changed})
