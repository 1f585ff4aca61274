"""A host's CPUs side by side, by NUMA node, core and thread, and which of them a thread may use.

Drawn as finely as there is room for: each CPU, else each core, else each node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuivirt.backend.model.processors import Cpus, HostTopology

from .tones import Toned

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What is drawn for a group of CPUs."""

    all: str
    some: str
    none: str
    here: str


def marks() -> Marks:
    """Each tells by its shape alone."""
    return Marks("■", "◪", "·", "◆")


@dataclass(frozen=True, slots=True)
class CpuMap:
    """Groups of CPUs, each drawn as one mark, with what stands between them."""

    groups: Groups
    places: tuple[int, ...]
    """The column of each group's mark."""
    breaks: tuple[tuple[int, str], ...]
    """The column of each mark between nodes, and its text."""
    width: int
    unit: str
    """What a mark stands for: ``CPU``, ``core`` or ``node``."""

    def title(self) -> str:
        """The number of the first CPU of a group above its mark, as far as there is room.

        Of nodes the number is the node's and stands in the rows.
        """
        if self.unit == "node":
            return "NODES"
        text = ""
        for place, group in zip(self.places, self.groups, strict=True):
            number = str(group[0])
            if (not text or place > len(text)) and place + len(number) <= self.width:
                text = text.ljust(place) + number
        return text

    def row(self, may: Cpus, here: int | None) -> tuple[Toned, ...]:
        """Which of these a thread may run on; ``here`` is where it ran last."""
        mark = marks()
        cells: list[Toned] = [Toned(" ")] * self.width
        for place, text in self.breaks:
            for offset, char in enumerate(text):
                cells[place + offset] = Toned(char, "dim")
        for place, group in zip(self.places, self.groups, strict=True):
            able = sum(cpu in may for cpu in group)
            drawn = mark.all if able == len(group) else mark.some if able else mark.none
            tone = "info" if able else "dim"
            if here is not None and here in group:
                drawn, tone = mark.here, "good" if here in may else "bad"
            cells[place] = Toned(drawn, tone)
        return _joined(cells)

    def legend(self, *, runs: bool) -> str:
        """What the marks mean; ``runs``: threads have a place where they ran last."""
        mark = marks()
        said = [f"{mark.all} may run on the {self.unit}"]
        if any(len(group) > 1 for group in self.groups):
            said.append(f"{mark.some} on a part of it")
        said.append(f"{mark.none} may not")
        return ", ".join([*said, f"{mark.here} ran there last"] if runs else said)


def cpu_map(topology: HostTopology, room: int) -> CpuMap | None:
    """The finest map that fits into ``room`` cells; None where the host tells of no CPUs.

    One that fits in no form is given at its coarsest.
    """
    cells = [cell for cell in topology.cells if cell.cpus]
    if not cells:
        return None
    by_core = [
        [tuple(cpu.number for cpu in threads) for _, threads in cell.cores()] for cell in cells
    ]
    single = [[[(cpu,) for cpu in core] for core in cell] for cell in by_core]
    fine = _placed("CPU", single)
    if fine.width <= room:
        return fine
    cores = _placed("core", [[cell] for cell in by_core])
    if cores.width <= room:
        return cores
    groups = tuple(tuple(cpu for core in cell for cpu in core) for cell in by_core)
    places, breaks, at = [], [], 0
    for cell in cells:
        name = str(cell.number)
        breaks.append((at, name))
        places.append(at + len(name))
        at += len(name) + 2
    return CpuMap(groups, tuple(places), tuple(breaks), at - 1, "node")


def _placed(unit: str, nodes: Sequence[Sequence[Sequence[tuple[int, ...]]]]) -> CpuMap:
    """Marks by node and, where there are threads, by core, with a gap after each of these."""
    groups: list[tuple[int, ...]] = []
    places: list[int] = []
    breaks: list[tuple[int, str]] = []
    at = 0
    threaded = any(len(core) > 1 for node in nodes for core in node) and unit == "CPU"
    for number, node in enumerate(nodes):
        if number:
            breaks.append((at, "│"))
            at += 1
        for order, core in enumerate(node):
            at += 1 if order and threaded else 0
            for group in core:
                groups.append(group)
                places.append(at)
                at += 1
    return CpuMap(tuple(groups), tuple(places), tuple(breaks), at, unit)


def _joined(cells: Sequence[Toned]) -> tuple[Toned, ...]:
    """Neighbours of one tone in one piece."""
    pieces: list[Toned] = []
    for text, tone in cells:
        if pieces and pieces[-1].tone == tone:
            pieces[-1] = Toned(pieces[-1].text + text, tone)
        else:
            pieces.append(Toned(text, tone))
    return tuple(pieces)
