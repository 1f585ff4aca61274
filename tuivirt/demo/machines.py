"""The guests of a demo host as machines: powered on and off, with consoles, addresses, devices."""

from __future__ import annotations

import threading
import time
from typing import Any

import libvirt
from lxml import etree

from .clock import Clock
from .devices import LiveDevices, hostdev_address
from .domain import DemoDomain
from .errors import denied, failure
from .events import Subscriptions
from .guest import Guest
from .guests import domain_uuid
from .hardware import PCI
from .host import HostFigures
from .nodes import DemoNodeDevice, device_name, lease
from .terminal import Terminal
from .world import World

BOOT_S = 2.0
"""From power on to the login prompt."""


class Machines:
    """What lies beneath the demo's connection. ``lock`` covers all guests."""

    domain_events: Subscriptions
    device_events: Subscriptions

    def __init__(self, world: World, real: Any, readonly: bool) -> None:
        self.world = world
        self.readonly = readonly
        self.lock = threading.RLock()
        self.clock = Clock()
        self._real = real
        self.real = real
        """libvirt's own connection to its test driver."""
        self._guests: dict[str, Guest] = {}
        self._terminals: dict[str, Terminal] = {}
        self._specs = {domain_uuid(world.name, spec.name): spec for spec in world.specs}
        self._sizes = world.sizes()
        self._vnets = iter(range(1 << 30))
        self._figures = HostFigures(world.cpus, world.memory_kib)
        self._quiet_defines: dict[str, int] = {}
        self.leaving: set[str] = set()
        """Those that go to another host now: their end here is told as that."""
        self.own_drivers = {
            device.name: "snd_hda_intel" if device.pci_class.startswith("0403") else device.driver
            for device in PCI
        } | {"pci_0000_04_00_0": "nvidia"}
        self.drivers = {device.name: device.driver for device in PCI}
        """Which driver each PCI device of the host is bound to, by node device name."""

    def require_write(self, function: str) -> None:
        """Raise what libvirt raises on a read-only connection."""
        if self.readonly:
            raise denied(function)

    # ------------------------------------------------------------------ guests
    def guest(self, real: Any, uuid: str | None = None, state: int | None = None) -> Guest:
        """What we hold of a domain, brought up to date with libvirt's ``state`` of it."""
        with self.lock:
            uuid = uuid or str(real.UUIDString())
            guest = self._guests.get(uuid)
            if guest is None:
                guest = self._guests[uuid] = Guest(uuid, real.name(), self._specs.get(uuid))
            if state is None:
                state = int(real.state()[0])
            if state != guest.state:
                self._changed(guest, state, saved=False)
            if guest.active and guest.live is None:
                guest.live = self._live_devices(guest, real)
            return guest

    def _changed(self, guest: Guest, state: int, saved: bool) -> None:
        now = time.monotonic()
        used = sum(guest.cpu_seconds(now, guest.spec.vcpus)) if guest.active else 0.0
        live = guest.live
        if guest.sync(state, now, saved):
            self._figures.retire(used)
            for device in live.element.iterfind("hostdev") if live else ():
                self.give_back(device)
            terminal = self._terminals.get(guest.uuid)
            if terminal is not None:
                terminal.power_off()

    def _live_devices(self, guest: Guest, real: Any) -> LiveDevices:
        root = etree.fromstring(real.XMLDesc(0))
        kind = root.find("os/type")
        machine = "pc" if kind is None else kind.get("machine", "pc")
        # What waits for the next boot waits only as long as the guest has not been booted.
        waiting = [d.target for d in guest.spec.disks if d.next_boot] if guest.boots <= 1 else []
        return LiveDevices(root.find("devices"), machine, waiting, self._vnets, self.size_of)

    def size_of(self, path: str) -> int:
        """Bytes of a disk's source; 20 GiB where the host does not know it."""
        return self._sizes.get(path, 20 << 30)

    def set_size(self, path: str, size: int) -> None:
        """A disk's source holds so many bytes now."""
        self._sizes[path] = size

    def knows_path(self, path: str) -> bool:
        """Whether a file or block device of that path is on this host."""
        if path in self._sizes:
            return True
        pools = self._real.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
        return any(volume.path() == path for pool in pools for volume in pool.listAllVolumes())

    def known_guests(self) -> list[Guest]:
        """Every guest of the host."""
        with self.lock:
            if len(self._guests) < len(self._specs):
                for real in self._real.listAllDomains(0):
                    self.guest(real)
            return list(self._guests.values())

    def before_domain_event(self, event: int, real: Any, *details: Any) -> bool:
        """Take note of the driver's event; false when it is not to be told."""
        if event != libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE:
            return True
        uuid = str(real.UUIDString())
        with self.lock:
            self._take_note(uuid, real)
            guest = self._guests.get(uuid)
            gone = details[0] == libvirt.VIR_DOMAIN_EVENT_UNDEFINED
            if gone and guest is not None and not guest.active:
                del self._guests[uuid]
            if details[0] == libvirt.VIR_DOMAIN_EVENT_STOPPED and uuid in self.leaving:
                self.leaving.discard(uuid)
                why = libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED
                self.domain_events.emit(event, DemoDomain(self, real), details[0], why)
                return False
            if details[0] == libvirt.VIR_DOMAIN_EVENT_DEFINED and self._quiet_defines.get(uuid):
                self._quiet_defines[uuid] -= 1
                return False
        return True

    def _take_note(self, uuid: str, real: Any) -> None:
        """Bring it up to date after what was not done through us: a snapshot reverted to."""
        if uuid not in self._guests:
            return
        try:
            self.guest(real, uuid)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            self.stopped(real)  # A transient domain that is no more.

    def save_configuration(self, uuid: str, xml: str) -> None:
        """Change the saved configuration without the event which only defining has."""
        with self.lock:
            self._quiet_defines[uuid] = self._quiet_defines.get(uuid, 0) + 1
            try:
                self._real.defineXML(xml)
            except libvirt.libvirtError:
                self._quiet_defines[uuid] -= 1
                raise

    # ------------------------------------------------------------------ power
    def domain_of(self, guest: Guest) -> DemoDomain:
        """Raises libvirtError when it is gone."""
        return DemoDomain(self, self._real.lookupByUUIDString(guest.uuid))

    def terminal(self, guest: Guest) -> Terminal:
        """The guest's serial port; made when first needed."""
        with self.lock:
            terminal = self._terminals.get(guest.uuid)
            if terminal is None:
                terminal = self._terminals[guest.uuid] = Terminal(self, guest)
            return terminal

    def started(self, guest: Guest, resumed: bool) -> None:
        """A guest was powered on, or woken from its managed save."""
        for device in guest.live.element.iterfind("hostdev") if guest.live else ():
            self.take(device)
        if not resumed:
            self.terminal(guest).boot()

    def stopped(self, real: Any, saved: bool = False) -> None:
        """A guest was powered off, or saved so that it goes on where it was."""
        with self.lock:
            guest = self._guests.get(real.UUIDString())
            if guest is not None and guest.active:
                self._changed(guest, libvirt.VIR_DOMAIN_SHUTOFF, saved)

    def power_off(self, guest: Guest, reason: int, delay: float) -> None:
        """The guest's own shutdown: a moment, then off. ``reason`` is the SHUTDOWN event's."""
        guest.closing, boot = True, guest.boots
        self.terminal(guest).say_goodbye("reboot: Power down")

        def off() -> None:
            with self.lock:
                if guest.boots != boot or not guest.active or not guest.closing:
                    return  # Forced off, or started afresh, in the meantime.
                if not guest.running:
                    guest.closing = False  # Suspended in the meantime: it did not get there.
                    return
                domain = self.domain_of(guest)
                self.domain_events.emit(
                    libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                    domain,
                    libvirt.VIR_DOMAIN_EVENT_SHUTDOWN,
                    reason,
                )
                if not self.readonly:
                    domain._real.shutdown()
                    self.stopped(domain._real)

        self.clock.after(delay, off)

    def reboot(self, guest: Guest, delay: float) -> None:
        """The guest restarts in its process: it stays the same run to libvirt."""
        boot = guest.boots
        if delay:
            self.terminal(guest).say_goodbye("reboot: Restarting system")

        def again() -> None:
            with self.lock:
                if guest.boots != boot or not guest.active:
                    return
                for alias in sorted(guest.detaching):  # A reset lets go of what was asked for.
                    self.unplugged(guest, alias)
                self.terminal(guest).boot()
                self.domain_events.emit(libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self.domain_of(guest))

        self.clock.after(delay, again)

    def unplugged(self, guest: Guest, alias: str) -> None:
        """A device has gone; tells DEVICE_REMOVED."""
        guest.detaching.discard(alias)
        device = guest.live.remove(alias) if guest.live else None
        if device is None:
            return
        if device.tag == "hostdev":
            self.give_back(device)
        self.terminal(guest).device_gone(device)
        self.domain_events.emit(
            libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, self.domain_of(guest), alias
        )

    def open_console(self, guest: Guest, device: str | None, stream: Any, flags: int) -> None:
        """Raises libvirtError when there is no such port, or another has it."""
        live = guest.live
        if (
            live is None
            or live.element.find("serial") is None
            or device
            not in (
                None,
                "serial0",
                "console0",
            )
        ):
            raise failure(
                libvirt.VIR_ERR_INTERNAL_ERROR, f"cannot find character device {device or '(null)'}"
            )
        self.terminal(guest).connect(stream, bool(flags & libvirt.VIR_DOMAIN_CONSOLE_FORCE))

    # ------------------------------------------------------------------ addresses
    def _addresses(self, guest: Guest) -> list[tuple[str, str, str, str]]:
        """(vnet, MAC, network, IPv4 address) of each interface that has got an address."""
        found = []
        for nic in guest.live.element.iterfind("interface") if guest.live else ():
            source, mac = nic.find("source"), nic.find("mac")
            network = "" if source is None else source.get("network", "")
            prefix = {"default": "192.168.122", "storage": "10.44.0"}.get(network)
            if prefix and mac is not None and guest.ran(time.monotonic()) > BOOT_S:
                tail = 2 + int(mac.get("address")[-5:].replace(":", ""), 16) % 250
                target = nic.find("target").get("dev")
                found.append((target, mac.get("address"), network, f"{prefix}.{tail}"))
        return found

    def addresses(self, guest: Guest, agent: bool) -> dict[str, Any]:
        """As virDomainInterfaceAddresses."""
        with self.lock:
            return {
                (f"eth{number}" if agent else vnet): {
                    "addrs": [{"addr": address, "prefix": 24, "type": 0}],
                    "hwaddr": mac,
                }
                for number, (vnet, mac, _, address) in enumerate(self._addresses(guest))
            }

    def leases_of(self, network: str) -> list[dict[str, Any]]:
        """As virNetworkGetDHCPLeases."""
        bridge = str(self._real.networkLookupByName(network).bridgeName())
        with self.lock:
            return [
                lease(bridge, mac, address, guest.spec.name if guest.spec.name.isascii() else "")
                for guest in self.known_guests()
                for _, mac, on, address in self._addresses(guest)
                if on == network
            ]

    # ------------------------------------------------------------------ passthrough
    def user_of(self, address: str) -> str | None:
        """The name of the running guest that has the PCI device, or None."""
        for guest in self.known_guests():
            for device in guest.live.element.iterfind("hostdev") if guest.live else ():
                if hostdev_address(device) == address:
                    return guest.name
        return None

    def bind(self, name: str, driver: str) -> None:
        """Bind a PCI device to a driver and tell that it changed."""
        if self.drivers.get(name) == driver:
            return
        self.drivers[name] = driver
        device = DemoNodeDevice(self, self._real.nodeDeviceLookupByName(name))
        self.device_events.emit(libvirt.VIR_NODE_DEVICE_EVENT_ID_UPDATE, device)

    def check_free(self, device: Any) -> None:
        """Raises libvirtError when a PCI host device is not there or another guest has it."""
        address = hostdev_address(device)
        if not address:
            return
        if device_name(address) not in self.drivers:
            raise failure(
                libvirt.VIR_ERR_NO_NODE_DEVICE,
                f"Device {address} not found: could "
                f"not access /sys/bus/pci/devices/{address}/config: "
                "No such file or directory",
            )
        user = self.user_of(address)
        if user:
            raise failure(
                libvirt.VIR_ERR_OPERATION_INVALID,
                f"PCI device {address} is in use by driver QEMU, domain {user}",
            )

    def check_passthrough(self, real: Any) -> None:
        """Whether the host devices of a domain to be started are free. Raises libvirtError."""
        root = etree.fromstring(real.XMLDesc(0))
        for device in root.iterfind("devices/hostdev"):
            self.check_free(device)

    def take(self, device: Any) -> None:
        """Bind a managed host device to vfio-pci."""
        name = device_name(hostdev_address(device) or "0:0:0.0")
        if device.get("managed") == "yes" and name in self.drivers:
            self.bind(name, "vfio-pci")

    def give_back(self, device: Any) -> None:
        """Bind a managed host device to its own driver."""
        name = device_name(hostdev_address(device) or "0:0:0.0")
        if device.get("managed") == "yes" and name in self.drivers:
            self.bind(name, self.own_drivers[name])
