"""What consoles have recorded: which logs there are, and their lines.

Nothing here asks a host: the guest may be gone, and the host away.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from .console_log import older, safe_name, state_folder

LINE_BYTES = 1 << 20
"""A longer line is none that a log writes; it is cut, so that no file can fill the memory."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One log. The names are those of its file: one that is too long is told by its digest."""

    host: str
    domain: str
    device: str
    path: Path
    written_at: float
    """When it was written to last, as seconds since 1970."""


def recordings() -> list[Recorded]:
    """All logs, the one that was written to last first. Raises OSError."""
    found = []
    for path in state_folder().glob("*/*.log"):
        domain, _, device = path.name.removesuffix(".log").rpartition("-")
        with contextlib.suppress(FileNotFoundError):  # Deleted meanwhile.
            written_at = path.stat().st_mtime
            host = unquote(path.parent.name)
            found.append(Recorded(host, unquote(domain), unquote(device), path, written_at))
    return sorted(found, key=lambda one: one.written_at, reverse=True)


def recordings_of(domain: str) -> list[Recorded]:
    """Those of the domains of that name, on whichever host."""
    beginning = safe_name(domain) + "-"
    return [
        one
        for one in recordings()
        if one.path.name.startswith(beginning) and "-" not in one.path.name[len(beginning) :]
    ]


class Lines:
    """The lines of a log, and those that come to it; iterated again it goes on where it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""

    def __iter__(self) -> Iterator[str]:
        """The lines up to the end as it is now. Raises OSError."""
        if self._file is None:
            # This one first: it may be moved away while the older is read, in its place.
            self._file = self._path.open("rb")
            with contextlib.suppress(FileNotFoundError), older(self._path).open("rb") as before:
                if not os.path.sameopenfile(before.fileno(), self._file.fileno()):
                    yield from self._read(before)
        yield from self._read(self._file)
        with contextlib.suppress(FileNotFoundError):
            while not self._is_newest():
                # It was full, and moved away: what came to it until then is its own.
                yield from self._read(self._file)
                self._file.close()
                self._file = self._path.open("rb")
                yield from self._read(self._file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _is_newest(self) -> bool:
        assert self._file is not None
        known, there = os.fstat(self._file.fileno()), self._path.stat()
        same = (known.st_dev, known.st_ino) == (there.st_dev, there.st_ino)
        return same and known.st_size >= self._file.tell()

    def _read(self, file: BinaryIO) -> Iterator[str]:
        while data := file.readline(LINE_BYTES):
            self._rest += data
            if data.endswith(b"\n") or len(self._rest) >= LINE_BYTES:
                line, self._rest = self._rest, b""
                yield line.decode("utf-8", "replace").rstrip("\n")
