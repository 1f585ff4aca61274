"""A table's rows below the names of their groups, which can be folded.

Not a tree as `tree_rows` has it: that one gives each node one place and sorts by itself, while here
a row may stand in several groups, and those of a group keep the order that the table gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from .columns import Column, Placed, fit_cell
from .text import natural
from .tones import Cell, Toned

R = TypeVar("R")


class Name(NamedTuple):
    """The line of a group: its name as it is compared. ('',) is of what is in no group."""

    name: str


class Again(NamedTuple):
    """A row that stands in a group before as well."""

    key: Hashable
    name: str


class Grouping(Generic[R]):
    """Which rows are below which name; what is folded is remembered as long as this is kept."""

    def __init__(
        self,
        word: str,
        names: Callable[[R], Iterable[str]],
        cell: Callable[[Column[R], str, bool, Sequence[R]], Cell],
    ) -> None:
        """``word`` says by what it is grouped. ``names`` are the groups of a row, none for the last
        one. ``cell`` draws what a column has on the line of a group: given its name as it was
        written, whether it is folded, and its rows.
        """
        self.word = word
        self._names = names
        self._cell = cell
        self._folded: set[str] = set()
        self._members: dict[str, list[Hashable]] = {}
        self._written: dict[str, str] = {"": ""}
        self._drawn: dict[tuple[str, str], Cell] = {}

    def arrange(self, keys: Iterable[Hashable], rows: Mapping[Hashable, R]) -> list[Hashable]:
        """What is shown, line by line; names that differ in case alone are one group's."""
        self._drawn.clear()
        members: dict[str, list[Hashable]] = {}
        self._members = members
        names, written = self._names, self._written
        for key in keys:
            found = names(rows[key]) or ("",)
            for name in found:
                same = name.casefold()
                if same in members:
                    members[same].append(key)
                else:
                    members[same] = [key]
                    written.setdefault(same, name)
        order: list[Hashable] = []
        shown: set[Hashable] = set()
        for name in sorted(members, key=lambda each: (not each, natural(each))):
            order.append(Name(name))
            if name not in self._folded:
                order += [Again(key, name) if key in shown else key for key in members[name]]
                shown.update(members[name])
        return order

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
        for name in sorted(self._members, key=lambda each: (not each, natural(each))):
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
        self, key: Hashable, placed: Sequence[Placed[R]], rows: Mapping[Hashable, R]
    ) -> tuple[tuple[Toned, ...], ...] | None:
        """The line of a group, cut to the columns; None when ``key`` is a row."""
        if not isinstance(key, Name):
            return None
        name, drawn = key.name, self._drawn
        inside: list[R] = []
        for column in (each.column for each in placed):
            if (name, column.id) not in drawn:
                # Once after each change: a key that only moves costs no sum over all rows.
                inside = inside or [rows[each] for each in self._members[name]]
                drawn[name, column.id] = self._cell(
                    column, self._written[name], name in self._folded, inside
                )
        return tuple(
            fit_cell(drawn[name, each.column.id], each.width, each.column.align) for each in placed
        )
