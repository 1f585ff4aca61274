"""Bytes to the terminal: when nothing much happens, and when every visible row changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.bench.figure import Figure, bounded, compared, say
from tests.bench.stage import ROWS, TICK_S, Stage
from tests.bench.terminal import Program, bursts

TICKS = 16
SETTLE_S = 12.0
BUSY = "demo:///big?domains=100&seed=3&life=0"
"""A hundred guests, most of them at work, so that the rows are sorted anew with most ticks."""
FULL_AT_LEAST = 3
SLOW_AT_MOST = 0.75
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
        program.run(SETTLE_S)
        count = program.run(TICKS * TICK_S)
    told = f"mean of {TICKS} ticks, {stage.domains} idle guests, 160×50"
    yield bounded("bytes per quiet tick", count / TICKS, "B", 1000, told)

    seen = _busy_ticks(stage)
    drawn = [(len(data), len(rows_drawn(data))) for data in seen]
    say(f"(bytes, rows drawn) of each tick: {drawn}")
    whole = sum(rows == ROWS for _, rows in drawn)
    if whole < FULL_AT_LEAST:
        raise RuntimeError(f"{whole} ticks drew all of the {ROWS} visible rows")
    told = f"the worst of {len(drawn)} ticks, {whole} of which drew all {ROWS} visible rows, 160×50"
    worst = max(count for count, _ in drawn)
    yield bounded("bytes per tick, every row changes", worst, "B", 10000, told)

    slowly, normally = (
        sum(map(len, each)) / TICKS for each in (_busy_ticks(stage, "--slow"), seen)
    )
    name = "bytes per tick in slow mode, the same guests"
    yield compared(name, slowly, "B", "the normal mode", normally, SLOW_AT_MOST)


def _busy_ticks(stage: Stage, *options: str) -> list[bytes]:
    """What each tick of guests at work wrote."""
    say(f"bytes of {TICKS} busy ticks {' '.join(options)}")
    with Program("tuivirt", "-c", BUSY, *options, home=str(stage.home)) as program:
        program.wait_for("Domains 100 of 100")
        program.run(SETTLE_S)
        before = len(program.arrived)
        program.run(TICKS * TICK_S)
        return bursts(program.arrived[before:], TICK_S / 3)
