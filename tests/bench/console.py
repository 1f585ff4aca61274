"""A guest's console in a pane of ours, held against ``virsh console``: floods, and single keys."""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import time
from collections.abc import Iterator

from tests.bench.figure import Figure, bounded, compared, quantile, say
from tests.bench.process import cpu_s
from tests.bench.stage import Stage
from tests.bench.terminal import Ended, Program
from tests.support import guests
from tests.support.guests import Guest
from tests.support.initramfs import PROMPT

NAME = "tuivirt-bench-console"
SHELL = PROMPT.rstrip()
SERIAL, VIRTIO = "serial0", "console1"
SERIAL_FLOOD = "seq 1 100000"
"""689 kB, with the carriage returns that the terminal adds."""
VIRTIO_BYTES = 20_000_000
VIRTIO_FLOOD = f"yes 0123456789012345678901234567890123456789 | head -c {VIRTIO_BYTES}"
FLOOD_S = 240
PAUSE_S = 0.5
"""Between a flood and the word that ends it: QEMU drops what a virtio console prints while the
daemon has not read what came before, whoever the client is, and the word must not be dropped."""
KEYS = 200
MENU, ESCAPE = b"\x1d", b"\x1b"
ASKED = 60
"""How often the menu is asked for during a flood."""
FRAMES_PER_S = 30
ROW_BYTES = 110
"""A row of 80 columns that changed whole, with the moves and colours around it."""

_marks = itertools.count(1)


@contextlib.contextmanager
def _guest(stage: Stage) -> Iterator[Guest]:
    # The driver of the virtio console waits for most answers itself; the kernel takes their
    # interrupts for strays and switches them off after 100,000, unless it is told not to.
    xml = guests.domain_xml(NAME, extra_devices=guests.VIRTIO_CONSOLE, cmdline="noirqdebug")
    with Guest.define(stage.uri, xml) as guest:
        guest.boot().close()
        yield guest


def _wake(program: Program) -> None:
    """Have the guest's shell say its prompt.

    An enter may get lost: QEMU looks once a second whether anybody is at its end of a console.
    """
    for _ in range(30):
        program.write(b"\r")
        program.run(1)
        if SHELL in program.text:
            return
    raise Ended(f"no prompt: {program.text[-500:]!r}")


@contextlib.contextmanager
def _pane(stage: Stage, device: str) -> Iterator[Program]:
    """tuivirt with that console in a pane, at the guest's prompt."""
    with stage.tuivirt() as program:
        program.wait_for(stage.uri[:12])
        program.run(2)
        program.write(f"/{NAME}\r".encode())
        program.run(1)
        program.write(b"c")
        program.wait_for("ctrl+] menu")
        program.run(1.5)
        if device != SERIAL:
            program.write(MENU + b"o")
            program.run(1)
            program.write(device.encode() + b"\r")
            program.run(2)
        _wake(program)
        yield program


@contextlib.contextmanager
def _virsh(stage: Stage, device: str) -> Iterator[Program]:
    """``virsh console`` on it, at the guest's prompt."""
    virsh = shutil.which("virsh")
    if virsh is None:
        raise RuntimeError("no virsh to hold it against")
    arguments = ("-c", stage.uri, "console", NAME, "--devname", device)
    with Program(virsh, *arguments, home=str(stage.home), python=False) as program:
        program.wait_for("Escape character")
        program.run(0.5)  # It drops what is typed before its terminal is raw.
        _wake(program)
        yield program


def _ask(program: Program, command: str) -> bytes:
    """Have the guest run a command; the word that it says at its end."""
    number = next(_marks)
    word = f"END{number + 1000}"
    program.settle()
    program.write(f"{command}; sleep {PAUSE_S}; echo END$(({number}+1000))\r".encode())
    return word.encode()


def _until(program: Program, word: bytes) -> int:
    """Read until the guest has said it; how many bytes were written meanwhile."""
    deadline = time.monotonic() + FLOOD_S
    tail, count = b"", 0
    while time.monotonic() < deadline:
        data = program.pump(1)
        count += len(data)
        tail = (tail + data)[-4096:]
        program.arrived.clear()  # A flood of 20 MB is nothing to keep.
        if word in tail:
            return count
    raise Ended(f"the guest did not come to its end within {FLOOD_S} s: {tail[-200:]!r}")


