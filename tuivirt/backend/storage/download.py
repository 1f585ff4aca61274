"""A volume's bytes to a file of this machine: beside it first, in its place when it is whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, TuivirtError, from_libvirt, is_unsupported
from ..images.judge import refuse_new
from ..lifecycle import Progress
from ..model.finding import Finding, Plan, Weight
from ..model.resources import Volume
from ..owners import against_overwriting
from ..snapshots.judge import refuse
from .find import Found, bytes_of, find, human
from .judge import in_use
from .part import Part, identity, mark
from .stream import Counter, receive, run_transfer
from .unfinished import findings as of_uploads

if TYPE_CHECKING:
    from ..host import Host


_ANEW = "see to it that nobody writes to it, and download it anew"


class _Changed(TuivirtError):
    """What came is no whole image: nothing of it is of use."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why, _ANEW)


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput where the options cannot be right."""
    if not str(values["file"]).strip():
        raise BadInput("a file is missing")
    for word in ("offset", "length"):
        if values.get(word):
            bytes_of(str(values[word]), f"the {word}")


def plan_for(host: Host, pool_key: str, values: Mapping[str, Any]) -> Plan:
    """What would be written where, and what speaks against it. Raises TuivirtError."""
    check(values)
    found = find(host, pool_key, str(values["vol"]))
    return _plan(host, found, values, in_use(host, found).running)


def _plan(host: Host, found: Found, values: Mapping[str, Any], running: tuple[str, ...]) -> Plan:
    volume, target = found.volume, _target(values)
    findings = []
    if target.is_dir() or not target.parent.is_dir():
        why = f"{target} is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        findings.append(Finding(Weight.REFUSED, why, "name the file"))
    elif not os.access(target.parent, os.W_OK | os.X_OK):
        findings.append(Finding(Weight.REFUSED, f"you may not write to {target.parent}"))
    else:
        findings += _about_room(volume, target)
        findings += against_overwriting(host, str(target), here=True)
        if os.path.lexists(target):
            findings.append(Finding(Weight.RISK, f"{target} is there already, and is overwritten"))
    if running:
        text = f"{', '.join(running)} runs and may write to it: what is read is no whole image"
        advice = "shut it down, or take a snapshot and download what lies below it"
        findings.append(Finding(Weight.RISK, text, advice))
    findings += of_uploads(host, volume)
    size = volume.physical_bytes
    steps = [
        f"{found.name} of pool {volume.pool} → {target}, on this machine:",
        f"   {human(size)}, as it is: {volume.format or volume.type}",
    ]
    if volume.backing:
        text = f"{volume.backing}, on which it lies, is not in it"
        findings.append(Finding(Weight.NOTE, text, "download that, too"))
    return Plan(found.name, tuple(steps), tuple(findings))


def _target(values: Mapping[str, Any]) -> Path:
    return Path(os.path.abspath(os.path.expanduser(str(values["file"]))))


def _about_room(volume: Volume, target: Path) -> list[Finding]:
    place = os.statvfs(target.parent)
    free = place.f_bavail * place.f_frsize
    sizes = (volume.allocation_bytes, volume.physical_bytes)
    needed = min((each for each in sizes if each is not None), default=0)
    if needed <= free:
        return []
    said = f"{human(needed)} would be taken in {target.parent}, and {human(free)} are free"
    return [Finding(Weight.REFUSED, said, "make room, or choose another place")]


def download(
    host: Host,
    pool_key: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Write a volume's bytes to a file; a sentence. Source: virStorageVolDownload.

    ``values``: vol, file, offset, length. What a download that failed has brought is kept and
    gone on with where the volume is sure to be the same: its length and the time of its last
    change are told. Raises Aborted, BadInput, TuivirtError.
    """
    check(values)
    found = find(host, pool_key, str(values["vol"]))
    volume, target = found.volume, _target(values)
    what = f"cannot download {found.label}"
    knowing = in_use(host, found).running
    plan, there = _plan(host, found, values, knowing), mark(target)
    refuse(plan, what, force)
    offset = bytes_of(str(values["offset"]), "the offset") if values.get("offset") else 0
    length = bytes_of(str(values["length"]), "the length") if values.get("length") else 0
    whole = not (offset or length)
    try:
        part = Part(target, identity(volume) if whole and not knowing else "")
    except OSError as error:
        raise BadInput(what, f"{target.parent}: {error.strerror}") from error
    keep = True
    try:
        begun = part.begin(resume=True)
        total = length or max(0, (volume.physical_bytes or 0) - offset) or None
        counter = Counter(total, begun)
        _fetch(host, found, part, counter, offset + begun, length, aborted, progress)
        try:
            _look_again(host, found, knowing, what)
            if whole and volume.physical_bytes not in (None, part.length()):
                why = f"{human(part.length())} came of {human(volume.physical_bytes)}"
                raise _Changed(what, why)
            if there is not None:
                # Hours may have gone: it may have become somebody's.
                now = against_overwriting(host, str(target), here=True)
                refuse_new(plan.findings, now, f"cannot overwrite {target}")
        except _Changed:
            keep = False
            raise
        except TuivirtError as error:
            error.advice = ". ".join(filter(None, [error.advice, _kept_whole(part)]))
            raise
        told = part.finish(instead_of=there)
    except Aborted as error:
        raise Aborted(error.what, error.why, _kept(part)) from error
    except libvirt.libvirtError as error:
        failure = from_libvirt(error, what)
        failure.advice = _kept(part) or failure.advice
        raise failure from error
    except OSError as error:
        raise TuivirtError(what, f"{target}: {error.strerror}", _kept(part)) from error
    finally:
        part.close(keep=keep)
    on = f", of which {human(begun)} were there already" if begun else ""
    return f"{found.label} is in {target}: {human(target.stat().st_size)}{on}{told}"


