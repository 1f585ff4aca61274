"""The figures of a host itself: from libvirt, so that remote hosts have them too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import libvirt

from .errors import is_unsupported
from .model.stats import HISTORY, HostStats


class HostMeter:
    """CPU and memory of one host. Source: virNodeGetCPUStats, virNodeGetMemoryStats.

    ``cpus`` is the number of its CPUs, ``local``: it is this machine, whose load is known here.
    """

    def __init__(self, cpus: int, local: bool) -> None:
        self._cpus = max(1, cpus)
        self._local = local
        self._before: tuple[int, int] | None = None
        self.stats: HostStats | None = None
        self.calls: list[Callable[[Any], None]] = [self._read_cpu, self._read_memory]

    def _read_cpu(self, conn: Any) -> None:
        try:
            times = conn.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS, 0)
        except libvirt.libvirtError as error:
            if not is_unsupported(error):
                raise
            self.calls.remove(self._read_cpu)
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
        try:
            memory = conn.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
        except libvirt.libvirtError as error:
            if not is_unsupported(error):
                raise
            self.calls.remove(self._read_memory)
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
