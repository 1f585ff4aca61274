"""Whose the images are that a target has already: those of its own domains are not copied over."""

from __future__ import annotations

import os.path
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import is_gone
from ..lookups import configs_of, users_of_volumes
from ..model.device import DomainConfig
from ..model.migration import DiskFacts
from ..model.resources import Volume
from ..sides import parse_text, read_texts

if TYPE_CHECKING:
    from ..host import Host


def with_users(target: Host, uuid: str, disks: tuple[DiskFacts, ...]) -> tuple[DiskFacts, ...]:
    """The disks, each with the target's other domains that have its path, live or saved.

    Raises TuivirtError, libvirtError. Source: virConnectListAllDomains, virDomainGetXMLDesc.
    """
    configs = configs_of(target)
    for handle in target.conn.listAllDomains(0):
        name = handle.name()
        if handle.UUIDString() == uuid:
            configs.pop(name, None)  # An older one of itself: its images are what is renewed.
        elif name not in configs:
            configs[name] = _read(handle)  # A host that is just open has not read them all yet.
    users = users_of_volumes(configs, [_as_volume(target, disk) for disk in disks])
    return tuple(replace(disk, users_there=users.get(disk.target, ())) for disk in disks)


def _read(handle: Any) -> tuple[DomainConfig, ...]:
    try:
        texts = read_texts(handle)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return ()
        raise
    what = f"cannot read the configuration of {handle.name()}"
    return tuple(config for text in texts if (config := parse_text(text, what)) is not None)


def _as_volume(target: Host, disk: DiskFacts) -> Volume:
    """What it is on the target, by its path and by its pool's name: a domain may have either."""
    path = os.path.normpath(disk.path) if disk.path else ""
    if disk.source_type == "volume":
        path = ""
        if disk.there.stamp is not None:
            path = str(target.pool(disk.pool).storageVolLookupByName(disk.volume).path())
    name = disk.volume or os.path.basename(path)
    return Volume(target.name, disk.there.pool, name, disk.target, path)
