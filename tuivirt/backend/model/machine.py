"""What a device would be added to: the kind of machine, and what its host offers to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from .record import record


@record(frozen=True, slots=True)
class Capabilities:
    """What a host offers to machines of one kind. Source: virConnectGetDomainCapabilities."""

    offered: Mapping[str, Mapping[str, tuple[str, ...]] | None] = field(default_factory=dict)
    """By element name (disk, graphics … memoryBacking): what each of its lists holds, as in
    ``{"bus": ("virtio", "sata")}``; None where the host offers no such thing at all."""
    vcpus: int | None = None
    """The most that such a machine can have; None where it is not told."""


@record(frozen=True, slots=True)
class Machine:
    """A domain, as far as it decides which devices suit it."""

    traits: frozenset[str] = frozenset()
    """Its hypervisor (qemu, xen, test …), architecture and family (x86_64, x86, arm, s390 …),
    machine type (q35, i440fx, virt …); ``usb`` when it has that bus, ``shared`` when its memory
    is."""
    libvirt: str = ""
    """The daemon's version, as in ``9.0.0``."""
    hypervisor: str = ""
    """Its name and version, as in ``QEMU 7.2.22``."""
    capabilities: Capabilities | None = None
    """None where the host does not tell any."""
