"""Where the measuring happens: the farm's daemon, and folders for what is written."""

from __future__ import annotations

import compileall
import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import say
from tests.bench.terminal import LINES, PYTHON, Program
from tests.support.guests import farm
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.tmux import ROOT

TICK_S = 2.0
ROWS = LINES - 5
"""Domains that the list shows in 50 lines: header, caption, titles and footer take the rest."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running farm."""

    uri: str
    pid: int
    """Its daemon's process."""
    domains: int
    home: Path
    """For settings, state and sockets of what is measured."""

    @property
    def socket(self) -> Path:
        """The daemon's socket."""
        return Path(self.uri.partition("socket=")[2])

    def tuivirt(self, uri: str = "") -> Program:
        """The program with a terminal; closed by whoever asked."""
        return Program("tuivirt", "-c", uri or self.uri, home=str(self.home))

    def minimal(self, kind: str) -> Program:
        """One of the floors, ``static`` or ``table``."""
        return Program("tests.bench.minimal", kind, home=str(self.home))

    @property
    def filled(self) -> str:
        """What the list's caption says when it is filled."""
        return f"Domains {self.domains} of {self.domains}"

    @contextlib.contextmanager
    def client(self, kind: str) -> Iterator[int]:
        """``bare`` or ``backend`` without a screen, once it is ready; its process."""
        argv = [*PYTHON, "tests.bench.client", kind, self.uri, str(TICK_S), str(ROWS)]
        with subprocess.Popen(argv, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
                              stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                if process.stdout.readline() != "ready\n":
                    raise RuntimeError(f"the {kind} client ended")
                yield process.pid
            finally:
                process.kill()


@contextlib.contextmanager
def stage(domains: int, uri: str = "", pid: int = 0) -> Iterator[Stage]:
    """The stage; with ``uri`` and ``pid`` on a farm that runs already, else on one of its own."""
    # Both sides are compiled: a set-up does it, and a first run would measure the compiler.
    for folder in (ROOT / "tuivirt", ROOT / "tests" / "bench"):
        compileall.compile_dir(folder, quiet=1)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if not uri:
            # Without the groups virtui-manager takes every guest for one that is off.
            daemon = stack.enter_context(PrivateLibvirtd("bench", cgroups=("cpuacct",)))
            # Its guests end with the daemon's namespaces: to undefine each takes minutes.
            stack.enter_context(farm(domains, daemon.uri, say, remove=False))
            uri, pid = daemon.uri, daemon.pid or 0
        yield Stage(uri, pid, domains, home)
