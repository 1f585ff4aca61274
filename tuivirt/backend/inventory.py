"""Reads the lists of a host: one call for each kind, and a few that sort it by flag.

Nothing here is periodic but the slow reconciling pass; in between, events name the one object
to read again. None of these calls goes to a domain's monitor, so none waits for a stuck guest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

import libvirt

from .errors import if_offered, is_gone, is_unsupported
from .model.domain import Domain, DomainState
from .model.record import record
from .model.resources import HostInterface, Network, NodeDevice, Pool
from .xml.hostif import parse_interface
from .xml.network import parse_network
from .xml.nodedev import parse_node_device
from .xml.pool import parse_pool

V = TypeVar("V")

POOL_STATES = ("inactive", "building", "running", "degraded", "inaccessible")


@record(frozen=True, slots=True)
class Delta(Generic[V]):
    """What a reading changed, by key."""

    gone: frozenset[str]
    new: Mapping[str, V]
    changed: Mapping[str, V]

    def __bool__(self) -> bool:
        return bool(self.gone or self.new or self.changed)


def compare(old: Mapping[str, V], new: Mapping[str, V]) -> Delta[V]:
    """The difference between two readings of one list."""
    return Delta(
        gone=frozenset(old.keys() - new.keys()),
        new={key: value for key, value in new.items() if key not in old},
        changed={key: value for key, value in new.items() if key in old and old[key] != value},
    )


def read_domains(
    conn: Any, host: str, known: Mapping[str, Domain]
) -> tuple[dict[str, Domain], dict[str, Any]]:
    """All domains, and libvirt's handles of them, by UUID, in five calls.

    What the lists do not tell is taken from ``known``.

    Source: virConnectGetAllDomainStats (state), virConnectListAllDomains with filter flags.
    """
    states = _states(conn)
    autostart, transient, saved, snapshots = (
        _uuids(conn, flag)
        for flag in (
            libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
            libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
            libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
            libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
        )
    )
    found = {}
    handles = {}
    for dom, state, reason in states:
        uuid = dom.UUIDString()
        handles[uuid] = dom
        number = dom.ID()
        old = known.get(uuid) or Domain(host, uuid, dom.name(), None, DomainState.NOSTATE)
        found[uuid] = replace(
            old,
            name=dom.name(),
            id=number if number >= 0 else None,
            state=_state(state),
            reason=reason,
            autostart=uuid in autostart,
            persistent=uuid not in transient,
            managed_save=uuid in saved,
            has_snapshots=uuid in snapshots,
        )
    return found, handles


def _state(number: int) -> DomainState:
    try:
        return DomainState(number)
    except ValueError:
        return DomainState.NOSTATE  # A state newer than this program.


def _states(conn: Any) -> list[tuple[Any, int, int]]:
    try:
        records = conn.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise
        # Small drivers have no bulk call; theirs are local and few, so one call each is fine.
        found = []
        for dom in conn.listAllDomains(0):
            try:
                state, reason = dom.state()
            except libvirt.libvirtError as gone:
                if not is_gone(gone):
                    raise
                continue
            found.append((dom, state, reason))
        return found
    return [(d, r.get("state.state", 0), r.get("state.reason", 0)) for d, r in records]


def _uuids(conn: Any, flag: int) -> frozenset[str]:
    try:
        return frozenset(dom.UUIDString() for dom in conn.listAllDomains(flag))
    except libvirt.libvirtError as error:
        if is_unsupported(error) or error.get_error_code() == libvirt.VIR_ERR_INVALID_ARG:
            return frozenset()  # This driver cannot sort by it.
        raise


def read_domain(conn: Any, host: str, uuid: str, old: Domain | None) -> tuple[Domain, Any] | None:
    """One domain and its handle, read again after an event; None when it is gone. Seven calls."""
    try:
        dom = conn.lookupByUUIDString(uuid)
        state, reason = dom.state()
        _, memory_max, memory, vcpus, _ = dom.info()
        number = dom.ID()
        base = old or Domain(host, uuid, dom.name(), None, DomainState.NOSTATE)
        domain = replace(
            base,
            name=dom.name(),
            id=number if number >= 0 else None,
            state=_state(state),
            reason=reason,
            autostart=bool(if_offered(dom.autostart, 0)),
            persistent=bool(if_offered(dom.isPersistent, 1)),
            managed_save=bool(if_offered(lambda: dom.hasManagedSaveImage(0), 0)),
            has_snapshots=bool(if_offered(lambda: dom.snapshotNum(0), 0)),
            vcpus=vcpus,
            memory_kib=memory,
            memory_max_kib=memory_max,
            # The bulk stats give the maximum; a domain that was redefined may have another.
            vcpus_max=base.vcpus_max if base.vcpus == vcpus else None,
        )
        return domain, dom
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise


def read_sizes(
    conn: Any, domains: Mapping[str, Domain], flags: int, groups: int
) -> dict[str, Domain]:
    """The domains with vCPUs and memory filled in, by one bulk call over those that ``flags`` pick.

    Small drivers without the call are asked domain by domain.
    """
    filled = dict(domains)
    try:
        records = conn.getAllDomainStats(groups, flags)
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise
        for dom in conn.listAllDomains(0):
            uuid = dom.UUIDString()
            if uuid in filled:
                _, most, now, vcpus, _ = dom.info()
                filled[uuid] = replace(
                    filled[uuid], vcpus=vcpus, memory_kib=now, memory_max_kib=most
                )
        return filled
    for dom, figures in records:
        uuid = dom.UUIDString()
        if uuid in filled:
            filled[uuid] = with_sizes(filled[uuid], figures)
    return filled


def with_sizes(domain: Domain, record: Mapping[str, Any]) -> Domain:
    """The domain with the sizes that a record of the bulk stats holds; itself when none differ."""
    vcpus = record.get("vcpu.current", domain.vcpus)
    vcpus_max = record.get("vcpu.maximum", domain.vcpus_max)
    memory = record.get("balloon.current", domain.memory_kib)
    memory_max = record.get("balloon.maximum", domain.memory_max_kib)
    if (vcpus, vcpus_max, memory, memory_max) == (
        domain.vcpus,
        domain.vcpus_max,
        domain.memory_kib,
        domain.memory_max_kib,
    ):
        return domain
    return replace(
        domain, vcpus=vcpus, vcpus_max=vcpus_max, memory_kib=memory, memory_max_kib=memory_max
    )


def _names(things: Iterable[Any]) -> frozenset[str]:
    return frozenset(thing.name() for thing in things)


def read_networks(conn: Any, host: str) -> dict[str, Network]:
    """All networks by UUID: four lists, and the XML of each."""
    everything: list[Any] = if_offered(lambda: conn.listAllNetworks(0), [])
    active = _names(
        if_offered(lambda: conn.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE), [])
    )
    persistent = _names(
        if_offered(lambda: conn.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT), [])
    )
    autostart = _names(
        if_offered(lambda: conn.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART), [])
    )
    found = {}
    for net in everything:
        network = _surviving(
            lambda net=net: parse_network(  # type: ignore[misc]
                host,
                net.XMLDesc(0),
                active=net.name() in active,
                autostart=net.name() in autostart,
                persistent=net.name() in persistent,
            )
        )
        if network is not None:
            found[network.uuid] = network
    return found


def read_pools(conn: Any, host: str) -> dict[str, Pool]:
    """All storage pools by UUID: four lists, and info and XML of each."""
    everything: list[Any] = if_offered(lambda: conn.listAllStoragePools(0), [])
    active = _names(
        if_offered(
            lambda: conn.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE), []
        )
    )
    persistent = _names(
        if_offered(
            lambda: conn.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT), []
        )
    )
    autostart = _names(
        if_offered(
            lambda: conn.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART), []
        )
    )
    found = {}
    for handle in everything:

        def read(handle: Any = handle) -> Pool:
            state, capacity, allocation, available = handle.info()
            pool = parse_pool(
                host,
                handle.XMLDesc(0),
                state=POOL_STATES[state] if 0 <= state < len(POOL_STATES) else "unknown",
                active=handle.name() in active,
                autostart=handle.name() in autostart,
                persistent=handle.name() in persistent,
            )
            return replace(
                pool,
                capacity_bytes=capacity,
                allocation_bytes=allocation,
                available_bytes=available,
            )

        pool = _surviving(read)
        if pool is not None:
            found[pool.uuid] = pool
    return found


def read_devices(conn: Any, host: str) -> dict[str, NodeDevice]:
    """All node devices by name: one list, and the XML of each.

    Without flags the list has the mediated devices that are only defined as well, and no driver
    refuses it.
    """
    found = {}
    everything: list[Any] = if_offered(lambda: conn.listAllDevices(0), [])
    for handle in everything:
        device = _surviving(lambda handle=handle: device_behind(handle, host))  # type: ignore[misc]
        if device is not None:
            found[device.name] = device
    return found


def read_device(conn: Any, host: str, name: str) -> NodeDevice | None:
    """One node device, read again after an event; None when it is gone."""
    return _surviving(lambda: device_behind(conn.nodeDeviceLookupByName(name), host))


def device_behind(handle: Any, host: str) -> NodeDevice:
    """What libvirt's node device is now.

    Three more calls for a mediated device: its XML does not tell whether it is there.
    """
    device = parse_node_device(host, handle.XMLDesc(0))
    if device.capability != "mdev":
        return device
    return replace(
        device,
        active=bool(if_offered(handle.isActive, 1)),
        persistent=bool(if_offered(handle.isPersistent, 0)),
        autostart=bool(if_offered(handle.autostart, 0)),
    )


def read_interfaces(conn: Any, host: str) -> dict[str, HostInterface]:
    """All interfaces of the host by name: two lists, and the XML of each. No events exist."""
    active = _names(
        if_offered(lambda: conn.listAllInterfaces(libvirt.VIR_CONNECT_LIST_INTERFACES_ACTIVE), [])
    )
    found = {}
    everything: list[Any] = if_offered(lambda: conn.listAllInterfaces(0), [])
    for handle in everything:
        interface = _surviving(
            lambda handle=handle: parse_interface(  # type: ignore[misc]
                host, handle.XMLDesc(0), active=handle.name() in active
            )
        )
        if interface is not None:
            found[interface.name] = interface
    return found


def _surviving(read: Callable[[], V]) -> V | None:
    """None for an object that went away between the list and the reading of it."""
    try:
        return read()
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise
