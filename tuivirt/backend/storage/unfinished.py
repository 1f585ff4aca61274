"""Uploads that were begun and not ended: a volume holds a part of a file, and it does not show.

A small file tells of each from before its first byte until it is whole. It lies in the volume's
own folder where that is this machine's and may be written to, so that every operator's tuivirt
finds it: ``.NAME.tuivirt-XXXXXXXX.job``, as beside an image that is worked on; else in
``$XDG_STATE_HOME/tuivirt/uploads``. It is locked for as long as the upload runs: one that is
there and is not locked was cut off. It goes with another upload, with wiping and with deleting.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..birth import birth_of
from ..cut_off import pool_folders, uploads_folder
from ..errors import BadInput, TuivirtError
from ..events import Noticed
from ..here import is_here
from ..marks import Mark, marks_in, read, stem_for
from ..model.finding import Finding, Weight
from ..model.resources import Volume
from .find import Found, human

if TYPE_CHECKING:
    from ..host import Host

VERB = "volume upload"
"""What tells it, in such a file, from work on an image."""
_MOST, _YEAR_9999 = 1 << 64, 253402300799
"""Beyond that it is no number of bytes, no inode, no nanoseconds; or no time that can be told."""
_WORDS = ("source", "target", "host", "pool", "volume", "by")
_NUMBERS = ("offset", "bytes", "begun", "inode", "birth")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload that runs, or was cut off."""

    source: str
    target: str
    """The volume's path."""
    host: str
    pool: str
    volume: str
    by: str
    """Who began it, as ``root@srv1``."""
    offset: int
    bytes: int
    begun: float
    """Wall clock."""
    inode: int
    """The volume's, where it is a file of this machine; else 0."""
    birth: int
    """When that was made, in nanoseconds; 0 where its file system does not tell."""
    file: Path
    """What tells of it."""
    under_way: bool

    @property
    def of_file(self) -> tuple[int, int]:
        """By what the volume's file is told from another of its name."""
        return self.inode, self.birth

    @property
    def said(self) -> str:
        """As in ``the upload of /x (5 GiB), begun 2026-11-22 04:12 by root@srv1``."""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.begun))
        return f"the upload of {self.source} ({human(self.bytes)}), begun {when} by {self.by}"

    @property
    def text(self) -> str:
        """What there is to say of its volume."""
        if self.under_way:
            return f"{self.said}, is under way"
        return f"it holds a part at most: {self.said}, was cut off"

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for a narrow screen."""
        state = "is under way" if self.under_way else "was cut off: it holds a part at most"
        begun = self.said.removeprefix(f"the upload of {self.source} ")
        ways = self.advice.split("; ")
        return (state, f"of {self.source}", begun, *ways)

    @property
    def advice(self) -> str:
        """The ways out."""
        if self.under_way:
            return "wait for its end"
        return (
            "upload it again, wipe it or delete it;"
            f" or remove {self.file}, if you know that it is in order"
        )


class Trace:
    """What tells of one upload, a context manager around it. Raises TuivirtError."""

    def __init__(self, host: Host, found: Found, source: str, offset: int, length: int) -> None:
        volume = found.volume
        self.begun = False
        """From here on the volume is not what it was."""
        inode, birth = _file_at(host, volume.path)
        said = {
            "verb": VERB,
            "source": source,
            "target": volume.path,
            "host": _called(host),
            "pool": volume.pool,
            "volume": volume.name,
            "by": f"{_user()}@{socket.gethostname()}",
            "offset": offset,
            "bytes": length,
            "begun": time.time(),
            "inode": inode,
            "birth": birth,
        }
        beside = _folder_of(host, volume.path)
        folder = (
            beside
            if beside is not None and os.access(beside, os.W_OK | os.X_OK)
            else uploads_folder()
        )
        stem = stem_for(str(folder), volume.name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mark = Mark(stem, said, 0o644)
        except OSError as error:
            raise TuivirtError(
                f"cannot upload into {found.label}",
                f"what tells of it, should it be cut off, cannot be written: {stem}:"
                f" {error.strerror}",
            ) from error

    def __enter__(self) -> Trace:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_rest: object) -> None:
        """It stays where a part was written, and not locked any more."""
        self._mark.end(stays=failed is not None and self.begun)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # A number that nobody has given a name.


def _called(host: Host) -> str:
    """What tells a host from others, by whichever URI it is reached."""
    info = host.snapshot.info
    name = info.hostname if info is not None else ""
    return name if name and not name.startswith("localhost") else host.snapshot.uri


def _folder_of(host: Host, path: str) -> Path | None:
    """Where a volume lies, if that is a folder of files of this machine."""
    if not path.startswith("/") or path.startswith("/dev/") or not is_here(host):
        return None
    return Path(path).parent


_NOT_TOLD = (0, 0)


def _file_at(host: Host, path: str) -> tuple[int, int]:
    """The inode of a file of this machine and when it was made; 0 for what is not told.

    Another one soon has the inode of one that was deleted.
    """
    if _folder_of(host, path) is None:
        return _NOT_TOLD
    try:
        return os.stat(path).st_ino, birth_of(path)
    except OSError:
        return _NOT_TOLD  # Not ours to look at.


def _known(host: Host, folders: Iterable[Path]) -> list[Unfinished]:
    """All that these folders of the host's, and our own, tell of."""
    called = _called(host)
    found = [each for folder in folders for each in _in_folder(folder)]
    return found + [each for each in _in_folder(uploads_folder()) if each.host == called]


