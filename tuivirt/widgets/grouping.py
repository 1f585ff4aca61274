"""A table's rows below the names of their groups, which can be folded.

Not a tree as `tree_rows` has it: that one gives each node one place and sorts by itself, while here
a row may stand in several groups, and those of a group keep the order that the table gives them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from .columns import Column, Placed, fit_cell
from .text import natural
from .tones import Cell, Toned

R = TypeVar("R")
T = TypeVar("T")

Names = Callable[[R], tuple[str, ...]]
Sorted = tuple[list[tuple[Any, Hashable]], list[Hashable]]
"""What is shown of a section, as `Rows` has it: values and keys in order, and keys without one."""


class Name(NamedTuple):
    """The line of a group: its name as it is compared. ('',) is of what is in no group."""

    name: str


class Again(NamedTuple):
    """A row that stands in a group before as well."""

    key: Hashable
    name: str


class _Part(Generic[R, T]):
    """The rows of one section, by the names of their groups."""

    def __init__(self, found: Sorted) -> None:
        self.found = found
        self.names: dict[Hashable, Iterable[str]] = {}
        """By the key of a row, as they are compared."""
        self.rows: defaultdict[str, list[R]] = defaultdict(list)
        self.written: dict[str, str] = {}
        self.totals: dict[str, T] = {}


class Grouping(Generic[R, T]):
    """Which rows are below which name; what is folded is remembered as long as this is kept.

    What a section's rows are grouped and added up by is found when that section changed.
    """

    def __init__(
        self,
        word: str,
        names: Names[R],
        cell: Callable[[Column[R], str, bool, T], Cell],
        total: Callable[[Sequence[R]], T],
        merged: Callable[[Sequence[T]], T],
    ) -> None:
        """``word`` says by what it is grouped. ``names`` are the groups of a row, none for the last
        one. ``cell`` draws what a column has on the line of a group: given its name as it was
        written, whether it is folded, and what ``total`` makes of its rows in each section, and
        ``merged`` of all those.
        """
        self.word = word
        self._names = names
        self._cell = cell
        self._total = total
        self._merged = merged
        self._folded: set[str] = set()
        self._parts: dict[Hashable, _Part[R, T]] = {}
        self._names_of: dict[Hashable, Iterable[str]] = {}
        self._members: dict[str, list[Hashable]] = {}
        self._drawn: dict[tuple[str, str], Cell] = {}

    def arrange(
        self,
        keys: Iterable[Hashable],
        rows: Mapping[Hashable, R],
        sections: Mapping[Hashable, Sorted],
    ) -> list[Hashable]:
        """What is shown, line by line; names that differ in case alone are one group's.

        ``sections`` have the same keys; the same object as last time was not changed.
        """
        self._drawn.clear()
        self._refresh(rows, sections)
        members: defaultdict[str, list[Hashable]] = defaultdict(list)
        names_of = self._names_of
        for key in keys:
            for name in names_of[key]:
                members[name].append(key)
        self._members = dict(members)
        order: list[Hashable] = []
        shown: set[Hashable] = set()
        for name in self._in_order():
            order.append(Name(name))
            if name not in self._folded:
                order += [Again(key, name) if key in shown else key for key in members[name]]
                shown.update(members[name])
        return order

    def _refresh(self, rows: Mapping[Hashable, R], sections: Mapping[Hashable, Sorted]) -> None:
        """Look at the sections that changed."""
        for section in [*self._parts]:
            if self._parts[section].found is not sections.get(section):
                for key in self._parts.pop(section).names:
                    self._names_of.pop(key, None)
        for section, found in sections.items():
            if section not in self._parts:
                part = self._parts[section] = self._part(found, rows)
                self._names_of.update(part.names)

    def _part(self, found: Sorted, rows: Mapping[Hashable, R]) -> _Part[R, T]:
        part: _Part[R, T] = _Part(found)
        alike: dict[tuple[str, ...], dict[str, str]] = {(): {"": ""}}
        for key in chain(map(itemgetter(1), found[0]), found[1]):
            row = rows[key]
            written = self._names(row)
            names = alike.get(written)
            if names is None:
                names = alike[written] = {name.casefold(): name for name in written}
            part.names[key] = names
            for name in names:
                part.rows[name].append(row)
        for names in alike.values():
            part.written = names | part.written
        return part

    def _in_order(self) -> list[str]:
        """The groups, the one of those in none last."""
        return sorted(self._members, key=lambda name: (not name, natural(name)))

    def fold(self, key: Hashable | None, close: bool | None) -> Name | None:
        """Fold or unfold the group of a line (None: turn it around, on its name alone).

        Returns the line of its name, or None when nothing changes.
        """
        if isinstance(key, Name):
            name = key.name
        elif close is None or key is None:
            return None
        elif isinstance(key, Again):
            name = key.name
        else:
            name = self._first(key)
        is_folded = name in self._folded
        if is_folded is close:
            return None
        self._folded ^= {name}
        return Name(name)

    def _first(self, key: Hashable) -> str:
        """The group below whose name a row stands first."""
        for name in self._in_order():
            if name not in self._folded and key in self._members[name]:
                return name
        return ""

    def key_of(self, key: Hashable) -> Hashable | None:
        """The row's own key; None for a name."""
        if isinstance(key, Again):
            return key.key
        return None if isinstance(key, Name) else key

    def keys_of(self, keys: Iterable[Hashable], folded: bool) -> tuple[Hashable, ...]:
        """The rows' own keys; ``folded``: with those behind the names of folded groups."""
        found: list[Hashable] = []
        for key in keys:
            if isinstance(key, Name):
                found += (
                    self._members.get(key.name, ()) if folded and key.name in self._folded else ()
                )
            else:
                found.append(key.key if isinstance(key, Again) else key)
        return tuple(dict.fromkeys(found))

    def members(self, key: Hashable) -> Sequence[Hashable]:
        """The rows that a line stands for."""
        if isinstance(key, Name):
            return self._members.get(key.name, ())
        return (key.key if isinstance(key, Again) else key,)

    def cells(
        self, key: Hashable, placed: Sequence[Placed[R]]
    ) -> tuple[tuple[Toned, ...], ...] | None:
        """The line of a group, cut to the columns; None when ``key`` is a row."""
        if not isinstance(key, Name):
            return None
        name, drawn = key.name, self._drawn
        if any((name, each.column.id) not in drawn for each in placed):
            # Once after each change: a key that only moves adds nothing up.
            written, total = self._sum(name)
            for column in (each.column for each in placed):
                drawn[name, column.id] = self._cell(column, written, name in self._folded, total)
        return tuple(
            fit_cell(drawn[name, each.column.id], each.width, each.column.align) for each in placed
        )

    def _sum(self, name: str) -> tuple[str, T]:
        """A group's name as it was written first, and what its rows come to."""
        parts = [part for part in self._parts.values() if name in part.rows]
        for part in parts:
            if name not in part.totals:
                part.totals[name] = self._total(part.rows[name])
        return parts[0].written[name], self._merged([part.totals[name] for part in parts])


def of_rows(
    word: str, names: Names[R], cell: Callable[[Column[R], str, bool, Sequence[R]], Cell]
) -> Grouping[R, Sequence[R]]:
    """A grouping whose cells are drawn from the rows themselves: for lists that are short."""

    def merged(parts: Sequence[Sequence[R]]) -> Sequence[R]:
        return tuple(chain.from_iterable(parts))

    return Grouping(word, names, cell, tuple, merged)
