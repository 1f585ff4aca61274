"""The demo's connection: stands where a libvirt.virConnect stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import libvirt

from ..backend import eventloop
from ..backend.turns import turn
from . import stats
from .domain import DemoDomain
from .errors import failure
from .events import Subscriptions
from .life import Life
from .machines import Machines
from .nodes import DemoNetwork, DemoNodeDevice, DemoPool, DemoVolume
from .stream import DemoStream
from .world import World, open_driver, read_uri

_BULK_FLAGS = (
    libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING
    | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
)


def open_demo(uri: str, readonly: bool) -> DemoConnection:
    """Open ``demo:///``, ``demo:///NAME`` or ``demo:///NAME?domains=200&seed=3&life=0``.

    Each call opens a host of its own: what is done on one connection is not seen on another.
    Raises libvirtError when the URI makes no sense.
    """
    eventloop.start()
    world = read_uri(uri)
    return DemoConnection(uri, world, open_driver(world, readonly), readonly)


class DemoConnection(Machines):
    """libvirt's test driver with a lively host, completed with what that driver lacks."""

    def __init__(self, uri: str, world: World, real: Any, readonly: bool) -> None:
        super().__init__(world, real, readonly)
        self._uri = uri
        self._closed = False
        self.domain_events = Subscriptions(
            self.clock,
            self,
            lambda event, call: int(real.domainEventRegisterAny(None, event, call, None)),
            self._wrap,
            lambda domain: str(domain.UUIDString()),
            self.before_domain_event,
        )
        self._network_events = Subscriptions(
            self.clock,
            self,
            lambda event, call: int(real.networkEventRegisterAny(None, event, call, None)),
            lambda network: DemoNetwork(self, network),
            lambda network: str(network.UUIDString()),
        )
        self._pool_events = Subscriptions(
            self.clock,
            self,
            lambda event, call: int(real.storagePoolEventRegisterAny(None, event, call, None)),
            lambda pool: DemoPool(self, pool),
            lambda pool: str(pool.UUIDString()),
        )
        self.device_events = Subscriptions(
            self.clock,
            self,
            lambda event, call: int(real.nodeDeviceEventRegisterAny(None, event, call, None)),
            lambda device: DemoNodeDevice(self, device),
            lambda device: str(device.name()),
        )
        self.domain_events.listen(libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE)
        self._life = Life(self) if world.life else None

    def __getattr__(self, name: str) -> Any:
        if name == "_real":
            raise AttributeError(name)
        return getattr(self._real, name)

    def _wrap(self, real: Any) -> DemoDomain:
        return DemoDomain(self, real)

    # ------------------------------------------------------------------ domains
    def listAllDomains(self, flags: int = 0) -> list[DemoDomain]:
        return [self._wrap(domain) for domain in self._real.listAllDomains(flags)]

    def lookupByName(self, name: str) -> DemoDomain:
        return self._wrap(self._real.lookupByName(name))

    def lookupByID(self, id: int) -> DemoDomain:
        return self._wrap(self._real.lookupByID(id))

    def lookupByUUID(self, uuid: bytes) -> DemoDomain:
        return self._wrap(self._real.lookupByUUID(uuid))

    def lookupByUUIDString(self, uuidstr: str) -> DemoDomain:
        return self._wrap(self._real.lookupByUUIDString(uuidstr))

    def defineXML(self, xml: str) -> DemoDomain:
        return self._wrap(self._real.defineXML(xml))

    def defineXMLFlags(self, xml: str, flags: int = 0) -> DemoDomain:
        return self._wrap(self._real.defineXMLFlags(xml, flags))

    def createXML(self, xmlDesc: str, flags: int = 0) -> DemoDomain:
        paused = flags & libvirt.VIR_DOMAIN_START_PAUSED
        domain = self._wrap(self._real.createXML(xmlDesc, flags & ~libvirt.VIR_DOMAIN_START_PAUSED))
        if paused:
            domain.suspend()
        return domain

    # ------------------------------------------------------------------ figures
    def getAllDomainStats(self, stats: int = 0, flags: int = 0) -> list[tuple[DemoDomain, Any]]:
        self._check_groups(stats, flags)
        found = self._real.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, flags & ~_BULK_FLAGS)
        return self._records(found, stats)

    def domainListGetStats(
        self, doms: list[Any], stats: int = 0, flags: int = 0
    ) -> list[tuple[DemoDomain, Any]]:
        if not doms:
            raise failure(
                libvirt.VIR_ERR_INVALID_ARG,
                "doms array in virDomainListGetStats must contain at least one domain",
                libvirt.VIR_FROM_DOM,
            )
        self._check_groups(stats, flags)
        # libvirt-python takes nothing but its own class here, though all it uses is `_o`.
        found = self._real.domainListGetStats(
            [getattr(domain, "_real", domain) for domain in doms],
            libvirt.VIR_DOMAIN_STATS_STATE,
            flags & ~_BULK_FLAGS,
        )
        return self._records(found, stats)

    def _check_groups(self, groups: int, flags: int) -> None:
        unknown = groups & ~stats.ALL_GROUPS
        if unknown and flags & libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS:
            raise failure(
                libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
                f"Stats types bits 0x{unknown:x} are not supported by this daemon or QEMU",
            )

    def _records(self, found: list[tuple[Any, Any]], groups: int) -> list[tuple[DemoDomain, Any]]:
        now = time.monotonic()
        made = []
        with self.lock, turn:
            for real, known in found:
                uuid = str(real.UUIDString())
                guest = self.guest(real, uuid, known["state.state"])
                try:
                    info = real.info()
                except libvirt.libvirtError as error:
                    if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                        raise
                    continue  # Gone since the list was made: libvirt leaves such a one out too.
                info[0] = known["state.state"]
                made.append(
                    (
                        self._wrap(real),
                        stats.record(guest, info, known["state.reason"], groups, now),
                    )
                )
        return made

    def getCPUStats(self, cpuNum: int, flags: int = 0) -> dict[str, int]:
        return self._figures.cpu(cpuNum, self._cpu_of_guests(), time.monotonic())

    def getMemoryStats(self, cellNum: int, flags: int = 0) -> dict[str, int]:
        return self._figures.memory(self._memory_of_guests(), time.monotonic())

    def getFreeMemory(self) -> int:
        return self.getMemoryStats(-1)["free"] * 1024

    def _cpu_of_guests(self) -> float:
        now = time.monotonic()
        with self.lock:
            return sum(
                sum(guest.cpu_seconds(now, guest.spec.vcpus))
                for guest in self.known_guests()
                if guest.active
            )

    def _memory_of_guests(self) -> int:
        now = time.monotonic()
        with self.lock:
            return sum(
                stats.memory(guest, guest.spec.memory_mib * 1024, now)["rss"]
                for guest in self.known_guests()
                if guest.active
            )

    # ------------------------------------------------------------------ the host
    def getURI(self) -> str:
        return self._uri

    def getHostname(self) -> str:
        return self.world.name

    def getCapabilities(self) -> str:
        return self.world.capabilities()

    def isAlive(self) -> int:
        return 0 if self._closed else 1

    def isSecure(self) -> int:
        return 1

    def isEncrypted(self) -> int:
        return 0

    def setKeepAlive(self, interval: int, count: int) -> int:
        return 0

    def registerCloseCallback(self, cb: Callable[..., Any], opaque: Any) -> int:
        """Accepted; the demo's connection is never lost, so it is never called."""
        return 0

    def unregisterCloseCallback(self) -> int:
        return 0

    def close(self) -> int:
        """End the timer and close the driver's connection; again does nothing."""
        with self.lock:
            if self._closed:
                return 0
            self._closed = True
        self.clock.close()
        real = self._real
        for events, give_back in (
            (self.domain_events, real.domainEventDeregisterAny),
            (self._network_events, real.networkEventDeregisterAny),
            (self._pool_events, real.storagePoolEventDeregisterAny),
            (self.device_events, real.nodeDeviceEventDeregisterAny),
        ):
            for number in events.driver_ids:
                give_back(number)
        return int(real.close())

    # ------------------------------------------------------------------ networks, devices, streams
    def listAllNetworks(self, flags: int = 0) -> list[DemoNetwork]:
        return [DemoNetwork(self, network) for network in self._real.listAllNetworks(flags)]

    def networkLookupByName(self, name: str) -> DemoNetwork:
        return DemoNetwork(self, self._real.networkLookupByName(name))

    def networkLookupByUUID(self, uuid: bytes) -> DemoNetwork:
        return DemoNetwork(self, self._real.networkLookupByUUID(uuid))

    def networkLookupByUUIDString(self, uuidstr: str) -> DemoNetwork:
        return DemoNetwork(self, self._real.networkLookupByUUIDString(uuidstr))

    def networkDefineXML(self, xml: str) -> DemoNetwork:
        return DemoNetwork(self, self._real.networkDefineXML(xml))

    def networkCreateXML(self, xmlDesc: str) -> DemoNetwork:
        return DemoNetwork(self, self._real.networkCreateXML(xmlDesc))

    def listAllStoragePools(self, flags: int = 0) -> list[DemoPool]:
        return [DemoPool(self, pool) for pool in self._real.listAllStoragePools(flags)]

    def storagePoolLookupByName(self, name: str) -> DemoPool:
        return DemoPool(self, self._real.storagePoolLookupByName(name))

    def storagePoolLookupByUUID(self, uuid: bytes) -> DemoPool:
        return DemoPool(self, self._real.storagePoolLookupByUUID(uuid))

    def storagePoolLookupByUUIDString(self, uuidstr: str) -> DemoPool:
        return DemoPool(self, self._real.storagePoolLookupByUUIDString(uuidstr))

    def storageVolLookupByKey(self, key: str) -> DemoVolume:
        return DemoVolume(self, self._real.storageVolLookupByKey(key))

    def storageVolLookupByPath(self, path: str) -> DemoVolume:
        return DemoVolume(self, self._real.storageVolLookupByPath(path))

    def storagePoolLookupByTargetPath(self, path: str) -> DemoPool:
        return DemoPool(self, self._real.storagePoolLookupByTargetPath(path))

    def storagePoolCreateXML(self, xmlDesc: str, flags: int = 0) -> DemoPool:
        known = libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD  # There is nothing to be built.
        return DemoPool(self, self._real.storagePoolCreateXML(xmlDesc, flags & ~known))

    def listAllDevices(self, flags: int = 0) -> list[DemoNodeDevice]:
        return [DemoNodeDevice(self, device) for device in self._real.listAllDevices(flags)]

    def nodeDeviceLookupByName(self, name: str) -> DemoNodeDevice:
        return DemoNodeDevice(self, self._real.nodeDeviceLookupByName(name))

    def newStream(self, flags: int = 0) -> DemoStream:
        return DemoStream(self, flags)

    # ------------------------------------------------------------------ events
    def domainEventRegisterAny(self, dom: Any, eventID: int, cb: Any, opaque: Any) -> int:
        return self.domain_events.add(dom, eventID, cb, opaque)

    def domainEventDeregisterAny(self, callbackID: int) -> None:
        self.domain_events.remove(callbackID)

    def networkEventRegisterAny(self, net: Any, eventID: int, cb: Any, opaque: Any) -> int:
        return self._network_events.add(net, eventID, cb, opaque)

    def networkEventDeregisterAny(self, callbackID: int) -> None:
        self._network_events.remove(callbackID)

    def storagePoolEventRegisterAny(self, pool: Any, eventID: int, cb: Any, opaque: Any) -> int:
        return self._pool_events.add(pool, eventID, cb, opaque)

    def storagePoolEventDeregisterAny(self, callbackID: int) -> None:
        self._pool_events.remove(callbackID)

    def nodeDeviceEventRegisterAny(self, dev: Any, eventID: int, cb: Any, opaque: Any) -> int:
        return self.device_events.add(dev, eventID, cb, opaque)

    def nodeDeviceEventDeregisterAny(self, callbackID: int) -> None:
        self.device_events.remove(callbackID)
