"""Images where they lie: whether they are there, what they lie on, who else has them.

Of this machine the files are looked at; of another only what libvirt's active pools tell.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import libvirt

from ..disks import path_of
from ..errors import from_libvirt, is_gone
from ..lookups import volumes
from ..model.device import DomainConfig
from ..sides import parse_text, read_texts

if TYPE_CHECKING:
    from ..host import Host

_QCOW = b"QFI\xfb"
_LONGEST = 1023
"""QEMU's limit for the name of a backing file."""
DEEPEST = 200
"""libvirt's own limit for a chain; a chain may also be a ring by mistake."""
MOST_BESIDE = 2000
"""Files of one folder that are looked into."""


def is_here(host: Host) -> bool:
    """Whether the host's files are this machine's."""
    info = host.snapshot.info
    return info is not None and info.local and not info.demo


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

    Source: the header of a qcow2 image of this machine, or a volume's XML.
    """
    if not path.startswith("/"):
        return ""
    if is_here(host):
        try:
            return _header(path)
        except OSError:
            pass  # libvirtd may read what we may not.
    try:
        from ..xml.volume import parse_volume

        return parse_volume(
            host.name, "", host.conn.storageVolLookupByPath(path).XMLDesc(0)
        ).backing
    except (libvirt.libvirtError, ValueError):
        return ""


def _header(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(20)
        if len(head) < 20 or head[:4] != _QCOW:
            return ""
        at, length = struct.unpack_from(">QI", head, 8)
        if not at or not 0 < length <= _LONGEST:
            return ""
        file.seek(at)
        name = file.read(length).decode("utf-8", "surrogateescape")
    name = name.removeprefix("file:")
    if ":" in name.partition("/")[0]:
        return name  # Of the network, or QEMU's own notation.
    return os.path.normpath(os.path.join(os.path.dirname(path), name))


def down_from(host: Host, path: str) -> tuple[str, ...]:
    """The image and all below it, as far as they are known."""
    found: list[str] = []
    while path and path not in found and len(found) < DEEPEST:
        found.append(path)
        path = below(host, path)
    return tuple(found)


def users_of(host: Host, uuid: str, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By path: who else has an image or lies on it: domains, and images that no domain has.

    ``uuid`` is the domain that is left out, and ``paths`` are those that are asked about. Every
    configuration is read anew: what lies on an image that is written to is spoilt for good.
    Raises TuivirtError.
    """
    asked = {real(host, path): path for path in paths if path.startswith("/")}
    found: dict[str, set[str]] = {}
    for name, chain in _chains(host, uuid):
        for path in chain:
            if real(host, path) in asked:
                found.setdefault(asked[real(host, path)], set()).add(name)
    for at, path in asked.items():
        own = {real(host, each) for each in _own(host, uuid)}
        for overlay in _lying_on(host, at):
            if overlay not in own and overlay not in asked:
                found.setdefault(path, set()).add(f"the image {overlay}")
    return {path: tuple(sorted(names)) for path, names in found.items()}


def _chains(host: Host, without: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Of each other domain, of each disk of each configuration: its name and the chain."""
    known: dict[str, tuple[str, ...]] = {}
    for name, config in _configs(host, without):
        for disk in config.disks:
            path = path_of(host, disk) if disk.volume else disk.source
            if not path:
                continue
            if path not in known:
                known[path] = down_from(host, path)
            yield name, (*known[path], *disk.backing)


def _own(host: Host, uuid: str) -> Iterator[str]:
    domain = host.domain(uuid)
    for config in _both(domain):
        for disk in config.disks:
            path = path_of(host, disk) if disk.volume else disk.source
            if path:
                yield from (*down_from(host, path), *disk.backing)


def _configs(host: Host, without: str) -> Iterator[tuple[str, DomainConfig]]:
    try:
        for domain in host.conn.listAllDomains(0):
            if domain.UUIDString() != without:
                yield from ((domain.name(), config) for config in _both(domain))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, "cannot tell who else has these images") from error


def _both(domain: Any) -> list[DomainConfig]:
    try:
        texts = read_texts(domain)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return []
        raise
    what = f"cannot read the configuration of {domain.name()}"
    return [config for text in texts if (config := parse_text(text, what)) is not None]


def _lying_on(host: Host, path: str) -> set[str]:
    """The images beside one that lie on it: in its folder, or in its pool."""
    found: set[str] = set()
    if is_here(host):
        folder = os.path.dirname(path)
        try:
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    if count >= MOST_BESIDE:
                        break
                    if entry.is_file() and real(host, _safe_header(entry.path)) == path:
                        found.add(os.path.realpath(entry.path))
        except OSError:
            pass  # A folder that we may not list: libvirt's pools are asked.
        else:
            return found
    try:
        pool = host.conn.storageVolLookupByPath(path).storagePoolLookupByVolume()
        listed = volumes(host, pool.UUIDString(), {})
    except libvirt.libvirtError:
        return found  # No pool knows it, so none knows of what lies on it.
    return {each.path for each in listed if each.backing == path}


def _safe_header(path: str) -> str:
    try:
        return _header(path)
    except OSError:
        return ""
