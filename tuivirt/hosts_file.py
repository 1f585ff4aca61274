"""Hosts written back into the settings file: all else in it stays as the operator wrote it.

Only the lines of the one host are touched, and what comes of it is read once more before it takes
the old file's place: a file that would say anything else than was meant is not written.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
import re
import stat
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuivirt.backend.model.entry import HostEntry

LOCK_S = 3.0
"""How long another program that writes there is waited for."""

_TABLE = re.compile(r"\s*\[\[?[^\[\]=]*\]\]?\s*(#.*)?")
_HOST = re.compile(r"\s*\[\[\s*(hosts|\"hosts\"|'hosts')\s*\]\]\s*(#.*)?")
_NOTHING = re.compile(r"\s*(#.*)?")


class CannotWrite(Exception):
    """Nothing was written; the text says why."""


@dataclass(frozen=True, slots=True)
class HostsFile:
    """The settings file at ``path``, as far as its hosts go."""

    path: Path

    def put(self, entry: HostEntry, before: str = "", *, keep_uri: bool = False) -> None:
        """Write a host: in place of the one called ``before``, or as a new one.

        ``keep_uri``: the URI that stands there stays, with its password. Raises CannotWrite.
        """
        values = _values(entry)

        def change(read: list[dict[str, Any]], blocks: _Blocks) -> None:
            at = _place(read, before) if before else None
            taken = [i for i, each in enumerate(read) if each.get("name") == entry.name and i != at]
            if taken:
                raise CannotWrite(f"{self.path} has a host {entry.name} already")
            if at is None:
                read.append({key: value for key, value in values.items() if _says(key, value)})
                blocks.add(read[-1])
                return
            for key, value in values.items():
                if key == "uri" and keep_uri:
                    continue
                if _says(key, value) or (key in read[at] and isinstance(value, bool)):
                    read[at][key] = value
                else:
                    read[at].pop(key, None)
            blocks.change(at, read[at])

        self._rewrite(change)

    def drop(self, name: str) -> bool:
        """Take a host out; False when it was not there. Raises CannotWrite."""
        found = False

        def change(read: list[dict[str, Any]], blocks: _Blocks) -> None:
            nonlocal found
            at = _place(read, name)
            found = at is not None
            if at is not None:
                del read[at]
                blocks.remove(at)

        if os.path.lexists(self.path):
            self._rewrite(change)
        return found

    def _rewrite(self, change: Callable[[list[dict[str, Any]], _Blocks], None]) -> None:
        try:
            # A settings file is often a link into a folder that is kept under version control.
            target = Path(os.path.realpath(self.path))
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(target.parent):
                text, mode = _read(target, self.path)
                new = self._changed(text, change)
                if new != text:
                    _replace(target, new, mode)
        except OSError as error:
            raise CannotWrite(f"{self.path} cannot be written: {error.strerror}") from error

    def _changed(self, text: str, change: Callable[[list[dict[str, Any]], _Blocks], None]) -> str:
        try:
            wanted = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CannotWrite(f"{self.path} is not right, so it is left alone: {error}") from error
        # A copy: what is read twice must not be changed once.
        hosts = copy.deepcopy(wanted.pop("hosts", []))
        if not isinstance(hosts, list) or not all(isinstance(each, dict) for each in hosts):
            raise CannotWrite(f"{self.path}: hosts is not a list of [[hosts]], it is left alone")
        blocks = _Blocks(text)
        if len(blocks.places) != len(hosts):
            raise CannotWrite(
                f"{self.path}: its hosts are not each begun with [[hosts]] on a line of its own, "
                "so they are left alone"
            )
        change(hosts, blocks)
        new = blocks.text
        try:
            read = tomllib.loads(new)
        except tomllib.TOMLDecodeError as error:
            raise CannotWrite(f"{self.path} would not be right any more: {error}") from error
        if read.pop("hosts", []) != hosts or read != wanted:
            raise CannotWrite(f"{self.path} would say something else than was meant")
        return new


class _Blocks:
    """A file's lines, and which of them are each host's: from its head to its last value."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.places: list[tuple[int, int]] = []
        """First line and the one behind the last, of each."""
        heads = [n for n, line in enumerate(self._lines) if _TABLE.fullmatch(line.rstrip("\r\n"))]
        for head, end in zip(heads, [*heads[1:], len(self._lines)], strict=False):
            if not _HOST.fullmatch(self._lines[head].rstrip("\r\n")):
                continue
            # Comments at the end are about what comes next.
            while end > head + 1 and _NOTHING.fullmatch(self._lines[end - 1].rstrip("\r\n")):
                end -= 1
            self.places.append((head, end))

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def add(self, values: dict[str, Any]) -> None:
        """Behind the last host, or at the file's end."""
        import tomlkit  # Whoever writes no host needs none of it.

        table = tomlkit.table()
        table.update(values)
        hosts = tomlkit.aot()
        hosts.append(table)
        document = tomlkit.document()
        document.append("hosts", hosts)
        new = document.as_string().strip("\n").replace("\n", self._newline) + self._newline
        at = self.places[-1][1] if self.places else len(self._lines)
        if at and not self._lines[at - 1].endswith("\n"):
            self._lines[at - 1] += self._newline
        blank = [self._newline] if at and self._lines[at - 1].strip() else []
        self._lines[at:at] = [*blank, new]

    def change(self, number: int, values: dict[str, Any]) -> None:
        """Have a host say these values; its comments stay."""
        import tomlkit

        head, end = self.places[number]
        document = tomlkit.parse("".join(self._lines[head:end]))
        table: Any = document["hosts"][0]
        for key in [key for key in table if key not in values]:
            del table[key]
        for key, value in values.items():
            if key not in table or table[key] != value:
                table[key] = value
        self._lines[head:end] = [document.as_string()]

    def remove(self, number: int) -> None:
        head, end = self.places[number]
        # Of the blank lines before and after it one stays.
        if end < len(self._lines) and not self._lines[end].strip():
            end += 1
        elif end == len(self._lines) and head and not self._lines[head - 1].strip():
            head -= 1
        del self._lines[head:end]


