"""A domain's threads as rows, and its processors and memory as facts: now and at the next boot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.backend.model.cpuset import write_cpuset
from tuivirt.backend.model.processors import (
    Cpus,
    HostCell,
    HostTopology,
    Memory,
    Processing,
    Processors,
)
from tuivirt.backend.model.stats import DomainStats
from tuivirt.widgets.columns import Column
from tuivirt.widgets.cpu_map import CpuMap
from tuivirt.widgets.facts import Fact, facts
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.text import NONE, UNKNOWN, fit, percent, size
from tuivirt.widgets.tones import Cell, Toned

from .domain_rows import NEXT_BOOT, UNTIL_SHUTDOWN

ANY = "any"


@dataclass(frozen=True, slots=True)
class Thread:
    """A vCPU, the emulator or an I/O thread, as one row."""

    kind: str
    """vcpu, emulator or iothread."""
    number: int
    online: bool
    may: Cpus
    """The host CPUs that it may run on now, or at its start while it is off."""
    said: str
    """The same in words: ``0-3``, ``any``."""
    when: str = ""
    """What is otherwise at the next boot."""
    percent: float | None = None
    runs: bool = False
    cpu: int | None = None
    """The host CPU where it ran last."""
    serves: str = ""

    @property
    def name(self) -> str:
        if self.kind == "emulator":
            return "emulator"
        return f"{'vCPU' if self.kind == 'vcpu' else 'I/O thread'} {self.number}"


def thread_rows(
    processing: Processing, host: HostTopology, stats: DomainStats | None
) -> dict[Any, Thread]:
    """By kind and number: every vCPU that it can have, the emulator, its I/O threads."""
    there = host.cpus
    now, later = processing.current, processing.saved
    other = later if processing.live is not None else None
    used = {v.number: v.percent for v in stats.vcpus} if stats is not None else {}
    rows: dict[Any, Thread] = {}
    for key, one in _threads(now, there):
        kind, number = key
        online, may, said = one
        run = processing.runs.get(number) if kind == "vcpu" else None
        rows[key] = Thread(
            kind,
            number,
            online,
            may,
            said,
            percent=used.get(number) if kind == "vcpu" else None,
            runs=processing.live is not None and online,
            cpu=run.cpu if run is not None else None,
            serves=_serves(now, kind, number),
        )
    if other is None:
        return rows
    then = dict(_threads(other, there))
    for key, (online, may, said) in then.items():
        if key not in rows:
            serves = _serves(other, *key)
            rows[key] = Thread(*key, online, may, said, when=NEXT_BOOT, serves=serves)
    for key, row in list(rows.items()):
        if not row.when:
            rows[key] = replace(row, when=_otherwise(row, then.get(key)))
    return {key: rows[key] for key in sorted(rows, key=_order)}


def _otherwise(row: Thread, then: tuple[bool, Cpus, str] | None) -> str:
    """What is otherwise with it at the next boot; '' when nothing is."""
    if then is None:
        return UNTIL_SHUTDOWN
    online, _, said = then
    if online != row.online:
        return f"{NEXT_BOOT}: {'on' if online else 'off'}"
    return f"{NEXT_BOOT}: {said}" if said != row.said else ""


def _order(key: tuple[str, int]) -> tuple[int, int]:
    return ("vcpu", "emulator", "iothread").index(key[0]), key[1]


def _threads(
    config: Processors, there: Cpus
) -> Iterator[tuple[tuple[str, int], tuple[bool, Cpus, str]]]:
    """(kind, number), and whether it is there, where it may run, and that in words."""

    def may(pinned: Cpus | None) -> tuple[Cpus, str]:
        wanted = pinned if pinned is not None else config.cpuset
        if wanted is None or (there and wanted >= there):
            return there, ANY
        return wanted, write_cpuset(wanted)

    for vcpu in config.vcpus:
        yield ("vcpu", vcpu.number), (vcpu.online, *may(vcpu.pinned))
    yield ("emulator", 0), (True, *may(config.emulator))
    for thread in config.iothreads:
        yield ("iothread", thread.number), (True, *may(thread.pinned))


def _serves(config: Processors, kind: str, number: int) -> str:
    thread = config.iothread(number) if kind == "iothread" else None
    return ", ".join(thread.users) if thread is not None else ""


def columns(drawn: CpuMap | None, rows: dict[Any, Thread]) -> tuple[Column[Thread], ...]:
    """The columns, with the map of the host's CPUs where there is one."""
    several = [
        Column[Thread]("thread", "THREAD", _name, width=13),
        Column[Thread]("percent", "%", _percent, width=4, align="right"),
        Column[Thread]("cpu", "ON CPU", _cpu, width=6, align="right"),
        Column[Thread]("may", "MAY RUN ON", lambda r: r.said, width=10, max_width=20),
    ]
    if drawn is not None:
        several.append(
            Column("map", drawn.title(), lambda r: drawn.row(r.may, r.cpu), width=drawn.width)
        )
    if any(row.when for row in rows.values()):
        longest = max(len(row.when) for row in rows.values()) + 2
        several.append(Column("when", "", _when, width=min(longest, 17), max_width=30, priority=1))
    if any(row.serves for row in rows.values()):
        several.append(
            Column("serves", "SERVES", lambda r: r.serves, width=10, max_width=40, priority=2)
        )
    return tuple(several)


