"""Hosts as rows: how the line to each is, what it has and gives, what happened there last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuivirt.actions.happenings import Happening
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.widgets.columns import Column
from tuivirt.widgets.sparkline import bars
from tuivirt.widgets.text import NONE, UNKNOWN, age, natural, percent, share, size
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


def summary_of(domains: Iterable[Domain]) -> Summary:
    """Counted, and added up."""
    domains = tuple(domains)
    on = [domain for domain in domains if domain.active]
    return Summary(
        by_state(domains),
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
    def total_kib(self) -> int | None:
        stats, info = self.host.stats, self.host.info
        return (stats.memory_total_kib if stats else None) or (info.memory_kib if info else None)


def link_word(host: HostSnapshot) -> Toned:
    """The state of the line in a word, and how it stands out."""
    return Toned(host.link.value, LINK_TONES.get(host.link, "bad"))


def by_state(domains: Iterable[Domain]) -> tuple[tuple[str, int], ...]:
    """How many domains are in each state, by its word: running ones first, then what is wrong."""
    counts: dict[str, int] = {}
    for domain in domains:
        word = "stalled" if domain.stalled_since is not None else domain.state.word
        counts[word] = counts.get(word, 0) + 1
    return _ordered(counts)


def _ordered(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    order = {"run": 0, "stalled": 1, "crashed": 2}
    return tuple(sorted(counts.items(), key=lambda pair: (order.get(pair[0], 3), pair[0])))


def state_pieces(counts: Sequence[tuple[str, int]]) -> tuple[Toned, ...]:
    """``8 run, 1 stalled, 3 off``."""
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


def _group(row: Row) -> str:
    return row.host.entry.group if row.host.entry is not None else ""


def _tags(row: Row) -> str:
    return " ".join(row.host.entry.tags) if row.host.entry is not None else ""


def tags_of(row: Row) -> tuple[str, ...]:
    """What ``/#`` finds a host by: its group counts as one."""
    entry = row.host.entry
    if entry is None:
        return ()
    return (entry.group, *entry.tags) if entry.group else entry.tags


def search_of(row: Row) -> str:
    host = row.host
    return f"{host.name} {host.uri} {host.link} {host.reason} {_group(row)} {_tags(row)}"


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
        _group,
        width=8,
        max_width=12,
        priority=5,
        # Those of a group stand together, by name within it.
        sort_key=lambda r: (natural(_group(r)), natural(r.host.name)) if _group(r) else None,
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
    Column("domains", "DOMAINS", _domains, width=15, max_width=28, priority=1),
    Column("last", "LAST", _last, width=14, max_width=60, priority=2),
    Column("tags", "TAGS", _tags, width=10, max_width=16, priority=7),
    Column("uri", "URI", lambda r: r.host.uri, width=20, max_width=40, priority=8),
)


def sums(rows: Sequence[Row]) -> list[Toned]:
    """One line for all of them: what is connected, runs, is used, and was given."""
    hosts = [row.host for row in rows]
    well = sum(host.link is Link.CONNECTED for host in hosts)
    counts: dict[str, int] = {}
    for row in rows:
        for word, count in row.summary.states:
            counts[word] = counts.get(word, 0) + count
    pieces = [
        Toned(f" {well}/{len(hosts)} up", "" if well == len(hosts) else "warn"),
        Toned(f"  {counts.get('run', 0)}/{sum(counts.values())} run"),
    ]
    pieces += [Toned(f", {counts[word]} {word}", "bad") for word in _BAD_STATES if word in counts]
    cpus, busy = 0, 0.0
    for host in hosts:
        percent_now = host.stats.cpu_percent if host.stats is not None else None
        if host.info is not None and percent_now is not None:
            cpus += host.info.cpus
            busy += host.info.cpus * percent_now
    pieces.append(Toned(f"  CPU {percent(busy / cpus if cpus else None)} %"))
    used, total = 0, 0
    for row in rows:
        now = row.host.stats.memory_used_kib if row.host.stats is not None else None
        if now is not None:
            used, total = used + now, total + (row.total_kib or 0)
    pieces.append(Toned(f"  mem {share(used or None, total or None)}"))
    known = [row for row in rows if row.known]
    on = sum(row.host.info.cpus for row in known if row.host.info is not None)
    pieces.append(Toned(f"  vCPU {sum(row.summary.vcpus for row in known)}/{on or UNKNOWN}"))
    pieces.append(Toned(f"  given {size(sum(row.summary.memory_kib for row in known))}"))
    return pieces
