"""What an image lies on: by its own head where that can be read, else by libvirt's word."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import libvirt

from ..errors import is_gone
from ..images import header
from ..model.resources import Volume
from ..xml.errors import XmlError
from ..xml.volume import parse_volume
from .names import Names

ALONE = frozenset(("raw", "iso", "dir", "none"))
"""Formats of images that lie on nothing."""


class Below:
    """Each image is looked into once.

    ``readable``: whether this machine's file of that path is the image; of others only libvirt
    knows: ``conn``, or None where it knows nothing of them. May block as libvirt does.
    """

    def __init__(self, conn: Any, names: Names, readable: Callable[[str], bool]) -> None:
        self._conn, self._names, self.readable = conn, names, readable
        self._known: dict[str, header.Head] = {}
        self._volumes: dict[str, Volume] = {}

    def tell(self, volumes: Iterable[Volume]) -> None:
        """What libvirt says of these."""
        self._volumes |= {posixpath.normpath(each.path): each for each in volumes if each.path}

    def of(self, path: str) -> header.Head:
        """What it says it takes its data from; why that is not known is ``unsure``."""
        if path not in self._known:
            self._known[path] = self._look(path)
        return self._known[path]

    def under(
        self, path: str, form: str = "", told: Sequence[str] = ()
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All that is below an image, nearest first, and what is not known of it, a clause each.

        ``told``: what is known to be below it already.
        """
        found, unsure = dict.fromkeys(told), []
        waiting = [*([] if form in ALONE else [path]), *told]
        seen = {self._names(path)} if form in ALONE else set()
        while waiting:
            each = waiting.pop()
            if self._names(each) in seen:
                continue
            seen.add(self._names(each))
            head = self.of(each)
            if head.unsure:
                unsure.append(f"({each}) {head.unsure}")
            found |= dict.fromkeys(head.below)
            waiting += head.below
        return tuple(found), tuple(unsure)

    def _look(self, path: str) -> header.Head:
        if not path.startswith("/"):
            return header.Head()  # On a server, where nothing is looked into.
        why = "lies on is not known here: it is no volume"
        if self.readable(path):
            try:
                head = header.look(path)
            except (FileNotFoundError, NotADirectoryError):
                return header.Head()  # What is not there lies on nothing.
            except OSError as error:
                why = f"lies on cannot be read: {error.strerror}"  # libvirtd may.
            else:
                said = f"lies on cannot be told by {head.unsure}"
                return header.Head(head.below, said) if head.unsure else head
        return self._by_libvirt(path, why)

    def _by_libvirt(self, path: str, why: str) -> header.Head:
        volume = self._volumes.get(posixpath.normpath(path))
        if volume is None and self._conn is None:
            return header.Head(unsure=why)
        if volume is None:
            try:
                xml = self._conn.storageVolLookupByPath(path).XMLDesc(0)
                volume = parse_volume("", "", xml)
            except libvirt.libvirtError as error:
                if not is_gone(error):
                    why = f"lies on cannot be read: {error.get_error_message()}"
                return header.Head(unsure=why)
            except XmlError as error:
                return header.Head(unsure=f"lies on cannot be read: {error}")
        if volume.problem:
            return header.Head(unsure=f"lies on cannot be read: {volume.problem}")
        return header.Head((volume.backing,) if volume.backing else ())
