"""Networks, storage, node devices and interfaces of a host."""

from __future__ import annotations

from dataclasses import field

from .record import record
from .ref import Kind, Ref


@record(frozen=True, slots=True)
class DhcpRange:
    start: str
    end: str


@record(frozen=True, slots=True)
class NetworkAddress:
    """One ``<ip>`` of a network, in CIDR notation."""

    cidr: str
    ranges: tuple[DhcpRange, ...] = ()


@record(frozen=True, slots=True)
class Lease:
    """A DHCP lease of one of libvirt's networks. Source: virNetworkGetDHCPLeases."""

    network: str
    mac: str
    address: str
    prefix: int
    hostname: str
    expires: float
    """Wall-clock seconds since the epoch; 0 for ever."""


@record(frozen=True, slots=True)
class Network:
    """A virtual network. Source: listAllNetworks and its XML."""

    host: str
    uuid: str
    name: str
    active: bool
    autostart: bool
    persistent: bool
    mode: str = ""
    """nat, route, open, bridge, private, passthrough, hostdev, vepa, or isolated."""
    bridge: str = ""
    device: str = ""
    """The host's device it forwards to, when given."""
    hands_out: tuple[str, ...] = ()
    """The host's devices of which each guest on it gets one (a hostdev or macvtap pool): PCI
    addresses, names of network cards, and ``pf:NAME`` for all functions of a card."""
    addresses: tuple[NetworkAddress, ...] = ()
    leases: tuple[Lease, ...] = ()
    users: tuple[str, ...] = ()
    """Names of the domains with an interface on it, as far as their XML was read."""

    @property
    def ref(self) -> Ref:
        return Ref(self.host, Kind.NETWORK, self.uuid)


@record(frozen=True, slots=True)
class Pool:
    """A storage pool. Source: listAllStoragePools, its XML (one call each, on change only)."""

    host: str
    uuid: str
    name: str
    state: str
    """inactive, building, running, degraded or inaccessible."""
    active: bool
    autostart: bool
    persistent: bool
    type: str = ""
    path: str = ""
    source: str = ""
    capacity_bytes: int | None = None
    allocation_bytes: int | None = None
    available_bytes: int | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.host, Kind.POOL, self.uuid)


@record(frozen=True, slots=True)
class Volume:
    """A storage volume. Source: listAllVolumes of its pool and its XML, when looked up."""

    host: str
    pool: str
    name: str
    key: str
    path: str
    type: str = "file"
    format: str = ""
    capacity_bytes: int | None = None
    allocation_bytes: int | None = None
    backing: str = ""
    users: tuple[str, ...] = ()
    backing_format: str = ""
    physical_bytes: int | None = None
    """How long the file is that it is; None: not told."""
    modified: str = ""
    """When it was written to last, as libvirt tells it; empty: not told."""
    problem: str = ""
    """Why libvirt tells no more than its name and place; empty where it does."""
    encryption: str = ""
    """How what is in it is encrypted: luks; empty: it is not."""
    secret: str = ""
    """UUID of libvirt's secret that it is encrypted with, where libvirt knows."""
    half: str = ""
    """Where an upload into it was cut off: what there is to say of that."""
    unsure: str = ""
    """Why there may be others that have it besides its ``users``; empty: they are all."""

    @property
    def ref(self) -> Ref:
        return Ref(self.host, Kind.VOLUME, self.key)


@record(frozen=True, slots=True)
class MdevType:
    """A kind of mediated device that a device can make."""

    id: str
    """As in ``nvidia-474``."""
    name: str = ""
    api: str = ""
    """How a guest gets one: vfio-pci, vfio-ccw or vfio-ap."""
    left: int | None = None
    """How many more can be made, when it was read; None: not told."""


@record(frozen=True, slots=True)
class NodeDevice:
    """A device of the host. Source: listAllDevices; its XML once, until an event tells of it."""

    host: str
    name: str
    parent: str = ""
    capability: str = ""
    """The first one: pci, usb_device, usb, net, scsi_host, scsi, storage, mdev, drm, system …"""
    vendor: str = ""
    product: str = ""
    vendor_id: str = ""
    """Four hexadecimal digits, no 0x."""
    product_id: str = ""
    address: str = ""
    """PCI ``0000:04:00.0``, USB ``002:003``, SCSI ``1:0:0:0``; empty where it has none."""
    pci_class: str = ""
    """Six hexadecimal digits, no 0x."""
    driver: str = ""
    iommu_group: int | None = None
    iommu_siblings: tuple[str, ...] = ()
    """PCI addresses of the group, its own included."""
    numa_node: int | None = None
    link: str = ""
    """Of a PCIe device: ``8 GT/s ×16``, and what it could do where that is more."""
    path: str = ""
    """Its sysfs path."""
    devnodes: tuple[str, ...] = ()
    net_name: str = ""
    net_mac: str = ""
    net_state: str = ""
    block_path: str = ""
    size_bytes: int | None = None
    virtual_functions: tuple[str, ...] = ()
    virtual_most: int | None = None
    """How many it could show (SR-IOV); None: it has none."""
    physical_function: str = ""
    mdev_types: tuple[MdevType, ...] = ()
    """What it can make of itself."""
    mdev_type: str = ""
    mdev_uuid: str = ""
    """Of a mediated device: what a domain's hostdev names it by."""
    active: bool = True
    """False: a mediated device that is defined, and not there."""
    persistent: bool = False
    """Of a mediated device: it is defined, and can be started again."""
    autostart: bool = False
    """Of a mediated device: it is started with its parent."""
    users: tuple[str, ...] = ()
    """Names of the domains that have it, as far as their XML was read."""
    networks: tuple[str, ...] = ()
    """Names of libvirt's networks that hand it out to the guests on them."""

    @property
    def used_by(self) -> tuple[str, ...]:
        """Who has it, or gives it away, in words."""
        return (*self.users, *(f"network {name}" for name in self.networks))

    @property
    def ref(self) -> Ref:
        return Ref(self.host, Kind.DEVICE, self.name)


@record(frozen=True, slots=True)
class HostInterface:
    """A network interface of the host. Source: listAllInterfaces."""

    host: str
    name: str
    mac: str
    active: bool
    type: str = ""
    addresses: tuple[str, ...] = ()
    ports: tuple[str, ...] = field(default=())

    @property
    def ref(self) -> Ref:
        return Ref(self.host, Kind.INTERFACE, self.name)
