"""A fleet of simulated hosts: what the list costs as it grows from 100 to 10,000 domains.

The hosts are the demo's and live in the program itself, so its processor time has theirs in it.
Their memory is measured by itself: ``python -m tests.bench.fleet HOSTS`` opens the same hosts, asks
for the same figures and does no more.
"""

from __future__ import annotations

import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.bench.figure import Figure, bounded, quantile, say
from tests.bench.process import cpu_s, memory_kib
from tests.bench.terminal import PYTHON, Program
from tests.support.tmux import ROOT

EACH = 200
"""Domains of a host."""
SIZES = (1, 5, 50)
"""Hosts; the first with half of the domains."""
SETTLE_S = 15.0
SETTLE_MOST_S = 330.0
"""The configurations of 10,000 domains are read in this time, on a slow processor too."""
TURNS = 5_000_000
"""Of a loop that tells how quick the machine is now: figures in ms and % mean little without."""
WATCH_S = 30.0
TICK_S = 2.0
KEYS = 300
UP, DOWN, PAGE_DOWN = b"\x1b[A", b"\x1b[B", b"\x1b[6~"
STRIDE = 10
"""Keys in one direction; then the cursor is taken away from the list's ends again."""
PAGE = 40
"""Rows that PAGE_DOWN goes, about."""
PAGES_MOST = 5
TIMES = 5


