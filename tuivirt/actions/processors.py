"""vCPUs, memory, and where on the host a domain's threads run.

What carries them out is imported when it is done: the list of domains shall not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.when import When
from tuivirt.backend.settling import LET_GO_S

from .domains import is_transient
from .registry import ACTIONS, Action, Option, Run, action, text_or_pending

_WHEN = Annotated[When, Option("which configuration: the running one, the saved one, or both")]
_WAIT = Annotated[
    float, Option("seconds to wait for the guest to do it", label="Wait, seconds", minimum=0)
]
_CPUS = Annotated[
    str,
    Option("the host's CPUs, as in 0-3,^2; all for any", label="Host CPUs", positional=True),
]
_SIZE = "as in 2GiB or 512M; a bare number is KiB, as virsh has it"


@action(
    "domain",
    title="Set the number of vCPUs",
    virsh="virsh setvcpus {name} {count}[maximum? --maximum][hotpluggable? --hotpluggable]"
    " {when|--live --config}",
    api="virDomainSetVcpusFlags",
    bulk=False,
)
def setvcpus(
    run: Run,
    domain: Domain,
    *,
    count: Annotated[int, Option("how many", label="vCPUs", positional=True, minimum=1)],
    maximum: Annotated[
        bool,
        Option("set the most it can have, for the next boot, not how many it has", label="Maximum"),
    ] = False,
    hotpluggable: Annotated[
        bool, Option("those that are added can be taken away while it runs", label="Removable")
    ] = False,
    when: _WHEN = When.AUTO,
    timeout: _WAIT = LET_GO_S,
) -> str:
    """Set how many vCPUs a domain has, or can have; what a guest has not given up is followed."""
    from tuivirt.backend import vcpus

    if maximum:
        if hotpluggable:
            raise BadInput(
                "the maximum has nothing that could be taken away",
                advice="choose one of --maximum and --hotpluggable",
            )
        run.chose(when=When.NEXT_BOOT)
        return vcpus.set_most_vcpus(run.host, domain.uuid, count, when)
    outcome = vcpus.set_vcpus(
        run.host,
        domain.uuid,
        count,
        when,
        hotpluggable=hotpluggable,
        timeout_s=timeout,
        aborted=run.aborted,
        progress=run.progress,
    )
    return text_or_pending(outcome)


@action(
    "domain",
    title="Arrange its vCPUs",
    virsh="virsh edit {name}",
    api="virDomainDefineXML",
    unavailable=is_transient,
    bulk=False,
)
def set_topology(
    run: Run,
    domain: Domain,
    *,
    sockets: Annotated[int, Option("how many sockets the guest sees", minimum=1)],
    dies: Annotated[int, Option("in each socket", minimum=1)] = 1,
    cores: Annotated[int, Option("in each die", minimum=1)] = 1,
    threads: Annotated[int, Option("in each core", minimum=1)] = 1,
    maximum: Annotated[
        bool, Option("let it have as many vCPUs as these make", label="Set the maximum")
    ] = False,
) -> str:
    """Arrange a domain's vCPUs in sockets, dies, cores and threads, from the next boot on."""
    from tuivirt.backend.cpu_topology import set_topology as arrange

    return arrange(
        run.host,
        domain.uuid,
        sockets=sockets,
        dies=dies,
        cores=cores,
        threads=threads,
        maximum=maximum,
    )


@action(
    "domain",
    title="Set its memory",
    virsh="virsh setmem {name} {size} {when|--live --config}",
    api="virDomainSetMemoryFlags",
    bulk=False,
)
def setmem(
    run: Run,
    domain: Domain,
    *,
    size: Annotated[str, Option(_SIZE, label="Memory", positional=True)],
    when: _WHEN = When.AUTO,
    timeout: _WAIT = LET_GO_S,
) -> str:
    """Have the balloon leave a guest so much memory; one that has not done it is followed."""
    from tuivirt.backend.memory_size import set_memory
    from tuivirt.backend.sizes import for_virsh

    run.chose(size=for_virsh(size))
    outcome = set_memory(
        run.host,
        domain.uuid,
        size,
        when,
        timeout_s=timeout,
        aborted=run.aborted,
        progress=run.progress,
    )
    return text_or_pending(outcome)


