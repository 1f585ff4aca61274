"""Counters of the bulk stats → figures per second, domain by domain.

A rate needs two samples of the same run of the same guest: a counter that went back, a new
hypervisor process or a device that was not there before starts anew and yields no figure
rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .model.stats import HISTORY, DiskStats, DomainStats, NicStats, Point, VcpuStats

LONG_HISTORY = 240
"""How many points a domain in focus keeps: eight minutes at two seconds."""

BALLOON_PERIOD_S = 5
"""What the balloon driver is asked to refresh its figures at, where nobody asked before."""

_TOO_SOON_S = 0.3

_BALLOON_STALE_S = 4 * BALLOON_PERIOD_S

Record = Mapping[str, Any]


_DISK_SUMS = (
    "read_bytes_per_s",
    "write_bytes_per_s",
    "read_requests_per_s",
    "write_requests_per_s",
)


class Meter:
    """The counters of one domain and the figures made of them."""

    __slots__ = (
        "_balloon_seen",
        "_balloon_update",
        "_cpu",
        "_cpu_at",
        "_disks",
        "_disks_at",
        "_disks_idle",
        "_nics",
        "_nics_at",
        "_nics_idle",
        "_raw_disks",
        "_raw_nics",
        "_run",
        "_values",
        "_vcpus",
        "_vcpus_at",
        "stats",
    )

    def __init__(self) -> None:
        self._restart(None, 0.0, b"")

    def _restart(self, run: int | None, at: float, history: bytes) -> None:
        self._run = run
        self.stats = DomainStats(at, cpu_history=history)
        # By field, in the order of the fields.
        self._values: dict[str, Any] = self.stats._asdict()
        self._cpu: tuple[int, ...] | None = None
        self._cpu_at = 0.0
        self._balloon_update: int | None = None
        self._balloon_seen = 0.0
        self._disks: dict[str, tuple[int, ...]] = {}
        self._disks_at = 0.0
        self._disks_idle = False
        self._raw_disks: tuple[tuple[Any, ...], ...] = ()
        self._nics: dict[str, tuple[int, ...]] = {}
        self._nics_at = 0.0
        self._nics_idle = False
        self._raw_nics: tuple[tuple[Any, ...], ...] = ()
        self._vcpus: dict[str, tuple[int, ...]] = {}
        self._vcpus_at = 0.0

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
        if "cpu.time" in record and _ripe(self._cpu, self._cpu_at, at):
            self._feed_cpu(record, at, vcpus, host_cpus, changes)
        if "balloon.rss" in record or "balloon.available" in record:
            self._feed_balloon(record, at, changes)
        # A domain whose job lock was held by others has the devices' names but no counters.
        if (
            "block.count" in record
            and _ripe(self._disks, self._disks_at, at)
            and (record["block.count"] == 0 or "block.0.rd.bytes" in record or _any_block(record))
        ):
            self._feed_disks(record, at, changes)
        if "net.count" in record and _ripe(self._nics, self._nics_at, at):
            self._feed_nics(record, at, changes)
        if focus and "vcpu.0.time" in record and _ripe(self._vcpus, self._vcpus_at, at):
            self._feed_vcpus(record, at, changes)
        if focus:
            changes["history"] = (
                *self.stats.history[1 - LONG_HISTORY :],
                self._point(at, changes),
            )
        elif self.stats.history:
            changes["history"] = ()
        self._values.update(changes)
        self.stats = DomainStats._make(self._values.values())
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
        now = (record["cpu.time"],)
        rate = _rates(self._cpu, self._cpu_at, now, at)
        self._cpu, self._cpu_at = now, at
        if rate is None:
            changes["cpu_percent"] = changes["cpu_host_percent"] = None
            changes["cpu_guest_percent"] = None
        else:
            # ns of CPU per second → percent of one CPU; more than there are is an error of time.
            percent = min(rate[0] / 1e7, 100.0 * max(1, host_cpus))
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
        changes["block_at"] = at
        raw = tuple(
            tuple(map(record.get, _block_keys(number))) for number in range(record["block.count"])
        )
        before, since = self._disks, self._disks_at
        self._disks_at = at
        if raw == self._raw_disks:
            if self._disks_idle:
                return  # Nothing moved, as the last time: the figures are those shown.
            self._disks_idle = True
        else:
            self._disks_idle = False
        self._raw_disks = raw
        self._disks = {}
        disks = []
        known: list[tuple[float, ...]] = []
        for name, path, *numbers, allocation, capacity in raw:
            name, path = name or "?", path or ""
            rates = None
            if numbers[0] is not None:
                values = tuple(number or 0 for number in numbers)
                self._disks[name] = values
                rates = _rates(before.get(name), since, values, at)
            if rates is None:
                disk = DiskStats(name, path, allocation_bytes=allocation, capacity_bytes=capacity)
            else:
                known.append(rates)
                read, write, reads, writes, read_ns, write_ns = rates
                disk = DiskStats(
                    name,
                    path,
                    read,
                    write,
                    reads,
                    writes,
                    read_ns / reads / 1e6 if reads else None,
                    write_ns / writes / 1e6 if writes else None,
                    allocation,
                    capacity,
                )
            disks.append(disk)
        changes["disks"] = tuple(disks)
        for place, field in enumerate(_DISK_SUMS):
            changes[field] = sum(rates[place] for rates in known) if known or not raw else None

    def _feed_nics(self, record: Record, at: float, changes: dict[str, Any]) -> None:
        changes["net_at"] = at
        raw = tuple(
            tuple(map(record.get, _nic_keys(number))) for number in range(record["net.count"])
        )
        before, since = self._nics, self._nics_at
        self._nics_at = at
        if raw == self._raw_nics:
            if self._nics_idle:
                return
            self._nics_idle = True
        else:
            self._nics_idle = False
        self._raw_nics = raw
        self._nics = {}
        nics = []
        known: list[tuple[float, ...]] = []
        for name, *numbers in raw:
            if name is None:
                continue  # Its device is not there yet, or not any more.
            rates = None
            if numbers[0] is not None:
                values = tuple(number or 0 for number in numbers)
                self._nics[name] = values
                rates = _rates(before.get(name), since, values, at)
            if rates is None:
                nics.append(NicStats(name))
            else:
                known.append(rates)
                rx, tx, rx_packets, tx_packets, *lost = rates
                drops, errors = lost[0] + lost[1], lost[2] + lost[3]
                nics.append(NicStats(name, rx, tx, rx_packets, tx_packets, drops, errors))
        changes["nics"] = tuple(nics)
        changes["rx_bytes_per_s"] = sum(rates[0] for rates in known) if known or not raw else None
        changes["tx_bytes_per_s"] = sum(rates[1] for rates in known) if known or not raw else None

    def _feed_vcpus(self, record: Record, at: float, changes: dict[str, Any]) -> None:
        before, since = self._vcpus, self._vcpus_at
        self._vcpus, self._vcpus_at = {}, at
        vcpus = []
        for number in range(record.get("vcpu.maximum", 0)):
            key = f"vcpu.{number}.time"
            if key not in record:
                continue  # A vCPU that is not plugged in.
            values = (record[key], record.get(f"vcpu.{number}.wait", 0))
            self._vcpus[key] = values
            rates = _rates(before.get(key), since, values, at)
            if rates is None:
                vcpus.append(VcpuStats(number))
            else:
                vcpus.append(VcpuStats(number, min(100.0, rates[0] / 1e7), rates[1] / 1e7))
        changes["vcpus"] = tuple(vcpus)
        changes["vcpu_at"] = at


def _ripe(before: object, since: float, at: float) -> bool:
    """Whether a sample is far enough from the one before to be held against it.

    When within a call a guest was asked is an estimate: of two samples a few hundredths of a
    second apart it made 1,454 % of a paused guest.
    """
    return not before or at - since >= _TOO_SOON_S


def _rates(
    before: tuple[int, ...] | None, since: float, now: tuple[int, ...], at: float
) -> tuple[float, ...] | None:
    """Per second, or None when there is nothing to compare or a counter went back."""
    if before is None:
        return None
    elapsed = at - since
    if elapsed <= 0:
        return None
    rates = []
    for old, new in zip(before, now, strict=True):
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
