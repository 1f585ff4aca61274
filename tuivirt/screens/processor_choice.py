"""The forms of processors and memory, begun with what the domain has now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.cpuset import BadCpuset, parse_cpuset, write_cpuset
from tuivirt.backend.model.processors import Cpus, HostTopology, Processing
from tuivirt.widgets.form import Field
from tuivirt.widgets.text import size

from .offers import Asked, Offer
from .processor_rows import Thread, thread_rows

_KIND = {"vcpupin": "vcpu", "emulatorpin": "emulator", "iothreadpin": "iothread"}


@dataclass(frozen=True, slots=True)
class ProcessorForm:
    """Offers the domain's threads, and starts each field at what holds now."""

    action: str

    @property
    def waits(self) -> str:
        """Where the fields start is known only then."""
        return "Looking at what it has …"

    def look_up(self, host: Any, key: str) -> tuple[Processing, HostTopology]:
        return lookups.processing(host, key), lookups.host_topology(host)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain."""
        ((asked, (processing, host)),) = answers
        kind = _KIND.get(self.action, "iothread")
        mine = [row for row in thread_rows(processing, host, None).values() if row.kind == kind]
        if self.action in ("iothreadpin", "iothreaddel") and not mine:
            return Offer((), blocked=f"{asked.name} has no I/O thread.")
        said = _said(self.action, processing, host)
        meant = _meant(fields, mine)
        return Offer(
            tuple(self._field(field, processing, host, mine, meant) for field in fields),
            sentences=(said,) if said else (),
            check=lambda given: _wrong(given.get("cpulist"), host.cpus),
        )

    def _field(
        self,
        field: Field,
        processing: Processing,
        host: HostTopology,
        mine: Sequence[Thread],
        meant: Thread | None,
    ) -> Field:
        later = processing.saved or processing.current
        if field.name in ("vcpu", "iothread") and self.action != "iothreadadd":
            return _threads(field, mine, meant)
        if field.name == "cpulist":
            told = _host(field.help, host.cpus)
            return replace(field, value=_pin(meant, host.cpus), help=told, replaced=True)
        if field.name == "count":
            return replace(field, value=str(processing.current.count))
        if field.name in ("sockets", "dies", "cores", "threads"):
            topology = later.topology
            unset = later.most if field.name == "sockets" else 1
            value = getattr(topology, field.name) if topology is not None else unset
            return replace(field, value=str(value))
        return field


def _meant(fields: Sequence[Field], mine: Sequence[Thread]) -> Thread | None:
    """The thread that was meant already, or the only one."""
    given = next((f.value for f in fields if f.name in ("vcpu", "iothread")), "")
    named = [row for row in mine if str(row.number) == str(given)]
    if named:
        return named[0]
    return mine[0] if len(mine) == 1 else None


def _threads(field: Field, mine: Sequence[Thread], meant: Thread | None) -> Field:
    """The threads as a choice."""
    none = [] if meant is not None else [""]
    return replace(
        field,
        kind="choice",
        value="" if meant is None else str(meant.number),
        choices=(*none, *(str(row.number) for row in mine)),
        labels=(*none, *(_label(row) for row in mine)),
        unset="which one?",
    )


def _label(row: Thread) -> str:
    parts = [row.name, "" if row.online else "off", f"runs on {row.said}", row.serves, row.when]
    return "  ".join(part for part in parts if part)


def _pin(row: Thread | None, there: Cpus) -> str:
    if row is None:
        return ""
    return "all" if row.may == there else write_cpuset(row.may)


def _wrong(cpulist: object, there: Cpus) -> str:
    """What is wrong with a set of CPUs that was typed, or ''."""
    text = str(cpulist or "")
    if not text or text.strip().lower() in ("all", "r"):
        return ""
    try:
        beyond = parse_cpuset(text) - there
    except BadCpuset as error:
        return f"{error}: give CPUs as in 0-3,^2,8, or all"
    return f"the host has no CPU {write_cpuset(beyond)}" if there and beyond else ""


def _host(told: str, there: Cpus) -> str:
    return f"{told} (the host has {write_cpuset(there)})" if there else told


def _said(action: str, processing: Processing, host: HostTopology) -> str:
    """What holds now, where the fields do not say it."""
    now = processing.current
    if action == "setvcpus":
        return f"It has {now.count} and can have {now.most}."
    if action == "set-topology":
        later = processing.saved or now
        return f"At its next boot it can have {later.most}: these must make as many."
    if action in ("setmem", "setmaxmem"):
        memory = now.memory
        return f"It has {size(memory.now_kib)} and can have {size(memory.max_kib)}."
    return ""
