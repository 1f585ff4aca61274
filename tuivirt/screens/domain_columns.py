"""A domain as a row of the list: its cells and columns."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import lru_cache

from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.record import record
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.stats import DomainStats
from tuivirt.widgets.columns import Column
from tuivirt.widgets.sparkline import bars
from tuivirt.widgets.text import NONE, UNKNOWN, age, natural, percent, rate, share
from tuivirt.widgets.tones import Cell, Toned

SPARK = 5
"""Samples beside a domain's CPU figure."""
REST_PERCENT = 2
"""Up to this a guest does nothing: its hypervisor alone takes that much, now more, now less."""
OLD = 3.0
"""Figures older than this many ticks are drawn as old."""

_TONES = {
    DomainState.RUNNING: "good",
    DomainState.BLOCKED: "good",
    DomainState.CRASHED: "bad",
    DomainState.SHUTOFF: "dim",
    DomainState.NOSTATE: "dim",
}
"""Of the others something is to be known."""


class Now:
    """A host as it is now: one for all its rows, so that only those are made anew that changed."""

    __slots__ = ("host", "now")

    def __init__(self, host: HostSnapshot, now: float = 0.0) -> None:
        self.host = host
        self.now = now
        """Monotonic seconds."""


@record(frozen=True, slots=True)
class Row:
    """A domain with its figures."""

    domain: Domain
    stats: DomainStats | None
    at: Now

    @property
    def host(self) -> HostSnapshot:
        return self.at.host

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self.at.now

    @property
    def running(self) -> bool:
        return self.domain.state in (DomainState.RUNNING, DomainState.BLOCKED)

    @property
    def stalled_since(self) -> float | None:
        """Since when nothing is heard of it: the domain's own silence, or its host's."""
        if self.domain.silent_since is not None:
            return self.domain.silent_since
        if self.host.link is not Link.CONNECTED:
            return self.host.data_at
        return None

    def tone(self, at: float | None) -> str:
        """Figures taken at ``at`` are dimmed when they are old."""
        if at is None or self.stalled_since is not None:
            return "dim"
        limit = OLD * self.host.sampling.interval_s + self.host.sampling.background_age_s
        return "dim" if self.now - at > limit else ""


class HostRows:
    """The rows of one host by their Ref, as a table takes them (widgets.rows.Section)."""

    def __init__(self, host: HostSnapshot) -> None:
        self._at = Now(host)
        self._domains: Mapping[str, Domain] = {}
        self._stats: Mapping[str, DomainStats] = {}
        self._refs: dict[str, Ref] = {}
        self._changed: dict[Hashable, None] = {}
        self._gone: set[Hashable] = set()
        self.rows: dict[Hashable, Row] = {}

    def show(self, host: HostSnapshot, now: float) -> None:
        """The host as it is now."""
        at = self._at
        turned = (at.host.link is Link.CONNECTED) != (host.link is Link.CONNECTED)
        at.host, at.now = host, now
        domains, stats = host.domains, host.domain_stats
        new: dict[str, None] = {}
        if domains is not self._domains:
            before = self._domains
            for uuid in before.keys() - domains.keys():
                gone = self._refs.pop(uuid)
                self._gone.add(gone)
                self._changed.pop(gone, None)
                del self.rows[gone]
            new = {u: None for u, domain in domains.items() if before.get(u) is not domain}
            self._domains = domains
        if stats is not self._stats:
            known = self._stats
            new |= {u: None for u, each in stats.items() if known.get(u) is not each}
            new |= dict.fromkeys(known.keys() - stats.keys())
            self._stats = stats
        if turned:
            # What was added up of them says otherwise now, and no domain has changed for it.
            new |= dict.fromkeys(domains)
        refs = self._refs
        for uuid in new:
            if uuid not in domains:
                continue
            ref = refs.get(uuid)
            if ref is None:
                ref = refs[uuid] = Ref(host.name, Kind.DOMAIN, uuid)
            self.rows[ref] = Row(domains[uuid], stats.get(uuid), at)
            self._changed[ref] = None

    def take(self) -> tuple[Collection[Hashable], Collection[Hashable]]:
        """What changed or came, and what went, since this was asked."""
        taken = self._changed, self._gone - self._changed.keys()
        self._changed, self._gone = {}, set()
        return taken


