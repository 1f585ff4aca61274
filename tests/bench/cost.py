"""What a tick costs: the daemon's and the client's processor time against a bare loop's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from tests.bench.figure import Figure, compared, say
from tests.bench.process import cpu_s
from tests.bench.stage import TICK_S, Stage

BLOCK = 10
"""Ticks to a block: within so many the sampler has gone round all that is out of view."""
BLOCKS = 3
SETTLE_S = 24.0
"""By then the first XML of each domain has been read, and the sampler knows its costs."""


def _blocks(pids: tuple[int, ...], wait: Callable[[float], object]) -> list[float]:
    """Milliseconds of processor time per tick of each process: the median of the blocks."""
    found: list[list[float]] = []
    due = time.monotonic()
    before = [cpu_s(pid) for pid in pids]
    for _ in range(BLOCKS):
        due += BLOCK * TICK_S
        wait(due - time.monotonic())
        now = [cpu_s(pid) for pid in pids]
        found.append([(b - a) / BLOCK * 1000 for a, b in zip(before, now, strict=True)])
        before = now
    return [statistics.median(values) for values in zip(*found, strict=True)]


def measure(stage: Stage) -> Iterator[Figure]:
    """The bare loop, the backend, and the whole program, one after the other."""
    say(f"bare loop, {BLOCKS} blocks of {BLOCK} ticks")
    with stage.client("bare") as pid:
        time.sleep(3 * TICK_S)
        bare, bare_daemon = _blocks((pid, stage.pid), time.sleep)
    say("the backend without a screen")
    with stage.client("backend") as pid:
        time.sleep(SETTLE_S)
        backend, _ = _blocks((pid, stage.pid), time.sleep)
    say("the whole program")
    with stage.tuivirt() as program:
        program.wait_for(stage.filled)
        program.run(SETTLE_S)
        whole, daemon = _blocks((program.pid, stage.pid), program.run)
    loop = "bare six-group loop"
    yield compared("daemon CPU per tick", daemon, "ms", loop, bare_daemon, 0.5)
    yield compared("client CPU per tick, backend", backend, "ms", loop, bare, 2.0)
    yield compared("client CPU per tick, whole program", whole, "ms", loop, bare, 12.0)
