"""``python -m tests.bench``: each figure one line of JSON; progress on standard error.

About half an hour, of which one starts the farm. Ends with 1 when a target was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.bench import (
    calls,
    console,
    cost,
    devices,
    emulator,
    fleet,
    images,
    keys,
    line,
    memory,
    output,
    peer,
    start,
    volumes,
)
from tests.bench.figure import Figure, say
from tests.bench.stage import Stage, stage

FAMILIES: Mapping[str, Callable[[Stage], Iterator[Figure]]] = {
    "start": start.measure,
    "memory": memory.measure,
    "keys": keys.measure,
    "output": output.measure,
    "devices": devices.measure,
    "calls": calls.measure,
    "line": line.measure,
    "cost": cost.measure,
    "stopped": keys.measure_stopped,
    "console": console.measure,
    "peer": peer.measure,
}
ALONE: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "terminal": emulator.measure,
    "fleet": fleet.measure,
    "images": images.measure,
    "volumes": volumes.measure,
}
"""Those that need no farm."""
EVERY = [*ALONE, *FAMILIES]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit status."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=EVERY, default=EVERY)
    parser.add_argument("--domains", type=int, default=100, help="how many QEMU guests")
    parser.add_argument("--uri", default="", help="a farm that runs already (with --pid)")
    parser.add_argument("--pid", type=int, default=0, help="the process of its daemon")
    parser.add_argument(
        "--soak",
        nargs="?",
        type=float,
        const=30.0,
        metavar="MINUTES",
        help="see soak.py",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of --soak")
    given = parser.parse_args(argv)
    if bool(given.uri) != bool(given.pid):
        parser.error("--uri and --pid go together")
    runs = [(name, ALONE[name]) for name in given.only if name in ALONE]
    farmed = [name for name in given.only if name in FAMILIES]
    if given.soak is not None:
        runs, farmed = [("soak", functools.partial(_soak, given.soak, given.seed))], []
    met = True
    with contextlib.ExitStack() as stack:
        if farmed:
            here = stack.enter_context(stage(given.domains, given.uri, given.pid))
            runs += [(name, functools.partial(FAMILIES[name], here)) for name in farmed]
        for name, run in runs:
            say(f"{name} (load {os.getloadavg()[0]:.2f})")
            for figure in run():
                print(figure.line(), flush=True)
                met &= figure.met
    return 0 if met else 1


def _soak(minutes: float, seed: int) -> Iterator[Figure]:
    from tests.bench import soak  # It takes the tests' own operator along.

    return soak.measure(minutes, seed)


if __name__ == "__main__":
    sys.exit(main())
