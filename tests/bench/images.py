"""An image converted by the program, against ``qemu-img convert`` alone in the same run.

Ours is all that the verb does: it asks the domains who uses the image, measures the room, checks
the result and puts it in its place. Both end with the result on the disk: one that a power failure
takes away is none.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure, compared, say
from tests.support.guests import image_folder
from tests.support.libvirtd import system_daemon
from tuivirt.backend.host import Host
from tuivirt.backend.images.convert import convert

TIMES = 5
MIB = 1 << 20
DATA_MIB, SIZE_MIB = 2048, 4096
"""What is written of the image, and how large a guest sees it: as a small system's disk."""
MOST = 1.1


def measure() -> Iterator[Figure]:
    """Alternately, so that whatever else the machine does meets both; the medians."""
    with system_daemon() as uri, image_folder() as folder:
        host = Host("here", uri, publish=lambda _event: None, sampling=False)
        host.start()
        try:
            host.wait_filled(30)
            say(f"converting {DATA_MIB} MiB {TIMES} times each way")
            ours, bare = _both(host, _image(folder / "one.img"), folder / "two.qcow2")
        finally:
            host.close()
    yield compared(
        "conversion of an image, raw to qcow2",
        statistics.median(ours),
        "s",
        "qemu-img convert, and fsync",
        statistics.median(bare),
        MOST,
    )


def _image(path: Path) -> Path:
    with path.open("wb") as file:
        for _ in range(DATA_MIB):
            file.write(os.urandom(MIB))
        file.truncate(SIZE_MIB * MIB)
    return path


def _both(host: Host, source: Path, target: Path) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    bare: list[float] = []
    for number in range(TIMES + 1):
        pair = ((bare, _bare), (ours, _ours))
        for times, run in pair if number % 2 else reversed(pair):
            os.sync()
            began = time.perf_counter()
            run(host, source, target)
            took = time.perf_counter() - began
            target.unlink()
            if number:  # The first pair only warms the page cache.
                times.append(took)
    return ours, bare


def _ours(host: Host, source: Path, target: Path) -> None:
    values = {"path": str(source), "target": str(target), "source_format": "raw"}
    convert(host, values, progress=lambda _text, _far: None)


def _bare(_host: Host, source: Path, target: Path) -> None:
    argv = ["qemu-img", "convert", "-p", "-f", "raw", "-O", "qcow2", str(source), str(target)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    with target.open("rb") as file:
        os.fsync(file.fileno())
