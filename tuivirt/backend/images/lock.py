"""QEMU's own lock on an image, held here: a guest that is started meanwhile fails to open it.

Without it a guest that starts just before another file takes the image's name goes on with the
old one, and all that it writes is lost. Source: QEMU's block/file-posix.c, raw_apply_lock_bytes:
whoever opens an image has a read lock on one byte for each thing that it does (from 100 on) and
for each that it lets nobody else do (from 200 on), and looks whether others have the counterparts.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from ..errors import TuivirtError

_DOES, _REFUSES = 100, 200
_READ, _WRITE, _WRITE_UNCHANGED, _RESIZE = range(4)
"""QEMU's permissions, by their bits: what is done to an image."""
_ALL = (_READ, _WRITE, _WRITE_UNCHANGED, _RESIZE)
_CHANGES = (_WRITE, _RESIZE)
_FLOCK = struct.Struct("@hhqqi4x")
"""The kernel's struct flock where a file's offset has 64 bits."""
_NONE_HERE = frozenset((errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS))
"""The file system has no such locks: QEMU has none there either."""


class Lock:
    """A context manager: while it holds, nobody who heeds QEMU's locks writes to the image.

    Reading stays open to all, so that qemu-img can copy it, until ``close_to_all``. Raises
    TuivirtError where somebody has it open for writing.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._was: tuple[int, ...] = ()

    def __enter__(self) -> Lock:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise TuivirtError(f"cannot open {self._path}", error.strerror or str(error)) from error
        try:
            self._take(_CHANGES)
        except BaseException:
            self.__exit__()
            raise
        self._was = self._marks()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def close_to_all(self) -> None:
        """From now on nobody may even read it. Raises TuivirtError where somebody does."""
        self._take(_ALL)

    def problem(self) -> str:
        """Why the image is not as it was when the lock was taken; '' where it is.

        The file itself is looked at, whatever name it has by now.
        """
        if any(self._is_done(each) for each in _ALL):
            return "another process has opened it"
        # Who heeds no lock is known by what it wrote.
        return "" if self._marks() == self._was else "it was written to"

    def still_named(self, path: str) -> bool:
        """Whether that name leads to the image that is locked."""
        try:
            now = os.stat(path)
        except OSError:
            return False
        return os.path.samestat(now, os.fstat(self._fd))

    def _take(self, refused: tuple[int, ...]) -> None:
        for each in refused:
            self._call(fcntl.F_OFD_SETLK, fcntl.F_RDLCK, _REFUSES + each)
        # As QEMU does it: who locks first and looks then never misses who does the same.
        if any(self._is_done(each) for each in refused):
            raise TuivirtError(
                f"cannot lock {self._path}",
                "another process has the image open",
                "wait for it, or end it; fuser says which one it is",
            )

    def _is_done(self, what: int) -> bool:
        return self._call(fcntl.F_OFD_GETLK, fcntl.F_WRLCK, _DOES + what) != fcntl.F_UNLCK

    def _call(self, command: int, kind: int, at: int) -> int:
        asked = _FLOCK.pack(kind, os.SEEK_SET, at, 1, 0)
        try:
            return int(_FLOCK.unpack(fcntl.fcntl(self._fd, command, asked))[0])
        except OSError as error:
            if error.errno in _NONE_HERE:
                return fcntl.F_UNLCK
            raise TuivirtError(f"cannot lock {self._path}", error.strerror or str(error)) from error

    def _marks(self) -> tuple[int, ...]:
        now = os.fstat(self._fd)
        return now.st_size, now.st_mtime_ns
