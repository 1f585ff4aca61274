"""Hosts as rows: how the line to each is, what it has and gives, what happened there last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuivirt.actions.happenings import Happening
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.widgets.columns import Column
from tuivirt.widgets.sparkline import bars
from tuivirt.widgets.text import NONE, UNKNOWN, age, natural, percent, share
from tuivirt.widgets.tones import Cell, Toned

LINK_TONES = {Link.CONNECTED: "good", Link.CONNECTING: "warn", Link.CLOSED: "dim"}
_BAD_STATES = ("stalled", "crashed")


@dataclass(frozen=True, slots=True)
class Summary:
    """A host's domains in figures: counted once for each list of them."""

    states: tuple[tuple[str, int], ...] = ()
    vcpus: int = 0
    """Given to those that run."""
    memory_kib: int = 0
    """Given to those that run."""
    whole: bool = True
    """Nothing of that is unknown."""


def summary_of(host: HostSnapshot) -> Summary:
    """Counted, and added up; those that run on a host that is silent are stalled."""
    domains = host.domains.values()
    on = [domain for domain in domains if domain.active]
    return Summary(
        by_state(domains, silent=host.link is not Link.CONNECTED),
        sum(domain.vcpus or 0 for domain in on),
        sum(domain.memory_kib or 0 for domain in on),
        not any(domain.vcpus is None or domain.memory_kib is None for domain in on),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A host at one moment."""

    host: HostSnapshot
    summary: Summary
    last: Happening | None = None
    last_age: int = 0
    """Seconds since then, in steps that ``age`` shows."""

    @property
    def known(self) -> bool:
        """Whether its domains are."""
        return self.host.filled and self.host.link is not Link.CLOSED

    @property
    def entry_group(self) -> str:
        return self.host.entry.group if self.host.entry is not None else ""

    @property
    def entry_tags(self) -> tuple[str, ...]:
        return self.host.entry.tags if self.host.entry is not None else ()

    @property
    def total_kib(self) -> int | None:
        stats, info = self.host.stats, self.host.info
        return (stats.memory_total_kib if stats else None) or (info.memory_kib if info else None)


def link_word(host: HostSnapshot) -> Toned:
    """The state of the line in a word, and how it stands out."""
    return Toned(host.link.value, LINK_TONES.get(host.link, "bad"))


def by_state(domains: Iterable[Domain], *, silent: bool) -> tuple[tuple[str, int], ...]:
    """How many domains are in each state, by its word: what is wrong first, then those that run."""
    counts: dict[str, int] = {}
    for domain in domains:
        if domain.silent_since is not None or (silent and domain.active):
            word = "stalled"
        else:
            word = "arriving" if domain.arriving else domain.state.word
        counts[word] = counts.get(word, 0) + 1
    return _ordered(counts)


def _ordered(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    order = {"stalled": 0, "crashed": 1, "run": 2}
    return tuple(sorted(counts.items(), key=lambda pair: (order.get(pair[0], 3), pair[0])))


def state_pieces(counts: Sequence[tuple[str, int]]) -> tuple[Toned, ...]:
    """``1 stalled, 8 run, 3 off``."""
    pieces: list[Toned] = []
    for word, count in counts:
        pieces.append(Toned(", " if pieces else ""))
        pieces.append(Toned(f"{count} {word}", "bad" if word in _BAD_STATES else ""))
    return tuple(pieces)


def _domains(row: Row) -> Cell:
    return state_pieces(row.summary.states) or ("none" if row.known else NONE)


def _memory(row: Row) -> Cell:
    stats = row.host.stats
    if row.host.link is Link.CLOSED:
        return NONE
    return share(stats.memory_used_kib if stats else None, row.total_kib)


def _cpu(row: Row) -> str:
    if row.host.link is Link.CLOSED:
        return NONE
    return percent(row.host.stats.cpu_percent if row.host.stats else None)


def _given_vcpus(row: Row) -> str:
    info = row.host.info
    if not row.known:
        return NONE
    return f"{row.summary.vcpus}/{info.cpus if info and info.cpus else UNKNOWN}"


def _given_memory(row: Row) -> str:
    return share(row.summary.memory_kib, row.total_kib) if row.known else NONE


def _vcpu_ratio(row: Row) -> float | None:
    info = row.host.info
    if not row.known or info is None or not info.cpus:
        return None
    return row.summary.vcpus / info.cpus


def _memory_ratio(row: Row) -> float | None:
    return row.summary.memory_kib / row.total_kib if row.known and row.total_kib else None


def _last(row: Row) -> Cell:
    """What is wrong with the line, else what happened last."""
    if row.host.reason:
        return Toned(row.host.reason, "bad")
    if row.last is None:
        return ""
    said = happened(row)
    return (Toned(f"{age(row.last_age)}  ", "dim"), Toned(said))


def happened(row: Row) -> str:
    """What happened last, in words; '' when nothing did."""
    last = row.last
    if last is None:
        return ""
    return last.what if last.name in ("", row.host.name) else f"{last.name} {last.what}"


def what_it_is(host: HostSnapshot) -> str:
    """The hypervisor and libvirt, with their versions."""
    info = host.info
    if info is None:
        return ""
    hypervisor = f"{info.hypervisor} {info.hypervisor_version}".strip()
    libvirt = f"libvirt {info.libvirt_version}" if info.libvirt_version else ""
    return ", ".join(filter(None, (hypervisor, libvirt)))


def _tags(row: Row) -> str:
    return " ".join(f"#{tag}" for tag in row.entry_tags)


def tags_of(row: Row) -> tuple[str, ...]:
    """What ``/#`` finds a host by: its group counts as one."""
    return (row.entry_group, *row.entry_tags) if row.entry_group else row.entry_tags


def search_of(row: Row) -> str:
    host = row.host
    told = f"{host.uri} {host.link} {host.reason} {row.entry_group} {_tags(row)}"
    return f"{host.name} {told} @{host.name}"


def _by_group(row: Row) -> object:
    return (natural(row.entry_group), natural(row.host.name)) if row.entry_group else None


COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "link",
        "LINK",
        lambda r: link_word(r.host),
        width=10,
        sort_key=lambda r: r.host.link.value,
        sort_letter="S",
    ),
    Column(
        "name",
        "HOST",
        lambda r: Toned(r.host.name, r.host.colour),
        width=12,
        max_width=20,
        sort_key=lambda r: natural(r.host.name),
        sort_letter="N",
    ),
    Column(
        "group",
        "GROUP",
        lambda r: r.entry_group,
        width=8,
        max_width=12,
        priority=5,
        # Those of a group stand together, by name within it.
        sort_key=_by_group,
        sort_letter="P",
    ),
    Column(
        "cpu",
        "CPU %",
        _cpu,
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
        priority=6,
        bars=True,
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
    Column(
        "vcpus",
        "vCPU",
        _given_vcpus,
        width=6,
        max_width=8,
        align="right",
        priority=3,
        sort_key=_vcpu_ratio,
        sort_letter="V",
        descending=True,
    ),
    Column(
        "given",
        "GIVEN",
        _given_memory,
        width=9,
        align="right",
        priority=4,
        sort_key=_memory_ratio,
        sort_letter="B",
        descending=True,
    ),
    Column("domains", "DOMAINS", _domains, width=16, max_width=28, priority=1),
    Column("last", "LAST", _last, width=13, max_width=60, priority=2),
    Column("tags", "TAGS", _tags, width=10, max_width=16, priority=7),
    Column("uri", "URI", lambda r: r.host.uri, width=48, max_width=60, priority=8),
)