def _state(row: Row) -> Cell:
    domain = row.domain
    marks = "↯" if domain.pending or domain.detaching else ""
    if row.stalled_since is not None and domain.active:
        word, tone = "stalled", "bad"
    elif domain.arriving:
        return Toned("arriving", "warn")
    elif domain.detaching:
        word, tone = "run", "warn"
    else:
        word, tone = domain.state.word, _TONES.get(domain.state, "warn")
        if domain.managed_save and not domain.active:
            word = "saved"
    return (Toned(f"{word:<5}", tone), Toned(f" {marks}", "warn")) if marks else Toned(word, tone)


def _name(row: Row) -> Cell:
    since = row.stalled_since
    if since is not None and row.domain.active:
        return (Toned(row.domain.name), Toned(f"  {age(row.now - since)} ago", "dim"))
    if row.domain.detaching:
        what = ", ".join(row.domain.detaching)
        return (Toned(row.domain.name), Toned(f"  detaching {what} …", "warn"))
    return row.domain.name


def _cpu(row: Row) -> Cell:
    if not row.domain.active:
        return NONE
    stats = row.stats
    if row.domain.stalled_since is not None or stats is None:
        return UNKNOWN
    return Toned(percent(stats.cpu_percent), row.tone(stats.cpu_at))


def _shown_percent(row: Row) -> int | None:
    """What is shown is what is sorted by, and guests at rest do not change places at all."""
    percent = row.stats.cpu_percent if row.stats and row.domain.active else None
    return None if percent is None else max(REST_PERCENT, round(percent))


def _spark(row: Row) -> Cell:
    if not row.domain.active:
        return ""
    if row.domain.stalled_since is not None or row.stats is None:
        return Toned("·" * SPARK, "dim")
    return Toned(bars(row.stats.cpu_history, SPARK), row.tone(row.stats.cpu_at))


def _memory(row: Row) -> Cell:
    domain, stats = row.domain, row.stats
    if not domain.active:
        return NONE
    if domain.stalled_since is not None:
        return UNKNOWN
    total = domain.memory_kib or domain.memory_max_kib
    used = stats.memory_used_kib if stats else None
    old = stats is not None and stats.memory_stale
    return Toned(share(used, total), "dim" if old else row.tone(stats.memory_at if stats else None))


def _rss(row: Row) -> Cell:
    if not row.domain.active:
        return NONE
    stats = row.stats
    if stats is None or stats.memory_rss_kib is None or row.domain.stalled_since is not None:
        return UNKNOWN
    return Toned(share(stats.memory_rss_kib, None).replace("/?", ""), row.tone(stats.memory_at))


def _rates(row: Row, at: str, *names: str) -> Cell:
    """The sum of some rates; unknown when all of them are."""
    if not row.domain.active or (not row.running and row.domain.stalled_since is None):
        return NONE
    value = _sum(row.stats, names)
    if row.domain.stalled_since is not None or value is None or row.stats is None:
        return UNKNOWN
    return Toned(rate(value), row.tone(getattr(row.stats, at)))


def _sum(stats: DomainStats | None, names: Sequence[str]) -> float | None:
    if stats is None:
        return None
    known = [value for value in (getattr(stats, name) for name in names) if value is not None]
    return sum(known) if known else None


def _vcpus(row: Row) -> Cell:
    return UNKNOWN if row.domain.vcpus is None else str(row.domain.vcpus)


READ, WRITE = "read_bytes_per_s", "write_bytes_per_s"
RX, TX = "rx_bytes_per_s", "tx_bytes_per_s"


def _rate_column(id: str, title: str, at: str, *names: str, priority: int) -> Column[Row]:
    return Column(
        id,
        title,
        lambda row: _rates(row, at, *names),
        width=8,
        align="right",
        priority=priority,
        sort_key=lambda row: _sum(row.stats, names),
        sort_letter={"disk": "D", "net": "I"}.get(id, ""),
        descending=True,
    )


