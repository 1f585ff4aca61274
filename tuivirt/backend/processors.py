"""A domain's processors and memory as they are now and will be at the next boot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt, if_offered
from .model.cpuset import BadCpuset, parse_cpuset, write_cpuset
from .model.processors import Cpus, HostTopology, Processing, Processors, VcpuRun
from .sides import Sides, parse_text, read_texts
from .xml.errors import XmlError
from .xml.host_topology import read_host_topology
from .xml.processors import read_processors

if TYPE_CHECKING:
    from .host import Host

ALL_CPUS = ("all", "r")
"""What is said for any host CPU; ``r`` is virsh's word."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Both configurations at one moment, as far as there are two."""

    sides: Sides
    live: Processors | None
    saved: Processors | None

    def chosen(self, live: bool, saved: bool) -> tuple[Processors, ...]:
        """Those that are to be changed."""
        both = ((live, self.live), (saved, self.saved))
        return tuple(config for wanted, config in both if wanted and config is not None)


def read_halves(domain: Any, what: str) -> Halves:
    """Read both configurations. Raises TuivirtError that begins with ``what``."""
    try:
        texts = read_texts(domain)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    try:
        live, saved = (read_processors(text) if text else None for text in texts)
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    sides = Sides(domain.name(), *(parse_text(text, what) for text in texts))
    return Halves(sides, live, saved)


def read_live(domain: Any, what: str) -> Processors:
    """The running configuration alone. Raises TuivirtError, of one that has stopped too."""
    try:
        config = read_processors(domain.XMLDesc(0))
        # Looked at afterwards: of one that is off libvirt tells the saved configuration.
        stopped = not domain.isActive()
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error
    if stopped:
        raise TuivirtError(
            what, "it has stopped meanwhile", "at its next start it has what is saved"
        )
    return config


def processing(host: Host, uuid: str) -> Processing:
    """What there is to show of a domain's processors and memory. Raises TuivirtError.

    Source: virDomainGetXMLDesc, live and saved; virDomainGetVcpus of one that runs.
    """
    domain = host.domain(uuid)
    what = f"cannot read the processors of {domain.name()}"
    halves = read_halves(domain, what)
    if halves.live is None:
        return Processing(None, halves.saved)
    runs, untold = {}, ""
    try:
        told: list[tuple[int, ...]] = if_offered(domain.vcpus, ([], []))[0]
        runs = {at: VcpuRun(at, cpu if cpu >= 0 else None) for at, _, _, cpu, *_ in told}
    except libvirt.libvirtError as error:
        # Of one that has stopped meanwhile there is nothing to tell. Otherwise the rest is
        # shown all the same: QEMU may take a vCPU's thread away before libvirt knows of it.
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            untold = str(
                from_libvirt(error, f"where the vCPUs of {domain.name()} are is not known")
            )
    return Processing(halves.live, halves.saved, runs, untold)


def host_topology(host: Host) -> HostTopology:
    """The host's CPUs by NUMA node; empty where its driver does not tell. Raises TuivirtError.

    Source: virConnectGetCapabilities.
    """
    what = f"cannot read the CPUs of host {host.name}"
    try:
        return read_host_topology(host.conn.getCapabilities())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        raise TuivirtError(what, str(error)) from error


def host_cpus(host: Host) -> Cpus:
    """The numbers of the host's CPUs, as far as they are known. Raises TuivirtError."""
    known = host_topology(host).cpus
    if known:
        return known
    info = host.snapshot.info
    return frozenset(range(info.cpus if info is not None else 0))


def cpus_meant(host: Host, there: Cpus, text: str, what: str) -> Cpus:
    """Which of the host's CPUs, ``there``, ``text`` means; ``all`` for all. Raises BadInput."""
    if text.strip().lower() in ALL_CPUS:
        return there
    try:
        wanted = parse_cpuset(text)
    except BadCpuset as error:
        raise BadInput(what, str(error), "give CPUs as in 0-3,^2,8, or all") from error
    beyond = wanted - there
    if there and beyond:
        raise BadInput(
            what,
            f"host {host.name} has no CPU {write_cpuset(beyond)}",
            f"it has {write_cpuset(there)}",
        )
    return wanted
