"""The figures of a host itself: from libvirt, so that remote hosts have them too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import libvirt

from .errors import is_unsupported
from .model.stats import HISTORY, HostStats

CPU_TICKS = 2
MEMORY_TICKS = 4
"""Every so many ticks each is asked for: a host's memory does not change from one to the next."""


class HostMeter:
    """CPU and memory of one host. Source: virNodeGetCPUStats, virNodeGetMemoryStats.

    ``cpus`` is the number of its CPUs, ``local``: it is this machine, whose load is known here.
    ``tick_s`` is the sampler's interval in seconds.
    """

    def __init__(self, cpus: int, local: bool, tick_s: float) -> None:
        self._cpus = max(1, cpus)
        self._local = local
        self._before: tuple[int, int] | None = None
        self.stats: HostStats | None = None
        # Due half a tick early, as a tick may come a little sooner than the one before.
        self._every = {
            self._read_cpu: (CPU_TICKS - 0.5) * tick_s,
            self._read_memory: (MEMORY_TICKS - 0.5) * tick_s,
        }
        self._due = dict.fromkeys(self._every, 0.0)

    def calls(self, now: float) -> list[Callable[[Any], None]]:
        """What is to be asked at monotonic time ``now``, one call of each."""
        return [call for call, due in self._due.items() if due <= now]

    def _read_cpu(self, conn: Any) -> None:
        self._due[self._read_cpu] = time.monotonic() + self._every[self._read_cpu]
        try:
            times = conn.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS, 0)
        except libvirt.libvirtError as error:
            if not is_unsupported(error):
                raise
            del self._due[self._read_cpu]
            return
        idle = times.get("idle", 0) + times.get("iowait", 0)
        total = sum(v for k, v in times.items() if k in ("idle", "iowait", "user", "kernel"))
        before, self._before = self._before, (total, idle)
        percent = None
        if before is not None and total > before[0] and idle >= before[1]:
            percent = 100.0 * (1 - (idle - before[1]) / (total - before[0]))
        elif self.stats is not None and before is not None and total == before[0]:
            percent = self.stats.cpu_percent  # Asked again before the counters moved.
        if percent is not None:
            percent = min(100.0, max(0.0, percent))
        self._set(cpu_percent=percent)

    def _read_memory(self, conn: Any) -> None:
        self._due[self._read_memory] = time.monotonic() + self._every[self._read_memory]
        try:
            memory = conn.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
        except libvirt.libvirtError as error:
            if not is_unsupported(error):
                raise
            del self._due[self._read_memory]
            return
        total = memory.get("total")
        free = sum(memory.get(part, 0) for part in ("free", "buffers", "cached"))
        self._set(
            memory_total_kib=total,
            memory_used_kib=max(0, total - free) if total is not None else None,
        )

    def _set(self, **changes: Any) -> None:
        old = self.stats or HostStats(at=0.0)
        history = old.cpu_history
        if changes.get("cpu_percent") is not None:
            history = (history + bytes((round(changes["cpu_percent"]),)))[-HISTORY:]
        load = os.getloadavg() if self._local else None
        self.stats = HostStats(
            at=time.monotonic(),
            cpu_percent=changes.get("cpu_percent", old.cpu_percent),
            memory_total_kib=changes.get("memory_total_kib", old.memory_total_kib),
            memory_used_kib=changes.get("memory_used_kib", old.memory_used_kib),
            load=load,
            cpu_history=history,
        )
