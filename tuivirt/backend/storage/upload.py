"""The bytes of a file of this machine into a volume."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, TuivirtError, from_libvirt, is_unsupported
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.resources import Volume
from ..owners import risks
from ..snapshots.judge import refuse
from .create import advice_for
from .download import check
from .find import Found, bytes_of, find, human, touch
from .judge import in_use
from .stream import Counter, run_transfer, send
from .unfinished import Trace, settle
from .unfinished import findings as of_others

if TYPE_CHECKING:
    from ..host import Host

__all__ = ["check", "plan_for", "upload"]


def plan_for(host: Host, pool_key: str, values: Mapping[str, Any]) -> Plan:
    """What would be overwritten, and what speaks against it. Raises TuivirtError."""
    check(values)
    return _plan(host, find(host, pool_key, str(values["vol"])), values)


def _plan(host: Host, found: Found, values: Mapping[str, Any]) -> Plan:
    volume, path = found.volume, _path(values)
    findings: list[Finding] = []
    begin, end = _span(path, values, findings)
    users = in_use(host, found, refresh=True)
    if users.running or users.volumes or users.images or users.machine or users.kept:
        findings += users.findings(Weight.REFUSED, found.name)
    else:
        findings += risks(users.unsure)
        text = f"{', '.join(users.off)} has it as a disk, and finds other data in it then"
        findings += [Finding(Weight.RISK, text)] if users.off else []
    findings += of_others(host, volume, writing=True)
    offset = _size(values, "offset")
    room = volume.capacity_bytes
    fixed = volume.type == "block" or volume.format in ("raw", "")
    if fixed and room is not None and offset + end - begin > room:
        text = f"{human(offset + end - begin)} do not fit: {found.name} is {human(room)}"
        advice = f"tuivirt vol-resize {volume.pool} {found.name} {offset + end - begin}"
        findings.append(Finding(Weight.REFUSED, text, advice))
    findings.append(Finding(Weight.NOTE, f"what is in {found.name} now is overwritten"))
    if fixed and room is not None and offset + end - begin < room and not _is_empty(volume):
        text = f"the file is shorter than {found.name}: what lies beyond stays as it is"
        findings.append(Finding(Weight.NOTE, text))
    steps = [
        f"{path}, of this machine → {found.name} of pool {volume.pool}:",
        f"   {human(end - begin)} into {human(room)}",
        "   it cannot be gone on with, if it fails: what has come through is not sure then",
    ]
    return Plan(found.name, tuple(steps), tuple(findings))


def _path(values: Mapping[str, Any]) -> str:
    return os.path.abspath(os.path.expanduser(str(values["file"])))


def _size(values: Mapping[str, Any], word: str) -> int:
    return bytes_of(str(values[word]), f"the {word}") if values.get(word) else 0


def _span(path: str, values: Mapping[str, Any], findings: list[Finding]) -> tuple[int, int]:
    """From where to where the file is sent."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BadInput(f"cannot read {path}", error.strerror or str(error)) from error
    try:
        mode = os.fstat(fd).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise BadInput(f"{path} is neither a file nor a block device")
        end = os.lseek(fd, 0, os.SEEK_END)
    finally:
        os.close(fd)
    length = _size(values, "length")
    if length > end:
        text = f"{path} has {human(end)} only"
        findings.append(Finding(Weight.REFUSED, text, "--length is longer than that"))
    if not end:
        findings.append(Finding(Weight.REFUSED, f"{path} is empty"))
    return 0, min(length, end) if length else end


def _is_empty(volume: Volume) -> bool:
    """Whether there is nothing in it but a hole."""
    return volume.type == "file" and volume.allocation_bytes == 0


def upload(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Write a file's bytes into a volume that nobody has; a sentence.

    Source: virStorageVolUpload. ``values``: vol, file, offset (in the volume), length. Holes are
    sent as holes only where nothing is in the volume: the daemon leaves what is there as it is.
    Raises Aborted, BadInput, TuivirtError.
    """
    host.require_write()
    check(values)
    found = find(host, pool_key, str(values["vol"]))
    path, what = _path(values), f"cannot upload into {found.label}"
    refuse(_plan(host, found, values), what, force)
    begin, end = _span(path, values, [])
    offset = _size(values, "offset")
    counter = Counter(end - begin)
    half = (
        f"{found.name} holds a part of it, of which nothing is sure: upload it anew, wipe it or"
        " delete it; until then it is told"
    )
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise BadInput(f"cannot read {path}", error.strerror or str(error)) from error
    try:
        with Trace(host, found, path, offset, end - begin) as trace:
            _push(host, found, fd, (begin, end, offset), counter, trace, aborted, progress)
            unknown = _look_again(host, found, what)
            # Of an image with a head of its own what lies beyond is nothing.
            headed = found.volume.format not in ("raw", "") and not (offset or values.get("length"))
            settle(host, found.volume, None if headed else (offset, offset + end - begin))
    except Aborted as error:
        raise Aborted(error.what, error.why, half if counter.done else "") from error
    except libvirt.libvirtError as error:
        failure = from_libvirt(error, what, advice_for(error))
        failure.done = half if counter.done else ""
        raise failure from error
    except TuivirtError as error:
        error.done = error.done or (half if counter.done else "")
        raise
    except OSError as error:
        raise TuivirtError(what, f"{path}: {error.strerror}", half) from error
    finally:
        os.close(fd)
        touch(host, found.pool)
    said = f"{found.label} holds {path}: {human(end - begin)}"
    if unknown is not None:
        why = f"whether a guest was started on it meanwhile is not known: {unknown}"
        raise TuivirtError(what, why, unknown.advice, said) from unknown
    return said


def _look_again(host: Host, found: Found, what: str) -> TuivirtError | None:
    """Raises TuivirtError where a guest was started on it meanwhile; why that is not known."""
    try:
        running = in_use(host, found).running
    except TuivirtError as error:
        return error  # All is written: nothing was cut off.
    if running:
        why = f"{', '.join(running)} was started meanwhile, and reads and writes what was written"
        raise TuivirtError(what, why, "force that off, and upload it anew")
    return None


def _push(
    host: Host,
    found: Found,
    fd: int,
    span: tuple[int, int, int],
    counter: Counter,
    trace: Trace,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> None:
    begin, end, offset = span
    sparse = _is_empty(found.volume)
    stream = host.conn.newStream(0)
    flags = libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM if sparse else 0
    try:
        found.handle.upload(stream, offset, 0, flags)
    except libvirt.libvirtError as error:
        if not (sparse and is_unsupported(error)):
            raise
        sparse, stream = False, host.conn.newStream(0)
        found.handle.upload(stream, offset, 0, 0)
    trace.begun = True
    pad = max(0, (found.volume.physical_bytes or 0) - offset - (end - begin))
    run_transfer(
        stream,
        fd,
        lambda own: send(stream, own, begin, end, counter, sparse=sparse, pad=pad),
        counter,
        named=f"the upload into {found.name}",
        aborted=aborted,
        progress=progress,
    )
