"""From the start of the process to the filled list, against the least that Textual can do."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.figure import Figure, compared, say
from tests.bench.minimal import READY
from tests.bench.stage import Stage

TIMES = 11


def measure(stage: Stage) -> Iterator[Figure]:
    """Alternately, so that whatever else the machine does meets both."""
    say(f"starting both {TIMES} times")
    ours: list[float] = []
    floor: list[float] = []
    for number in range(TIMES + 1):
        with stage.minimal("static") as program:
            least = program.wait_for(READY)
        with stage.tuivirt() as program:
            filled = program.wait_for(stage.filled, "farm-")
        if number:  # The first pair only warms the page cache.
            floor.append(least * 1000)
            ours.append(filled * 1000)
    yield compared(
        "start to the filled list",
        statistics.median(ours),
        "ms",
        "minimal Textual app, first paint",
        statistics.median(floor),
        2.0,
    )
