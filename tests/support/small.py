"""A file system of a few MiB, to be filled."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.needs import missing


@contextlib.contextmanager
def small_folder(path: Path, size: str = "8m", *options: str) -> Iterator[Path]:
    """A new folder in memory that has room for ``size``, which everybody may write to."""
    path.mkdir()
    words = ",".join((f"size={size}", "mode=1777", *options))
    argv = ["mount", "-t", "tmpfs", "-o", words, "none", str(path)]
    if subprocess.run(argv, capture_output=True).returncode != 0:
        missing("nothing can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def enlarge(path: Path, size: str) -> None:
    """Make room there."""
    argv = ["mount", "-o", f"remount,size={size}", str(path)]
    subprocess.run(argv, check=True, capture_output=True)
