"""Bytes to the terminal: when nothing much happens, and when every visible row changes."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator

from tests.bench.figure import Figure, bounded, say
from tests.bench.stage import ROWS, TICK_S, Stage
from tests.bench.terminal import Program, bursts

TICKS = 12
BODY_TOP = 4
"""The first line of the table's body, counted from 1: below header, caption and titles."""
_MOVE = re.compile(rb"\x1b\[(\d+);\d+H")


def rows_drawn(data: bytes) -> set[int]:
    """The lines of the table's body that a burst wrote to."""
    lines = {int(line) for line in _MOVE.findall(data)}
    return {line for line in lines if BODY_TOP <= line < BODY_TOP + ROWS}


def measure(stage: Stage) -> Iterator[Figure]:
    """The farm at rest, then the demo's guests, all of them at work."""
    say(f"bytes of {TICKS} quiet ticks")
    with stage.tuivirt() as program:
        program.wait_for(stage.filled)
        program.run(24)
        count = program.run(TICKS * TICK_S)
    told = f"mean of {TICKS} ticks, {stage.domains} idle guests, 160×50"
    yield bounded("bytes per quiet tick", count / TICKS, "B", 1000, told)

    say(f"bytes of {TICKS} busy ticks")
    with Program("tests.bench.busy", str(TICK_S), home=str(stage.home)) as program:
        program.wait_for("Domains 100 of 100")
        program.run(2 * TICK_S)
        before = len(program.arrived)
        program.run(TICKS * TICK_S)
        seen = bursts(program.arrived[before:], TICK_S / 3)
    full = [len(data) for data in seen if len(rows_drawn(data)) == ROWS]
    if len(full) < TICKS - 2:
        drawn = [len(rows_drawn(data)) for data in seen]
        raise RuntimeError(f"rows drawn in each burst: {drawn}, {ROWS} are visible")
    told = f"median of {len(full)} ticks that each drew all {ROWS} visible rows, 160×50"
    yield bounded("bytes per tick, every row changes", statistics.median(full), "B", 10000, told)
