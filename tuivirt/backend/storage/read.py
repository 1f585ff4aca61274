"""The volumes of a pool, read."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, from_libvirt, is_gone, is_open
from ..model.resources import Volume
from ..together import together
from ..xml.errors import XmlError
from ..xml.volume import parse_volume

if TYPE_CHECKING:
    from ..host import Host

AT_ONCE = 8
"""Calls under way at the same time on a far host; at home the daemon takes one after the other."""


def volumes_in(host: Host, pool: Any, *, unread: bool = True) -> list[Volume]:
    """All of them, in libvirt's order, without users; [] while the pool is not active.

    One that goes away meanwhile is left out. One that libvirt cannot read has its name, its
    place and the reason; without ``unread`` that is raised. Source: one
    virStoragePoolListAllVolumes, and each volume's XML: no call tells of many at once. Raises
    TuivirtError.
    """
    name = pool.name()
    what = f"cannot list the volumes of pool {name}"
    info = host.snapshot.info
    local = info is not None and info.local
    try:
        handles = pool.listAllVolumes(0) if pool.isActive() else []
        if local:
            found = [_read(host, name, each) for each in handles]
        else:
            reading = [partial(_read, host, name, each) for each in handles]
            found = together(reading, host.conn.getLibVersion, AT_ONCE)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    there = [volume for volume in found if volume is not None]
    broken = next((volume for volume in there if volume.problem), None)
    if broken is not None and not unread:
        raise TuivirtError(f"cannot read volume {broken.name} of pool {name}", broken.problem)
    return there


def names_in(host: Host, pool_key: str) -> tuple[Volume, ...]:
    """A pool's volumes with no more than their names: one call, however many there are."""
    pool = host.pool(pool_key)
    name = pool.name()
    try:
        handles = pool.listAllVolumes(0) if pool.isActive() else []
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot list the volumes of pool {name}") from error
    return tuple(Volume(host.name, name, e.name(), e.key(), "", type="") for e in handles)


def some_of(host: Host, pool_key: str, names: Sequence[str]) -> tuple[Volume, ...]:
    """These of a pool's volumes, without users, as far as they are there. Raises TuivirtError."""
    pool = host.pool(pool_key)
    found = []
    for each in names:
        try:
            volume = _read(host, pool.name(), pool.storageVolLookupByName(each))
        except libvirt.libvirtError as error:
            if is_gone(error):
                continue
            raise from_libvirt(error, f"cannot read volume {each} of {pool.name()}") from error
        if volume is not None:
            found.append(volume)
    return tuple(found)


def _read(host: Host, pool: str, handle: Any) -> Volume | None:
    try:
        return parse_volume(host.name, pool, handle.XMLDesc(0))
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        if not is_open(host.conn):
            raise
        problem = f"{error.get_error_message()} (libvirt error {error.get_error_code()})"
    except XmlError as error:
        problem = str(error)
    path = ""
    with contextlib.suppress(libvirt.libvirtError):  # What it is called is enough.
        path = str(handle.path())
    return Volume(host.name, pool, handle.name(), handle.key(), path, type="", problem=problem)
