"""What is asked for only when somebody looks: XML, volumes, leases. Runs on the look-ups lane.

Every function may block for as long as libvirt does, and raises TuivirtError.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import TuivirtError, from_libvirt, is_gone, is_open
from .leases import read_leases
from .model.device import DomainConfig, DomainDetail
from .model.ref import Kind, Ref
from .model.resources import Lease, Volume
from .owners.lately import kept_lately
from .sides import parse_text, read_texts
from .storage.paths import real_of
from .storage.read import volumes_in
from .storage.users import users_of_volumes
from .uses import Configs, users_of_devices, users_of_networks
from .xml.pending import pending

if TYPE_CHECKING:
    from .host import Host

__all__ = [
    "configs_of",
    "disk_sizes",
    "domain_detail",
    "leases",
    "users_of_devices",
    "users_of_networks",
    "users_of_volumes",
    "volumes",
    "xml_of",
]


def domain_detail(host: Host, uuid: str) -> DomainDetail:
    """Both configurations of a domain, and what differs between them.

    Source: virDomainGetXMLDesc, live and VIR_DOMAIN_XML_INACTIVE, never with secrets.
    """
    domain = host.domain(uuid)
    what = f"cannot read the configuration of {domain.name()}"
    try:
        live_xml, saved_xml = read_texts(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    live, saved = parse_text(live_xml, what), parse_text(saved_xml, what)
    return DomainDetail(
        live=live,
        saved=saved,
        live_xml=live_xml,
        saved_xml=saved_xml,
        pending=pending(live, saved) if live is not None and saved is not None else (),
    )


def disk_sizes(host: Host, uuid: str, detail: DomainDetail) -> dict[str, int]:
    """By target: the bytes that the guest sees of each disk in ``detail``, as far as it is known.

    For a domain that is off: the figures of one that runs are sampled. A disk whose image cannot
    be read (it is away, or its driver tells no sizes) is left out: that is no reason not to
    choose it. Source: one virDomainGetBlockInfo for each disk.
    """
    domain, sizes = host.domain(uuid), {}
    for disk in detail.current.disks if detail.live is None else ():
        if disk.source:
            with contextlib.suppress(libvirt.libvirtError):
                sizes[disk.target] = int(domain.blockInfo(disk.target)[0])
    return sizes


def xml_of(host: Host, ref: Ref, *, saved: bool = False) -> str:
    """The XML of an object as libvirt tells it, without secrets.

    ``saved`` asks for the configuration of the next start, where the object has one apart
    (domains, networks, pools).
    """
    asked = _XML_OF.get(ref.kind)
    if asked is None:
        raise TuivirtError(f"a {ref.kind} has no XML")
    what = f"cannot read the XML of {ref.kind} {ref.key}"
    try:
        return str(asked(host, ref.key, saved))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error


def _volume_xml(host: Host, key: str, _saved: bool) -> str:
    try:
        volume = host.conn.storageVolLookupByKey(key)
    except libvirt.libvirtError as error:
        if not is_gone(error):
            raise
        volume = host.conn.storageVolLookupByPath(key)
    return str(volume.XMLDesc(0))


def _describe(handle: Any, flag: int, saved: bool) -> Any:
    if saved:
        try:
            return handle.XMLDesc(flag)
        except libvirt.libvirtError as error:
            # A driver that keeps one configuration only refuses the flag (libvirt's test driver).
            if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
                raise
    return handle.XMLDesc(0)


_XML_OF: dict[Kind, Callable[[Any, str, bool], Any]] = {
    Kind.DOMAIN: lambda host, key, saved: _describe(
        host.domain(key), libvirt.VIR_DOMAIN_XML_INACTIVE, saved
    ),
    Kind.NETWORK: lambda host, key, saved: _describe(
        host.network(key), libvirt.VIR_NETWORK_XML_INACTIVE, saved
    ),
    Kind.POOL: lambda host, key, saved: _describe(
        host.pool(key), libvirt.VIR_STORAGE_XML_INACTIVE, saved
    ),
    Kind.VOLUME: _volume_xml,
    Kind.DEVICE: lambda host, key, _saved: host.conn.nodeDeviceLookupByName(key).XMLDesc(0),
    Kind.INTERFACE: lambda host, key, _saved: host.conn.interfaceLookupByName(key).XMLDesc(0),
    Kind.HOST: lambda host, _key, _saved: host.conn.getCapabilities(),
}


def volumes(
    host: Host, pool_uuid: str, configs: Configs | None = None, unread: bool = False
) -> tuple[Volume, ...]:
    """The volumes of a pool by name, with who uses them; () while the pool is not active.

    ``configs`` are the domains' configurations; when None, those that the host has read, or,
    where it reads none by itself, all of them are read now. A volume that goes away meanwhile
    is left out; one that libvirt cannot read raises TuivirtError, or, with ``unread``, tells
    why. Source: one virStoragePoolListAllVolumes, and each volume's XML; the records of the
    host's snapshots.
    """
    found = volumes_in(host, host.pool(pool_uuid), unread=unread)
    found.sort(key=lambda volume: volume.name)
    if not found:
        return ()
    known = configs_of(host) if configs is None else configs
    kept, unsure = [], ""
    try:
        kept = kept_lately(host, pool_uuid)
    except libvirt.libvirtError as error:
        if not is_open(host.conn):
            raise from_libvirt(error, "cannot read who has the volumes") from error
        unsure = f"what snapshots keep cannot be read: {error.get_error_message()}"
    users = users_of_volumes(known, found, real_of(host), kept)
    if unsure:
        found = [replace(each, unsure=unsure) for each in found]
    return tuple(
        replace(each, users=users[each.key]) if each.key in users else each for each in found
    )


def leases(host: Host, network_uuid: str) -> tuple[Lease, ...]:
    """The DHCP leases of a network now; () where it hands out none."""
    network = host.snapshot.networks.get(network_uuid)
    try:
        return read_leases(host.conn, network) or ()
    except libvirt.libvirtError as error:
        name = network.name if network is not None else network_uuid
        raise from_libvirt(error, f"cannot read the leases of network {name}") from error


def configs_of(host: Host) -> dict[str, tuple[DomainConfig, ...]]:
    """By domain name: its configurations, live and saved.

    Those that the host has read already; a host that does not sample reads none by itself, so
    there each domain is asked now.
    """
    domains = host.snapshot.domains
    if host.sampling:
        return {
            domains[uuid].name: known.configs
            for uuid, known in host.configs.known().items()
            if uuid in domains
        }
    found: dict[str, tuple[DomainConfig, ...]] = {}
    try:
        for handle in host.conn.listAllDomains(0):
            found[handle.name()] = tuple(_configs(handle))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, "cannot read the domains' configurations") from error
    return found


def _configs(handle: Any) -> list[DomainConfig]:
    """Live and saved, as far as there are; [] when the domain is gone meanwhile."""
    try:
        texts = read_texts(handle)
    except libvirt.libvirtError as error:
        if is_gone(error):
            return []
        raise
    what = f"cannot read the configuration of {handle.name()}"
    return [config for text in texts if (config := parse_text(text, what)) is not None]
