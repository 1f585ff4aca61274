"""Live figures. A figure that is not known is None, and each group of figures knows its age.

All times are monotonic seconds of this process (`time.monotonic`); all rates are per second,
computed from the hypervisor's own counters over the time between two samples.

What is made anew with each tick is a named tuple: a frozen dataclass of as many fields takes
four times as long to make.
"""

from __future__ import annotations

from typing import NamedTuple

from .record import record

HISTORY = 60
"""How many samples a sparkline can reach back."""


class DiskStats(NamedTuple):
    """One disk of a domain. Source: the bulk stats' block group."""

    name: str
    """Target, as in ``vda``."""
    path: str = ""
    read_bytes_per_s: float | None = None
    write_bytes_per_s: float | None = None
    read_requests_per_s: float | None = None
    write_requests_per_s: float | None = None
    read_latency_ms: float | None = None
    """Mean time of a read that ended between the two samples; None when there was none."""
    write_latency_ms: float | None = None
    allocation_bytes: int | None = None
    capacity_bytes: int | None = None


class NicStats(NamedTuple):
    """One network interface of a domain. Source: the bulk stats' interface group."""

    name: str
    """The host's name of it, as in ``vnet3``."""
    rx_bytes_per_s: float | None = None
    tx_bytes_per_s: float | None = None
    rx_packets_per_s: float | None = None
    tx_packets_per_s: float | None = None
    drops_per_s: float | None = None
    errors_per_s: float | None = None


class VcpuStats(NamedTuple):
    """One virtual CPU. Source: the bulk stats' vcpu group."""

    number: int
    percent: float | None = None
    """Of one host CPU."""
    wait_percent: float | None = None


class Point(NamedTuple):
    """One point of the long history that a domain in focus keeps."""

    at: float
    cpu_percent: float | None
    memory_used_kib: int | None
    read_bytes_per_s: float | None
    write_bytes_per_s: float | None
    rx_bytes_per_s: float | None
    tx_bytes_per_s: float | None


class DomainStats(NamedTuple):
    """The live figures of one domain."""

    at: float
    """When any figure was last taken."""
    cpu_percent: float | None = None
    """Of one host CPU: a domain with four busy vCPUs shows 400."""
    cpu_host_percent: float | None = None
    """Of all host CPUs together, 0 to 100."""
    cpu_guest_percent: float | None = None
    """Of its own vCPUs, 0 to 100: what the sparkline shows."""
    cpu_at: float | None = None
    cpu_history: bytes = b""
    """cpu_guest_percent of the last samples, rounded, oldest first, at most HISTORY."""
    memory_used_kib: int | None = None
    """Used as the guest sees it (available - usable, or - unused); needs a balloon driver."""
    memory_available_kib: int | None = None
    """All that the guest's kernel sees."""
    memory_rss_kib: int | None = None
    """What the hypervisor's process holds on the host."""
    memory_at: float | None = None
    memory_stale: bool = False
    """The guest's balloon driver has not refreshed its figures for several periods."""
    read_bytes_per_s: float | None = None
    write_bytes_per_s: float | None = None
    read_requests_per_s: float | None = None
    write_requests_per_s: float | None = None
    disks: tuple[DiskStats, ...] = ()
    block_at: float | None = None
    rx_bytes_per_s: float | None = None
    tx_bytes_per_s: float | None = None
    nics: tuple[NicStats, ...] = ()
    net_at: float | None = None
    vcpus: tuple[VcpuStats, ...] = ()
    vcpu_at: float | None = None
    history: tuple[Point, ...] = ()
    """Only for a domain in focus (its detail is open); oldest first."""


@record(frozen=True, slots=True)
class HostStats:
    """The live figures of a host. Source: getCPUStats, getMemoryStats; load where it is local."""

    at: float
    cpu_percent: float | None = None
    """Of all its CPUs, 0 to 100."""
    memory_total_kib: int | None = None
    memory_used_kib: int | None = None
    """total - free - buffers - cached."""
    load: tuple[float, float, float] | None = None
    cpu_history: bytes = b""