@dataclass(frozen=True, slots=True)
class Sum:
    """Several hosts in figures, each as a column has it."""

    states: tuple[tuple[str, int], ...]
    cpu: str
    memory: str
    vcpus: str
    given: str
    commitment: str
    """Percent of the memory that was given."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Sum:
        """What is not known of a host is no part of a sum."""
        counts: dict[str, int] = {}
        cpus, busy, used, total, on, most = 0, 0.0, 0, 0, 0, 0
        for row in rows:
            for word, count in row.summary.states:
                counts[word] = counts.get(word, 0) + count
            info, stats = row.host.info, row.host.stats
            if info is not None and stats is not None and stats.cpu_percent is not None:
                cpus += info.cpus
                busy += info.cpus * stats.cpu_percent
            if stats is not None and stats.memory_used_kib is not None:
                used, total = used + stats.memory_used_kib, total + (row.total_kib or 0)
            if row.known:
                on += info.cpus if info is not None else 0
                most += row.total_kib or 0
        vcpus = sum(row.summary.vcpus for row in rows if row.known)
        given = sum(row.summary.memory_kib for row in rows if row.known)
        return cls(
            _ordered(counts),
            percent(busy / cpus if cpus else None),
            share(used, total) if total else UNKNOWN,
            f"{vcpus}/{on}" if on else UNKNOWN,
            share(given, most) if most else UNKNOWN,
            percent(100 * given / most if most else None),
        )


def sums(rows: Sequence[Row]) -> list[Toned]:
    """One line for all of them: what is connected, runs, is used, and was given."""
    found = Sum.of(rows)
    counts = dict(found.states)
    well = sum(row.host.link is Link.CONNECTED for row in rows)
    pieces = [
        Toned(f" {well}/{len(rows)} up", "" if well == len(rows) else "warn"),
        Toned(f"  {counts.get('run', 0)}/{sum(counts.values())} run"),
    ]
    pieces += [Toned(f", {counts[word]} {word}", "bad") for word in _BAD_STATES if word in counts]
    memory = f"mem {found.memory}, {found.commitment} % given"
    pieces.append(Toned(f"  CPU {found.cpu} %  vCPU {found.vcpus}  {memory}"))
    return pieces