def _look_again(host: Host, found: Found, knowing: tuple[str, ...], what: str) -> None:
    """Raises _Changed where the volume may have been written to since it was judged.

    ``knowing``: the domains that ran with it then, which the operator has taken upon them. Raises
    TuivirtError where that cannot be told.
    """
    try:
        now = find(host, found.pool.UUIDString(), found.name)
        running = in_use(host, now).running
    except TuivirtError as error:
        why = "whether it was written to meanwhile is not known"
        raise TuivirtError(what, f"{why}: {error}", error.advice) from error
    if came := sorted({*running} - {*knowing}):
        why = f"{', '.join(came)} was started meanwhile and may have written to it"
        raise _Changed(what, f"{why}: what came is no whole image")
    # The time of a device's own file says nothing of what is in the device.
    told = not knowing and found.volume.type == "file"
    if told and identity(now.volume) != identity(found.volume):
        raise _Changed(what, "it was changed meanwhile: what came is no whole image")


def _kept(part: Part) -> str:
    if not (part.may_resume and part.length()):
        return ""
    return f"{human(part.length())} are kept in {part.path}: the same again goes on from there"


def _kept_whole(part: Part) -> str:
    """All of it came: it is kept, too, where it could not be gone on with."""
    if kept := _kept(part):
        return kept
    part.may_resume = True
    return f"what came is kept in {part.path}" if part.length() else ""


def _fetch(
    host: Host,
    found: Found,
    part: Part,
    counter: Counter,
    offset: int,
    length: int,
    aborted: threading.Event | None,
    progress: Progress | None,
) -> None:
    if counter.total is not None and not length and counter.done >= counter.total:
        return  # All of it is there.
    stream = host.conn.newStream(0)
    sparse = True
    try:
        flags = libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM
        found.handle.download(stream, offset, length, flags)
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise
        sparse, stream = False, host.conn.newStream(0)
        found.handle.download(stream, offset, length, 0)
    run_transfer(
        stream,
        part.fd,
        lambda fd: receive(stream, fd, counter, sparse=sparse),
        counter,
        named=f"the download of {found.name}",
        aborted=aborted,
        progress=progress,
    )
