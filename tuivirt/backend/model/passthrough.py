"""A host device handed to a domain: what will be done, what speaks against it, what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from .finding import Finding, Weight, lines_of
from .record import record
from .resources import NodeDevice

__all__ = [
    "DeviceFacts",
    "DiskUse",
    "Finding",
    "HostFacts",
    "NetUse",
    "Plan",
    "Step",
    "Task",
    "Weight",
]


class Task(StrEnum):
    """What a step does."""

    UNBIND = "unbind"
    """Take it from its driver and bind it to vfio-pci."""
    HAND_OVER = "hand over"
    """Add it to the domain."""


@record(frozen=True, slots=True)
class Step:
    """One thing that is done, in its turn."""

    task: Task
    device: NodeDevice
    text: str


@record(frozen=True, slots=True)
class Plan:
    """How a device is handed to a domain; shown before it is carried out."""

    domain: str
    """Its name."""
    given: tuple[NodeDevice, ...]
    """What the guest gets: the device, and the functions that belong to it."""
    held: tuple[NodeDevice, ...]
    """What leaves its driver as well, because it shares the IOMMU group, but goes to nobody."""
    live: bool
    saved: bool
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    lost: tuple[str, ...]
    """What the host has no more afterwards, one phrase each."""

    @property
    def word(self) -> str:
        """What is typed by whoever takes its risks."""
        return self.given[0].address or self.given[0].name

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """The findings of this weight."""
        return tuple(finding for finding in self.findings if finding.weight is weight)

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as text, the most important first."""
        said = lines_of(self.findings)
        said += [f"{number}. {step.text}" for number, step in enumerate(self.steps, 1)]
        said += [f"The host loses {what}" for what in self.lost]
        # A device's own words may hold a line's end, and must not look like a line of ours.
        return tuple(" ".join(line.splitlines()) for line in said)


@record(frozen=True, slots=True)
class NetUse:
    """A network interface of a device, and what the host does with it."""

    name: str
    addresses: tuple[str, ...] = ()
    """Its own, and those of what is built on it (bridge, bond, VLAN)."""
    above: tuple[str, ...] = ()
    """Bridges, bonds and VLANs that are built on it."""
    default_route: bool = False
    this_session: bool = False
    """The SSH session in which this program runs comes by it."""
    up: bool = False


@record(frozen=True, slots=True)
class DiskUse:
    """A block device of a device, or what is built on it, that the host has in use."""

    name: str
    use: str
    """``mounted at /srv``, ``swap``, ``part of md0`` …"""


@record(frozen=True, slots=True)
class DeviceFacts:
    """What the host does with one device, as far as it can be known."""

    driver: str = ""
    """What it is bound to now; empty: nothing."""
    boot_display: bool = False
    can_reset: bool = True
    nets: tuple[NetUse, ...] = ()
    disks: tuple[DiskUse, ...] = ()
    children: tuple[str, ...] = ()
    """What else hangs on it, as in ``disk /dev/sdb``, ``interface eth1``."""


@record(frozen=True, slots=True)
class HostFacts:
    """What is known of a host that devices are taken from."""

    local: bool
    """Read from this machine's own sysfs; else from what libvirt tells alone."""
    iommu: bool = True
    """Some device has an IOMMU group."""
    iommu_advice: str = ""
    """What is missing, where there is none."""
    vfio: bool = True
    """The kernel has vfio-pci, as far as that can be known."""
    locked_memory_kib: int | None = None
    """How much a guest may lock, where that is limited; None: no limit, or not known."""
    devices: Mapping[str, DeviceFacts] = field(default_factory=dict)
    """By node device name."""
