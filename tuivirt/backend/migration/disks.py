"""What both hosts know of a domain's images. Pools are only looked at, nothing is changed."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, is_gone, is_unsupported
from ..model.device import Disk
from ..model.migration import DiskFacts, Place, Stamp
from ..xml.errors import XmlError
from ..xml.tree import attribute, parse
from .times import is_same, stamp_of

if TYPE_CHECKING:
    from ..host import Host

ON_SERVERS = ("network",)
"""Sources that lie on a server which both hosts can ask."""


def read_here(
    host: Host, domain: Any, disks: Iterable[Disk], *, active: bool
) -> tuple[DiskFacts, ...]:
    """The domain's disks as its own host knows them. Source: virDomainGetBlockInfo, pools."""
    return tuple(_disk(host, domain, disk, active) for disk in disks if disk.source)


def _disk(host: Host, domain: Any, disk: Disk, active: bool) -> DiskFacts:
    path = _path(host, disk)
    capacity, size = _sizes(domain, disk)
    here = place_of(host, path)
    backing = disk.backing
    if not (active or backing) and here.stamp is not None and has_backing(disk.format):
        # What a saved configuration does not tell, the image does.
        backing = (here.stamp.backing,) if here.stamp.backing else ()
    return DiskFacts(
        target=disk.target,
        source_type=disk.source_type,
        path=path,
        pool=disk.pool,
        volume=disk.volume,
        format=disk.format or "raw",
        device=disk.device,
        readonly=disk.readonly,
        shareable=disk.shareable,
        capacity_bytes=capacity,
        size_bytes=size,
        backing=backing,
        backing_format=_backing_format(disk),
        here=here,
    )


def has_backing(format_: str) -> bool:
    """Whether an image may lie on another; what looks so in a raw one is the guest's own."""
    return format_ not in ("", "raw")


def _backing_format(disk: Disk) -> str:
    if not (disk.backing and disk.xml):
        return ""
    return attribute(parse(disk.xml, "disk"), "backingStore/format", "type")


def _sizes(domain: Any, disk: Disk) -> tuple[int | None, int | None]:
    try:
        capacity, _allocated, size = domain.blockInfo(disk.target)
    except libvirt.libvirtError:
        # An image that is away, or a driver that tells no sizes; what needs one says that it lacks.
        return None, None
    return int(capacity), int(size)


def _path(host: Host, disk: Disk) -> str:
    """Where it is on its host; '' for a server's, and for a volume whose pool is not active."""
    if disk.source_type in ("file", "block"):
        return disk.source
    if disk.source_type != "volume":
        return ""
    try:
        pool = host.conn.storagePoolLookupByName(disk.pool)
        return str(pool.storageVolLookupByName(disk.volume).path())
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return ""
        raise


def look_there(target: Host, source: Host, disks: Iterable[DiskFacts]) -> tuple[DiskFacts, ...]:
    """The same with what the target knows, and what the source knows after that."""
    return tuple(_look(target, source, disk) for disk in disks)


def _look(target: Host, source: Host, disk: DiskFacts) -> DiskFacts:
    if disk.source_type in ON_SERVERS:
        return disk
    if disk.source_type == "volume":
        there = _volume_place(target, disk)
    else:
        there = place_of(target, disk.path)
    backing: bool | None = None
    same: bool | None = None
    if disk.backing:
        place = place_of(target, disk.backing[0])
        backing = place.stamp is not None if place.pool else None
        if place.stamp is not None:
            own = place_of(source, disk.backing[0]).stamp
            same = is_same(own, place.stamp, own)
    after = place_of(source, disk.path) if there.stamp is not None else disk.here
    return replace(disk, there=there, backing_there=backing, backing_same=same, here_after=after)


def _volume_place(host: Host, disk: DiskFacts) -> Place:
    pool = next((p for p in host.snapshot.pools.values() if p.name == disk.pool), None)
    if pool is None or not pool.active:
        return Place()
    return Place(pool.name, "", _stamp(host.pool(pool.uuid), disk.volume))


def place_of(host: Host, path: str) -> Place:
    """What the host's pools tell of a path; the pool is refreshed where it does not know it."""
    if not path.startswith("/"):
        return Place()
    folder, name = os.path.split(path)
    active = pool_of(host, folder)
    if active is not None:
        try:
            return Place(active.name(), "", _stamp(active, name))
        except libvirt.libvirtError as error:
            # A pool that another move had made for a time, and has stopped just now.
            if not is_gone(error) and error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
                raise
    for pool in host.snapshot.pools.values():
        if not pool.active and pool.path and os.path.normpath(pool.path) == folder:
            return Place(idle_pool=pool.uuid)
    return Place()


def pool_of(host: Host, folder: str) -> Any | None:
    """libvirt's active pool whose path is this folder, asked now; None: there is none."""
    try:
        return host.conn.storagePoolLookupByTargetPath(folder)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        if not is_unsupported(error):
            raise
    # Since libvirt 4.1, and not by every driver: what is known of its pools has to do.
    for pool in host.snapshot.pools.values():
        if pool.active and pool.path and os.path.normpath(pool.path) == folder:
            return host.pool(pool.uuid)
    return None


def _stamp(pool: Any, name: str) -> Stamp | None:
    try:
        volume = pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise
        pool.refresh(0)  # A pool's list is as old as its last refresh.
        try:
            volume = pool.storageVolLookupByName(name)
        except libvirt.libvirtError as again:
            if not is_gone(again):
                raise
            return None
    try:
        return stamp_of(str(volume.XMLDesc(0)))
    except libvirt.libvirtError as error:
        if is_gone(error) or error.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR:
            return None  # Its file has gone since the pool was refreshed.
        raise
    except XmlError as error:
        raise TuivirtError(f"cannot read volume {name}", str(error)) from error
