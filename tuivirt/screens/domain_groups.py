"""The list of domains by host, group or tag: what the line of a group tells of those in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tuivirt.backend.model.domain import DomainState
from tuivirt.widgets.columns import Column
from tuivirt.widgets.grouping import Grouping
from tuivirt.widgets.sparkline import is_ascii
from tuivirt.widgets.text import UNKNOWN, percent, rate, share, size
from tuivirt.widgets.tones import Cell, Toned

from .domain_columns import Row, used_kib

_NAMES: dict[str, Callable[[Row], Iterable[str]]] = {
    "host": lambda row: (row.domain.host,),
    "group": lambda row: (row.domain.group,) if row.domain.group else (),
    "tag": lambda row: row.domain.tags,
}
WAYS = (*_NAMES, "off")
"""What the list can be grouped by, in the order of the key."""
_NONE = {"group": "in no group", "tag": "without a tag"}
_ADDED = frozenset(("vcpu", "cpu", "memory", "rss", "disk", "write", "net", "tx"))
"""The columns whose figures are added up."""
_COUNT_CELLS = 6
"""So long a count stands below STATE; a longer one beside the name."""


def after(word: str) -> str:
    """The next way of grouping."""
    return WAYS[(WAYS.index(word) + 1) % len(WAYS)]


def grouping_by(word: str) -> Grouping[Row]:
    """The grouping of that word. Raises KeyError."""

    def cell(column: Column[Row], name: str, folded: bool, rows: Sequence[Row]) -> Cell:
        return _cell(word, column, name, folded, rows)

    return Grouping(word, _NAMES[word], cell)


def _cell(word: str, column: Column[Row], name: str, folded: bool, rows: Sequence[Row]) -> Cell:
    if column.id == "state":
        count = _count(rows)
        return Toned(_sign(folded) + (f" {count}" if len(count) <= _COUNT_CELLS else ""), "title")
    if column.id == "name":
        return _name(word, name, rows)
    running = [row for row in rows if row.domain.active]
    if not running or column.id not in _ADDED:
        return ""
    if column.id == "vcpu":
        return _total([row.domain.vcpus for row in running], lambda count: f"{count:.0f}")
    # What is not known of one that is silent by now is no part of a sum; its name tells of it.
    running = [row for row in running if row.stalled_since is None]
    if not running:
        return UNKNOWN
    if column.id == "cpu":
        known = [row.stats.cpu_percent for row in running if row.stats is not None]
        return _total(known, percent)
    if column.id == "memory":
        used = sum(used_kib(row) or 0 for row in running)
        most = sum(row.domain.memory_kib or row.domain.memory_max_kib or 0 for row in running)
        return Toned(share(used, most), "title")
    if column.id == "rss":
        known = [row.stats.memory_rss_kib for row in running if row.stats is not None]
        return _total(known, size)
    assert column.sort_key is not None
    return _total([column.sort_key(row) for row in running], rate)


def _total(values: Iterable[float | None], draw: Callable[[float], str]) -> Cell:
    known = [value for value in values if value is not None]
    return Toned(draw(sum(known)) if known else UNKNOWN, "title")


def _sign(folded: bool) -> str:
    if is_ascii():
        return "+" if folded else "-"
    return "▸" if folded else "▾"


def _count(rows: Sequence[Row]) -> str:
    """How many run, of how many."""
    return f"{sum(row.running for row in rows)}/{len(rows)}"


def _name(word: str, name: str, rows: Sequence[Row]) -> Cell:
    if name:
        said = [Toned(f"#{name}" if word == "tag" else name, "title")]
    else:
        said = [Toned(_NONE.get(word, ""), "dim")]
    count = _count(rows)
    if len(count) > _COUNT_CELLS:
        said.append(Toned(f"  {count}"))
    silent = sum(row.stalled_since is not None and row.domain.active for row in rows)
    crashed = sum(row.domain.state is DomainState.CRASHED for row in rows)
    for number, what in ((silent, "stalled"), (crashed, "crashed")):
        if number:
            said.append(Toned(f"  {number} {what}", "bad"))
    return tuple(said)