def none_told(host: Host) -> bool:
    """Whether nothing is told of any volume of a host on another machine: then none is asked of."""
    return not is_here(host) and not _known(host, ())


def about(host: Host, path: str) -> list[Unfinished]:
    """The uploads into the volume of that path that were not ended, oldest first."""
    real = _real(host, path)
    folders = dict.fromkeys(filter(None, (_folder_of(host, path), _folder_of(host, real))))
    found = [each for each in _known(host, folders) if _real(host, each.target) == real]
    return _of_this_file(host, path, found)


def _real(host: Host, path: str) -> str:
    return os.path.realpath(path) if _folder_of(host, path) is not None else path


def _of_this_file(host: Host, path: str, found: Sequence[Unfinished]) -> list[Unfinished]:
    # What was told of a file that is gone is not told of the next one of its name.
    now = _file_at(host, path) if found else _NOT_TOLD
    return sorted((e for e in found if _is_same(e, now)), key=lambda each: each.begun)


def _is_same(one: Unfinished, now: tuple[int, int]) -> bool:
    """Whether it is about that file, as far as the file system tells."""
    return all(not old or not new or old == new for old, new in zip(one.of_file, now, strict=True))


def by_volume(host: Host, volumes: Sequence[Volume]) -> dict[str, str]:
    """By name: what there is to say of those of a pool's volumes that hold a part of a file."""
    folders = {folder for e in volumes if (folder := _folder_of(host, e.path)) is not None}
    known: dict[str, list[Unfinished]] = {}
    for each in _known(host, folders):
        known.setdefault(each.target, []).append(each)
    if not known:
        return {}
    names = {each.path: each.name for each in volumes if each.path in known}
    told = {name: _of_this_file(host, path, known[path]) for path, name in names.items()}
    return {name: f"{found[-1].text}: {found[-1].advice}" for name, found in told.items() if found}


def findings(host: Host, volume: Volume, *, writing: bool = False) -> list[Finding]:
    """What is to be known of them before the volume is used, or written to."""
    said = []
    for each in about(host, volume.path):
        if writing and not each.under_way:
            text = f"{each.said}, into {volume.name} was cut off"
            said.append(Finding(Weight.NOTE, text))
        else:
            weight = Weight.REFUSED if each.under_way else Weight.RISK
            said.append(Finding(weight, f"{volume.name}: {each.text}", each.advice))
    return said


def refuse(host: Host, path: str) -> None:
    """Raise BadInput where a domain would get a part of an image as its disk."""
    for each in about(host, path):
        raise BadInput(f"{path} cannot be a disk", each.text, each.advice)


def settle(host: Host, volume: Volume, span: tuple[int, int] | None = None) -> None:
    """Forget those that were cut off: it was wiped or deleted, or written to over this ``span``."""
    for each in about(host, volume.path):
        covered = span is None or (span[0] <= each.offset and each.offset + each.bytes <= span[1])
        if covered and not each.under_way:
            # Another user's may stay: its own advice says what to do about it.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                os.unlink(each.file)


def of_host(host: Host) -> list[Unfinished]:
    """All that were cut off on a host, as far as this machine tells; what is gone is left out."""
    return [
        each for each in _known(host, pool_folders(host)) if not each.under_way and _is_there(each)
    ]


def _is_there(one: Unfinished) -> bool:
    if not one.inode:
        return True  # Nobody can tell without asking for it.
    try:
        return _is_same(one, (os.stat(one.target).st_ino, birth_of(one.target)))
    except OSError:
        return False


def tell(host: Host) -> None:
    """Have the operator know of each that was cut off, once the host is there."""
    for each in of_host(host):
        text = f"volume {each.volume} of pool {each.pool}: {each.text}: {each.advice}"
        host.tell(Noticed(host=host.name, text=" ".join(text.splitlines())))


def _in_folder(folder: Path) -> Iterator[Unfinished]:
    return filter(None, map(_read, marks_in(folder)))


def _read(path: Path) -> Unfinished | None:
    """None: it has just been removed, or tells of something else."""
    told = read(path)
    if told is None or told.said["verb"] != VERB:
        return None
    words: dict[str, Any] = {key: told.said.get(key) for key in _WORDS}
    numbers: dict[str, Any] = {key: told.said.get(key, 0) for key in _NUMBERS}
    if not all(isinstance(each, str) for each in words.values()):
        return None
    if not all(isinstance(each, int | float) and 0 <= each < _MOST for each in numbers.values()):
        return None
    if numbers["begun"] > _YEAR_9999:
        return None
    return Unfinished(**words, **numbers, file=path, under_way=told.under_way)
