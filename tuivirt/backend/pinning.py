"""Where a domain's vCPUs, emulator and I/O threads may run on the host's CPUs.

Each function is for the host's actions lane and returns what is true when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, from_libvirt
from .lifecycle import domain_to_change, touch
from .model.cpuset import write_cpuset
from .model.processors import Cpus, Processors
from .model.when import When
from .processors import cpus_meant, host_cpus, read_halves
from .sides import affecting, verify

if TYPE_CHECKING:
    from .host import Host

_Pin = Callable[[Any, tuple[bool, ...], int], object]
Chose = Callable[[When], None]
_Read = Callable[[Processors], Cpus | None]


def pin_vcpu(
    host: Host,
    uuid: str,
    number: int,
    cpus: str,
    when: str = When.AUTO,
    chose: Chose | None = None,
) -> str:
    """Have a vCPU run on these host CPUs only (``0-3,^2``, ``all``). Raises BadInput.

    ``chose`` is told which configurations are changed. Source: virDomainPinVcpuFlags.
    """

    def lacks(config: Processors) -> str:
        return "" if config.vcpu(number) is not None else f"it has {config.most} vCPUs, from 0 on"

    def read(config: Processors) -> Cpus | None:
        vcpu = config.vcpu(number)
        return vcpu.pinned if vcpu is not None else None

    return _pin(
        host,
        uuid,
        f"vCPU {number}",
        cpus,
        when,
        lambda domain, mask, flags: domain.pinVcpuFlags(number, mask, flags),
        read,
        lacks,
        chose,
    )


def pin_emulator(
    host: Host, uuid: str, cpus: str, when: str = When.AUTO, chose: Chose | None = None
) -> str:
    """Have the hypervisor's own threads run on these host CPUs only. Raises BadInput.

    Source: virDomainPinEmulator.
    """
    return _pin(
        host,
        uuid,
        "the emulator",
        cpus,
        when,
        lambda domain, mask, flags: domain.pinEmulator(mask, flags),
        lambda config: config.emulator,
        lambda _config: "",
        chose,
    )


def pin_iothread(
    host: Host,
    uuid: str,
    number: int,
    cpus: str,
    when: str = When.AUTO,
    chose: Chose | None = None,
) -> str:
    """Have an I/O thread run on these host CPUs only. Raises BadInput.

    Source: virDomainPinIOThread.
    """

    def lacks(config: Processors) -> str:
        if config.iothread(number) is not None:
            return ""
        has = ", ".join(str(thread.number) for thread in config.iothreads)
        return f"it has I/O thread {has}" if has else "it has no I/O thread"

    def read(config: Processors) -> Cpus | None:
        thread = config.iothread(number)
        return thread.pinned if thread is not None else None

    return _pin(
        host,
        uuid,
        f"I/O thread {number}",
        cpus,
        when,
        lambda domain, mask, flags: domain.pinIOThread(number, mask, flags),
        read,
        lacks,
        chose,
    )


def _pin(
    host: Host,
    uuid: str,
    thread: str,
    text: str,
    when: str,
    pin: _Pin,
    read: _Read,
    lacks: Callable[[Processors], str],
    chose: Chose | None,
) -> str:
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot pin {thread} of {name}"
    there = host_cpus(host)
    wanted = cpus_meant(host, there, text, what)
    before = read_halves(domain, what)
    live, saved = before.sides.choose(when)
    whys = [lacks(config) for config in before.chosen(live, saved)]
    if any(whys) and (when != When.AUTO or all(whys)):
        raise BadInput(what, next(filter(None, whys)))
    # What only one of the two has is pinned in that one.
    live = live and before.live is not None and not lacks(before.live)
    saved = saved and before.saved is not None and not lacks(before.saved)
    if chose is not None:
        chose(When.BOTH if live and saved else When.NOW if live else When.NEXT_BOOT)
    mask = tuple(cpu in wanted for cpu in range(max(there | wanted, default=0) + 1))
    try:
        pin(domain, mask, affecting(live, saved))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    after = read_halves(domain, f"cannot tell where {thread} of {name} may run")

    def differs(config: Processors | None) -> bool:
        if config is None:
            return True
        # libvirt may say of what runs anywhere nothing at all.
        may = read(config) or config.cpuset or there
        return may & there != wanted & there

    verify(
        f"{thread} is not pinned so",
        name,
        live_bad=live and differs(after.live),
        saved_bad=saved and differs(after.saved),
        live=live,
    )
    was = next((read(config) for config in before.chosen(live, saved)), None)
    old = f" ({write_cpuset(was)} before)" if was is not None and was != wanted else ""
    where = "on any CPU of the host" if wanted == there else f"on CPU {write_cpuset(wanted)} alone"
    return f"{thread} of {name} may run {where}{old}{before.sides.words(live, saved)}"
