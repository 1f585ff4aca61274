"""Images where they lie: whether they are there, what they lie on, who else has them.

Of this machine the files are looked at; of another only what libvirt's active pools tell.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libvirt

from ..here import is_here
from ..owners import Finder
from ..owners.below import Below
from ..owners.names import Names

if TYPE_CHECKING:
    from ..host import Host

DEEPEST = 200
"""libvirt's own limit for a chain; a chain may also be a ring by mistake."""


def is_there(host: Host, path: str) -> bool | None:
    """Whether an image exists; None where that is not known."""
    if not path.startswith("/"):
        return None
    if is_here(host):
        try:
            os.stat(path)
        except FileNotFoundError:
            return False
        except OSError:
            return _is_volume(host, path)
        return True
    return _is_volume(host, path)


def _is_volume(host: Host, path: str) -> bool | None:
    """What is no volume may be there all the same: libvirt tells of what its pools have read."""
    try:
        host.conn.storageVolLookupByPath(path)
    except libvirt.libvirtError:
        return None
    return True


def free_at(host: Host, path: str) -> int | None:
    """The bytes that are free where an image lies or would lie; None where that is not known."""
    if not is_here(host) or not path.startswith("/"):
        return None
    try:
        return shutil.disk_usage(os.path.dirname(path)).free
    except OSError:
        return None


def device_size(host: Host, path: str) -> int | None:
    """The bytes of a block device; None where it is none, or cannot be read from here."""
    if not is_here(host):
        return None
    try:
        if not stat.S_ISBLK(os.stat(path).st_mode):
            return None
        with open(path, "rb") as device:
            return device.seek(0, os.SEEK_END)
    except OSError:
        return None


def taken_by(host: Host, paths: Iterable[str]) -> int | None:
    """The bytes that images take on the storage, together; None where one is not known."""
    if not is_here(host):
        return None
    try:
        return sum(os.stat(path).st_blocks * 512 for path in paths)
    except OSError:
        return None


def real(host: Host, path: str) -> str:
    """An image's path without links, so that two names of one image are told."""
    return os.path.realpath(path) if is_here(host) and path.startswith("/") else path


def below(host: Host, path: str) -> str:
    """The image that one lies on; '' for none, or where that is not known.

    Source: the head of an image of this machine, or a volume's XML.
    """
    if not path.startswith("/"):
        return ""
    try:
        head = Below(host.conn, Names(here=is_here(host)), lambda _path: is_here(host)).of(path)
    except libvirt.libvirtError:
        return ""
    return next(iter(head.below), "")


def down_from(host: Host, path: str) -> tuple[str, ...]:
    """The image and all below it, as far as they are known."""
    found: list[str] = []
    while path and path not in found and len(found) < DEEPEST:
        found.append(path)
        path = below(host, path)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Others:
    """Who else has images than one domain."""

    domains: Mapping[str, tuple[str, ...]]
    """By path: the domains that have it, or lie on it."""
    images: Mapping[str, tuple[str, ...]]
    """By path: the images that lie on it, of which the domain itself has none."""
    unsure: tuple[str, ...]
    """What could not be seen, sentences."""
    kept: Mapping[str, tuple[str, ...]]
    """By path: the snapshots of the domain itself that keep it, as in ``snapshot s2 of web-01``."""


def users_of(host: Host, uuid: str, paths: Iterable[str]) -> Others:
    """Who else has images or lies on them: domains, and images that no domain has.

    ``uuid`` is the domain that is left out, and ``paths`` are those that are asked about. Every
    configuration is read anew: what lies on an image that is written to is spoilt for good.
    Raises TuivirtError.
    """
    finder = Finder(host)
    domains: dict[str, tuple[str, ...]] = {}
    images: dict[str, tuple[str, ...]] = {}
    kept: dict[str, tuple[str, ...]] = {}
    unsure: dict[str, None] = {}
    asked = [path for path in paths if path.startswith("/")]
    own = {finder.names(path) for path in (*finder.images_of(uuid), *asked)}
    for path in asked:
        usage = finder.of(path)
        if names := sorted({use.who for use in usage.domains if use.uuid != uuid}):
            domains[path] = tuple(names)
        own_kept = [use.said for use in usage.domains if use.uuid == uuid and use.snapshot]
        if own_kept:
            kept[path] = tuple(own_kept)
        if lying := [each for each in usage.overlays if finder.names(each) not in own]:
            images[path] = tuple(lying)
        unsure |= dict.fromkeys(usage.unsure)
    return Others(domains, images, tuple(unsure), kept)
