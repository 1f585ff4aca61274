"""The program run as a script runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

LONG = 60.0
ROOT = Path(__file__).parents[2]
TEST = ("-c", "test:///default")


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def tuivirt(*arguments: str, **env: str) -> Ran:
    """Run it without a terminal; ``env`` is added to the environment."""
    environment = {k: v for k, v in os.environ.items() if k != "LIBVIRT_DEFAULT_URI"}
    done = subprocess.run(
        [sys.executable, "-m", "tuivirt", *arguments],
        cwd=ROOT,
        env={**environment, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
