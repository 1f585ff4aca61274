"""What a host's libvirt has of storage: types of pools, and the formats of their volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import libvirt

from ..errors import BadInput, from_libvirt, if_offered
from ..xml.new_pool import offered_types
from ..xml.tree import skim

if TYPE_CHECKING:
    from ..host import Host

FILES = frozenset(("dir", "fs", "netfs"))
"""Types of pools whose volumes are files, and so images of a format."""
FORMATS = ("raw", "qcow2", "qed", "vmdk", "vdi", "vpc", "qcow")
"""Those that libvirt has always made of files: offered where it does not tell."""
_NEVER_MADE = frozenset(
    ("none", "auto", "unknown", "dir", "bochs", "cloop", "dmg", "iso", "fat", "cow", "vhd")
)
"""Those that libvirt tells of as it knows them where it finds them: no image is made of them."""


def pool_types(host: Host) -> Mapping[str, tuple[str, ...]]:
    """By type of pool that the host can have: what its volumes can be; {}: it does not tell.

    Source: virConnectGetStoragePoolCapabilities, since libvirt 5.2. Raises NotConnected.
    """
    try:
        told = if_offered(lambda: str(host.conn.getStoragePoolCapabilities(0)), "")
    except libvirt.libvirtError:
        told = ""  # An older daemon: the definition itself will tell.
    return offered_types(told) if told else {}


def formats_of(host: Host, kind: str) -> tuple[str, ...]:
    """What a new volume in a pool of that type can be, what libvirt names first; (): no choice.

    Images of files; of a disk its partitions.
    """
    types = pool_types(host)
    if kind not in types:
        return FORMATS if kind in FILES else ()
    return tuple(each for each in types[kind] if each not in _NEVER_MADE)


def formats_in(host: Host, pool_key: str) -> tuple[str, ...]:
    """The same of a pool by its UUID or name. Raises NotFound, TuivirtError."""
    pool = host.pool(pool_key)
    try:
        return formats_of(host, str(skim(pool.XMLDesc(0), "pool").get("type", "")))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot ask for pool {pool.name()}") from error


def refuse_format(host: Host, kind: str, form: str, what: str) -> None:
    """Raise BadInput where no volume of that format can be made in a pool of that type."""
    if form in ("", "raw"):
        return
    there = formats_of(host, kind)
    if form in there:
        return
    if not there:
        raise BadInput(what, f"a pool of the type {kind} has no images of a format", "leave it out")
    raise BadInput(
        what,
        f"the host's libvirt makes no {form} in a pool of the type {kind}",
        f"it makes {', '.join(there)}",
    )