def _flood(program: Program, command: str) -> tuple[float, float, int]:
    """(seconds, processor seconds, bytes written to the terminal) of a flood."""
    cpu = cpu_s(program.pid)
    word = _ask(program, command)
    started = time.monotonic()
    count = _until(program, word)
    return time.monotonic() - started - PAUSE_S, cpu_s(program.pid) - cpu, count


def _echoes(program: Program, count: int, pauses: random.Random) -> list[float]:
    """Milliseconds from a key to its echo."""
    found = []
    for number in range(count):
        if number % 40 == 0:
            program.write(b"\x15")
        program.run(pauses.uniform(0.02, 0.08))
        program.settle()
        started = time.monotonic()
        program.write(b"Z")
        while b"Z" not in program.pump(5):
            if time.monotonic() - started > 5:
                raise Ended("a key has no echo")
        found.append((time.monotonic() - started) * 1000)
    program.write(b"\x15")
    return found


def _answers(program: Program, word: bytes) -> list[float]:
    """Milliseconds from the menu's key to the menu, while a flood goes on."""
    found = []
    pauses = random.Random(3)
    for _ in range(ASKED):
        program.run(pauses.uniform(0.03, 0.12))
        started = time.monotonic()
        program.write(MENU)
        tail = b""
        while b"stays open" not in tail:
            tail = (tail + program.pump(5))[-8192:]
            if time.monotonic() - started > 5:
                raise Ended(f"the menu does not come: {tail[-300:]!r}")
        found.append((time.monotonic() - started) * 1000)
        program.write(ESCAPE)
        program.run(0.15)
    if any(word in data for _, data in program.arrived):
        raise Ended("the flood was over before the menu was asked for the last time")
    return found


def measure(stage: Stage) -> Iterator[Figure]:
    """One after the other on the same guest, in the same run."""
    say("a guest for the console")
    with _guest(stage):
        for device, flood, most, told in (
            (SERIAL, SERIAL_FLOOD, 1.1, "0.7 MB of serial output"),
            (VIRTIO, VIRTIO_FLOOD, 1.3, "20 MB of virtio console output"),
        ):
            say(f"{told}: virsh, then the pane")
            with _virsh(stage, device) as program:
                theirs = _flood(program, flood)
            with _pane(stage, device) as program:
                ours = _flood(program, flood)
                if device == VIRTIO:
                    word = _ask(program, f"{VIRTIO_FLOOD}; {VIRTIO_FLOOD}; {VIRTIO_FLOOD}")
                    answers = _answers(program, word)
            yield compared(f"time to show {told}", ours[0], "s", "virsh console", theirs[0], most)
            yield compared(f"client CPU for {told}", ours[1], "s", "virsh console", theirs[1], 2.0)
            limit = FRAMES_PER_S * 24 * ROW_BYTES / 1000
            rate = ours[2] / ours[0] / 1000
            peer = f"{FRAMES_PER_S} frames of 24 rows; virsh: {theirs[2] / theirs[0] / 1000:.0f}"
            yield bounded(f"to the terminal for {told}", rate, "kB/s", limit, peer)
        middle, late = quantile(answers, 0.5), quantile(answers, 0.99)
        yield bounded("menu during a flood, p99", late, "ms", 50, f"the target; p50 {middle:.1f}")
        yield from _keys(stage)


def _keys(stage: Stage) -> Iterator[Figure]:
    say(f"{KEYS} keys to an idle guest, by virsh and by the pane")
    found = []
    for opened in (_virsh, _pane):
        with opened(stage, SERIAL) as program:
            found.append(_echoes(program, KEYS, random.Random(1)))
    theirs, ours = found
    for part, name in ((0.5, "p50"), (0.99, "p99")):
        more = quantile(ours, part) - quantile(theirs, part)
        peer = f"virsh console: {quantile(theirs, part):.1f} ms"
        yield bounded(f"key to echo above virsh's, {name}", more, "ms", 15, peer)
