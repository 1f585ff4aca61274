"""The demo host's own CPU and memory figures: its guests' and a little of its own."""

from __future__ import annotations

from .load import Wave

_OWN = Wave(0.15, ((0.1, 71.0), (0.15, 517.0)), ((0.8, 240.0, 0.05),))
"""CPUs that the host itself keeps busy."""
_NS = 1_000_000_000


class HostFigures:
    """Not locked: the counters it returns never go backwards, whatever stops or starts."""

    def __init__(self, cpus: int, memory_kib: int) -> None:
        self.cpus = cpus
        self._memory_kib = memory_kib
        self._retired = 0.0
        self._start: float | None = None
        self._first = 0.0
        self._last = (0, 0, 0, 0)

    def retire(self, cpu_seconds: float) -> None:
        """Keep what a guest used that has stopped."""
        self._retired += cpu_seconds

    def cpu(self, number: int, guests: float, now: float) -> dict[str, int]:
        """Nanoseconds as virNodeGetCPUStats gives them; ``number`` -1 is the sum of all CPUs."""
        used = guests + self._retired
        if self._start is None:
            self._start, self._first = now, used
        up = now - self._start
        busy = min((used - self._first) + _OWN.total(up), 0.98 * self.cpus * up)
        wait = 0.01 * up
        day = 86400.0 * self.cpus  # As if it had been up for a day.
        figures = (
            int((day * 0.2 + busy * 0.78) * _NS),
            int((day * 0.05 + busy * 0.22) * _NS),
            int((day * 0.74 + self.cpus * up - busy - wait) * _NS),
            int((day * 0.01 + wait) * _NS),
        )
        user, kernel, idle, iowait = map(max, figures, self._last)
        self._last = (user, kernel, idle, iowait)
        share = 1 if number < 0 else self.cpus
        return {
            "user": user // share,
            "kernel": kernel // share,
            "idle": idle // share,
            "iowait": iowait // share,
        }

    def memory(self, guests_kib: int, now: float) -> dict[str, int]:
        """KiB as virNodeGetMemoryStats gives them."""
        total = self._memory_kib
        cached = int(total * (0.06 + 0.01 * _OWN.rate(now)))
        buffers = total // 200
        free = max(total // 100, total - guests_kib - cached - buffers - 3 * 1024 * 1024)
        return {"total": total, "free": free, "buffers": buffers, "cached": cached}
