"""``tuivirt stats``: live figures, one tick after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuivirt.backend.events import Event, EventHub, SnapshotChanged
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.stats import DomainStats
from tuivirt.backend.view import View
from tuivirt.widgets.text import natural, percent, rate, share

from .output import DONE, FAILED, complain, say, table, to_json
from .records import state_word

PATIENCE = 1.0
"""How many intervals a line waits for figures that are late, before it is printed with old ones."""

ENOUGH = 3
"""After so many samples without a CPU figure, the driver has none to give."""

FIRST_S = 5.0
"""How long the first line may wait for rates, at least."""

_GROUPS = ("disks", "nics", "vcpus")
"""What a domain may have several of, each with figures of its own."""

_FIGURES = tuple(
    name
    for name in DomainStats.__annotations__
    if name not in _GROUPS and name.rpartition("_")[2] not in ("at", "history")
)
"""The domain's own: all but when they were taken, and what they were before."""


class Ticks:
    """Wakes when the hosts have figures that are newer than those shown last."""

    def __init__(self, hub: EventHub, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._changed = threading.Event()
        self._shown: dict[str, float] = {}
        self._samples: dict[str, set[float]] = {}
        """By UUID, or the host's name: when what has no CPU figure was sampled."""
        hub.subscribe(self._heard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, SnapshotChanged):
            self._changed.set()

    def wait_for_rates(self, seconds: float) -> None:
        """Wait until there are rates of all that has any, at most so long."""
        self._wait(lambda: all(self._has_rates(host.snapshot) for host in self._hosts), seconds)

    def wait(self, seconds: float) -> None:
        """Wait until every connected host has newer figures, at most so long."""
        self._wait(lambda: all(self._is_newer(host.snapshot) for host in self._hosts), seconds)
        for host in self._hosts:
            self._shown[host.name] = _newest(host.snapshot)

    def _wait(self, true: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true():
            left = end - time.monotonic()
            if left <= 0:
                break
            self._changed.wait(left)
            self._changed.clear()

    def _has_rates(self, snapshot: HostSnapshot) -> bool:
        if snapshot.link is not Link.CONNECTED:
            return True
        waiting = 0
        if snapshot.stats is None or snapshot.stats.cpu_percent is None:
            waiting += self._is_waiting(snapshot.name, snapshot.data_at)
        for domain in snapshot.domains.values():
            if not domain.active or domain.stalled_since is not None:
                continue
            stats = snapshot.domain_stats.get(domain.uuid)
            if stats is not None and stats.cpu_percent is not None:
                continue
            waiting += self._is_waiting(domain.uuid, stats.at if stats is not None else None)
        return not waiting

    def _is_waiting(self, key: str, sampled_at: float | None) -> bool:
        samples = self._samples.setdefault(key, set())
        if sampled_at is not None:
            samples.add(sampled_at)
        return len(samples) < ENOUGH

    def _is_newer(self, snapshot: HostSnapshot) -> bool:
        if snapshot.link is not Link.CONNECTED:
            return True  # Nothing to wait for: it is shown as it is.
        return _newest(snapshot) > self._shown.get(snapshot.name, 0.0)


def _newest(snapshot: HostSnapshot) -> float:
    times = (stats.at for stats in snapshot.domain_stats.values())
    return max(times, default=snapshot.data_at or 0.0)


def print_stats(
    hub: EventHub, hosts: Sequence[Host], *, interval: float, count: int | None, as_json: bool
) -> int:
    """Print the figures of all hosts ``count`` times (for ever when None); the exit status.

    The first line comes when there are rates, which takes two samples.
    """
    ticks = Ticks(hub, hosts)
    watch_all(hosts)
    ticks.wait_for_rates(max(interval * ENOUGH, FIRST_S))
    status = DONE
    told: set[str] = set()
    due = time.monotonic()
    printed = 0
    while count is None or printed < count:
        if printed:
            # A little before it is due, so that a sampler that ticks a little early counts.
            due = max(due + interval, time.monotonic())
            time.sleep(max(0.0, due - interval / 4 - time.monotonic()))
        ticks.wait(interval * (0.25 + PATIENCE) if printed else 0.0)
        watch_all(hosts)
        snapshots = [host.snapshot for host in hosts]
        say(to_json(as_record(snapshots)) if as_json else as_table(snapshots))
        printed += 1
        for snapshot in snapshots:
            if snapshot.link is Link.CONNECTED:
                told.discard(snapshot.name)
            elif snapshot.name not in told:
                told.add(snapshot.name)
                status = FAILED
                complain(f"{snapshot.link}: {snapshot.reason}", snapshot.name)
    return status


def watch_all(hosts: Sequence[Host]) -> None:
    """Ask for all figures of all active domains with every tick."""
    for host in hosts:
        active = frozenset(d.uuid for d in host.snapshot.domains.values() if d.active)
        if active != host.view.domains:
            host.watch(View(domains=active))


def as_record(snapshots: Sequence[HostSnapshot]) -> dict[str, Any]:
    """One tick: wall time, the hosts' figures, and those of every domain."""
    now = time.monotonic()
    return {
        "time": round(time.time(), 3),
        "hosts": [_host(snapshot, now) for snapshot in snapshots],
        "domains": [
            _domain(domain, snapshot.domain_stats.get(domain.uuid), now)
            for snapshot in snapshots
            for domain in _sorted(snapshot.domains)
        ],
    }


def _sorted(domains: Mapping[str, Domain]) -> list[Domain]:
    return sorted(domains.values(), key=lambda domain: natural(domain.name))


def _host(snapshot: HostSnapshot, now: float) -> dict[str, Any]:
    stats = snapshot.stats
    return {
        "host": snapshot.name,
        "uri": snapshot.uri,
        "link": str(snapshot.link),
        "age_s": None if snapshot.data_at is None else round(now - snapshot.data_at, 3),
        "cpu_percent": _rounded(stats.cpu_percent) if stats else None,
        "memory_total_kib": stats.memory_total_kib if stats else None,
        "memory_used_kib": stats.memory_used_kib if stats else None,
        "load": list(stats.load) if stats and stats.load else None,
    }


def _domain(domain: Domain, stats: DomainStats | None, now: float) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": domain.name,
        "uuid": domain.uuid,
        "state": state_word(domain),
        "host": domain.host,
        "stalled": domain.silent_since is not None,
        "age_s": None if stats is None else round(now - stats.at, 3),
    }
    for figure in _FIGURES:
        record[figure] = None if stats is None else _rounded(getattr(stats, figure))
    for group in _GROUPS:
        items = () if stats is None else getattr(stats, group)
        record[group] = [
            {name: _rounded(getattr(item, name)) for name in type(item).__annotations__}
            for item in items
        ]
    return record


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def as_table(snapshots: Sequence[HostSnapshot]) -> str:
    """One tick for people: a line of each host, then its domains that run."""
    parts = []
    for snapshot in snapshots:
        stats = snapshot.stats
        cpu = percent(stats.cpu_percent) if stats else "?"
        used = share(stats.memory_used_kib, stats.memory_total_kib) if stats else "?"
        rows = [
            _row(domain, snapshot.domain_stats.get(domain.uuid))
            for domain in _sorted(snapshot.domains)
            if domain.active
        ]
        titles = ("NAME", "STATE", "CPU %", "MEM", "READ", "WRITE", "RX", "TX")
        parts.append(
            f"{time.strftime('%H:%M:%S')}  {snapshot.name}  {snapshot.link}  "
            f"CPU {cpu} %  mem {used}\n" + table(titles, rows, titles[2:])
        )
    return "\n\n".join(parts) + "\n"


def _row(domain: Domain, stats: DomainStats | None) -> tuple[str, ...]:
    if stats is None:
        return (domain.name, state_word(domain), *"??????")
    return (
        domain.name,
        state_word(domain),
        percent(stats.cpu_percent),
        share(stats.memory_used_kib, domain.memory_kib),
        rate(stats.read_bytes_per_s),
        rate(stats.write_bytes_per_s),
        rate(stats.rx_bytes_per_s),
        rate(stats.tx_bytes_per_s),
    )
