"""How soon a key is answered: at rest, beside Textual's own table, and while libvirtd hangs."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator

from tests.bench.figure import Figure, bounded, compared, quantile, say
from tests.bench.minimal import READY
from tests.bench.stage import Stage
from tests.bench.terminal import Ended, Program

KEYS = 300
UP, DOWN = b"\x1b[A", b"\x1b[B"
STRIDE = 20
"""Lines that the cursor goes down before it goes up again; in the end a few scroll the table."""
PAUSE_S = (0.01, 0.09)
"""Between two keys, drawn anew each time so that no tick is in step with them."""


def _open(stage: Stage, program: Program) -> None:
    """The list by name, at its top: the cursor follows its domain, which by CPU may go to either
    end of the list by itself, where half of the keys have no answer."""
    program.wait_for(stage.filled)
    program.run(4)
    program.write(b"N")
    program.run(0.5)
    program.write(b"g")
    program.run(2)


def _latencies(program: Program, count: int, pauses: random.Random) -> list[float]:
    """Milliseconds from key to first byte."""
    found = []
    for number in range(count):
        program.run(pauses.uniform(*PAUSE_S))
        found.append(program.key(DOWN if number // STRIDE % 2 == 0 else UP) * 1000)
    return found


def measure(stage: Stage) -> Iterator[Figure]:
    """The same keys at the same pauses for both."""
    say(f"{KEYS} keys to Textual's table and to the list of domains")
    table: list[float] = []
    ours: list[float] = []
    with stage.minimal("table") as least, stage.tuivirt() as program:
        least.wait_for(READY)
        _open(stage, program)
        for part in range(6):
            for one, found in ((least, table), (program, ours)):
                # Nothing that lay waiting while the other was asked is taken for an answer.
                one.settle()
                found += _latencies(one, KEYS // 6, random.Random(part))
    middle, late = quantile(ours, 0.5), quantile(ours, 0.99)
    peer = "Textual's DataTable of 101 rows, p50"
    yield compared("key to first byte, p50", middle, "ms", peer, quantile(table, 0.5), 2.0)
    yield bounded("key to first byte, p50", middle, "ms", 10)
    told = f"the target; DataTable: {quantile(table, 0.99):.1f} ms"
    yield bounded("key to first byte, p99", late, "ms", 30, told)


def measure_stopped(stage: Stage) -> Iterator[Figure]:
    """The daemon is stopped, the keys go on, the host is marked, and it all comes back."""
    say("keys while libvirtd is stopped")
    with stage.tuivirt() as program:
        _open(stage, program)
        seen = len(program.arrived)
        os.kill(stage.pid, signal.SIGSTOP)
        try:
            found = _latencies(program, KEYS, random.Random(7))
            program.wait_for("stalled")
        finally:
            os.kill(stage.pid, signal.SIGCONT)
        if not any(b"stalled" in data for _, data in program.arrived[seen:]):
            raise Ended("the host was not marked as stalled")
        stopped = len(program.arrived)
        program.run(8)
        back = b"".join(data for _, data in program.arrived[stopped:])
        if b"\xe2\x86\xbb" not in back:
            raise Ended("the host was not found again after SIGCONT")
    told = f"the target; p50 {quantile(found, 0.5):.1f} ms, {KEYS} keys, libvirtd stopped"
    yield bounded(
        "key to first byte, libvirtd stopped, p99", quantile(found, 0.99), "ms", 100, told
    )
