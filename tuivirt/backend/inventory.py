"""Reads the lists of a host: one call for each kind, and a few that sort it by flag.

Nothing here is periodic but the slow reconciling pass; in between, events name the one object
to read again. None of these calls goes to a domain's monitor, so none waits for a stuck guest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
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

Calls = Sequence[Callable[[], Any]]
Together = Callable[[Calls], list[Any]]
"""What the calls give, in their order; some at the same time, or one after the other."""

POOL_STATES = ("inactive", "building", "running", "degraded", "inaccessible")


def in_turn(calls: Calls) -> list[Any]:
    """One after the other, as it is quickest where the daemon is near."""
    return [call() for call in calls]


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


_SORTED_BY = (
    libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
    libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
    libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
    libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
)


def read_domains(
    conn: Any,
    host: str,
    known: Mapping[str, Domain],
    *,
    sized: int | None = None,
    together: Together = in_turn,
) -> tuple[dict[str, Domain], dict[str, Any]]:
    """All domains, and libvirt's handles of them, by UUID, in five calls.

    What the lists do not tell is taken from ``known``. ``sized``: the flags of a sixth, which
    gives vCPUs and memory of those that they pick.

    Source: virConnectGetAllDomainStats (state), virConnectListAllDomains with filter flags.
    """
    calls: list[Callable[[], Any]] = [partial(_states, conn)]
    calls += [partial(_uuids, conn, flag) for flag in _SORTED_BY]
    if sized is not None:
        calls.append(partial(_sizes, conn, sized))
    states, autostart, transient, saved, snapshots, *sizes = together(calls)
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
            arriving=_arriving(known.get(uuid), number, state, reason, uuid not in transient),
            autostart=uuid in autostart,
            persistent=uuid not in transient,
            managed_save=uuid in saved,
            has_snapshots=uuid in snapshots,
        )
    for uuid, figures in sizes[0] if sizes else ():
        if uuid in found:
            found[uuid] = with_sizes(found[uuid], figures)
    return found, handles


def _state(number: int) -> DomainState:
    try:
        return DomainState(number)
    except ValueError:
        return DomainState.NOSTATE  # A state newer than this program.


def _arriving(old: Domain | None, number: int, state: int, reason: int, persistent: bool) -> bool:
    """Whether it is the half of a migration that comes in, as long as it only waits.

    The half that goes out is paused for the same reason at the end, but it was there before:
    ``old``, as it was last read, has the same ``number``. Of what was never read only that
    counts as coming in which has no configuration here.
    """
    if (state, reason) != _WAITS:
        return False
    if old is None:
        return not persistent
    if old.id != number or old.arriving:
        return True
    # Between its start and the waiting.
    return (old.state, old.reason) == (DomainState.PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP)


_WAITS = libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION


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


def read_domain(
    conn: Any, host: str, uuid: str, old: Domain | None, together: Together = in_turn
) -> tuple[Domain, Any] | None:
    """One domain and its handle, read again after an event; None when it is gone. Seven calls."""
    try:
        dom = conn.lookupByUUIDString(uuid)
        (state, reason), size, autostart, persistent, saved, snapshots = together(
            (
                dom.state,
                dom.info,
                lambda: if_offered(dom.autostart, 0),
                lambda: if_offered(dom.isPersistent, 1),
                lambda: if_offered(lambda: dom.hasManagedSaveImage(0), 0),
                lambda: if_offered(lambda: dom.snapshotNum(0), 0),
            )
        )
        _, memory_max, memory, vcpus, _ = size
        number = dom.ID()
        base = old or Domain(host, uuid, dom.name(), None, DomainState.NOSTATE)
        domain = replace(
            base,
            name=dom.name(),
            id=number if number >= 0 else None,
            state=_state(state),
            reason=reason,
            arriving=_arriving(old, number, state, reason, bool(persistent)),
            autostart=bool(autostart),
            persistent=bool(persistent),
            managed_save=bool(saved),
            has_snapshots=bool(snapshots),
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


def _sizes(conn: Any, flags: int) -> list[tuple[str, Mapping[str, Any]]]:
    """vCPUs and memory by UUID, as the bulk call tells them of those that ``flags`` pick.

    Small drivers without the call are asked domain by domain.
    """
    groups = libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_BALLOON
    try:
        return [(dom.UUIDString(), told) for dom, told in conn.getAllDomainStats(groups, flags)]
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise
    found: list[tuple[str, Mapping[str, Any]]] = []
    for dom in conn.listAllDomains(0):
        _, most, now, vcpus, _ = dom.info()
        told = {"vcpu.current": vcpus, "balloon.current": now, "balloon.maximum": most}
        found.append((dom.UUIDString(), told))
    return found


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


def _lists(
    list_all: Callable[[int], list[Any]], flags: Sequence[int], together: Together
) -> list[Any]:
    """All things, and then the names of those that each flag picks."""
    everything, *picked = together(
        [partial(if_offered, partial(list_all, flag), []) for flag in (0, *flags)]
    )
    return [everything, *map(_names, picked)]


def read_networks(conn: Any, host: str, together: Together = in_turn) -> dict[str, Network]:
    """All networks by UUID: four lists, and the XML of each."""
    everything, active, persistent, autostart = _lists(
        conn.listAllNetworks,
        (
            libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE,
            libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
            libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART,
        ),
        together,
    )

    def read(net: Any) -> Network:
        return parse_network(
            host,
            net.XMLDesc(0),
            active=net.name() in active,
            autostart=net.name() in autostart,
            persistent=net.name() in persistent,
        )

    networks = _each(everything, read, together)
    return {network.uuid: network for network in networks}


def read_pools(conn: Any, host: str, together: Together = in_turn) -> dict[str, Pool]:
    """All storage pools by UUID: four lists, and info and XML of each."""
    everything, active, persistent, autostart = _lists(
        conn.listAllStoragePools,
        (
            libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,
            libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT,
            libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART,
        ),
        together,
    )

    def read(handle: Any) -> Pool:
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

    return {pool.uuid: pool for pool in _each(everything, read, together)}


def read_devices(conn: Any, host: str, together: Together = in_turn) -> dict[str, NodeDevice]:
    """All node devices by name: one list, and the XML of each.

    Without flags the list has the mediated devices that are only defined as well, and no driver
    refuses it.
    """
    everything: list[Any] = if_offered(lambda: conn.listAllDevices(0), [])
    devices = _each(everything, lambda handle: device_behind(handle, host), together)
    return {device.name: device for device in devices}


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


def read_interfaces(conn: Any, host: str, together: Together = in_turn) -> dict[str, HostInterface]:
    """All interfaces of the host by name: two lists, and the XML of each. No events exist."""
    flags = (libvirt.VIR_CONNECT_LIST_INTERFACES_ACTIVE,)
    everything, active = _lists(conn.listAllInterfaces, flags, together)

    def read(handle: Any) -> HostInterface:
        return parse_interface(host, handle.XMLDesc(0), active=handle.name() in active)

    return {interface.name: interface for interface in _each(everything, read, together)}


def _each(handles: Sequence[Any], read: Callable[[Any], V], together: Together) -> list[V]:
    """What was read behind each handle, without those that are gone."""
    found = together([partial(_surviving, partial(read, handle)) for handle in handles])
    return [thing for thing in found if thing is not None]


def _surviving(read: Callable[[], V]) -> V | None:
    """None for an object that went away between the list and the reading of it."""
    try:
        return read()
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise
