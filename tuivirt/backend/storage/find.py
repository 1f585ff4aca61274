"""A storage pool's volume, found and read; sizes and names as they are typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import BadInput, NotFound, TuivirtError, from_libvirt, is_gone
from ..model.ref import Kind, Ref
from ..model.resources import Volume
from ..model.size import spelled
from ..sizes import MOST_BYTES, read_size
from ..xml.errors import XmlError
from ..xml.volume import parse_volume

if TYPE_CHECKING:
    from ..host import Host

_NEVER = re.compile(r"[\x00-\x1f\x7f/]")
human = spelled


@dataclass(frozen=True, slots=True)
class Found:
    """A volume with libvirt's handles of it and of its pool."""

    pool: Any
    handle: Any
    volume: Volume
    xml: str

    @property
    def name(self) -> str:
        return self.volume.name

    @property
    def label(self) -> str:
        """As in ``volume web.qcow2 of pool images``."""
        return f"volume {self.volume.name} of pool {self.volume.pool}"


def active_pool(host: Host, key: str) -> Any:
    """libvirt's pool of that UUID or name, which is active. Raises BadInput, TuivirtError."""
    pool = host.pool(key)
    try:
        if not pool.isActive():
            raise BadInput(
                f"pool {pool.name()} is not active",
                "its volumes cannot be reached",
                f"start it: tuivirt pool-start {pool.name()}",
            )
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot ask for pool {pool.name()}") from error
    return pool


def find(host: Host, pool_key: str, name: str) -> Found:
    """The volume of that name, or at that path, as it is now. Raises NotFound, TuivirtError.

    Source: virStorageVolLookupByName, or -ByPath, and its XML.
    """
    if not name or "\0" in name:
        raise BadInput("no volume can have that name", repr(name))
    pool = active_pool(host, pool_key)
    what = f"cannot look up volume {name} of pool {pool.name()}"
    try:
        handle = _look_up(host, pool, name)
        xml = str(handle.XMLDesc(0))
        return Found(pool, handle, parse_volume(host.name, pool.name(), xml), xml)
    except libvirt.libvirtError as error:
        if is_gone(error):
            raise NotFound(
                f"pool {pool.name()} has no volume {name!r}",
                advice=f"refresh the pool, if it is new there; see: tuivirt vol-list {pool.name()}",
                code=error.get_error_code(),
            ) from error
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def _look_up(host: Host, pool: Any, name: str) -> Any:
    try:
        return pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if not is_gone(error) or not name.startswith("/"):
            raise
        handle = host.conn.storageVolLookupByPath(name)
        if handle.storagePoolLookupByVolume().UUIDString() != pool.UUIDString():
            raise
        return handle


def touch(host: Host, pool: Any) -> None:
    """Have the host read the pool again, so that the screen follows at once."""
    host.touch(Ref(host.name, Kind.POOL, pool.UUIDString()))


def check_name(name: str) -> None:
    """Raise BadInput where no volume can be called so."""
    if not name.strip() or name in (".", ".."):
        raise BadInput("a volume needs a name")
    if _NEVER.search(name):
        raise BadInput("a volume's name has no slash and no control character", repr(name))
    if len(name.encode(errors="surrogateescape")) > 255:
        raise BadInput("the name is too long: a file system takes 255 bytes")


def bytes_of(text: str, what: str) -> int:
    """The bytes in ``20G``, ``1.5 TiB`` or, as virsh has it for volumes, a bare number of them.

    Raises BadInput; ``what`` says whose size it is.
    """
    typed = text.strip()
    size = int(typed) if typed.isascii() and typed.isdigit() else read_size(typed)
    if size is None or size > MOST_BYTES:
        raise BadInput(f"{what} cannot be {text!r}", "it is a size", "as in 20G, 512M or 1.5TiB")
    return size
