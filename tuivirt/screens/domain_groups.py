"""The list of domains by host, group or tag: what the line of a group tells of those in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tuivirt.backend.model.domain import DomainState
from tuivirt.widgets.columns import Column
from tuivirt.widgets.grouping import Grouping
from tuivirt.widgets.text import UNKNOWN, percent, rate, share, size
from tuivirt.widgets.tones import Cell, Toned

from .domain_columns import Row, used_kib

_NAMES: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "host": lambda row: (row.domain.host,),
    "group": lambda row: (row.domain.group,) if row.domain.group else (),
    "tag": lambda row: row.domain.tags,
}
WAYS = (*_NAMES, "off")
"""What the list can be grouped by, in the order of the key."""
_NONE = {"group": "in no group", "tag": "without a tag"}
_COUNT_CELLS = 6
"""So long a count stands below STATE; a longer one beside the name."""


def after(word: str) -> str:
    """The next way of grouping."""
    return WAYS[(WAYS.index(word) + 1) % len(WAYS)]


class Sums(NamedTuple):
    """What domains come to together. What is not known of one that is silent by now is no part of
    it; of each figure there is how many tell it.
    """

    domains: int
    running: int
    silent: int
    crashed: int
    vcpus: float
    cpu: float
    cpu_known: int
    memory: float
    """Of those that tell what they use, that; of the others all that they have."""
    memory_known: int
    memory_most: float
    rss: float
    rss_known: int
    read: float
    write: float
    block_known: int
    rx: float
    tx: float
    net_known: int

    @staticmethod
    def of(rows: Sequence[Row]) -> Sums:
        """Of these rows."""
        return Sums.merged([_sums_of(row) for row in rows])

    @staticmethod
    def merged(parts: Sequence[Sums]) -> Sums:
        """Of all together."""
        return Sums._make(map(sum, zip(*parts, strict=True)))


def _sums_of(row: Row) -> Sums:
    domain, stats = row.domain, row.stats
    silent = domain.active and row.stalled_since is not None
    crashed = domain.state is DomainState.CRASHED
    vcpus = (domain.vcpus or 0) if domain.active else 0
    head = (1, int(row.running), int(silent), int(crashed), vcpus)
    if silent or stats is None or not domain.active:
        return Sums(*head, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    cpu, rss, used = stats.cpu_percent, stats.memory_rss_kib, stats.memory_used_kib
    read, write = stats.read_bytes_per_s, stats.write_bytes_per_s
    rx, tx = stats.rx_bytes_per_s, stats.tx_bytes_per_s
    return Sums(
        *head,
        cpu or 0,
        cpu is not None,
        used_kib(row) or 0,
        used is not None,
        domain.memory_kib or domain.memory_max_kib or 0,
        rss or 0,
        rss is not None,
        read or 0,
        write or 0,
        read is not None or write is not None,
        rx or 0,
        tx or 0,
        rx is not None or tx is not None,
    )


def grouping_by(word: str) -> Grouping[Row, Sums]:
    """The grouping of that word. Raises KeyError."""

    def cell(column: Column[Row], name: str, folded: bool, sums: Sums) -> Cell:
        return _cell(word, column, name, folded, sums)

    return Grouping(word, _NAMES[word], cell, Sums.of, Sums.merged)


def _cell(word: str, column: Column[Row], name: str, folded: bool, sums: Sums) -> Cell:
    count = f"{sums.running}/{sums.domains}"
    fits = len(count) <= _COUNT_CELLS
    if column.id == "state":
        return Toned(_sign(folded) + (f" {count}" if fits else ""), "title")
    if column.id == "name":
        return _name(word, name, "" if fits else count, sums)
    figure = _FIGURES.get(column.title) or _FIGURES.get(column.id)
    if figure is None or not (sums.running or sums.vcpus):
        return ""
    said = figure(sums)
    return Toned(said, "title") if said else UNKNOWN


def _known(count: int, value: float, draw: Callable[[float], str]) -> str:
    return draw(value) if count else ""


_FIGURES: dict[str, Callable[[Sums], str]] = {
    "vcpu": lambda s: f"{s.vcpus:.0f}",
    "cpu": lambda s: _known(s.cpu_known, s.cpu, percent),
    "memory": lambda s: share(s.memory if s.memory_known else None, s.memory_most or None),
    "rss": lambda s: _known(s.rss_known, s.rss, size),
    "DISK": lambda s: _known(s.block_known, s.read + s.write, rate),
    "READ": lambda s: _known(s.block_known, s.read, rate),
    "write": lambda s: _known(s.block_known, s.write, rate),
    "NET": lambda s: _known(s.net_known, s.rx + s.tx, rate),
    "RX": lambda s: _known(s.net_known, s.rx, rate),
    "tx": lambda s: _known(s.net_known, s.tx, rate),
}
"""By the column's title where it tells which of two it is, else by its id."""


def _sign(folded: bool) -> str:
    return "▸" if folded else "▾"


def _name(word: str, name: str, count: str, sums: Sums) -> Cell:
    if name:
        said = [Toned(f"#{name}" if word == "tag" else name, "title")]
    else:
        said = [Toned(_NONE.get(word, ""), "dim")]
    if count:
        said.append(Toned(f"  {count}"))
    for number, what in ((sums.silent, "stalled"), (sums.crashed, "crashed")):
        if number:
            said.append(Toned(f"  {number} {what}", "bad"))
    return tuple(said)
