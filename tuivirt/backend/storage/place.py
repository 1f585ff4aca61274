"""Where a file lies, or would lie, that is named by its pool."""

from __future__ import annotations

import os.path
import threading
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, Silent, from_libvirt, is_gone
from ..lifecycle import Progress
from ..model.record import record
from ..xml.tree import skim
from .find import active_pool, check_name, touch
from .offers import FILES
from .slow import call_for_pool

if TYPE_CHECKING:
    from ..host import Host

SEEN_S = 30.0
"""How long libvirt may take to see what was made: that is done, and is not to hang with a pool."""


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
        path, block = str(volume.path()), volume.info()[0] == libvirt.VIR_STORAGE_VOL_BLOCK
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise from_libvirt(error, what) from error
    else:
        if not path.startswith("/"):
            raise BadInput(
                what,
                f"volume {name} of pool {pool.name()} lies on a storage server ({path}), "
                "and has no path on the host",
                "name a path, or a volume of a pool whose volumes are files or block devices",
            )
        return Place(path, block, pool)
    check_name(name)
    found = folder_of_pool(host, pool_key, what)
    return Place(os.path.join(found.path, name), pool=found.pool)


def seen(
    host: Host,
    place: Place,
    aborted: threading.Event | None = None,
    progress: Progress | None = None,
) -> str:
    """Have libvirt see what was made there; '' or what is to be added to what is said.

    What was made stays so, whatever becomes of that: nothing is raised for it, and neither an
    abort nor a server that is silent for `SEEN_S` keeps anybody waiting.
    """
    if (pool := place.pool) is None:
        return ""
    name = pool.name()
    try:
        call_for_pool(
            lambda: pool.refresh(0),
            f"the refresh of pool {name}",
            f"it is made; refreshing pool {name}",
            aborted,
            progress,
            SEEN_S,
        )
    except (Aborted, Silent) as error:
        return f"; pool {name} does not show it yet: {error}"
    except libvirt.libvirtError as error:
        why = error.get_error_message() or "libvirt says no more"
        return f"; pool {name} does not show it: {why}{_now(pool, name)}"
    finally:
        touch(host, pool)
    return f"; it is in pool {name}"


def _now(pool: Any, name: str) -> str:
    """What became of a pool that could not be refreshed: libvirt stops those."""
    try:
        if pool.isActive():
            return ""
    except libvirt.libvirtError as error:
        if is_gone(error):
            return f"; libvirt has stopped pool {name}, and forgotten it, as it was transient"
        return f"; whether it is still active is not known ({error.get_error_message()})"
    return (
        f"; pool {name} is off now: libvirt has stopped it "
        f"(once that is mended: tuivirt pool-start {name})"
    )