def used_kib(row: Row) -> float | None:
    """What the guest uses; all that it has where it does not tell."""
    stats = row.stats
    if stats is not None and stats.memory_used_kib is not None:
        return stats.memory_used_kib
    return row.domain.memory_kib if row.domain.active else None


_STATE = Column[Row](
    "state",
    "STATE",
    _state,
    width=8,
    sort_key=lambda row: (row.domain.state.rank, natural(row.domain.name)),
    sort_letter="S",
)
_NAME = Column[Row](
    "name",
    "NAME",
    _name,
    width=24,
    max_width=44,
    grows_first=True,  # Beside it stands what the guest does not let go of.
    keeps_end=True,  # Or for how long it has not answered.
    sort_key=lambda row: natural(row.domain.name),
    sort_letter="N",
)
_CPU = Column[Row](
    "cpu",
    "CPU %",
    _cpu,
    width=5,
    align="right",
    sort_key=_shown_percent,
    sort_letter="C",
    descending=True,
)
_SPARK = Column[Row]("spark", "", _spark, width=SPARK, priority=2, bars=True)
_VCPU = Column[Row](
    "vcpu",
    "vCPU",
    _vcpus,
    width=4,
    align="right",
    priority=3,
    sort_key=lambda row: row.domain.vcpus,
    sort_letter="V",
    descending=True,
)
_MEM = Column[Row](
    "memory",
    "MEM",
    _memory,
    width=9,
    align="right",
    sort_key=used_kib,
    sort_letter="M",
    descending=True,
)
_RSS = Column[Row](
    "rss",
    "ON HOST",
    _rss,
    width=7,
    align="right",
    priority=6,
    sort_key=lambda row: row.stats.memory_rss_kib if row.stats else None,
    sort_letter="R",
    descending=True,
)
_HOST = Column[Row](
    "host",
    "HOST",
    lambda row: Toned(row.domain.host, row.host.colour),
    width=8,
    max_width=20,
    # Of several hosts, whose it is says more than the little bars.
    priority=1,
    sort_key=lambda row: natural(row.domain.host),
    sort_letter="H",
)
_ADDRESS = Column[Row](
    "address",
    "ADDRESS",
    lambda row: " ".join(row.domain.addresses),
    width=15,
    max_width=39,
    priority=5,
    sort_key=lambda row: row.domain.addresses or None,
    sort_letter="A",
)
_AUTOSTART = Column[Row](
    "autostart",
    "AUTO",
    lambda row: "auto" if row.domain.autostart else "",
    width=4,
    priority=7,
    sort_key=lambda row: not row.domain.autostart,
)

_TAGS = Column[Row](
    "tags",
    "TAGS",
    lambda row: " ".join(f"#{tag}" for tag in row.domain.tags),
    width=12,
    max_width=30,
    priority=6,
    sort_key=lambda row: tuple(map(str.casefold, row.domain.tags)) or None,
    sort_letter="T",
)

NARROW: tuple[Column[Row], ...] = (
    _STATE,
    _NAME,
    _CPU,
    _SPARK,
    _VCPU,
    _MEM,
    _RSS,
    _rate_column("disk", "DISK", "block_at", READ, WRITE, priority=1),
    _rate_column("net", "NET", "net_at", RX, TX, priority=1),
    _ADDRESS,
    _HOST,
    _AUTOSTART,
)
WIDE: tuple[Column[Row], ...] = (
    *NARROW[:7],
    _rate_column("disk", "READ", "block_at", READ, priority=1),
    _rate_column("write", "WRITE", "block_at", WRITE, priority=1),
    _rate_column("net", "RX", "net_at", RX, priority=1),
    _rate_column("tx", "TX", "net_at", TX, priority=1),
    *NARROW[9:],
    _TAGS,
)
WIDE_FROM = 140
"""Columns of the terminal from which read and write are shown apart, and tags."""


@lru_cache(8)
def columns_for(width: int, hosts: int) -> tuple[Column[Row], ...]:
    """Read and write apart where there is room; the host only where there are several."""
    columns = WIDE if width >= WIDE_FROM else NARROW
    return columns if hosts > 1 else tuple(c for c in columns if c is not _HOST)
