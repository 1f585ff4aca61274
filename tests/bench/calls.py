"""How many libvirt calls a tick makes, counted between the program and its daemon."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.bench.figure import Figure, bounded, say
from tests.bench.proxy import Call, CountingProxy
from tests.bench.stage import TICK_S, Stage

SETTLE_S = 28.0
TICKS = 15
SLOW_PASS_S = 60.0
"""How often the program reads the lists again; the window lies before the first time."""


def ticks(calls: Sequence[Call]) -> list[int]:
    """Calls parted into ticks: less than half an interval between two of one tick."""
    if not calls:
        return []
    counts = [1]
    for before, after in pairwise(calls):
        if after.at - before.at < TICK_S / 2:
            counts[-1] += 1
        else:
            counts.append(1)
    return counts


def measure(stage: Stage) -> Iterator[Figure]:
    """The busiest tick, whichever part of the program made its calls."""
    say(f"counting calls over {TICKS} ticks")
    path = stage.home / "counting-sock"
    with CountingProxy(path, stage.socket) as proxy:
        uri = stage.uri.partition("socket=")[0] + f"socket={path}"
        with stage.tuivirt(uri) as program:
            program.wait_for(stage.filled)
            program.run(SETTLE_S)
            started = time.monotonic()
            program.run(TICKS * TICK_S)
            calls = [call for call in proxy.calls if call.at >= started]
        if proxy.problem is not None:
            raise proxy.problem
    counts = ticks(calls)
    say(f"calls of each tick: {counts}; of each procedure: {Counter(c.procedure for c in calls)}")
    if len(counts) < TICKS - 2:
        raise RuntimeError(f"{len(counts)} ticks seen in the time of {TICKS}: {counts}")
    told = f"{stage.domains} domains, {len(counts)} ticks, {sum(counts) / len(counts):.2f} a tick"
    yield bounded("libvirt calls in the busiest tick", max(counts), "calls", 3, told)
