"""What a domain's XML says, as records. Each keeps the XML it came from.

``facts`` are all that it says, for who holds two configurations together; of a record that was
read for something else, none.
"""

from __future__ import annotations

from dataclasses import field

from .domain import UNLABELLED, Labels
from .record import record

Facts = frozenset[tuple[str, str]]
"""What an element says: paths, and what stands there."""


@record(frozen=True, slots=True)
class Disk:
    """A ``<disk>``."""

    target: str
    bus: str = ""
    device: str = "disk"
    """disk, cdrom, floppy or lun."""
    source_type: str = "file"
    """file, block, volume, network, dir, nvme or vhostuser."""
    source: str = ""
    """Path, ``pool/volume`` or a URI; empty: no medium."""
    pool: str = ""
    volume: str = ""
    format: str = ""
    readonly: bool = False
    shareable: bool = False
    serial: str = ""
    cache: str = ""
    io: str = ""
    discard: str = ""
    boot_order: int | None = None
    backing: tuple[str, ...] = ()
    """Paths of the files below it, nearest first, as far as the XML tells."""
    alias: str = ""
    address: str = ""
    xml: str = ""
    facts: Facts = field(default=frozenset(), repr=False, compare=False)


@record(frozen=True, slots=True)
class Interface:
    """An ``<interface>``."""

    mac: str
    type: str = "network"
    source: str = ""
    """Network, bridge or host device, by type."""
    model: str = ""
    target: str = ""
    """The host's name of it while it runs, as in ``vnet3``."""
    link: str = "up"
    boot_order: int | None = None
    alias: str = ""
    address: str = ""
    xml: str = ""
    facts: Facts = field(default=frozenset(), repr=False, compare=False)


@record(frozen=True, slots=True)
class Device:
    """Any other device."""

    kind: str
    """Its element's name: console, serial, graphics, hostdev …"""
    summary: str = ""
    alias: str = ""
    address: str = ""
    xml: str = ""
    node_device: str = ""
    """For a PCI or USB hostdev: the host's address of it, as NodeDevice.address has it."""
    vendor_product: str = ""
    """For a USB hostdev given by identity: ``1234:abcd``."""
    facts: Facts = field(default=frozenset(), repr=False, compare=False)


@record(frozen=True, slots=True)
class DomainConfig:
    """One configuration of a domain, live or saved."""

    name: str
    uuid: str
    title: str = ""
    description: str = ""
    type: str = ""
    machine: str = ""
    arch: str = ""
    firmware: str = ""
    """BIOS or UEFI."""
    emulator: str = ""
    """The hypervisor's program."""
    shared_memory: bool = False
    """Its memory can be shared with other processes of the host, as virtiofs needs."""
    vcpus: int = 1
    vcpus_max: int = 1
    memory_kib: int = 0
    memory_max_kib: int = 0
    labels: Labels = UNLABELLED
    threads: tuple[tuple[str, str], ...] = ()
    """Pins, topology and I/O threads by name; only where it is to be compared."""
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    devices: tuple[Device, ...] = ()


@record(frozen=True, slots=True)
class DomainDetail:
    """What a detail view shows of a domain besides its figures."""

    live: DomainConfig | None
    """None when the domain is not active."""
    saved: DomainConfig | None
    """None when the domain is transient."""
    live_xml: str = ""
    saved_xml: str = ""
    pending: tuple[str, ...] = ()
    """What differs and so waits for a shutdown, one phrase each, as in ``new disk vdb``."""

    @property
    def current(self) -> DomainConfig:
        """What the guest sees now, or would see if it were started."""
        config = self.live or self.saved
        assert config is not None
        return config
