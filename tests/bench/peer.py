"""Beside virtui-manager, the one full peer: the same hundred guests, the same terminal.

It is installed from PyPI into a virtual environment of the bench's own; what that needs to be built
(libcairo2-dev, libgirepository1.0-dev, gir1.2-libosinfo-1.0) is the machine's to have.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import Figure, compared, quantile, say
from tests.bench.keys import DOWN, PAUSE_S, STRIDE, UP
from tests.bench.process import cpu_s, memory_kib
from tests.bench.proxy import CountingProxy
from tests.bench.stage import ROWS, Stage
from tests.bench.terminal import COLUMNS, LINES, Program
from tuivirt.backend.terminal.emulator import GhosttyEmulator

VERSION = "3.3.3"
PACKAGES = (f"virtui-manager=={VERSION}", "pygobject<3.51")
EACH_WAY_S = 0.025
TIMES = 5
STEADY_S, LONGEST_S = 6.0, 60.0
SETTLE_S, WATCH_S = 15.0, 40.0
KEYS = 120
CARDS = 12
"""Guests that it shows at 160×50."""
CLEAR = 8
"""Those of them that none of its first notices covers; the others are not waited for."""
_CARD = re.compile(r"\d VCPU")
_ROW = re.compile(r"^\W*run\b\s+\S+\s+\d+ ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two programs."""

    start: Callable[[str], Program]
    """Given the daemon's URI."""
    figures: re.Pattern[str]
    """Found once on the screen for each guest whose figures are there."""
    enough: int
    """So many of them make a filled list."""
    shown: int
    """Guests in view."""
    keys: tuple[bytes, bytes]
    """Move to the next guest, or to the next thing, and back."""
    first: bytes = b""
    """Typed before."""


def _installed() -> Path:
    """Its program. Raises RuntimeError with what pip said."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(base) / "tuivirt-bench" / f"virtui-manager-{VERSION}"
    program = folder / "bin" / "virtui-manager"
    if not program.exists():
        say(f"installing virtui-manager {VERSION}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *PACKAGES]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"virtui-manager cannot be installed: {done.stderr[-2000:]}")
    return program


def _theirs(stage: Stage) -> Side:
    program = _installed()

    def start(uri: str) -> Program:
        home = stage.home / f"virtui-{time.monotonic_ns()}"
        folder = home / ".config" / "virtui-manager"
        folder.mkdir(parents=True)
        server = f"servers:\n- name: farm\n  uri: '{uri}'\n  autoconnect: true\n"
        (folder / "config.yaml").write_text(server)
        return Program(str(program), home=str(home), python=False)

    return Side(start, _CARD, CLEAR, CARDS, (b"\t", b"\x1b[Z"))


def _ours(stage: Stage) -> Side:
    return Side(stage.tuivirt, _ROW, ROWS, ROWS, (DOWN, UP), b"Ng")


def _filled_s(side: Side, uri: str) -> float:
    """From the start until the figures of enough guests are on the screen."""
    screen = GhosttyEmulator(COLUMNS, LINES, scrollback_lines=0)
    with side.start(uri) as program:
        deadline = program.started + LONGEST_S
        while time.monotonic() < deadline:
            data = program.pump(0.2)
            if not data:
                continue
            screen.feed(data)
            if len(side.figures.findall(screen.text())) >= side.enough:
                return program.arrived[-1][0] - program.started
        text = screen.text()
    raise RuntimeError(f"no figures of {side.enough} guests in {LONGEST_S:g} s:\n{text}")


def _alternately(stage: Stage, sides: tuple[Side, Side], delay_s: float) -> tuple[float, float]:
    found: tuple[list[float], list[float]] = ([], [])
    path = stage.home / f"peer-{delay_s}"
    with CountingProxy(path, stage.socket, delay_s) as proxy:
        uri = stage.uri.partition("socket=")[0] + f"socket={path}"
        for _ in range(TIMES):
            for side, times in zip(sides, found, strict=True):
                times.append(_filled_s(side, uri))
        if proxy.problem is not None:
            raise proxy.problem
    return statistics.median(found[0]), statistics.median(found[1])


@dataclass(frozen=True, slots=True)
class AtRest:
    """What watching costs, by itself and for each guest in view."""

    calls: float
    """A second, for each guest in view."""
    cpu: float
    """Part of one core, for each guest in view."""
    bytes_per_s: float
    rss_mib: float
    key_ms: float


def _at_rest(stage: Stage, side: Side, number: int) -> AtRest:
    path = stage.home / f"rest-{number}"
    with CountingProxy(path, stage.socket) as proxy:
        uri = stage.uri.partition("socket=")[0] + f"socket={path}"
        with side.start(uri) as program:
            program.run(SETTLE_S)
            began, used, calls = time.monotonic(), cpu_s(program.pid), len(proxy.calls)
            sent = program.run(WATCH_S)
            took = time.monotonic() - began
            share = (cpu_s(program.pid) - used) / took
            calls = len(proxy.calls) - calls
            rss = memory_kib(program.pid, "Rss") / 1024
            for key in side.first.decode():
                program.write(key.encode())
                program.run(1)
            pauses, keys = random.Random(3), []
            for number in range(KEYS):
                program.run(pauses.uniform(*PAUSE_S))
                keys.append(program.key(side.keys[number // STRIDE % 2]) * 1000)
        if proxy.problem is not None:
            raise proxy.problem
    shown = side.shown
    return AtRest(calls / took / shown, share / shown, sent / took, rss, quantile(keys, 0.5))


def measure(stage: Stage) -> Iterator[Figure]:
    """Ours to theirs; what each shows at a time is told with the figures."""
    theirs, ours = _theirs(stage), _ours(stage)
    peer = f"virtui-manager {VERSION}"
    for line, delay_s, most in (("near", 0.0, 0.3), ("over a line of 50 ms", EACH_WAY_S, 0.2)):
        say(f"starting both {TIMES} times, {line}")
        least, mine = _alternately(stage, (theirs, ours), delay_s)
        told = f"{peer}, {CLEAR} of its {CARDS} cards (ours: {ROWS} rows)"
        yield compared(f"time to filled list with figures, {line}", mine, "s", told, least, most)
    say(f"watching each for {WATCH_S:g} s")
    they, we = _at_rest(stage, theirs, 1), _at_rest(stage, ours, 2)
    shown = f"{peer}, which shows {CARDS} (ours: {ROWS})"
    yield compared("calls for each guest shown", we.calls, "/s", shown, they.calls, 0.1)
    cpu = "CPU of one core for each guest shown"
    yield compared(cpu, we.cpu * 100, "%", shown, they.cpu * 100, 0.2)
    yield compared("to the terminal at rest", we.bytes_per_s, "B/s", peer, they.bytes_per_s, 0.2)
    yield compared("key to first byte, p50", we.key_ms, "ms", peer, they.key_ms, 0.2)
    yield compared("resident memory", we.rss_mib, "MiB", peer, they.rss_mib, 0.7)
