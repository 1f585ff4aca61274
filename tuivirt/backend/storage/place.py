"""Where a file lies, or would lie, that is named by its pool."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, from_libvirt, is_gone
from ..model.record import record
from ..xml.tree import skim
from .find import active_pool, check_name, touch
from .offers import FILES

if TYPE_CHECKING:
    from ..host import Host


@record(frozen=True, slots=True)
class Place:
    """A path on the host, and the pool that it is in."""

    path: str
    block: bool = False
    """It is a block device that is there."""
    pool: Any = None
    """libvirt's handle of it; None: a path was given, and nobody asked."""


def folder_of_pool(host: Host, pool_key: str, what: str) -> Place:
    """The folder of an active pool of files. Raises BadInput, TuivirtError."""
    pool = active_pool(host, pool_key)
    try:
        root = skim(pool.XMLDesc(0), "pool")
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    kind, folder = root.get("type", ""), root.findtext("target/path") or ""
    if kind not in FILES or not folder.startswith("/"):
        raise BadInput(
            what,
            f"pool {pool.name()} is of the type {kind}, and no folder that files are made in",
            "name a pool of files (dir, fs, netfs), or a volume that is there already",
        )
    return Place(folder, pool=pool)


def place_of(host: Host, named: str, what: str) -> Place:
    """A path as it is, or that of ``pool/volume``, be it there or not.

    Raises BadInput, NotFound, TuivirtError. Source: virStorageVolGetPath, and the pool's XML.
    """
    if named.startswith("/"):
        return Place(os.path.normpath(named))
    pool_key, slash, name = named.partition("/")
    if not slash or not pool_key or not name:
        raise BadInput(what, f"{named!r} is neither a path nor pool/volume")
    pool = active_pool(host, pool_key)
    try:
        volume = pool.storageVolLookupByName(name)
        return Place(volume.path(), volume.info()[0] == libvirt.VIR_STORAGE_VOL_BLOCK, pool)
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, what) from error
    check_name(name)
    found = folder_of_pool(host, pool_key, what)
    return Place(os.path.join(found.path, name), pool=found.pool)


def seen(host: Host, place: Place) -> str:
    """Have libvirt see what was made there; '' or what is to be added to what is said."""
    if place.pool is None:
        return ""
    name = place.pool.name()
    try:
        place.pool.refresh(0)
    except libvirt.libvirtError as error:
        return f"; pool {name} does not show it yet: {error.get_error_message()}"
    finally:
        touch(host, place.pool)
    return f"; it is in pool {name}"
