"""A host's block devices for the disks of its domains, and why some cannot be had.

Of this machine the kernel is asked; of another only what libvirt tells: its devices, its pools,
and what its domains have. Whether that machine itself has one mounted is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .disks import path_of
from .errors import BadInput
from .here import is_here
from .lookups import configs_of, volumes
from .model.blocks import BlockDevice
from .model.device import Disk
from .passthrough import blocks as kernel
from .passthrough.diskuse import Uses

if TYPE_CHECKING:
    from .disks import DiskRequest
    from .host import Host

_OF_BLOCKS = ("disk", "logical", "iscsi", "scsi", "mpath")
"""Types of pools whose volumes are block devices."""

_PART = re.compile(r"|p?\d+|-part\d+")
"""What follows a disk's path in that of a partition of it."""


def block_devices(host: Host, uuid: str) -> tuple[BlockDevice, ...]:
    """What the domain could be given for a disk, and the rest with the reason, free ones first.

    Source: /sys, /proc, /dev of this machine; else node devices and storage pools.
    """
    if is_here(host):
        return kernel.block_devices(_taken(host, uuid, kernel.name_of))
    return tuple(sorted(_told(host, uuid), key=lambda device: (bool(device.uses), device.name)))


def refuse_in_use(host: Host, uuid: str, path: str, request: DiskRequest | None = None) -> None:
    """Raises BadInput when the host, or the configuration of another domain, has the device.

    For a path that leads to a block device of this machine; of others nothing is known here.
    Two that only read, or that say they share it, are let be.
    """
    name = kernel.name_of(path) if path.startswith("/dev/") and is_here(host) else ""
    if not name:
        return
    uses = Uses()
    by_host = kernel.reasons(name, {}, uses)
    if by_host:
        raise BadInput(
            f"{path} is in use by the host",
            "; ".join(by_host),
            "a guest that writes to it destroys what is there; free it first",
        )
    others = kernel.reasons(name, _taken(host, uuid, kernel.name_of, request), uses)
    if others:
        raise BadInput(
            f"{path} belongs to another domain",
            "; ".join(others),
            "take it away there first, or mark it shareable in both (--mode shareable)",
        )


def _taken(
    host: Host, uuid: str, name_of: Callable[[str], str], request: DiskRequest | None = None
) -> dict[str, tuple[str, ...]]:
    """By block device: the disks of domains that it is, as in ``vdb of web-01``.

    With ``request``, of others than this domain, and without those that agree to share.
    """
    found: dict[str, tuple[str, ...]] = {}
    known = host.snapshot.domains.get(uuid)
    own = known.name if known is not None else ""
    pools = {pool.name for pool in host.snapshot.pools.values() if pool.type in _OF_BLOCKS}
    for domain, configs in configs_of(host).items():
        if request is not None and domain == own:
            continue
        for disk in (disk for config in configs for disk in config.disks):
            if request is not None and _agree(disk, request):
                continue
            name = name_of(_path(host, disk, pools))
            said = f"{disk.target} of {domain}" if domain != own else f"already {disk.target} here"
            if name and said not in found.get(name, ()):
                found[name] = (*found.get(name, ()), said)
    return found


def _agree(disk: Disk, request: DiskRequest) -> bool:
    reads_only = request.readonly or request.device == "cdrom"
    return (disk.shareable and request.shareable) or (disk.readonly and reads_only)


def _path(host: Host, disk: Disk, pools: set[str]) -> str:
    if disk.source_type == "volume":
        return path_of(host, disk) if disk.pool in pools else ""
    return disk.source if disk.source_type == "block" else ""


def _is_part(path: str, device: str) -> bool:
    """Whether a path is that of the device, or of a partition of it."""
    return path.startswith(device) and bool(_PART.fullmatch(path.removeprefix(device)))


def _told(host: Host, uuid: str) -> Iterator[BlockDevice]:
    """What libvirt tells of another machine's."""
    taken = _taken(host, uuid, str)
    for pool in host.snapshot.pools.values():
        for path in (word for word in pool.source.split() if word.startswith("/dev/")):
            taken[path] = (*taken.get(path, ()), f"part of pool {pool.name}")
    for device in host.snapshot.devices.values():
        if device.capability != "storage" or not device.block_path or not device.size_bytes:
            continue
        names = tuple(dict.fromkeys((device.block_path, *device.devnodes)))
        stable = [name for name in device.devnodes if name.startswith("/dev/disk/by-id/")]
        yield BlockDevice(
            name=os.path.basename(device.block_path),
            path=min(stable, key=lambda name: ("/wwn-" in name, len(name)), default=names[0]),
            size_bytes=device.size_bytes,
            model=" ".join(word for word in (device.vendor, device.product) if word),
            uses=tuple(
                use if path in names else f"{os.path.basename(path)}: {use}"
                for path, uses in taken.items()
                if any(_is_part(path, name) for name in names)
                for use in uses
            ),
        )
    for pool in host.snapshot.pools.values():
        if pool.type not in _OF_BLOCKS or not pool.active:
            continue
        for volume in volumes(host, pool.uuid):
            yield BlockDevice(
                name=f"{pool.name}/{volume.name}",
                path=volume.path,
                size_bytes=volume.capacity_bytes,
                note=f"of pool {pool.name}",
                uses=taken.get(volume.path, ()),
            )
