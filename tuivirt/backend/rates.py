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

_TOO_SOON_S = 0.15  # Less than the sampler leaves between the first two.

_BALLOON_STALE_S = 4 * BALLOON_PERIOD_S

Record = Mapping[str, Any]


# Where in a DomainStats each figure stands.
_PLACES = {name: place for place, name in enumerate(DomainStats._fields)}
_AT = _PLACES["at"]
_CPU = _PLACES["cpu_percent"]
_CPU_HOST = _PLACES["cpu_host_percent"]
_CPU_GUEST = _PLACES["cpu_guest_percent"]
_CPU_AT = _PLACES["cpu_at"]
_CPU_HISTORY = _PLACES["cpu_history"]
_MEMORY_USED = _PLACES["memory_used_kib"]
_MEMORY_AVAILABLE = _PLACES["memory_available_kib"]
_MEMORY_RSS = _PLACES["memory_rss_kib"]
_MEMORY_AT = _PLACES["memory_at"]
_MEMORY_STALE = _PLACES["memory_stale"]
_READ = _PLACES["read_bytes_per_s"]
_WRITE = _PLACES["write_bytes_per_s"]
_DISK_SUMS = (_READ, _WRITE, _PLACES["read_requests_per_s"], _PLACES["write_requests_per_s"])
_DISKS = _PLACES["disks"]
_BLOCK_AT = _PLACES["block_at"]
_RX = _PLACES["rx_bytes_per_s"]
_TX = _PLACES["tx_bytes_per_s"]
_NICS = _PLACES["nics"]
_NET_AT = _PLACES["net_at"]
_VCPUS = _PLACES["vcpus"]
_VCPU_AT = _PLACES["vcpu_at"]
_HISTORY = _PLACES["history"]
_POINT = tuple(_PLACES[name] for name in Point._fields)


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
        "_figures",
        "_nics",
        "_nics_at",
        "_nics_idle",
        "_raw_disks",
        "_raw_nics",
        "_run",
        "_vcpus",
        "_vcpus_at",
        "stats",
    )

    def __init__(self) -> None:
        self._restart(None, 0.0, b"")

    def _restart(self, run: int | None, at: float, history: bytes) -> None:
        self._run = run
        self.stats = DomainStats(at, cpu_history=history)
        # The next ones in the making, in the order of the fields.
        self._figures: list[Any] = list(self.stats)
        self._cpu: int | None = None
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

    @property
    def is_unrated(self) -> bool:
        """Whether its next sample is the first to give a rate."""
        return self._cpu is not None and self.stats.cpu_percent is None

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
        figures = self._figures
        figures[_AT] = at
        cpu = record.get("cpu.time")
        if cpu is not None and (self._cpu is None or at - self._cpu_at >= _TOO_SOON_S):
            self._feed_cpu(cpu, at, vcpus, host_cpus)
        if "balloon.rss" in record or "balloon.available" in record:
            self._feed_balloon(record, at)
        # A domain whose job lock was held by others has the devices' names but no counters.
        if (
            "block.count" in record
            and _ripe(self._disks, self._disks_at, at)
            and (record["block.count"] == 0 or "block.0.rd.bytes" in record or _any_block(record))
        ):
            self._feed_disks(record, at)
        if "net.count" in record and _ripe(self._nics, self._nics_at, at):
            self._feed_nics(record, at)
        if focus and "vcpu.0.time" in record and _ripe(self._vcpus, self._vcpus_at, at):
            self._feed_vcpus(record, at)
        if focus:
            point = Point._make(figures[place] for place in _POINT)
            figures[_HISTORY] = (*figures[_HISTORY][1 - LONG_HISTORY :], point)
        elif figures[_HISTORY]:
            figures[_HISTORY] = ()
        self.stats = DomainStats._make(figures)
        return self.stats

    def _feed_cpu(self, now: int, at: float, vcpus: int, host_cpus: int) -> None:
        figures = self._figures
        before, elapsed = self._cpu, at - self._cpu_at
        self._cpu, self._cpu_at = now, at
        if before is None or now < before or elapsed <= 0:
            figures[_CPU] = figures[_CPU_HOST] = None
            figures[_CPU_GUEST] = None
        else:
            # ns of CPU per second → percent of one CPU; more than there are is an error of time.
            percent = min((now - before) / elapsed / 1e7, 100.0 * max(1, host_cpus))
            guest = min(100.0, percent / max(1, vcpus))
            figures[_CPU] = percent
            figures[_CPU_HOST] = min(100.0, percent / max(1, host_cpus))
            figures[_CPU_GUEST] = guest
            figures[_CPU_HISTORY] = (figures[_CPU_HISTORY] + bytes((round(guest),)))[-HISTORY:]
        figures[_CPU_AT] = at

    def _feed_balloon(self, record: Record, at: float) -> None:
        figures = self._figures
        figures[_MEMORY_RSS] = record.get("balloon.rss")
        figures[_MEMORY_AT] = at
        available = record.get("balloon.available")
        free = record.get("balloon.usable", record.get("balloon.unused"))
        update = record.get("balloon.last-update") or None
        if available is None or free is None:
            figures[_MEMORY_USED] = figures[_MEMORY_AVAILABLE] = None
            figures[_MEMORY_STALE] = False
            return
        if update != self._balloon_update:
            self._balloon_update = update
            self._balloon_seen = at
        figures[_MEMORY_AVAILABLE] = available
        figures[_MEMORY_USED] = max(0, available - free)
        # The driver's own clock is the host's; only whether it moves is looked at.
        figures[_MEMORY_STALE] = update is not None and at - self._balloon_seen > _BALLOON_STALE_S

    def _feed_disks(self, record: Record, at: float) -> None:
        figures = self._figures
        figures[_BLOCK_AT] = at
        get = record.get
        raw = tuple([tuple(map(get, keys)) for keys in _block_keys(record["block.count"])])
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
        figures[_DISKS] = tuple(disks)
        for place, field in enumerate(_DISK_SUMS):
            figures[field] = sum(rates[place] for rates in known) if known or not raw else None

    def _feed_nics(self, record: Record, at: float) -> None:
        figures = self._figures
        figures[_NET_AT] = at
        get = record.get
        raw = tuple([tuple(map(get, keys)) for keys in _nic_keys(record["net.count"])])
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
        figures[_NICS] = tuple(nics)
        figures[_RX] = sum(rates[0] for rates in known) if known or not raw else None
        figures[_TX] = sum(rates[1] for rates in known) if known or not raw else None

    def _feed_vcpus(self, record: Record, at: float) -> None:
        figures = self._figures
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
        figures[_VCPUS] = tuple(vcpus)
        figures[_VCPU_AT] = at


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
def _block_keys(count: int) -> tuple[tuple[str, ...], ...]:
    """What is read of each of so many disks."""
    parts = ("name", "path", "rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs", "rd.times",
             "wr.times", "allocation", "capacity")  # fmt: skip
    return tuple(tuple(f"block.{number}.{part}" for part in parts) for number in range(count))


@lru_cache(maxsize=256)
def _nic_keys(count: int) -> tuple[tuple[str, ...], ...]:
    """What is read of each of so many network cards."""
    parts = ("name", "rx.bytes", "tx.bytes", "rx.pkts", "tx.pkts", "rx.drop", "tx.drop",
             "rx.errs", "tx.errs")  # fmt: skip
    return tuple(tuple(f"net.{number}.{part}" for part in parts) for number in range(count))
