"""The kernel module by which a device of the lab host makes mediated devices: how it is built."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.initramfs import MODULES_OF, cache_folder

_SOURCE = Path(__file__).with_name("lab_mdev.c")
_LINUX = "6.1."
"""The kernel's interface for it changed before and after."""


def lacking(release: str) -> str:
    """What it takes to build it for a kernel and is not there; '' when nothing is."""
    if not release.startswith(_LINUX):
        return f"the lab's mediated devices are written for Linux {_LINUX}x, not for {release}"
    if not (MODULES_OF / release / "build" / "Makefile").exists():
        return f"no headers of {release} (package linux-headers-{release})"
    absent = [name for name in ("make", "gcc") if shutil.which(name) is None]
    return f"no {', '.join(absent)} on this machine" if absent else ""


def module(release: str) -> Path:
    """The file to insert; built once for each kernel and source, which takes some seconds."""
    digest = hashlib.sha256(_SOURCE.read_bytes() + release.encode()).hexdigest()[:16]
    kept = cache_folder() / f"mdev-{digest}" / "lab_mdev.ko"
    if kept.exists():
        return kept
    # Made aside and moved in whole: another run may want it at the same time.
    aside = Path(tempfile.mkdtemp(dir=cache_folder()))
    try:
        shutil.copy(_SOURCE, aside)
        (aside / "Makefile").write_text(f"obj-m := {_SOURCE.stem}.o\n")
        argv = ["make", "-C", str(MODULES_OF / release / "build"), f"M={aside}", "modules"]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
        kept.parent.mkdir(mode=0o755, exist_ok=True)
        (aside / kept.name).rename(kept)
    finally:
        shutil.rmtree(aside)
    return kept