@action(
    "domain",
    title="Set the most memory",
    virsh="virsh setmaxmem {name} {size} --config",
    api="virDomainSetMemoryFlags",
    unavailable=is_transient,
    bulk=False,
)
def setmaxmem(
    run: Run,
    domain: Domain,
    *,
    size: Annotated[str, Option(_SIZE, label="At most", positional=True)],
) -> str:
    """Set how much memory a domain has at its start, from the next boot on."""
    from tuivirt.backend.memory_size import set_max_memory
    from tuivirt.backend.sizes import for_virsh

    run.chose(size=for_virsh(size))
    return set_max_memory(run.host, domain.uuid, size)


@action(
    "domain",
    title="Pin a vCPU",
    virsh="virsh vcpupin {name} {vcpu} {cpulist} {when|--live --config}",
    api="virDomainPinVcpuFlags",
    bulk=False,
)
def vcpupin(
    run: Run,
    domain: Domain,
    *,
    vcpu: Annotated[int, Option("its number", label="vCPU", positional=True, minimum=0)],
    cpulist: _CPUS,
    when: _WHEN = When.AUTO,
) -> str:
    """Have a vCPU run on some of the host's CPUs only."""
    from tuivirt.backend.pinning import pin_vcpu

    return pin_vcpu(run.host, domain.uuid, vcpu, cpulist, when, _telling(run, cpulist))


@action(
    "domain",
    title="Pin the emulator",
    virsh="virsh emulatorpin {name} {cpulist} {when|--live --config}",
    api="virDomainPinEmulator",
    bulk=False,
)
def emulatorpin(
    run: Run,
    domain: Domain,
    *,
    cpulist: _CPUS,
    when: _WHEN = When.AUTO,
) -> str:
    """Have the hypervisor's own threads run on some of the host's CPUs only."""
    from tuivirt.backend.pinning import pin_emulator

    return pin_emulator(run.host, domain.uuid, cpulist, when, _telling(run, cpulist))


@action(
    "domain",
    title="Pin an I/O thread",
    virsh="virsh iothreadpin {name} {iothread} {cpulist} {when|--live --config}",
    api="virDomainPinIOThread",
    bulk=False,
)
def iothreadpin(
    run: Run,
    domain: Domain,
    *,
    iothread: Annotated[int, Option("its number", label="I/O thread", positional=True, minimum=1)],
    cpulist: _CPUS,
    when: _WHEN = When.AUTO,
) -> str:
    """Have an I/O thread run on some of the host's CPUs only."""
    from tuivirt.backend.pinning import pin_iothread

    return pin_iothread(run.host, domain.uuid, iothread, cpulist, when, _telling(run, cpulist))


@action(
    "domain",
    title="Add an I/O thread",
    virsh="virsh iothreadadd {name} {iothread|NUMBER} {when|--live --config}",
    api="virDomainAddIOThread",
    bulk=False,
)
def iothreadadd(
    run: Run,
    domain: Domain,
    *,
    iothread: Annotated[
        int | None,
        Option(
            "its number; the next free one when not given",
            label="I/O thread",
            positional=True,
            minimum=1,
        ),
    ] = None,
    when: _WHEN = When.AUTO,
) -> str:
    """Add an I/O thread, which disks and SCSI controllers can be given to."""
    from tuivirt.backend.iothreads import add_iothread

    return add_iothread(
        run.host,
        domain.uuid,
        iothread,
        when,
        chose=lambda number: run.chose(iothread=number),
    )


@action(
    "domain",
    title="Remove an I/O thread",
    virsh="virsh iothreaddel {name} {iothread} {when|--live --config}",
    api="virDomainDelIOThread",
    destructive=True,
    confirm="Remove an I/O thread from {name}? Where it may run is forgotten with it. "
    "One that serves a disk or a controller stays.",
    bulk=False,
)
def iothreaddel(
    run: Run,
    domain: Domain,
    *,
    iothread: Annotated[int, Option("its number", label="I/O thread", positional=True, minimum=1)],
    when: _WHEN = When.AUTO,
) -> str:
    """Remove an I/O thread that serves no disk and no controller."""
    from tuivirt.backend.iothreads import remove_iothread

    return remove_iothread(
        run.host, domain.uuid, iothread, when, chose=lambda one: run.chose(when=one)
    )


def _telling(run: Run, cpulist: str) -> Callable[[When], None]:
    """Says what was chosen; virsh has a word of its own for any CPU."""
    words = {"cpulist": "r"} if cpulist.strip().lower() == "all" else {}
    return lambda when: run.chose(when=when, **words)


def of_processors() -> list[Action]:
    """The actions that are declared here, in their order: a menu of their own lists them."""
    return [each for each in ACTIONS.values() if each.function.__module__ == __name__]
