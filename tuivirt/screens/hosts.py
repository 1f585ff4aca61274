"""Every host: how the line to it is, what it is, how it fares."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult

from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import HostInterface
from tuivirt.widgets.bar import bar, bar_tone
from tuivirt.widgets.columns import Column
from tuivirt.widgets.facts import facts, heading
from tuivirt.widgets.header import link_words
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.page import PageLine
from tuivirt.widgets.sparkline import bars
from tuivirt.widgets.text import UNKNOWN, age, natural, percent, share, size
from tuivirt.widgets.tones import Cell, Toned

from .base import FleetScreen
from .paged import FactsScreen

_TONES = {Link.CONNECTED: "good", Link.CONNECTING: "warn", Link.CLOSED: "dim"}


@dataclass(frozen=True, slots=True)
class Row:
    """A host at one moment."""

    host: HostSnapshot
    now: float
    """Monotonic, whole seconds."""


def by_state(domains: Sequence[Domain]) -> tuple[tuple[str, int], ...]:
    """How many domains are in each state, by its word, running ones first."""
    counts: dict[str, int] = {}
    for domain in domains:
        word = "stalled" if domain.stalled_since is not None else domain.state.word
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: (pair[0] != "run", pair[0])))


def _domains(row: Row) -> str:
    words = by_state(tuple(row.host.domains.values()))
    return ", ".join(f"{count} {word}" for word, count in words) or "–"


def _link(row: Row) -> Cell:
    return Toned(row.host.link.value, _TONES.get(row.host.link, "bad"))


def _memory(row: Row) -> Cell:
    stats, info = row.host.stats, row.host.info
    total = (stats.memory_total_kib if stats else None) or (info.memory_kib if info else None)
    return share(stats.memory_used_kib if stats else None, total)


def _says(row: Row) -> Cell:
    """Why the link is not well, or which libvirt it is."""
    host = row.host
    if host.reason:
        return Toned(host.reason, "bad")
    info = host.info
    if info is None:
        return ""
    return f"{info.hypervisor} {info.hypervisor_version}".strip() + (
        f", libvirt {info.libvirt_version}" if info.libvirt_version else ""
    )


_COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "link",
        "LINK",
        _link,
        width=10,
        sort_key=lambda r: r.host.link.value,
        sort_letter="S",
    ),
    Column(
        "name",
        "HOST",
        lambda r: r.host.name,
        width=12,
        max_width=28,
        sort_key=lambda r: natural(r.host.name),
        sort_letter="N",
    ),
    Column(
        "cpu",
        "CPU %",
        lambda r: percent(r.host.stats.cpu_percent if r.host.stats else None),
        width=5,
        align="right",
        sort_key=lambda r: r.host.stats.cpu_percent if r.host.stats else None,
        sort_letter="C",
        descending=True,
    ),
    Column(
        "spark",
        "",
        lambda r: bars(r.host.stats.cpu_history if r.host.stats else b"", 8),
        width=8,
        priority=4,
    ),
    Column(
        "cpus",
        "CPUs",
        lambda r: str(r.host.info.cpus) if r.host.info else UNKNOWN,
        width=4,
        align="right",
        priority=3,
    ),
    Column(
        "memory",
        "MEM",
        _memory,
        width=9,
        align="right",
        priority=1,
        sort_key=lambda r: r.host.stats.memory_used_kib if r.host.stats else None,
        sort_letter="M",
        descending=True,
    ),
    Column("domains", "DOMAINS", _domains, width=16, max_width=44, priority=1),
    Column("says", "IT SAYS", _says, width=20, max_width=80, priority=2),
    Column("uri", "URI", lambda r: r.host.uri, width=24, max_width=60, priority=5),
)


class HostsScreen(FleetScreen):
    """All hosts."""

    HELP = (
        "The hosts that tuivirt was started for. A host that cannot be reached is tried again for "
        "ever, each time a little later; open it to read libvirt's reason and what to try."
    )
    KIND = Kind.HOST

    def __init__(self) -> None:
        super().__init__()
        self._table: LiveTable[Row] = LiveTable(
            _COLUMNS,
            caption="Hosts",
            sort="name",
            search=lambda r: f"{r.host.name} {r.host.uri} {r.host.link} {r.host.reason}",
            empty="No host.\nStart with -c URI, or with --demo to look around.",
            id="table",
        )

    def compose_body(self) -> ComposeResult:
        yield self._table

    def show_fleet(self, fleet: Fleet) -> None:
        now = float(int(time.monotonic()))
        rows: dict[Any, Row] = {
            Ref(name, Kind.HOST, name): Row(host, now) for name, host in fleet.hosts.items()
        }
        self._table.update(rows)


class HostScreen(FactsScreen):
    """One host."""

    HELP = (
        "A host: the line to it, what runs there, and what watching it costs. tuivirt keeps its "
        "part of the daemon's time within a budget by asking less often for what is out of view."
    )
    KIND = Kind.HOST

    def title_of(self, fleet: Fleet) -> Sequence[Toned]:
        host = fleet.hosts.get(self.ref.host)
        if host is None:
            return ()
        return (
            Toned(f" {host.name}", "bold"),
            Toned("   "),
            Toned(host.link.value, _TONES.get(host.link, "bad")),
            Toned("   "),
            link_words(host, time.monotonic()),
        )

    def lines(self, fleet: Fleet, width: int) -> Sequence[PageLine]:
        host = fleet.hosts[self.ref.host]
        return [
            *_line(host, width),
            *_figures(host, width),
            *_what(host, width),
            *_sampling(host, width),
        ]


def _line(host: HostSnapshot, width: int) -> list[PageLine]:
    now = time.monotonic()
    return facts(
        (
            ("URI", host.uri),
            ("reason", Toned(host.reason, "bad")),
            ("what to try", Toned(host.advice, "bold")),
            ("last answer", f"{age(now - host.data_at)} ago" if host.data_at else "never yet"),
            ("next try in", age(host.retry_at - now) if host.retry_at else ""),
        ),
        width,
    )


def _figures(host: HostSnapshot, width: int) -> list[PageLine]:
    stats = host.stats
    if stats is None:
        return []
    load = " ".join(f"{value:.2f}" for value in stats.load) if stats.load else ""
    used, total = stats.memory_used_kib, stats.memory_total_kib
    cpu = (
        Toned(f" {'CPU':<16}  ", "dim"),
        Toned(f"{percent(stats.cpu_percent):>3} %  "),
        Toned(bars(stats.cpu_history, min(40, max(width - 30, 5))), "good"),
    )
    memory = (
        Toned(f" {'memory':<16}  ", "dim"),
        Toned(bar(used, total, min(30, max(width - 40, 5))), bar_tone(used, total)),
        Toned(f"  {share(used, total)}"),
    )
    return [(), cpu, memory, *facts((("load", load),), width)]


def _what(host: HostSnapshot, width: int) -> list[PageLine]:
    info = host.info
    if info is None:
        return []
    counts = by_state(tuple(host.domains.values()))
    running = [d for d in host.domains.values() if d.active]
    memory = sum(d.memory_kib or 0 for d in running)
    given = f"{sum(d.vcpus or 0 for d in running)} vCPU, {size(memory)}"
    if any(d.vcpus is None or d.memory_kib is None for d in running):
        given = f"at least {given}"
    return [
        *heading("What it is"),
        *facts(
            (
                ("host name", info.hostname),
                ("hypervisor", f"{info.hypervisor} {info.hypervisor_version}".strip()),
                ("libvirt", info.libvirt_version),
                ("CPUs", f"{info.cpus} {info.arch} {info.cpu_model}".strip()),
                ("memory", size(info.memory_kib)),
                ("access", "read-only" if info.readonly else "read and write"),
                ("not offered", list(info.missing)),
            ),
            width,
        ),
        *heading("What it has"),
        *facts(
            (
                ("domains", ", ".join(f"{n} {word}" for word, n in counts) or "none"),
                ("given to guests", given),
                ("networks", str(len(host.networks))),
                ("storage pools", str(len(host.pools))),
                ("devices", str(len(host.devices))),
                (
                    "interfaces",
                    [
                        _interface(i)
                        for i in sorted(host.interfaces.values(), key=lambda i: natural(i.name))
                    ],
                ),
            ),
            width,
        ),
    ]


def _interface(interface: HostInterface) -> str:
    state = "up" if interface.active else "down"
    return "  ".join(x for x in (interface.name, state, interface.type, *interface.addresses) if x)


def _sampling(host: HostSnapshot, width: int) -> list[PageLine]:
    sampling = host.sampling
    return [
        *heading("What watching it costs"),
        *facts(
            (
                ("every", f"{sampling.interval_s:g} s"),
                ("calls in a tick", str(sampling.calls)),
                ("daemon's time", f"{sampling.daemon_share * 100:.1f} %"),
                ("out of view", f"at most {sampling.background_age_s:.0f} s old"),
            ),
            width,
        ),
    ]
