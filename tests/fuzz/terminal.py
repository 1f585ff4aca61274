"""``python -m tests.fuzz.terminal --minutes 5``: random input to the embedded terminal.

It runs in processes of their own, so that a crash or a hang of the library underneath is seen, and
told with the seed and the round that cause it. Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from tests.fuzz import sequences
from tests.support.terminal import faults
from tests.support.tmux import ROOT
from tuivirt.backend.terminal.emulator import ANSWERS_MAX, GhosttyEmulator

HANG_S = 60.0
"""A round takes milliseconds; the machine may be busy."""
ROUNDS_PER_CHILD = 500
"""After that a new process begins, so that what leaks does not add up."""
MEMORY_MIB = 600
"""A child has at most two terminals at a time, of 64 MiB of history each."""

_NAMES = ("up", "shift+f5", "ctrl+a", "alt+x", "enter", "backspace", "ctrl+left", "f12", "space")

Operation = tuple[str, tuple[object, ...]]


class Fault(Exception):
    """A frame or an answer that ought not to be."""


def _size(rng: random.Random) -> tuple[int, int]:
    if rng.random() < 0.3:
        return rng.choice((1, 2, 3, 5, 300, 500)), rng.choice((1, 2, 3, 100, 200))
    return rng.randrange(10, 200), rng.randrange(5, 60)


def operations(rng: random.Random) -> list[Operation]:
    """What is done in one round, in its order."""
    made: list[Operation] = []
    for _ in range(rng.choice((3, 10, 30, 80))):
        kind = rng.random()
        if kind < 0.55:
            data = sequences.rubbish(rng) if rng.random() < 0.15 else sequences.mixed(rng)
            while data:
                length = rng.choice((1, 3, 20, len(data), len(data)))
                made.append(("feed", (data[:length],)))
                data = data[length:]
                if len(made) > 2000:
                    break
        elif kind < 0.63:
            made.append(("resize", _size(rng)))
        elif kind < 0.69:
            made.append(("scroll", (rng.choice((-1000000, -100, -5, -1, 1, 5, 100, 1000000)),)))
        elif kind < 0.74:
            made.append(("scroll_to", (rng.choice((None, 0, 1, 20, 5000, 10**9)),)))
        elif kind < 0.79:
            ends = sorted((rng.randrange(400), rng.randrange(520)) for _ in range(2))
            if rng.random() < 0.2:
                ends.reverse()
            made.append(("text", tuple((x, y) for y, x in ends)))
        elif kind < 0.81:
            made.append(("text", ()))
        elif kind < 0.85:
            made.append(("search", (rng.choice(("", "line", "x", "1", "漢", "a b", "\0", "é")),)))
        elif kind < 0.90:
            made.append(("step", (rng.random() < 0.5,)))
        elif kind < 0.92:
            made.append(("found", ()))
        elif kind < 0.94:
            made.append(("key", (rng.choice(_NAMES), None)))
        elif kind < 0.96:
            place = rng.randrange(600), rng.randrange(300), rng.randrange(8)
            how = rng.choice(("press", "release", "motion")), rng.randrange(8)
            made.append(("mouse", (*how, *place)))
        elif kind < 0.97:
            made.append(("paste", (sequences.letters(rng).decode(),)))
        elif kind < 0.98:
            made.append(("reset", ()))
        elif kind < 0.99:
            made.append(("refresh", ()))
        made.append(("frame", ()))
    return made


def perform(emulator: GhosttyEmulator, made: Sequence[Operation]) -> None:
    """Do it, and look at what comes of it."""
    for name, arguments in made:
        result = getattr(emulator, name)(*arguments)
        if name == "frame" and (wrong := faults(result)):
            raise Fault(f"a frame: {wrong[:5]}")
        if name == "feed" and len(result) > ANSWERS_MAX:
            raise Fault(f"{len(result)} bytes of answers")


def play(seed: int, number: int) -> None:
    """One round; every fifth with a second thread that looks on."""
    rng = random.Random(f"{seed}.{number}")
    columns, lines = _size(rng)
    kept = rng.choice((0, 10, 1000, 10_000)), rng.choice((0, 1 << 16, 1 << 20, 64 << 20))
    emulator = GhosttyEmulator(columns, lines, scrollback_lines=kept[0], scrollback_bytes=kept[1])
    made = operations(rng)
    if number % 5:
        perform(emulator, made)
    else:
        _play_watched(emulator, made)
    emulator.close()


def _play_watched(emulator: GhosttyEmulator, made: Sequence[Operation]) -> None:
    over = threading.Event()
    wrong: list[BaseException] = []

    def look() -> None:
        look_on: list[Operation] = [
            ("frame", ()), ("found", ()), ("text", ((0, 0), (9, 9))), ("step", (True,)),
        ]  # fmt: skip
        try:
            while not over.is_set():
                perform(emulator, look_on)
        except BaseException as problem:
            wrong.append(problem)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        perform(emulator, made)
    finally:
        over.set()
        looker.join()
    if wrong:
        raise wrong[0]


def child(seed: int, first: int, count: int) -> None:
    """Rounds one after the other, each told before it begins."""
    import psutil

    faulthandler.enable()
    me = psutil.Process()
    for number in range(first, first + count):
        print(number, flush=True)
        play(seed, number)
        used = me.memory_info().rss >> 20
        if used > MEMORY_MIB:
            raise Fault(f"{used} MiB of memory")
    print("done", flush=True)


def run_child(seed: int, first: int, count: int, until: float) -> tuple[int, str]:
    """The last round that began, and what went wrong in it ("" for nothing)."""
    argv = [sys.executable, "-m", "tests.fuzz.terminal", "--seed", str(seed)]
    argv += ["--child", str(first), str(count)]
    last = first
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            while True:
                if not select.select([process.stdout], [], [], HANG_S)[0]:
                    return last, f"no end after {HANG_S:g} s"
                line = process.stdout.readline().strip()
                if line == "done":
                    return last, ""
                if not line:
                    return last, f"ended with {process.wait()}"
                last = int(line)
                if time.monotonic() > until:
                    return last, ""
        finally:
            process.kill()


def main(argv: Sequence[str] | None = None) -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.terminal", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, help="which rounds; a new one each time")
    parser.add_argument("--round", type=int, help="only that one, in this process")
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 32)
    if given.child:
        child(seed, *given.child)
        return 0
    if given.round is not None:
        play(seed, given.round)
        return 0
    until = time.monotonic() + given.minutes * 60
    number, found = 0, 0
    while time.monotonic() < until:
        last, wrong = run_child(seed, number, ROUNDS_PER_CHILD, until)
        if wrong:
            found += 1
            print(f"--seed {seed} --round {last}: {wrong}", flush=True)
        number = last + 1
    print(f"seed {seed}: {number} rounds, {found} found", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
