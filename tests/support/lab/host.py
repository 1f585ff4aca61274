"""A running lab host: it is asked for cases, one at a time, and answers with how each went."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.initramfs import build, cache_folder
from tests.support.lab import machine
from tests.support.lab.machine import Iommu
from tests.support.libvirtd import crashes

START_S = 420.0
"""Two hosts start at once."""
END_S = 20.0
LOSS_S = 10.0
"""How much later than its own limit a case's report may come."""
_MAKING = threading.Lock()
"""Two hosts that start at once do not make the same files."""


class LabError(AssertionError):
    """The host does not run, or does not answer; the message ends with what it said last."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a case went."""

    case: str
    outcome: str
    """passed, failed or skipped."""
    seconds: float
    detail: str
    """Why it failed or was skipped, with what it printed."""
    revived: bool
    """libvirtd had crashed before its end, and was started again."""


class Lab:
    """One host, from its start to its end. Use it as a context manager, or call ``stop``.

    Nothing of it outlives this process. When it failed, what it said stays in ``kept``.
    """

    def __init__(self, iommu: Iommu = "intel") -> None:
        self.kept = cache_folder() / f"lab-{iommu}-console.log"
        self.kept.unlink(missing_ok=True)
        with _MAKING:
            build()  # What guests boot is found there, not made again slowly.
            machine.guest_boot()
            machine.made_ready()
        self._folder = Path(tempfile.mkdtemp(prefix="lab-", dir=cache_folder()))
        self._ours, theirs = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._good = False
        self._failed = False
        began = time.monotonic()
        try:
            made = machine.make(self._folder, theirs.fileno(), iommu)
            self._console = made.console
            with (self._folder / "qemu.log").open("wb") as errors:
                self._process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", *made.argv],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    env={**os.environ, "TMPDIR": str(self._folder)},
                )
            theirs.close()
            ready = self._hear(START_S, "its start")
            if "ready" not in ready:
                raise self._lost(f"it could not start: {ready.get('failed', ready)}")
            self.steps: dict[str, float] = ready["ready"]
            """Seconds from the kernel's start to the end of each step of the start."""
            self.start_s = time.monotonic() - began
            self._good = True
        except BaseException:
            theirs.close()
            self.stop()
            raise

    def run(self, case: str, limit_s: float) -> Report:
        """Run one case of ``tests.lab.cases`` in the host. Raises LabError when it is lost."""
        self._say({"case": case, "limit_s": limit_s})
        answer = self._hear(limit_s + LOSS_S, f"a report of {case}")
        if answer.get("case") != case:
            raise self._lost(f"asked for {case}, it answered {answer}")
        report = Report(**answer)
        if report.revived:
            crashes.append(f"{time.strftime('%H:%M:%S')} (in the lab, {case})")
        if report.outcome == "failed":
            self._failed = True
            self._keep()
        return report

    def said(self, lines: int = 40) -> str:
        """The end of what the host said on its console, and of what QEMU had to say."""
        texts = []
        for name in ("console.log", "qemu.log"):
            file = self._folder / name
            if file.exists():
                texts += file.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(texts)

    def stop(self) -> None:
        """Power it off; nothing of it is left but, after a failure, what it said."""
        try:
            if self._good:
                self._say({"over": True})
        finally:
            self._ours.close()
            if self._process is not None:
                try:
                    self._process.wait(END_S if self._good else 0)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
            if self._failed:
                self._keep()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _say(self, message: dict[str, Any]) -> None:
        try:
            self._ours.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise self._lost(f"it takes no orders: {error}") from error

    def _hear(self, limit_s: float, what: str) -> dict[str, Any]:
        """The next line of its report."""
        due = time.monotonic() + limit_s
        while b"\n" not in self._unread:
            self._ours.settimeout(max(0.01, due - time.monotonic()))
            try:
                data = self._ours.recv(65536)
            except TimeoutError:
                raise self._lost(f"{limit_s:.0f} s went by without {what}") from None
            except OSError:
                data = b""
            if not data:
                raise self._lost(f"it ended before {what}")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _keep(self) -> None:
        if self._console.exists():
            shutil.copyfile(self._console, self.kept)

    def _lost(self, why: str) -> LabError:
        self._good = False
        self._keep()
        if self._process is not None:
            self._process.kill()
        return LabError(f"the lab host: {why}\nall it said is in {self.kept}\n{self.said()}")

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()
