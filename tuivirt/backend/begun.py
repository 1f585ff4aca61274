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
from .marks import Mark, Told, mark_of, marks_in, read, stem_for

if TYPE_CHECKING:
    from .host import Host

BESIDE = "beside"
"""Where the other mark is; '' for none."""
BACKUP = "backup"
"""The verb of what libvirt goes on with when nobody is there; its manifest says how it ended."""

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
        beside = mark_of(stem) if stem else ""
        return Mark(stem_for(str(folder), name), {**said, BESIDE: beside})
    except OSError:
        return None


def noted() -> Iterator[tuple[Path, Told]]:
    """All that this user has begun, by the notes of it, which runs or was cut off."""
    for path in marks_in(begun_folder()):
        told = read(path)
        if told is not None:
            yield path, told


def forget(path: Path) -> None:
    """There is nothing to be told any more."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def first(path: str) -> bool:
    """Whether what that mark tells is told for the first time: two hosts may be this machine."""
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
