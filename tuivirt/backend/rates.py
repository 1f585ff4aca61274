"""Counters of the bulk stats → figures per second, domain by domain.

A rate needs two samples of the same run of the same guest: a counter that went back, a new
hypervisor process or a device that was not there before starts anew and yields no figure
rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .model.stats import HISTORY, DiskStats, DomainStats, NicStats, Point, VcpuStats

LONG_HISTORY = 240
"""How many points a domain in focus keeps: eight minutes at two seconds."""

BALLOON_PERIOD_S = 5
"""What the balloon driver is asked to refresh its figures at, where nobody asked before."""

_BALLOON_STALE_S = 4 * BALLOON_PERIOD_S

Record = Mapping[str, Any]


@dataclass(slots=True)
class _Counter:
    """One sample of some counters and when it was taken (monotonic seconds)."""

    at: float
    values: tuple[int, ...]


class Meter:
    """The counters of one domain and the figures made of them."""

    __slots__ = (
        "_balloon_seen",
        "_balloon_update",
        "_cpu",
        "_disks",
        "_nics",
        "_run",
        "_values",
        "_vcpus",
        "stats",
    )

    def __init__(self) -> None:
        self._restart(None, 0.0, b"")

    def _restart(self, run: int | None, at: float, history: bytes) -> None:
        self._run = run
        self._values: dict[str, Any] = {"at": at, "cpu_history": history}
        self.stats = DomainStats(**self._values)
        self._cpu: _Counter | None = None
        self._balloon_update: int | None = None
        self._balloon_seen = 0.0
        self._disks: dict[str, _Counter] = {}
        self._nics: dict[str, _Counter] = {}
        self._vcpus: dict[str, _Counter] = {}

    def stop(self, at: float) -> DomainStats:
        """The domain is not active: what it did is history, what it does is nothing."""
        self._restart(None, at, self.stats.cpu_history)
        return self.stats

    def feed(
        self,
        record: Record,
        at: float,
        *,
        run: int,
        vcpus: int,
        host_cpus: int,
        focus: bool = False,
    ) -> DomainStats:
        """Take one record of the bulk stats, taken at monotonic time ``at``.

        ``run`` is the domain's id: a new one means a new hypervisor process. Groups that the
        record lacks keep their older figures and their age.
        """
        if run != self._run:
            self._restart(run, at, self.stats.cpu_history)
        changes: dict[str, Any] = {"at": at}
        if "cpu.time" in record:
            self._feed_cpu(record, at, vcpus, host_cpus, changes)
        if "balloon.rss" in record or "balloon.available" in record:
            self._feed_balloon(record, at, changes)
        # A domain whose job lock was held by others has the devices' names but no counters.
        if "block.count" in record and (
            record["block.count"] == 0 or "block.0.rd.bytes" in record or _any_block(record)
        ):
            self._feed_disks(record, at, changes)
        if "net.count" in record:
            self._feed_nics(record, at, changes)
        if focus and "vcpu.0.time" in record:
            self._feed_vcpus(record, at, changes)
        if focus:
            changes["history"] = (
                *self.stats.history[1 - LONG_HISTORY :],
                self._point(at, changes),
            )
        elif self.stats.history:
            changes["history"] = ()
        self._values.update(changes)
        # Not dataclasses.replace, which costs four times as much: this is the hot path.
        self.stats = DomainStats(**self._values)
        return self.stats

    def _point(self, at: float, changes: dict[str, Any]) -> Point:
        def now(name: str) -> Any:
            return changes.get(name, getattr(self.stats, name))

        return Point(
            at,
            now("cpu_percent"),
            now("memory_used_kib"),
            now("read_bytes_per_s"),
            now("write_bytes_per_s"),
            now("rx_bytes_per_s"),
            now("tx_bytes_per_s"),
        )

    def _feed_cpu(
        self, record: Record, at: float, vcpus: int, host_cpus: int, changes: dict[str, Any]
    ) -> None:
        total = record["cpu.time"]
        before, self._cpu = self._cpu, _Counter(at, (total,))
        rate = _rates(before, self._cpu)
        if rate is None:
            changes["cpu_percent"] = changes["cpu_host_percent"] = None
            changes["cpu_guest_percent"] = None
        else:
            percent = rate[0] / 1e7  # ns of CPU per second → percent of one CPU
            guest = min(100.0, percent / max(1, vcpus))
            changes["cpu_percent"] = percent
            changes["cpu_host_percent"] = min(100.0, percent / max(1, host_cpus))
            changes["cpu_guest_percent"] = guest
            changes["cpu_history"] = (self.stats.cpu_history + bytes((round(guest),)))[-HISTORY:]
        changes["cpu_at"] = at

    def _feed_balloon(self, record: Record, at: float, changes: dict[str, Any]) -> None:
        changes["memory_rss_kib"] = record.get("balloon.rss")
        changes["memory_at"] = at
        available = record.get("balloon.available")
        free = record.get("balloon.usable", record.get("balloon.unused"))
        update = record.get("balloon.last-update") or None
        if available is None or free is None:
            changes["memory_used_kib"] = changes["memory_available_kib"] = None
            changes["memory_stale"] = False
            return
        if update != self._balloon_update:
            self._balloon_update = update
            self._balloon_seen = at
        changes["memory_available_kib"] = available
        changes["memory_used_kib"] = max(0, available - free)
        # The driver's own clock is the host's; only whether it moves is looked at.
        changes["memory_stale"] = update is not None and at - self._balloon_seen > _BALLOON_STALE_S

    def _feed_disks(self, record: Record, at: float, changes: dict[str, Any]) -> None:
        disks = []
        counters: dict[str, _Counter] = {}
        sums = [0.0, 0.0, 0.0, 0.0]
        known = False
        for number in range(record["block.count"]):
            keys = _block_keys(number)
            name = record.get(keys[0], "?")
            if keys[2] not in record:
                disks.append(DiskStats(name, record.get(keys[1], "")))
                continue
            sample = _Counter(at, tuple(record.get(key, 0) for key in keys[2:8]))
            counters[name] = sample
            rates = _rates(self._disks.get(name), sample)
            if rates is None:
                disks.append(
                    DiskStats(
                        name,
                        record.get(keys[1], ""),
                        allocation_bytes=record.get(keys[8]),
                        capacity_bytes=record.get(keys[9]),
                    )
                )
                continue
            rd_bytes, wr_bytes, rd_reqs, wr_reqs, rd_ns, wr_ns = rates
            known = True
            for place, value in enumerate((rd_bytes, wr_bytes, rd_reqs, wr_reqs)):
                sums[place] += value
            disks.append(
                DiskStats(
                    name,
                    record.get(keys[1], ""),
                    rd_bytes,
                    wr_bytes,
                    rd_reqs,
                    wr_reqs,
                    rd_ns / rd_reqs / 1e6 if rd_reqs else None,
                    wr_ns / wr_reqs / 1e6 if wr_reqs else None,
                    record.get(keys[8]),
                    record.get(keys[9]),
                )
            )
        self._disks = counters
        changes["disks"] = tuple(disks)
        changes["block_at"] = at
        for place, name in enumerate(
            ("read_bytes_per_s", "write_bytes_per_s", "read_requests_per_s", "write_requests_per_s")
        ):
            changes[name] = sums[place] if known else None

    def _feed_nics(self, record: Record, at: float, changes: dict[str, Any]) -> None:
        nics = []
        counters: dict[str, _Counter] = {}
        rx = tx = 0.0
        known = False
        for number in range(record["net.count"]):
            keys = _nic_keys(number)
            name = record.get(keys[0])
            if name is None:
                continue  # Its device is not there yet, or not any more.
            if keys[1] not in record:
                nics.append(NicStats(name))
                continue
            sample = _Counter(at, tuple(record.get(key, 0) for key in keys[1:]))
            counters[name] = sample
            rates = _rates(self._nics.get(name), sample)
            if rates is None:
                nics.append(NicStats(name))
                continue
            known = True
            rx += rates[0]
            tx += rates[1]
            nics.append(
                NicStats(
                    name,
                    rates[0],
                    rates[1],
                    rates[2],
                    rates[3],
                    rates[4] + rates[5],
                    rates[6] + rates[7],
                )
            )
        self._nics = counters
        changes["nics"] = tuple(nics)
        changes["net_at"] = at
        changes["rx_bytes_per_s"] = rx if known else None
        changes["tx_bytes_per_s"] = tx if known else None

    def _feed_vcpus(self, record: Record, at: float, changes: dict[str, Any]) -> None:
        vcpus = []
        counters: dict[str, _Counter] = {}
        for number in range(record.get("vcpu.maximum", 0)):
            key = f"vcpu.{number}.time"
            if key not in record:
                continue  # A vCPU that is not plugged in.
            sample = _Counter(at, (record[key], record.get(f"vcpu.{number}.wait", 0)))
            counters[key] = sample
            rates = _rates(self._vcpus.get(key), sample)
            if rates is None:
                vcpus.append(VcpuStats(number))
            else:
                vcpus.append(VcpuStats(number, min(100.0, rates[0] / 1e7), rates[1] / 1e7))
        self._vcpus = counters
        changes["vcpus"] = tuple(vcpus)
        changes["vcpu_at"] = at


def _rates(before: _Counter | None, now: _Counter) -> tuple[float, ...] | None:
    """Per second, or None when there is nothing to compare or a counter went back."""
    if before is None:
        return None
    elapsed = now.at - before.at
    if elapsed <= 0.05:  # Two samples this close say more of the clock than of the guest.
        return None
    rates = []
    for old, new in zip(before.values, now.values, strict=True):
        if new < old:
            return None
        rates.append((new - old) / elapsed)
    return tuple(rates)


def _any_block(record: Record) -> bool:
    """Whether any disk has counters; the first may be an empty CD-ROM."""
    return any(f"block.{n}.rd.bytes" in record for n in range(1, record["block.count"]))


@lru_cache(maxsize=256)
def _block_keys(number: int) -> tuple[str, ...]:
    return tuple(
        f"block.{number}.{part}"
        for part in ("name", "path", "rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs", "rd.times",
                     "wr.times", "allocation", "capacity")
    )  # fmt: skip


@lru_cache(maxsize=256)
def _nic_keys(number: int) -> tuple[str, ...]:
    return tuple(
        f"net.{number}.{part}"
        for part in ("name", "rx.bytes", "tx.bytes", "rx.pkts", "tx.pkts", "rx.drop", "tx.drop",
                     "rx.errs", "tx.errs")
    )  # fmt: skip
