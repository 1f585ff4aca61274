"""Small files that tell of work: there before it begins, locked while it runs, gone with its end.

``.NAME.tuivirt-XXXXXXXX.job`` holds a JSON object with at least the words ``verb``, ``source`` and
``target``. One that is there and that nobody has locked was cut off.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MARK, _JOB = ".tuivirt-", ".job"
_WORDS = ("verb", "source", "target")
_NAME_BYTES = 200
"""Of a name that much is kept: a file system takes 255 bytes."""
_MOST_BYTES = 1 << 16


def stem_for(folder: str, name: str) -> str:
    """A name that nobody has, for what is written about ``name``."""
    short = os.fsdecode(os.fsencode(name.replace("/", "_"))[:_NAME_BYTES])
    return os.path.join(folder, f".{short}{_MARK}{os.urandom(4).hex()}")


class Mark:
    """One of our own, from its making to `end`. Raises OSError, and then it is not there."""

    def __init__(self, stem: str, said: Mapping[str, Any], mode: int = 0o600) -> None:
        self.path = mark_of(stem)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            self.say(said)
        except OSError:
            self.end()
            raise

    def say(self, said: Mapping[str, Any]) -> None:
        """Have it tell this from now on."""
        data = json.dumps(said).encode()
        # In one step: whoever is killed in between leaves the old words or the new ones.
        os.pwrite(self._fd, data.ljust(os.fstat(self._fd).st_size), 0)
        os.fsync(self._fd)

    def end(self, *, stays: bool = False) -> None:
        """Let go of it; unless it ``stays``, to tell of what was cut off, it is removed."""
        if not stays:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class Told:
    """What such a file tells."""

    said: Mapping[str, Any]
    """``verb``, ``source`` and ``target`` are words."""
    under_way: bool
    """Somebody works on it now."""


def marks_in(folder: Path) -> list[Path]:
    """The files there that tell of what is begun, by name; [] where we may not look."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []  # Not there, or not ours to read: then nothing was left there by us.
    found = (n for n in names if n.startswith(".") and _MARK in n and n.endswith(_JOB))
    return [folder / name for name in sorted(found)]


def mark_of(stem: str) -> str:
    """The path of the mark that tells of what has this stem."""
    return stem + _JOB


def stem_of(path: Path) -> str:
    """The name of what it tells of, if that is beside it."""
    return str(path).removesuffix(_JOB)


def read(path: Path) -> Told | None:
    """None: it has just been removed, or is none of ours."""
    try:
        with open(path, "rb", opener=_carefully) as file:
            said: Any = json.loads(file.read(_MOST_BYTES))
            under_way = _is_held(file.fileno())
            if os.fstat(file.fileno()).st_nlink == 0:
                return None  # Its owner came to the end after it was opened.
        if all(isinstance(said[word], str) for word in _WORDS):
            return Told(said, under_way)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _carefully(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _is_held(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
