"""``<capabilities>`` → the host's CPUs by NUMA node.

Format: https://libvirt.org/formatcaps.html; source: virConnectGetCapabilities.
"""

from __future__ import annotations

from ..model.cpuset import BadCpuset, parse_cpuset
from ..model.processors import HostCell, HostCpu, HostTopology
from .declare import Declaration
from .field import Field, FieldType
from .tree import Element, number, size_of, skim

HOST_CPU = Declaration(
    "cpu",
    (
        Field("number", "@id", "CPU", "As the host's kernel numbers it.", FieldType.INT),
        Field("socket", "@socket_id", "Socket", "That it sits in.", FieldType.INT, default=0),
        Field("die", "@die_id", "Die", "Of its socket.", FieldType.INT, default=0),
        Field("core", "@core_id", "Core", "Of its die.", FieldType.INT, default=0),
        Field("siblings", "@siblings", "Siblings", "The threads of its core."),
    ),
)
"""One of a cell's CPUs."""


def read_host_topology(xml: str) -> HostTopology:
    """The NUMA nodes, of which a host without NUMA tells one. Raises MalformedXml."""
    root = skim(xml, "capabilities")
    cells = [
        HostCell(
            number=number(cell.get("id")) or 0,
            memory_kib=(size_of(cell.find("memory"), "KiB") or 0) // 1024,
            cpus=tuple(found for e in cell.iterfind("cpus/cpu") if (found := _cpu(e)) is not None),
        )
        for cell in root.iterfind("host/topology/cells/cell")
    ]
    return HostTopology(tuple(sorted(cells, key=lambda cell: cell.number)))


def _cpu(element: Element) -> HostCpu | None:
    values = HOST_CPU.parse(element)
    at = values["number"]
    if not isinstance(at, int):
        return None
    told = str(values["siblings"])
    try:
        siblings = parse_cpuset(told) if told else frozenset()
    except BadCpuset:
        siblings = frozenset()
    places = {name: values[name] for name in ("socket", "die", "core")}
    return HostCpu(
        number=at,
        siblings=siblings,
        **{name: at if isinstance(at, int) else 0 for name, at in places.items()},
    )