def _uris(hosts: int, each: int) -> list[str]:
    return [f"demo:///h{n:02d}?domains={each}&seed={n + 1}&life=0" for n in range(hosts)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured of one fleet."""

    filled_s: float
    loop_s: float
    """Processor time of a loop of TURNS, right before."""
    reading_share: float
    """As ``cpu_share``, right after the list was filled, while configurations are read."""
    cpu_share: float
    """Of one core, the simulation's part included."""
    bytes_per_tick: float
    middle_ms: float
    late_ms: float
    kib_per_domain: float
    """Resident memory beyond what the simulated hosts alone take."""


def _floor_kib(hosts: int, each: int) -> int:
    argv = [*PYTHON, "tests.bench.fleet", *_uris(hosts, each)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the simulated hosts alone did not start")
        kib = memory_kib(process.pid, "Rss")
        process.communicate("")
    return kib


def _loop_s() -> float:
    began = time.process_time()
    for _ in range(TURNS):
        pass
    return time.process_time() - began


def _share(program: Program, seconds: float) -> tuple[float, float]:
    """The part of a core that it takes in this time, and the bytes it writes in a tick."""
    began, used = time.monotonic(), cpu_s(program.pid)
    count = program.run(seconds)
    took = time.monotonic() - began
    return (cpu_s(program.pid) - used) / took, count / took * TICK_S


def _watch(hosts: int, each: int) -> Seen:
    total = hosts * each
    loop_s = _loop_s()
    say(f"{total} domains on {hosts} simulated hosts; a loop of {TURNS} turns: {loop_s:.2f} s")
    floor = _floor_kib(hosts, each)
    arguments = [word for uri in _uris(hosts, each) for word in ("-c", uri)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as home,
        Program("tuivirt", *arguments, home=home) as program,
    ):
        filled = program.wait_for(f"of {total}", timeout=300)
        program.run(SETTLE_S)
        reading, _ = _share(program, WATCH_S)
        program.run(max(0.0, SETTLE_MOST_S * hosts / SIZES[-1] - WATCH_S))
        share, bytes_per_tick = _share(program, WATCH_S)
        pauses = random.Random(1)
        keys = []
        for number in range(KEYS):
            if number % STRIDE == 0:
                _into_the_middle(program, total)
            program.run(pauses.uniform(0.01, 0.2))
            keys.append(program.key(DOWN if number // STRIDE % 2 == 0 else UP) * 1000)
        kib = (memory_kib(program.pid, "Rss") - floor) / total
    middle, late = quantile(keys, 0.5), quantile(keys, 0.99)
    return Seen(filled, loop_s, reading, share, bytes_per_tick, middle, late, kib)


def _into_the_middle(program: Program, total: int) -> None:
    """Away from the ends, where a key moves nothing and has no answer.

    The cursor follows its domain, which by CPU may go to either end by itself.
    """
    program.write(b"g")
    for _ in range(min(total // 2 // PAGE, PAGES_MOST)):
        program.write(PAGE_DOWN)
        program.run(0.02)
    program.run(0.2)


def measure() -> Iterator[Figure]:
    """Three sizes, the last against its targets and each against the one before."""
    before: Seen | None = None
    for hosts in SIZES:
        each = EACH // 2 if hosts == 1 else EACH
        seen = _watch(hosts, each)
        what = f"{hosts * each} domains on {hosts} hosts"
        yield Figure(
            f"{what}: start to filled list", round(seen.filled_s, 2), "s", "", None, "", True
        )
        told = f"the target; a loop of {TURNS} turns took {seen.loop_s:.2f} s right before"
        yield bounded(f"{what}: key to repaint, p50", seen.middle_ms, "ms", 16, told)
        yield bounded(f"{what}: key to repaint, p99", seen.late_ms, "ms", 50, told)
        told = f"{told}; the simulation is in it"
        yield bounded(f"{what}: CPU of one core", seen.cpu_share * 100, "%", 50, told)
        early = f"{what}: CPU of one core while configurations are read"
        yield bounded(early, seen.reading_share * 100, "%", 50, told)
        peer = f"the smaller fleet: {before.bytes_per_tick:.0f} B" if before else ""
        ratio = round(seen.bytes_per_tick / before.bytes_per_tick, 2) if before else None
        name = f"{what}: to the terminal in a tick"
        yield Figure(name, round(seen.bytes_per_tick), "B", peer, ratio, "", True)
        before = seen
    told = "the target; beyond the simulated hosts alone"
    yield bounded(f"{what}: memory of each", seen.kib_per_domain, "KiB", 20, told)
    yield from _rows()


def _rows() -> Iterator[Figure]:
    """What the list does with 10,000 rows, without drawing them.

    The collector rests, as it does in the program where so many domains are watched: see
    tuivirt/lean.py. What it takes there is in the figures of a key.
    """
    from tuivirt.backend.model.domain import Domain, DomainState
    from tuivirt.backend.model.host import HostSnapshot, Link
    from tuivirt.backend.model.stats import DomainStats
    from tuivirt.screens.domain_columns import NARROW, HostRows, Row
    from tuivirt.widgets.rows import Rows

    chance = random.Random(1)

    def stats() -> DomainStats:
        return DomainStats(at=1.0, cpu_percent=chance.random() * 100)

    hosts = []
    for number in range(SIZES[-1]):
        name = f"h{number:02d}"
        domains = {
            f"{name}-{n}": Domain(name, f"{name}-{n}", f"web-{n}", n, DomainState.RUNNING)
            for n in range(EACH)
        }
        figures = {uuid: stats() for uuid in domains}
        hosts.append(
            HostSnapshot(
                name, "demo:///", Link.CONNECTED, domains=domains, domain_stats=figures, filled=True
            )
        )
    made = {host.name: HostRows(host) for host in hosts}
    rows: Rows[Row] = Rows(NARROW, "cpu", lambda row: f"{row.domain.name} @{row.domain.host}")

    def show() -> None:
        for host in hosts:
            made[host.name].show(host, 1.0)
        rows.replace_sections(dict(made.items()))

    def timed(what: str, *steps: object) -> Figure:
        found = []
        for step in steps:
            assert callable(step)
            began = time.perf_counter()
            step()
            found.append((time.perf_counter() - began) * 1000)
        return bounded(f"{len(rows.all)} rows: {what}", max(found), "ms", 50)

    show()
    gc.collect()
    gc.disable()
    filters = ("web-1.*5", "!web", "@h07", "#none", "") * TIMES
    yield timed("a filter", *(lambda text=text: rows.set_filter(text) for text in filters))
    columns = ("name", "state", "memory", "cpu") * TIMES
    yield timed("another order", *(lambda id=id: rows.sort_by(id) for id in columns))
    for part in (0.3, 1.0):
        hosts = [
            replace(
                host,
                domain_stats={
                    uuid: stats() if chance.random() < part else old
                    for uuid, old in host.domain_stats.items()
                },
            )
            for host in hosts
        ]
        yield timed(f"{part:.0%} of them with new figures", show)
    gc.enable()


def floor(*uris: str) -> None:
    """The simulated hosts without anybody who looks at them."""
    import libvirt

    from tests.bench.client import SIX_GROUPS
    from tuivirt.backend import eventloop
    from tuivirt.backend.connection import open_connection
    from tuivirt.demo import register

    eventloop.start()
    register()
    connections = [open_connection(uri, False, lambda *_asked: -1) for uri in uris]
    domains = [conn.listAllDomains(0) for conn in connections]
    for _ in range(2):
        for conn, there in zip(connections, domains, strict=True):
            conn.domainListGetStats(
                there, SIX_GROUPS, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            )
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    floor(*sys.argv[1:])
