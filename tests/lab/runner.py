"""Runs inside the lab host: brings its daemons up, runs the cases that are asked for, reports.

Orders come and reports go by a port of their own, one JSON object a line; what the cases print is
in their reports. Each case is a process of its own, so that one that hangs or dies costs itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import libvirt
import pytest

from tests.lab import case, inner, sysfs
from tests.support.lab import hardware
from tests.support.lab.machine import REPORT
from tests.support.libvirtd import SYSTEM, answers, start_again, until

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SETTLE_S = 60.0
LOCAL = 300
"""How much of a variable is told with the place where a case failed."""


def _port() -> Path:
    """The report port's device, by its name and not by udev's link: it may be udev that fails."""
    found: list[Path] = []

    def there() -> bool:
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            with contextlib.suppress(OSError):
                if name.read_text().strip() == REPORT:
                    found.append(Path("/dev") / name.parent.name)
        return bool(found) and found[0].exists()

    until(there, f"a port called {REPORT}", 20)
    return found[0]


def _log(text: str) -> None:
    """Say it on the console, between what the kernel says."""
    with open("/dev/console", "w") as console:
        print(f"lab: {text}", file=console)


class _Steps:
    """When each step of the start was done, in seconds from the kernel's start."""

    def __init__(self) -> None:
        self.done: dict[str, float] = {}

    def note(self, what: str) -> None:
        self.done[what] = round(time.clock_gettime(time.CLOCK_BOOTTIME), 1)
        _log(f"{what} at {self.done[what]} s")


def _start(steps: _Steps) -> None:
    """Devices, network and daemons."""
    until(lambda: not sysfs.lacking(), "all devices with their drivers", SETTLE_S)
    subprocess.run(["udevadm", "settle", f"--timeout={SETTLE_S:.0f}"], check=True)
    steps.note("devices")
    card = sysfs.network_card(hardware.UPLINK_MAC)
    subprocess.run(["ip", "address", "add", hardware.ADDRESS, "dev", card], check=True)
    subprocess.run(["ip", "link", "set", card, "up"], check=True)
    carrier = Path(f"/sys/class/net/{card}/operstate")
    until(lambda: carrier.read_text() == "up\n", f"{card} up", SETTLE_S)
    for program in ("virtlogd", "libvirtd"):
        # -d returns when the daemon listens.
        done = subprocess.run([program, "-d"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}")
    reason = answers(SYSTEM)
    if reason:
        raise RuntimeError(f"libvirtd does not answer: {reason}")
    steps.note("libvirtd")


def _ahead(work: Callable[[], object]) -> None:
    """Do it in a process of its own while the cases go on; it says itself when it fails."""
    if os.fork() == 0:
        try:
            work()
        except BaseException:
            _log(traceback.format_exc())
            os._exit(1)
        os._exit(0)


def _work(run: case.Case, answer: int) -> None:
    """The case's own process: what came of it goes through ``answer``."""
    outcome, detail = PASSED, ""
    try:
        run.run()
    except pytest.skip.Exception as reason:
        outcome, detail = SKIPPED, str(reason)
    except BaseException as error:  # Whatever it is, it is told.
        outcome = FAILED
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        for frame in told.stack:
            frame.locals = {k: v[:LOCAL] for k, v in (frame.locals or {}).items()}
        detail = "".join(told.format())
    with open(answer, "w", encoding="utf-8") as pipe:
        json.dump([outcome, detail], pipe)


def _attempt(run: case.Case, limit_s: float) -> tuple[str, str]:
    """Run a case in a process of its own; its outcome and what there is to say about it."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.setsid()
            os.close(reading)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            _work(run, writing)
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(0)
        os.close(writing)
        said = _read(reading, limit_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        output.seek(0)
        printed = output.read().decode("utf-8", "replace")
    if said is None:
        outcome, detail = FAILED, f"not done within {limit_s:.0f} s"
    elif not said:
        outcome, detail = FAILED, f"its process died (status {status})"
    else:
        outcome, detail = json.loads(said)
    if outcome == FAILED and printed:
        detail += f"\n--- printed ---\n{printed}"
    return outcome, detail


def _read(pipe: int, limit_s: float) -> bytes | None:
    """All that comes until the pipe's other end is closed; None when that takes too long."""
    due, data = time.monotonic() + limit_s, b""
    with open(pipe, "rb", buffering=0) as file:
        while True:
            ready, _, _ = select.select([file], [], [], max(0.0, due - time.monotonic()))
            if not ready:
                return None
            more = file.read(65536)
            if not more:
                return data
            data += more


def _changed(before: sysfs.Drivers) -> str:
    """What a case left otherwise than it was, in words."""
    now = sysfs.drivers()
    lines = [
        f"{name} was on {before.get(name, 'nothing')} and is on {now.get(name, 'nothing')}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    return "; ".join(lines)


def _revive(outcome: str) -> bool:
    """Start libvirtd again if it crashed; whether it had. It may, over a client that is gone.

    After a failed case the guest ends too: what that case gave to it, the next try would stumble
    over.
    """
    if not start_again():
        return False
    _log("libvirtd crashed and was started again")
    if outcome == FAILED:
        inner.end()
    return True


def _serve(port: BinaryIO, cases: dict[str, case.Case]) -> None:
    """Do what is asked until it is over."""
    while True:
        order: dict[str, Any] = json.loads(port.readline())
        if "over" in order:
            return
        _log(f"case {order['case']}")
        began = time.monotonic()
        revived = _revive(PASSED)  # It may have been the case before, in its last moment.
        before = sysfs.drivers()
        if order["case"] in cases:
            outcome, detail = _attempt(cases[order["case"]], order["limit_s"])
        else:
            outcome, detail = FAILED, "the lab host has no such case"
        _log(f"case {order['case']} {outcome}")
        revived = _revive(outcome) or revived
        left = _changed(before)
        if left and outcome != FAILED:
            outcome, detail = FAILED, "it left the hardware changed"
        if left:
            detail = f"{left}\n{detail}"
        _tell(
            port,
            case=order["case"],
            outcome=outcome,
            seconds=round(time.monotonic() - began, 2),
            detail=detail,
            revived=revived,
        )


def _tell(port: BinaryIO, **message: object) -> None:
    line = json.dumps(message).encode() + b"\n"
    while line:  # The port takes 32 KiB at once.
        line = line[port.write(line) :]


def main() -> int:
    """The whole of it; 1 when the host could not be brought up."""
    # libvirt prints each error that it also raises.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    steps = _Steps()
    steps.note("python")
    with open(_port(), "r+b", buffering=0) as port:
        try:
            cases = case.load() | case.load_broken()
            steps.note("cases")
            _start(steps)
        except BaseException:
            _tell(port, failed=f"{traceback.format_exc()}lacking: {sysfs.lacking()}")
            return 1
        _tell(port, ready=steps.done)
        if any(Path("/sys/kernel/iommu_groups").iterdir()):  # Else there is little to give it.
            _ahead(inner.start)
        _serve(port, cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
