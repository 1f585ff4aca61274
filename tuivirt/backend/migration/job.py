"""How far a job of libvirt is: its figures, in an operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libvirt

from ..model.record import record

MIB = 1 << 20


@record(frozen=True, slots=True)
class Figures:
    """A job as it stands. Source: virDomainGetJobStats; bytes and milliseconds."""

    type: int = 0
    operation: int = 0
    elapsed_ms: int = 0
    downtime_ms: int | None = None
    """What the guest stood still for, or would if it ended now."""
    memory_total: int = 0
    memory_remaining: int = 0
    memory_per_s: int = 0
    disk_total: int = 0
    disk_done: int = 0
    disk_per_s: int = 0
    iteration: int = 0
    postcopy_requests: int = 0
    throttle_percent: int = 0
    """By how much the guest is slowed down."""
    error: str = ""

    def fraction(self, memory_bytes: int = 0) -> float | None:
        """0 to 1; None where nothing is told yet.

        ``memory_bytes``: what is to be moved of memory, as long as the job does not tell: images
        come first.
        """
        if not self.disk_total and not self.memory_total:
            return None
        memory = self.memory_total or memory_bytes
        # In later rounds memory is sent again: what remains is what is told.
        done = self.memory_total - self.memory_remaining if self.memory_total else 0
        return max(0.0, min(1.0, (self.disk_done + done) / (self.disk_total + memory)))

    @property
    def words(self) -> str:
        """What it is doing now, the most important first."""
        if self.disk_total and self.disk_done < self.disk_total and not self.memory_total:
            left = f"images: {_mib(self.disk_total - self.disk_done)} left"
            return left + (f" at {_mib(self.disk_per_s)}/s" if self.disk_per_s else "")
        if not self.memory_total:
            return "images: nearly all copied" if self.disk_total else "beginning"
        said = [f"memory: {_mib(self.memory_remaining)} left"]
        if self.memory_per_s:
            said[0] += f" at {_mib(self.memory_per_s)}/s"
        if self.iteration:
            said.append(f"round {self.iteration}")
        if self.downtime_ms:
            said.append(f"downtime {self.downtime_ms} ms")
        if self.throttle_percent:
            said.append(f"guest slowed by {self.throttle_percent} %")
        if self.postcopy_requests:
            said.append("post-copy")
        return ", ".join(said)


def figures_of(stats: Mapping[str, Any]) -> Figures:
    """The figures in what virDomainGetJobStats told."""

    def whole(key: str) -> int:
        return int(stats.get(key, 0) or 0)

    return Figures(
        type=whole("type"),
        operation=whole(libvirt.VIR_DOMAIN_JOB_OPERATION),
        elapsed_ms=whole(libvirt.VIR_DOMAIN_JOB_TIME_ELAPSED),
        downtime_ms=stats.get(libvirt.VIR_DOMAIN_JOB_DOWNTIME),
        memory_total=whole(libvirt.VIR_DOMAIN_JOB_MEMORY_TOTAL),
        memory_remaining=whole(libvirt.VIR_DOMAIN_JOB_MEMORY_REMAINING),
        memory_per_s=whole(libvirt.VIR_DOMAIN_JOB_MEMORY_BPS),
        disk_total=whole(libvirt.VIR_DOMAIN_JOB_DISK_TOTAL),
        disk_done=whole(libvirt.VIR_DOMAIN_JOB_DISK_PROCESSED),
        disk_per_s=whole(libvirt.VIR_DOMAIN_JOB_DISK_BPS),
        iteration=whole(libvirt.VIR_DOMAIN_JOB_MEMORY_ITERATION),
        postcopy_requests=whole(libvirt.VIR_DOMAIN_JOB_MEMORY_POSTCOPY_REQS),
        throttle_percent=whole(libvirt.VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE),
        error=str(stats.get(libvirt.VIR_DOMAIN_JOB_ERRMSG, "")),
    )


def _mib(size: int) -> str:
    return f"{size / MIB:.0f} MiB" if size >= MIB or not size else "1 MiB"
