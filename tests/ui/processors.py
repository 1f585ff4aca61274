"""A host of two NUMA nodes and a domain whose threads are pinned on it, now and later otherwise."""

from __future__ import annotations

from dataclasses import replace

from tuivirt.backend.model.processors import (
    HostCell,
    HostCpu,
    HostTopology,
    IoThread,
    Memory,
    Processing,
    Processors,
    Topology,
    Vcpu,
    VcpuRun,
)

GIB = 1024**2


def cell(number: int, cores: int, threads: int, all_cores: int) -> HostCell:
    """Numbered as Linux does: the second threads after all first ones."""
    return HostCell(
        number,
        64 * GIB,
        tuple(
            HostCpu(number * cores + core + thread * all_cores, socket=number, core=core)
            for thread in range(threads)
            for core in range(cores)
        ),
    )


def machine(cells: int = 2, cores: int = 4, threads: int = 2) -> HostTopology:
    return HostTopology(tuple(cell(n, cores, threads, cells * cores) for n in range(cells)))


def vcpus(count: int, most: int, pins: dict[int, set[int]] | None = None) -> tuple[Vcpu, ...]:
    given = pins or {}
    return tuple(
        Vcpu(n, n < count, n > 0, frozenset(given[n]) if n in given else None) for n in range(most)
    )


LIVE = Processors(
    vcpus(4, 6, {0: {0, 1, 8, 9}, 1: {2}}),
    Topology(sockets=1, cores=3, threads=2),
    "static",
    None,
    frozenset({4, 5, 6, 7}),
    (IoThread(1, frozenset({15}), ("disk vda",)), IoThread(2)),
    Memory(3 * GIB, 4 * GIB, slots=8, limit_kib=16 * GIB, devices=1, balloon="virtio"),
)
SAVED = replace(
    LIVE,
    vcpus=vcpus(6, 8, {0: {0, 1, 8, 9}}),
    topology=Topology(sockets=2, cores=2, threads=2),
    iothreads=(LIVE.iothreads[0], IoThread(3)),
)
PROCESSING = Processing(LIVE, SAVED, {n: VcpuRun(n, cpu) for n, cpu in enumerate((8, 2, 5, 12))})
OFF = Processing(None, SAVED)