def room_for_map(width: int, rows: dict[Any, Thread]) -> int:
    """How many cells of a table's width the other columns leave."""
    taken = 3 + 13 + 4 + 6 + 10 + 4
    longest = max((len(row.when) for row in rows.values()), default=0)
    return width - taken - (min(longest + 2, 17) + 1 if longest else 0)


def _name(row: Thread) -> Cell:
    return Toned(row.name, "" if row.online else "dim")


def _percent(row: Thread) -> Cell:
    if not row.online:
        return Toned("off", "dim")
    if not row.runs or row.kind != "vcpu":
        return Toned(NONE, "dim")
    return Toned(percent(row.percent), "warn" if (row.percent or 0) >= 90 else "")


def _cpu(row: Thread) -> Cell:
    if not row.runs or row.kind != "vcpu":
        return Toned(NONE, "dim")
    return UNKNOWN if row.cpu is None else str(row.cpu)


def _when(row: Thread) -> Cell:
    return Toned(f"↯ {row.when}", "warn") if row.when else ""


def fact_lines(
    processing: Processing, host: HostTopology, stats: DomainStats | None, width: int, most: int
) -> list[PageLine]:
    """vCPUs, topology, memory and the host's CPUs, in at most ``most`` lines."""
    now, later = processing.current, processing.saved
    other = later if processing.live is not None else None
    pairs: list[Fact] = [("vCPUs", _count(now) + _pluggable(now))]
    pairs += _then(now, other, _count)
    pairs += [("topology", _topology(now))]
    pairs += _then(now, other, _topology)
    pairs += [("memory", _memory(now.memory) + _guest_uses(stats, processing))]
    pairs += _then(now, other, lambda config: _memory(config.memory))
    lines = facts(pairs, width)
    room = most - len(lines)
    grid = host_lines(host, width)
    if len(grid) > room:
        kept = max(0, room - 1)
        left = len(grid) - kept
        grid = [*grid[:kept], _fact("host" if not kept else "", f"… {left} more", "dim")]
    return [*lines, *grid]


def _then(now: Processors, other: Processors | None, say: Any) -> list[Fact]:
    if other is None or say(other) == say(now):
        return []
    return [("", Toned(f"↯ next boot: {say(other)}", "warn"))]


def _count(config: Processors) -> str:
    text = str(config.count)
    if config.most != config.count:
        text += f", at most {config.most}"
    return text


def _pluggable(config: Processors) -> str:
    able = [vcpu.number for vcpu in config.vcpus if vcpu.hotpluggable and vcpu.online]
    return f"; vCPU {write_cpuset(able)} can be taken away while it runs" if able else ""


def _topology(config: Processors) -> str:
    text = str(config.topology) if config.topology is not None else "left to the hypervisor"
    return (
        text if config.placement == "static" else f"{text}; the host chooses where it runs (numad)"
    )


def _memory(memory: Memory) -> str:
    text = size(memory.now_kib)
    if memory.now_kib != memory.max_kib:
        text += f", at most {size(memory.max_kib)}"
    if memory.balloon in ("", "none"):
        text += "; no balloon"
    if memory.limit_kib:
        text += (
            f"; memory devices {memory.devices} of {memory.slots}, up to {size(memory.limit_kib)}"
        )
    return text


def _guest_uses(stats: DomainStats | None, processing: Processing) -> str:
    if processing.live is None or stats is None or stats.memory_used_kib is None:
        return ""
    return f"; the guest uses {size(stats.memory_used_kib)}"


def host_lines(host: HostTopology, width: int) -> list[PageLine]:
    """The host's NUMA nodes, a line for each socket: its cores with the CPUs that they are."""
    lines: list[PageLine] = []
    for cell in host.cells:
        begun = f"node {cell.number}  {size(cell.memory_kib):>6}"
        for number, (socket, cores) in enumerate(_sockets(cell).items()):
            head = begun if not number else " " * len(begun)
            text = f"{head}  socket {socket}  "
            label = "host" if not lines else ""
            lines.append(_fact(label, text + _cores(cores, width - 19 - len(text))))
        if not cell.cpus:
            lines.append(_fact("host" if not lines else "", f"{begun}  CPUs are not told"))
    return lines


def _sockets(cell: HostCell) -> dict[int, list[tuple[int, ...]]]:
    found: dict[int, list[tuple[int, ...]]] = {}
    for socket, threads in cell.cores():
        found.setdefault(socket, []).append(tuple(cpu.number for cpu in threads))
    return found


def _cores(cores: list[tuple[int, ...]], room: int) -> str:
    """Each core by its CPUs where there is room: ``0,8 1,9``; else how many there are."""
    each = "cores " + " ".join(",".join(map(str, core)) for core in cores)
    if len(each) <= room:
        return each
    threads = max(len(core) for core in cores)
    return f"{len(cores)} cores × {threads}: CPU {write_cpuset(c for core in cores for c in core)}"


def _fact(label: str, text: str, tone: str = "") -> PageLine:
    return (Toned(f" {fit(label, 16)}  ", "dim"), Toned(text, tone))
