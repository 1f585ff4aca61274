"""Resident memory with the list open, against a minimal Textual app's."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure, compared, say
from tests.bench.minimal import READY
from tests.bench.process import memory_kib
from tests.bench.stage import Stage

AFTER_S = 20.0


def measure(stage: Stage) -> Iterator[Figure]:
    """Both after the same time."""
    say("resident memory")
    with stage.minimal("static") as least, stage.tuivirt() as program:
        least.wait_for(READY)
        program.wait_for(stage.filled)
        program.run(AFTER_S)
        for measure in ("Rss", "Pss"):
            ours, floor = (memory_kib(one.pid, measure) / 1024 for one in (program, least))
            name = f"resident memory, {measure.upper()}"
            yield compared(name, ours, "MiB", "minimal Textual app", floor, 1.6)
