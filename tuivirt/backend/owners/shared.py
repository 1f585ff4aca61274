"""Which paths of a host lead to storage that other machines have as well."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ..passthrough.diskuse import unescaped

_FILES = "netfs"
_DEVICES = ("iscsi", "scsi")
SERVERS = ("iscsi-direct", "rbd", "gluster", "sheepdog")
_NETWORKED = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "ocfs2", "gfs2", "9p", "virtiofs",
    "lustre", "afs", "beegfs", "orangefs",
)  # fmt: skip
_UNIQUE = ("-iscsi-", "-fc-", "-sas-0x", "wwn-", "scsi-3", "nvme-eui.", "nvme-uuid.")
"""What names a device by what it is, not by where it hangs on one machine."""
_SERVED = "-iscsi-"
"""What names a device by the server that gives it out, in a pool or not."""


class PoolAt(Protocol):
    """As much of a pool as is needed here."""

    @property
    def type(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def source(self) -> str: ...


class Shared:
    """``here``: it is this machine, whose mounts are known."""

    def __init__(self, pools: Iterable[PoolAt], *, here: bool, root: Path = Path("/")) -> None:
        self._pools = tuple(pools)
        self._mounts = _mounts(root) if here else ()
        self._here = here

    def has(self, path: str) -> bool:
        """Whether other machines may have what is at the path."""
        if not path.startswith("/"):
            return True  # On a storage server.
        paths = {posixpath.normpath(path), os.path.realpath(path) if self._here else ""} - {""}
        return any(self._has(each) for each in paths)

    def _has(self, path: str) -> bool:
        place = max((at for at, _kind in self._mounts if _is_in(path, at)), key=len, default="")
        # Of those at one place the last is seen.
        kinds = [kind for at, kind in self._mounts if at == place]
        if kinds and kinds[-1].removeprefix("fuse.").partition("-")[0] in _NETWORKED:
            return True
        if path.startswith("/dev/") and _SERVED in path:
            return True
        return any(self._is_of(each, path) for each in self._pools if each.path)

    def _is_of(self, pool: PoolAt, path: str) -> bool:
        if not _is_in(path, pool.path.rstrip("/")):
            return False
        named = any(word in posixpath.basename(path) for word in _UNIQUE)
        return pool.type == _FILES or (pool.type in _DEVICES and named)

    def place(self, path: str) -> tuple[str, str] | None:
        """The server's folder and the path in it, of what is in a pool of files on a server."""
        for pool in self._pools:
            if pool.type == _FILES and pool.source and _is_in(path, pool.path.rstrip("/")):
                return pool.source, posixpath.relpath(path, pool.path)
        return None

    def called(self, path: str, theirs: Shared) -> str:
        """By its path here, what others have at that path; as they say where that is the same.

        '' where it is not here at all: what they have from a server lies at a path that is this
        machine's own. Of another machine's path that is not known, see `doubts`.
        """
        place = theirs.place(path)
        if place is None:
            return path
        for pool in self._pools:
            if self._is_from(pool, place[0]):
                return posixpath.join(pool.path, place[1])
        return "" if self._here and self._lacks(path, place) else path

    def doubts(self, paths: Iterable[str], theirs: Shared) -> dict[str, str]:
        """Those of the paths where others have something from a server, and nobody tells whether
        that is mounted here as well; with the server's folder."""
        found = {}
        for path in paths:
            place = theirs.place(path)
            if self._here or place is None or any(self._is_from(e, place[0]) for e in self._pools):
                continue
            if self._lacks(path, place):
                found[path] = place[0]
        return found

    def _lacks(self, path: str, place: tuple[str, str]) -> bool:
        """Whether a path is its own, and not what the server, which it may be itself, gives out."""
        given_out = posixpath.join(place[0].partition(":")[2], place[1])
        return not self.has(path) and given_out != path

    @staticmethod
    def _is_from(pool: PoolAt, source: str) -> bool:
        return pool.type == _FILES and pool.source == source

    def servers(self) -> str:
        """All that the pools of images on servers say of theirs."""
        return " ".join(each.source for each in self._pools if each.type in SERVERS)


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _mounts(root: Path) -> tuple[tuple[str, str], ...]:
    """Where what is mounted, the later ones last."""
    found = []
    text = (root / "proc/self/mountinfo").read_text(errors="surrogateescape")
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        words, rest = before.split(), after.split()
        if len(words) > 4 and rest:
            found.append((unescaped(words[4]), rest[0]))
    return tuple(found)
