"""The list of hosts by group or tag: what the line of a group tells of those in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuivirt.backend.model.host import Link
from tuivirt.widgets.columns import Column
from tuivirt.widgets.grouping import Grouping, of_rows
from tuivirt.widgets.tones import Cell, Toned

from .host_rows import Row, Sum, state_pieces

_NAMES: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "group": lambda row: (row.entry_group,) if row.entry_group else (),
    "tag": lambda row: row.entry_tags,
}
WAYS = (*_NAMES, "off")
"""What the list can be grouped by, in the order of the key."""
_NONE = {"group": "in no group", "tag": "without a tag"}


def after(word: str) -> str:
    """The next way of grouping."""
    return WAYS[(WAYS.index(word) + 1) % len(WAYS)]


def grouping_by(word: str) -> Grouping[Row, Sequence[Row]]:
    """The grouping of that word. Raises KeyError."""

    def cell(column: Column[Row], name: str, folded: bool, rows: Sequence[Row]) -> Cell:
        return _cell(word, column, name, folded, rows)

    return of_rows(word, _NAMES[word], cell)


def _cell(word: str, column: Column[Row], name: str, folded: bool, rows: Sequence[Row]) -> Cell:
    if column.id == "link":
        well = sum(row.host.link is Link.CONNECTED for row in rows)
        sign = "▸" if folded else "▾"
        return Toned(f"{sign} {well}/{len(rows)}", "title")
    if column.id == "name":
        if not name:
            return Toned(_NONE[word], "dim")
        return Toned(f"#{name}" if word == "tag" else name, "title")
    found = Sum.of(rows)
    said = {
        "cpu": found.cpu,
        "memory": found.memory,
        "vcpus": found.vcpus,
        "given": found.given,
    }.get(column.id)
    if said is not None:
        return Toned(said, "title")
    return state_pieces(found.states) if column.id == "domains" else ""