def _values(entry: HostEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "uri": entry.uri,
        "group": entry.group,
        "tags": list(entry.tags),
        "readonly": entry.readonly,
        "colour": entry.colour,
        "connect": entry.connect,
    }


def _says(key: str, value: Any) -> bool:
    """Whether it has to be written: the file says no more than it must."""
    return value is not True if key == "connect" else bool(value)


def _place(read: list[dict[str, Any]], name: str) -> int | None:
    """Where the host stands; of two of that name the first, as it is read."""
    return next((i for i, each in enumerate(read) if each.get("name") == name), None)


def _read(target: Path, path: Path) -> tuple[str, os.stat_result | None]:
    try:
        with target.open("rb") as file:
            known = os.fstat(file.fileno())
            data = file.read()
    except FileNotFoundError:
        return "", None
    try:
        return data.decode(), known
    except UnicodeDecodeError as error:
        raise CannotWrite(f"{path} is not UTF-8, so it is left alone: {error}") from error


def _replace(target: Path, text: str, known: os.stat_result | None) -> None:
    """Put the whole new file in the old one's place at once; its mode and owner stay."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(text.encode())
            if known is not None:
                if (known.st_uid, known.st_gid) != (os.geteuid(), os.getegid()):
                    # Only root may, and only root has others' files to write.
                    with contextlib.suppress(PermissionError):
                        os.fchown(file.fileno(), known.st_uid, known.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(known.st_mode))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep another tuivirt from writing in between; a file system without locks has none."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CannotWrite(f"another program is writing in {folder}") from None
                time.sleep(0.02)
                continue
            except OSError:
                yield  # Two that write in the same moment are rare; each writes a whole file.
                return
            yield
            return
    finally:
        os.close(handle)
