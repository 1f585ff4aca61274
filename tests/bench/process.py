"""What a process has used so far: processor time to the nanosecond, resident memory."""

from __future__ import annotations

import time
from pathlib import Path

_SCHEDULER = 2


def cpu_s(pid: int) -> float:
    """Seconds of processor time of all its threads, those that ended too.

    Source: the kernel's CPU clock of that process (clock_getcpuclockid(3)); /proc/PID/stat
    counts in hundredths.
    """
    return time.clock_gettime((~pid << 3) | _SCHEDULER)


def memory_kib(pid: int, measure: str) -> int:
    """Resident memory: ``Rss`` counts each shared page whole, ``Pss`` divides it by those who
    share it (so compare processes that live at the same time).

    Source: /proc/PID/smaps_rollup.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split(f"\n{measure}:", 1)[1].split()[0])
