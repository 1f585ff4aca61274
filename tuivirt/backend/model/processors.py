"""A domain's vCPUs, I/O threads and memory, and the host's CPUs that they run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from .record import record

Cpus = frozenset[int]
"""Numbers of host CPUs."""


@record(frozen=True, slots=True)
class Topology:
    """How the guest sees its vCPUs arranged; the numbers of parts are each one's, not the sum."""

    sockets: int = 1
    dies: int = 1
    clusters: int = 1
    cores: int = 1
    threads: int = 1

    @property
    def vcpus(self) -> int:
        """How many vCPUs it makes: libvirt wants exactly as many as the domain can have."""
        return self.sockets * self.dies * self.clusters * self.cores * self.threads

    def __str__(self) -> str:
        parts = [_counted(self.sockets, "socket")]
        parts += [_counted(self.dies, "die")] if self.dies > 1 else []
        parts += [_counted(self.clusters, "cluster")] if self.clusters > 1 else []
        parts += [_counted(self.cores, "core"), _counted(self.threads, "thread")]
        return " × ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@record(frozen=True, slots=True)
class Vcpu:
    """One vCPU that a domain can have."""

    number: int
    online: bool
    """Whether the guest has it; whether it uses it is the guest's business."""
    hotpluggable: bool | None
    """Whether it can be added and taken while the guest runs; None: the XML does not tell."""
    pinned: Cpus | None = None
    """The host CPUs that it may run on; None: nothing is said of this one."""


@record(frozen=True, slots=True)
class IoThread:
    """One I/O thread of a domain's hypervisor process."""

    number: int
    pinned: Cpus | None = None
    users: tuple[str, ...] = ()
    """The disks (``disk vda``) and controllers (``SCSI controller 0``) that it serves."""


@record(frozen=True, slots=True)
class Memory:
    """How much memory a domain has and can have."""

    now_kib: int
    """What the balloon leaves to the guest."""
    max_kib: int
    """What it has at its start, with its memory devices: the balloon cannot give more."""
    slots: int = 0
    """For memory devices that are plugged in; 0: none can be."""
    limit_kib: int = 0
    """What it may grow to by memory devices (maxMemory); 0: it cannot."""
    devices: int = 0
    """Memory devices it has."""
    balloon: str = ""
    """Its balloon's model; ``none`` where there is none."""
    cells: int = 0
    """NUMA cells of the guest; with any, its maximum is the sum of theirs."""


@record(frozen=True, slots=True)
class Processors:
    """What one configuration of a domain says of its processors and its memory."""

    vcpus: tuple[Vcpu, ...]
    """All that it can have, by number."""
    topology: Topology | None
    """None: each vCPU is a socket of its own, as the hypervisor does it."""
    placement: str
    """``static``, or ``auto``: a service of the host chooses where it runs."""
    cpuset: Cpus | None
    """Where all of its threads may run for which nothing else is said; None: anywhere."""
    emulator: Cpus | None
    """Where the hypervisor's own threads may run; None: as ``cpuset`` says."""
    iothreads: tuple[IoThread, ...]
    memory: Memory

    @property
    def count(self) -> int:
        """How many vCPUs the guest has."""
        return sum(vcpu.online for vcpu in self.vcpus)

    @property
    def most(self) -> int:
        """How many it can have."""
        return len(self.vcpus)

    def vcpu(self, number: int) -> Vcpu | None:
        """The vCPU of that number."""
        return next((vcpu for vcpu in self.vcpus if vcpu.number == number), None)

    def iothread(self, number: int) -> IoThread | None:
        """The I/O thread of that number."""
        return next((thread for thread in self.iothreads if thread.number == number), None)


@record(frozen=True, slots=True)
class HostCpu:
    """One CPU of a host, as its kernel numbers them."""

    number: int
    socket: int = 0
    die: int = 0
    core: int = 0
    siblings: Cpus = frozenset()
    """The threads of its core, itself among them; empty where the host does not tell."""


@record(frozen=True, slots=True)
class HostCell:
    """A NUMA node of a host."""

    number: int
    memory_kib: int
    cpus: tuple[HostCpu, ...]

    def cores(self) -> tuple[tuple[int, tuple[HostCpu, ...]], ...]:
        """(socket, its threads) of each core, by socket, die and core."""
        found: dict[tuple[int, int, int], list[HostCpu]] = {}
        for cpu in self.cpus:
            found.setdefault((cpu.socket, cpu.die, cpu.core), []).append(cpu)
        return tuple(
            (key[0], tuple(sorted(found[key], key=lambda cpu: cpu.number))) for key in sorted(found)
        )


@record(frozen=True, slots=True)
class HostTopology:
    """A host's CPUs, by NUMA node."""

    cells: tuple[HostCell, ...] = ()

    @property
    def cpus(self) -> Cpus:
        """All their numbers."""
        return frozenset(cpu.number for cell in self.cells for cpu in cell.cpus)


@record(frozen=True, slots=True)
class VcpuRun:
    """Where a vCPU of a running domain is. Source: virDomainGetVcpus."""

    number: int
    cpu: int | None
    """The host CPU that it ran on last; None: it does not run, or nobody knows."""


@record(frozen=True, slots=True)
class Processing:
    """What is shown of a domain's processors and memory."""

    live: Processors | None
    """None: it is off."""
    saved: Processors | None
    """None: it is transient."""
    runs: Mapping[int, VcpuRun] = field(default_factory=dict)
    """By vCPU; empty where the domain is off or its driver does not tell."""
    untold: str = ""
    """Why that is not known of one that runs; '' when it is, or its driver never tells."""

    @property
    def current(self) -> Processors:
        """What the guest has now, or would have if it were started."""
        config = self.live or self.saved
        assert config is not None
        return config
