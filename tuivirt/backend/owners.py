"""Whose a file is: asked before anything is written over it or takes it away, whoever does that.

Not only disks: what a guest boots from, what a block job writes to, what lies below an image, and
what this machine itself does with a device. A hard link is the same file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import from_libvirt, is_gone
from .model.finding import Finding, Weight
from .model.host import Link
from .sides import read_texts
from .xml.tree import Element, skim

if TYPE_CHECKING:
    from .host import Host

_BOOTED = ("kernel", "initrd", "dtb", "loader", "nvram", "acpi/table")
"""Files that an ``<os>`` names."""
_MOST_BELOW = 200


_ANOTHER = "name another file: what this one holds would be lost"


def against_overwriting(
    host: Host, path: str, *, here: bool = False, advice: str = _ANOTHER
) -> list[Finding]:
    """That a file is somebody's, as a refusal; [] where it is nobody's.

    ``here``: it is this machine's, wherever ``host`` is. Raises TuivirtError.
    """
    said = owners(host, path, here=here)
    if not said:
        return []
    return [Finding(Weight.REFUSED, f"{path} is {', '.join(said)}", advice)]


def owners(host: Host, path: str, *, here: bool = False) -> tuple[str, ...]:
    """What a file is, a phrase each: ``vda of web-01, which runs``; read anew.

    Source: virConnectListAllDomains, both configurations of each, the heads of qcow2 images, /sys
    and /proc. Raises TuivirtError.
    """
    if not path.startswith("/"):
        return ()  # On a storage server.
    hosts = _of_this_machine(host) if here or _is_here(host) else [host]
    local = here or _is_here(host)
    is_it = _same_file(path) if local else os.path.normpath(path).__eq__
    found: list[str] = []
    for each in hosts:
        try:
            for handle in each.conn.listAllDomains(0):
                found += _by_domain(each, handle, is_it, local)
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot tell whose {path} is") from error
    if local and os.path.lexists(path):
        from .images.users import by_machine

        found += by_machine(os.path.realpath(path))
    return tuple(dict.fromkeys(found))


def _is_here(host: Host) -> bool:
    info = host.snapshot.info
    return info is not None and info.local and not info.demo


def _of_this_machine(host: Host) -> list[Host]:
    there = dict.fromkeys((host, *host.started()))
    return [each for each in there if _is_here(each) and each.snapshot.link is Link.CONNECTED]


def _same_file(path: str) -> Any:
    real = os.path.realpath(path)
    try:
        node = os.stat(real)
    except OSError:
        return lambda other: os.path.realpath(other) == real

    def same(other: str) -> bool:
        try:
            return os.path.samestat(os.stat(other), node)
        except OSError:
            return os.path.realpath(other) == real

    return same


def _by_domain(host: Host, handle: Any, is_it: Any, local: bool) -> Iterator[str]:
    try:
        name, active, texts = handle.name(), bool(handle.isActive()), read_texts(handle)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return
        raise
    state = "which runs" if active else "which is off"
    for text in texts:
        root = skim(text, "domain") if text else None
        for what, path in _files(host, root) if root is not None else ():
            if any(is_it(each) for each in _with_below(path, local)):
                yield f"{what} of {name}, {state}"


def _files(host: Host, root: Element) -> Iterator[tuple[str, str]]:
    for word in _BOOTED:
        for found in root.iterfind(f"os/{word}"):
            if found.text and found.text.startswith("/"):
                yield word, found.text
    for disk in root.iterfind("devices/disk"):
        target = disk.find("target")
        what = target.get("dev", "a disk") if target is not None else "a disk"
        for source in (*disk.iter("source"), *disk.iter("mirror")):
            path = source.get("file") or source.get("dev") or _volume(host, source)
            if path.startswith("/"):
                yield what, path


def _volume(host: Host, source: Element) -> str:
    pool, name = source.get("pool"), source.get("volume")
    if not pool or not name:
        return ""
    try:
        found = host.conn.storagePoolLookupByName(pool).storageVolLookupByName(name)
        return str(found.path())
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return ""  # Its pool is off, or has no such volume: there is no such file.
        raise


def _with_below(path: str, local: bool) -> Iterator[str]:
    """An image, and all that it lies on as far as its head tells."""
    seen: set[str] = set()
    while path and path not in seen and len(seen) < _MOST_BELOW:
        seen.add(path)
        yield path
        if not local:
            return
        from .images.header import backing_of

        path = backing_of(path)
