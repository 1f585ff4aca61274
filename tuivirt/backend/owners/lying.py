"""The images of some folders and pools, and which of them lie on a certain one."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Set
from dataclasses import dataclass

from ..errors import TuivirtError
from ..images import header
from ..model.resources import Volume
from .names import Names
from .survey import PoolNow

MOST_FILES = 100_000
"""Of one folder; that there are more is told."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """An image that lies on another."""

    path: str
    volume: str
    """``pool/name``; '' for one in no pool."""


class Lying:
    """What was looked through so far.

    ``raw``: keys of images that a domain takes for raw. ``read``: what libvirt knows to be in a
    pool, and why that may not be all.
    """

    def __init__(
        self,
        names: Names,
        raw: Set[Hashable],
        read: Callable[[PoolNow], tuple[list[Volume], str]],
    ) -> None:
        self._names, self._raw, self._read = names, raw, read
        self._on: dict[Hashable, dict[Hashable, Overlay]] = {}
        self._folders: set[Hashable] = set()
        self.unseen: list[tuple[Hashable, str]] = []
        """What may lie on something and could not be seen: its key, and a sentence."""

    def directly(self, path: str) -> tuple[Overlay, ...]:
        """Those that name the image as what they lie on."""
        key = self._names(path)
        return tuple(each for at, each in self._on.get(key, {}).items() if at != key)

    def above(self, path: str, without: Iterable[str]) -> tuple[Overlay, ...]:
        """Those and all that lie on them; ``without`` these, which are below it themselves."""
        found: dict[Hashable, Overlay] = {}
        seen = {self._names(path), *map(self._names, without)}
        waiting = [self._names(path)]
        while waiting:
            for key, each in self._on.get(waiting.pop(), {}).items():
                if key not in seen:
                    seen.add(key)
                    found[key] = each
                    waiting.append(key)
        return tuple(found.values())

    def tell(self, volume: Volume, pool: PoolNow) -> None:
        """What libvirt says of a volume."""
        if volume.problem:
            said = f"volume {volume.name} of pool {pool.name} cannot be read: {volume.problem}"
            self.unseen.append((self._names(volume.path), said))
        elif volume.backing:
            self._take(volume.path, header.Head((volume.backing,)), f"{pool.name}/{volume.name}")

    def look_at(self, volume: Volume, pool: PoolNow) -> None:
        """A volume that is a block device of this machine."""
        try:
            self._take(volume.path, header.look(volume.path), f"{pool.name}/{volume.name}")
        except OSError:
            self.tell(volume, pool)

    def look_in(self, folder: str, pools: Iterable[PoolNow]) -> None:
        """The files of a folder of this machine, which may be that of these pools."""
        key = self._names(folder)
        if key in self._folders:
            return
        self._folders.add(key)
        pool = next((p for p in pools if p.active and self._names(p.path) == key), None)
        unread: dict[str, str] = {}
        try:
            for path in _files(folder, unread):
                self._look(path, pool, unread)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._ask_pool(folder, pool, {}, error.strerror or str(error))
        else:
            if unread:
                self._ask_pool(folder, pool, unread, next(iter(unread.values())))

    def _look(self, path: str, pool: PoolNow | None, unread: dict[str, str]) -> None:
        try:
            head = header.look(path)
        except FileNotFoundError:
            return  # It went away meanwhile, or is a link to nothing.
        except OSError as error:
            unread[path] = error.strerror or str(error)
            return
        self._take(path, head, f"{pool.name}/{os.path.basename(path)}" if pool else "")

    def _take(self, path: str, head: header.Head, volume: str) -> None:
        if not head.below and not head.unsure:
            return
        key = self._names(path)
        if head.unsure:
            self.unseen.append((key, f"what {path} lies on cannot be told by {head.unsure}"))
        for each in head.below:
            if key in self._raw:
                # A guest may have written that; or who said that it is raw was wrong.
                said = f"{path} looks like an image that lies on {each}, and a domain takes it for"
                self.unseen.append((key, f"{said} raw"))
            else:
                self._on.setdefault(self._names(each), {}).setdefault(key, Overlay(path, volume))

    def _ask_pool(
        self, folder: str, pool: PoolNow | None, unread: dict[str, str], why: str
    ) -> None:
        """What we may not read libvirtd may: it knows what is in its pools.

        ``unread``: by path why it cannot be read; {} where the whole folder cannot.
        """
        known: dict[str, Volume] = {}
        told = pool is not None
        if pool is not None:
            try:
                volumes, old = self._read(pool)
            except TuivirtError as error:
                told, why = False, str(error)
            else:
                known = {os.path.join(folder, os.path.basename(e.path)): e for e in volumes}
                told, why = not old, old or why
            for path, volume in known.items():
                if not unread or path in unread:
                    self.tell(volume, pool)
        if not unread and not told:
            self.unseen.append((None, f"what lies in {folder} cannot be seen: {why}"))
        left = [path for path in unread if path not in known]
        if left:
            more = f" and {len(left) - 1} more there" if len(left) > 1 else ""
            verb = "lie" if more else "lies"
            said = f"what {left[0]}{more} {verb} on cannot be read: {unread[left[0]]}"
            self.unseen.append((self._names(left[0]) if len(left) == 1 else None, said))


def _files(folder: str, unread: dict[str, str]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count == MOST_FILES:
                raise OSError(0, f"there are more than {MOST_FILES} files")
            try:
                if entry.is_file():
                    yield entry.path
            except OSError as error:
                unread[entry.path] = error.strerror or str(error)
