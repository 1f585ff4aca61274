"""Bytes on their way between a volume and a file of this machine, over a stream of libvirt.

A blocking stream on a thread of its own: it is as fast as virsh's, and a daemon that hangs keeps
nobody waiting.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt

from ..errors import Aborted
from ..lifecycle import Progress
from .find import human

CHUNK = 262120
"""Bytes that go at once: as many as libvirt puts into one packet, so that none is copied twice."""
EVERY_S = 0.25
ABORT_S = 5.0
"""How long a transfer that is aborted may take to notice."""
_HOLE = -3
"""What a stream gives in place of data where nothing is."""


class Counter:
    """How much has come through, and whether to go on."""

    def __init__(self, total: int | None, done: int = 0) -> None:
        self.total = total
        self.done = done
        """Bytes, holes too."""
        self.moved = 0
        """Bytes that really went over the line."""
        self.stop = threading.Event()

    def add(self, count: int, *, hole: bool = False) -> None:
        self.done += count
        self.moved += 0 if hole else count

    def check(self) -> None:
        """Raises Stopped where it was aborted."""
        if self.stop.is_set():
            raise Stopped

    @property
    def fraction(self) -> float | None:
        return min(1.0, self.done / self.total) if self.total else None


class Stopped(Exception):
    """The operator aborted it."""


def receive(stream: Any, fd: int, counter: Counter, *, sparse: bool) -> None:
    """Write what the stream brings to the file, from where it stands on; holes stay holes."""
    flags = libvirt.VIR_STREAM_RECV_STOP_AT_HOLE if sparse else 0
    place = os.lseek(fd, 0, os.SEEK_CUR)
    while True:
        counter.check()
        got = stream.recvFlags(CHUNK, flags) if sparse else stream.recv(CHUNK)
        if got == _HOLE:
            length = stream.recvHole(0)
            place += length
            # So that the file is as long as what has come, whenever this ends.
            os.ftruncate(fd, place)
            os.lseek(fd, place, os.SEEK_SET)
            counter.add(length, hole=True)
            continue
        if not got:
            stream.finish()
            return
        view = memoryview(got)
        while view:
            written = os.write(fd, view)
            view = view[written:]
        place += len(got)
        counter.add(len(got))


def send(
    stream: Any, fd: int, begin: int, end: int, counter: Counter, *, sparse: bool, pad: int
) -> None:
    """Send the file's bytes from ``begin`` to ``end``; ``sparse`` sends holes as such.

    ``pad``: a hole of so many bytes goes behind it: the daemon ends a file where the last hole
    ended, and what is beyond would be cut off.
    """
    place = begin
    while place < end:
        counter.check()
        until = end
        if sparse:
            data = min(_data_at(fd, place, end), end)
            if data > place:
                stream.sendHole(data - place)
                counter.add(data - place, hole=True)
                place = data
                continue
            until = min(os.lseek(fd, place, os.SEEK_HOLE), end)
        chunk = os.pread(fd, min(CHUNK, until - place), place)
        if not chunk:
            raise OSError(errno.EIO, "the file became shorter meanwhile")
        sent = stream.send(chunk)
        while sent < len(chunk):  # Of a daemon with smaller packets.
            sent += stream.send(chunk[sent:])
        place += len(chunk)
        counter.add(len(chunk))
    if sparse and pad:
        stream.sendHole(pad)
    stream.finish()


def _data_at(fd: int, place: int, end: int) -> int:
    try:
        return os.lseek(fd, place, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return end  # Nothing but a hole is left.
        raise


def run_transfer(
    stream: Any,
    fd: int,
    move: Callable[[int], None],
    counter: Counter,
    *,
    named: str,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> None:
    """Have ``move`` done on a thread of its own, and tell of it; it is given ``fd`` as its own.

    Raises what it raises; Aborted where the operator said so.
    """
    # Where the daemon hangs the thread is left behind: by then the number may be another file's.
    own = os.dup(fd)
    ended = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            move(own)
        except BaseException as error:
            failure.append(error)
            try:
                stream.abort()
            except libvirt.libvirtError:
                pass  # It has ended already: what it failed of is told.
        finally:
            os.close(own)
            ended.set()

    began, before = time.monotonic(), counter.moved
    threading.Thread(target=work, name=named, daemon=True).start()
    while not ended.wait(EVERY_S):
        if aborted is not None and aborted.is_set():
            counter.stop.set()
            if not ended.wait(ABORT_S):
                raise Aborted(f"{named} was aborted", "the host does not answer any more")
        elif progress is not None:
            speed = (counter.moved - before) / max(0.001, time.monotonic() - began)
            of = f" of {human(counter.total)}" if counter.total else ""
            progress(f"{human(counter.done)}{of}, {human(int(speed))}/s", counter.fraction)
    if failure and isinstance(failure[0], Stopped):
        raise Aborted(f"{named} was aborted")
    if failure:
        raise failure[0]
