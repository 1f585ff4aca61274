"""Volumes: one filled over libvirt's stream, beside ``virsh vol-upload``; 10,000 of them listed.

Both ends of an upload are this machine's, so that no line but the daemon's own socket counts.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import libvirt

from tests.bench.figure import Figure, compared, say
from tests.support.libvirtd import system_daemon
from tests.support.needs import need_programs
from tuivirt.actions import lookups
from tuivirt.backend.host import Host
from tuivirt.backend.storage.upload import upload

TIMES = 5
MIB = 1 << 20
DATA_MIB = 512
MANY = 10_000
UPLOAD_MOST, LIST_MOST = 1.1, 2.0
NAME = "tuivirt-bench"


def measure() -> Iterator[Figure]:
    """Alternately, so that whatever else the machine does meets both; the medians."""
    need_programs("virsh")
    with system_daemon() as uri, _pool(uri) as (pool, folder):
        host = Host("here", uri, publish=lambda _event: None, sampling=False)
        host.start()
        try:
            host.wait_filled(30)
            yield _uploads(host, uri, pool, folder)
            yield _lists(host, pool, folder)
        finally:
            host.close()


@contextmanager
def _pool(uri: str) -> Iterator[tuple[Any, Path]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/var/tmp"))
    conn = libvirt.open(uri)
    (folder / "pool").mkdir()
    target = f"<target><path>{folder / 'pool'}</path></target>"
    pool = conn.storagePoolCreateXML(f"<pool type='dir'><name>{NAME}</name>{target}</pool>")
    try:
        yield pool, folder
    finally:
        pool.destroy()
        conn.close()
        shutil.rmtree(folder)


def _uploads(host: Host, uri: str, pool: Any, folder: Path) -> Figure:
    say(f"uploading {DATA_MIB} MiB {TIMES} times each way")
    source = folder / "data"
    with source.open("wb") as file:
        for _ in range(DATA_MIB):
            file.write(os.urandom(MIB))

    def ours(volume: str) -> None:
        upload(host, pool.UUIDString(), {"vol": volume, "file": str(source)})

    def theirs(volume: str) -> None:
        argv = ["virsh", "-q", "-c", uri, "vol-upload", volume, str(source), "--pool", NAME]
        subprocess.run(argv, check=True, capture_output=True)

    found: tuple[list[float], list[float]] = ([], [])
    for number in range(TIMES + 1):
        pairs = list(zip((ours, theirs), found, strict=True))
        for way, times in pairs if number % 2 else reversed(pairs):
            xml = f"<volume><name>one</name><capacity>{DATA_MIB * MIB}</capacity></volume>"
            volume = pool.createXML(xml.replace("</capacity>", "</capacity><allocation/>"))
            os.sync()
            took = _timed(partial(way, "one"))
            volume.delete()
            if number:  # The first pair only warms the page cache.
                times.append(took)
    middle = [statistics.median(times) for times in found]
    told = "virsh vol-upload"
    return compared("upload into a volume", middle[0], "s", told, middle[1], UPLOAD_MOST)


def _lists(host: Host, pool: Any, folder: Path) -> Figure:
    say(f"listing {MANY} volumes {TIMES} times each way")
    for number in range(MANY):
        (folder / "pool" / f"disk-{number:05d}.img").touch()
    pool.refresh()

    def bare() -> None:
        for volume in pool.listAllVolumes():
            volume.XMLDesc()

    def ours() -> None:
        assert len(lookups.volumes(host, pool.UUIDString())) == MANY

    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(TIMES):
        for way, times in zip((ours, bare), found, strict=True):
            times.append(_timed(way))
    middle = [statistics.median(times) for times in found]
    told = "libvirt's calls alone"
    return compared(f"a pool of {MANY} volumes listed", middle[0], "s", told, middle[1], LIST_MOST)


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
