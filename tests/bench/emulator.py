"""The emulator of the embedded console by itself: parsing, memory of a full history, a frame.

The parsing is held against the library alone, fed the same bytes at once: what is more is what
this program does around it. ``python -m tests.bench.emulator`` is the process that is measured
for its memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from tests.bench.figure import Figure, bounded, compared, say
from tests.bench.process import memory_kib
from tests.support.tmux import ROOT

CHUNK = 16384
"""As much as a stream gives at a time."""
TIMES = 7
LINES = 10_000
COLUMNS = 80


def boot_log() -> bytes:
    """What a kernel says."""
    text = "[{:5d}.{:06d}] usb 1-1: new high-speed USB device number {} using xhci_hcd\r\n"
    return "".join(text.format(n // 9, n * 7919 % 10**6, n % 100) for n in range(14_000)).encode()


def colours() -> bytes:
    """A shell with colours of all three kinds."""
    text = (
        "\x1b[1;32muser@host\x1b[0m:\x1b[1;34m~/src\x1b[0m$ \x1b[38;5;{0}m-rw-r--r--\x1b[0m"
        " \x1b[48;2;{0};20;40mfile{1}\x1b[0m\r\n"
    )
    return "".join(text.format(n % 256, n) for n in range(11_000)).encode()


def redraws() -> bytes:
    """A full-screen program that draws all of its rows again and again."""
    row = (
        "\x1b[{0};1H\x1b[K{1:5d} root      20   0  {2:6d} R \x1b[1m{3:4d}\x1b[m kworker"
        " \x1b[7mx\x1b[m"
    )
    return "".join(
        "\x1b[?25l\x1b[H"
        + "".join(row.format(y, n * y, n * 7 + y, n % 100) for y in range(1, 25))
        + "\x1b[?25h"
        for n in range(600)
    ).encode()


OUTPUTS: Mapping[str, Callable[[], bytes]] = {
    "a boot log": boot_log,
    "a shell with colours": colours,
    "full-screen redraws": redraws,
}


def _best(run: Callable[..., float], *arguments: object) -> float:
    return min(run(*arguments) for _ in range(TIMES))


def _ours(data: bytes) -> float:
    """Seconds."""
    from tuivirt.backend.terminal.emulator import GhosttyEmulator

    emulator = GhosttyEmulator(COLUMNS, 24)
    began = time.perf_counter()
    for at in range(0, len(data), CHUNK):
        emulator.feed(data[at : at + CHUNK])
    took = time.perf_counter() - began
    emulator.close()
    return took


def _bare(data: bytes) -> float:
    """Seconds of the library alone, with as much history."""
    from tuivirt.backend.terminal.emulator import SCROLLBACK_BYTES, SCROLLBACK_LINES
    from tuivirt.backend.terminal.native import TerminalHandle, ffi, lib

    terminal = TerminalHandle(COLUMNS, 24)
    terminal.set("SCROLLBACK_MAX_LINES", ffi.new("size_t *", SCROLLBACK_LINES))
    terminal.set("SCROLLBACK_MAX_BYTES", ffi.new("size_t *", SCROLLBACK_BYTES))
    began = time.perf_counter()
    lib.ghostty_terminal_vt_write(terminal.raw, data, len(data))
    took = time.perf_counter() - began
    terminal.free()
    return took


def _frame(columns: int, lines: int) -> float:
    """Seconds for all rows, with a colour in every word."""
    from tuivirt.backend.terminal.emulator import GhosttyEmulator

    emulator = GhosttyEmulator(columns, lines)
    for y in range(lines):
        words = "".join(f"\x1b[3{(y + n) % 8}mword{n} \x1b[m" for n in range(columns // 8))
        emulator.feed(f"\x1b[{y + 1};1H{words}".encode())
    emulator.frame()
    emulator.refresh()
    began = time.perf_counter()
    emulator.frame()
    took = time.perf_counter() - began
    emulator.close()
    return took


def _line(number: int) -> bytes:
    return f"{number:6d} ordinary text that fills".ljust(COLUMNS, "x").encode()


def remember() -> None:
    """Print how many KiB more this process has with a full history than with an empty one."""
    from tuivirt.backend.terminal.emulator import GhosttyEmulator

    emulator = GhosttyEmulator(COLUMNS, 24)
    emulator.feed(b"x" * CHUNK)
    emulator.frame()
    before = memory_kib(os.getpid(), "Rss")
    for number in range(LINES + 24):
        emulator.feed(_line(number))
    kept = emulator.frame().scroll.total
    print(memory_kib(os.getpid(), "Rss") - before, kept)


def measure() -> Iterator[Figure]:
    """No guest is needed for it."""
    say("the emulator by itself")
    for what, make in OUTPUTS.items():
        data = make()
        megabytes = len(data) / 1e6
        ours, bare = _best(_ours, data), _best(_bare, data)
        say(f"{what}: {megabytes / ours:.0f} MB/s, the library alone {megabytes / bare:.0f}")
        name = f"emulator: {what}, a megabyte"
        peer = "the library alone"
        yield compared(name, ours / megabytes * 1e3, "ms", peer, bare / megabytes * 1e3, 4.0)
    argv = [sys.executable, "-m", "tests.bench.emulator"]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    used_kib, kept = map(int, told.split())
    name = "emulator: memory of a line in a full history"
    yield compared(name, used_kib * 1024 / kept, "B", "its bare text", COLUMNS, 12.0)
    for columns, lines, most in ((80, 24, 2), (200, 60, 8)):
        took = _best(_frame, columns, lines) * 1e3
        yield bounded(f"emulator: all rows of {columns}×{lines}", took, "ms", most)


if __name__ == "__main__":
    remember()
