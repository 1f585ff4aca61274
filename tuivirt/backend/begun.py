"""What this user has begun, wherever it lies: noted in a folder of their own, for the next start.

A mark beside an image is found by who works on that image, or looks into that folder. That one is
there has a note, a mark as well, in ``$XDG_STATE_HOME/tuivirt/begun``: made before the other, and
gone after it. One without another tells of work that leaves no file beside what it works on.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cut_off import begun_folder
from .events import Noticed
from .machine import boot, machine
from .marks import Mark, Told, mark_of, marks_in, read, stem_for

if TYPE_CHECKING:
    from .host import Host

BESIDE = "beside"
"""Where the other mark is; '' for none."""
BACKUP = "backup"
"""The verb of what libvirt goes on with when nobody is there; its manifest says how it ended."""

MACHINE, BOOT = "machine", "boot"
"""Whose work it was, for a home may be several machines', and since which start of that one."""
FOLDER = "folder"
"""What `folder_mark` says of the folder of the other mark, or of the backup."""

_told: set[str] = set()
_told_lock = threading.Lock()


def note(name: str, said: Mapping[str, Any], stem: str = "") -> Mark | None:
    """Note what is about to begin: a mark, locked until its end; ``stem``: that of the other.

    None where that folder cannot be written to. It is for the next start alone: what is to be
    done is no less safe without it.
    """
    folder = begun_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        words = {**said, MACHINE: machine(), BOOT: boot(), BESIDE: mark_of(stem) if stem else ""}
        if stem:
            words[FOLDER] = folder_mark(os.path.dirname(stem))
        return Mark(stem_for(str(folder), name), words)
    except OSError:
        return None


def noted() -> Iterator[tuple[Path, Told]]:
    """All that this user has begun on this machine, by the notes of it, which runs or was cut off.

    Another's paths mean nothing here.
    """
    here = machine()
    for path in marks_in(begun_folder()):
        told = read(path)
        if told is not None and told.said.get(MACHINE, here) == here:
            yield path, told


def folder_mark(folder: str | int) -> str:
    """What tells a folder from another that has its path, over boots; '' where it is not there.

    ``st_dev`` does not: devices are numbered anew at each.
    """
    try:
        return f"{os.stat(folder).st_ino}:{os.statvfs(folder).f_fsid}"
    except OSError:
        return ""


def is_gone(path: str, told: Told) -> bool:
    """Whether what a note tells of was removed; not where it is only out of reach.

    What is not mounted is not there either: its folder is to be the one that was noted.
    """
    folder, name = os.path.split(path)
    try:
        fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        mark = folder_mark(fd)
        if mark and mark == told.said.get(FOLDER):
            os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    finally:
        os.close(fd)
    return False


def forget(path: Path) -> None:
    """There is nothing to be told any more."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def first(path: str) -> bool:
    """Whether what that mark tells is told for the first time: two hosts may be this machine."""
    path = os.path.realpath(path)  # A pool may name its folder by a link.
    with _told_lock:
        new = path not in _told
        _told.add(path)
        return new


def say(host: Host, text: str, advice: str) -> None:
    """What was cut off, and what can be done, in one line."""
    host.tell(Noticed(host=host.name, text=" ".join(f"{text}: {advice}".splitlines())))


def tell(host: Host) -> None:
    """Have the operator know of all that was cut off, and wait until that is done.

    Where one lies may not answer for hours: no other waits for it.
    """
    threads = [
        threading.Thread(target=_tell_one, args=(host, path, told), daemon=True)
        for path, told in noted()
        if not told.under_way
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _tell_one(host: Host, path: Path, told: Told) -> None:
    if told.said["verb"] == BACKUP:
        from .backup import unseen

        unseen.tell_noted(host, path, told)
    else:
        from .images import beside

        beside.tell_noted(host, path, told)
