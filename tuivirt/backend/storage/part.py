"""The file that a download is written to until it is whole, and put in place then."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

from ..errors import BadInput
from ..model.resources import Volume
from ..naming import take_name, unsure

_WHOLE = 1 << 20
"""A file that was left is trusted up to a whole MiB."""


def identity(volume: Volume) -> str:
    """What tells the volume as it is now from itself once it was written to; '' if nothing does."""
    if not volume.modified or volume.physical_bytes is None:
        return ""
    told = f"{volume.key}\0{volume.physical_bytes}\0{volume.modified}"
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:12]


def mark(path: Path) -> tuple[int, int] | None:
    """What tells the file of that name from another that takes its name; None: there is none."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return None
    return there.st_dev, there.st_ino


class Part:
    """``.NAME.IDENTITY.part`` beside the file that it becomes; held by one download at a time.

    Its name says of what it is the beginning: one of the same name may be gone on with.
    """

    def __init__(self, target: Path, ident: str) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name[:200]}.{ident or os.getpid()}.part")
        self.may_resume = bool(ident)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.fd = os.open(self.path, flags, 0o666)
        if os.fstat(self.fd).st_uid != os.geteuid():
            os.close(self.fd)
            raise BadInput(f"cannot write {self.path}", "it is another user's", "take it away")
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.fd)
            raise BadInput(
                f"cannot write {self.path}", "another download writes to it", "wait for that one"
            ) from error
        self._forget_older()

    def begin(self, *, resume: bool) -> int:
        """Where to go on; the file ends, and stands, there."""
        have = os.fstat(self.fd).st_size if resume and self.may_resume else 0
        have -= have % _WHOLE
        os.ftruncate(self.fd, have)
        os.lseek(self.fd, have, os.SEEK_SET)
        return have

    def length(self) -> int:
        return os.fstat(self.fd).st_size

    def finish(self, *, instead_of: tuple[int, int] | None) -> str:
        """It is whole: put it in place, over no other file than the one with that `mark`.

        Returns what is not sure of it, as an end of what is said (`unsure`).
        """
        os.fsync(self.fd)
        if instead_of is not None and mark(self.target) == instead_of:
            os.replace(self.path, self.target)
        else:
            try:
                take_name(str(self.path), str(self.target))
            except FileExistsError:
                self.may_resume = True
                raise BadInput(
                    f"{self.target} is there by now",
                    f"what was downloaded is whole, in {self.path}",
                    "--force overwrites it",
                ) from None
        return unsure(str(self.target))

    def close(self, *, keep: bool) -> None:
        """Let go of it; ``keep`` what has come, where it may be gone on with."""
        if not (keep and self.may_resume and self.length()):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        os.close(self.fd)

    def _forget_older(self) -> None:
        """Of what the volume was before: nobody can go on with those."""
        start = f".{self.target.name[:200]}."
        for name in os.listdir(self.target.parent):
            ident = name.removeprefix(start).removesuffix(".part")
            if (
                name != self.path.name
                and name == f"{start}{ident}.part"
                and len(ident) == 12
                and all(each in "0123456789abcdef" for each in ident)
            ):
                _unlink_unless_held(self.target.with_name(name))


def _unlink_unless_held(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return  # Gone, or not ours.
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        pass  # Another download of it runs.
    finally:
        os.close(fd)
