"""How often something waits for a line of 25 ms each way: at the start, at a refresh, at a key."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from tests.bench.figure import Figure, bounded, quantile, say
from tests.bench.keys import DOWN, UP
from tests.bench.proxy import CountingProxy
from tests.bench.stage import Stage
from tests.bench.terminal import Ended, Program

EACH_WAY_S = 0.025
TIMES = 5
KEYS = 40
STRIDE = 10
REFRESH = b"\x12"
LIST_ALL_DOMAINS, BULK_STATS = 273, 344
"""The procedures, in libvirt's remote protocol, by which domains are listed and measured."""
QUIET_S, PATIENCE_S = 3.0, 180.0


def measure(stage: Stage) -> Iterator[Figure]:
    """The turns are counted at the start; then it is the time beyond what a near one takes."""
    yield _start(stage)
    home = stage.home / "line"
    (home / "CONFIG" / "tuivirt").mkdir(parents=True)
    # No tick of its own falls into what is measured.
    (home / "CONFIG" / "tuivirt" / "config.toml").write_text("interval = 60.0\n")
    with CountingProxy(stage.home / "line-sock", stage.socket) as proxy:
        uri = stage.uri.partition("socket=")[0] + f"socket={stage.home / 'line-sock'}"
        with Program("tuivirt", "-c", uri, home=str(home)) as program:
            program.wait_for(stage.filled)
            _quiet(program, proxy)
            yield _refresh(stage, program, proxy)
            yield _keys(program, proxy)
        if proxy.problem is not None:
            raise proxy.problem


def _start(stage: Stage) -> Figure:
    say(f"starting {TIMES} times at a near and at a far daemon")
    near: list[float] = []
    far: list[float] = []
    turns = 0
    for number in range(TIMES):
        for delay_s, found in ((0.0, near), (EACH_WAY_S, far)):
            path = stage.home / f"start-{number}-{len(found)}-{delay_s}"
            with CountingProxy(path, stage.socket, delay_s) as proxy:
                uri = stage.uri.partition("socket=")[0] + f"socket={path}"
                with stage.tuivirt(uri) as program:
                    found.append(program.wait_for(stage.filled))
                if proxy.problem is not None:
                    raise proxy.problem
                lists = [call.turn for call in proxy.calls if call.procedure == LIST_ALL_DOMAINS]
                turns = max(turns, lists[-1]) if delay_s else turns
    later = statistics.median(far) - statistics.median(near)
    told = f"{stage.domains} domains; {later * 1000:.0f} ms later than near"
    return bounded("turns of a 50 ms line, start to filled list", turns, "turns", 8, told)


def _quiet(program: Program, proxy: CountingProxy) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while proxy.calls and time.monotonic() - proxy.calls[-1].at < QUIET_S:
        if time.monotonic() > deadline:
            raise Ended("it never leaves the daemon alone")
        program.run(0.5)


def _refresh(stage: Stage, program: Program, proxy: CountingProxy) -> Figure:
    say("reading it all again")
    # What is asked for differs from one to the next.
    near = statistics.median(_refresh_s(program, proxy, 0.0) for _ in range(TIMES))
    far = statistics.median(_refresh_s(program, proxy, EACH_WAY_S) for _ in range(TIMES))
    told = f"{stage.domains} domains, lists and figures; {near:.3f} s near, {far:.3f} s far"
    value = (far - near) / (2 * EACH_WAY_S)
    return bounded("turns of a 50 ms line, full refresh", value, "turns", 3, told)


def _refresh_s(program: Program, proxy: CountingProxy, delay_s: float) -> float:
    """From the first call until the domains' lists and figures are there."""
    proxy.delay_s = delay_s
    proxy.count_anew()
    program.write(REFRESH)
    program.run(2.0)
    _quiet(program, proxy)
    ended = [at for at, call in proxy.answered if call.procedure in (LIST_ALL_DOMAINS, BULK_STATS)]
    if not ended:
        raise Ended("nothing was read again")
    return ended[-1] - proxy.calls[0].at


def _keys(program: Program, proxy: CountingProxy) -> Figure:
    say(f"{KEYS} keys that move")
    program.write(b"N")
    program.write(b"g")
    program.run(2.0)
    _quiet(program, proxy)
    proxy.count_anew()
    found = []
    for number in range(KEYS):
        found.append(program.key(DOWN if number // STRIDE % 2 == 0 else UP) * 1000)
        program.run(0.05)
    program.run(0.5)
    calls = len(proxy.calls)
    told = f"the target; {KEYS} keys, answered within {quantile(found, 0.5):.1f} ms (p50)"
    return Figure("calls for keys that only move", calls, "calls", told, None, "0 calls", not calls)
