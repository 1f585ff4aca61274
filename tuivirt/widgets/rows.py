"""Rows by key, filtered and sorted: the part of a table that draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from .columns import Column
from .filtering import Filter, parse_filter

R = TypeVar("R")


Section = Mapping[Hashable, R]
"""Rows that come and change together, as those of a host: a new object whenever one changed."""
_value, _key = itemgetter(0), itemgetter(1)


class Rows(Generic[R]):
    """All rows, the order in which those are shown that the filter lets through, and the marks.

    What a section costs (its filter, its values to sort by) is paid when that section changed;
    what is left for all rows together is a merge of lists that are sorted already.
    """

    def __init__(
        self,
        columns: Sequence[Column[R]],
        sort: str = "",
        search: Callable[[R], str] | None = None,
        tags: Callable[[R], Iterable[str]] | None = None,
    ) -> None:
        self._columns = {column.id: column for column in columns}
        self._search = search
        self._tags = tags
        self.all: Mapping[Hashable, R] = {}
        self._sections: dict[Hashable, Section[R]] = {}
        self._sorted: dict[Hashable, tuple[list[tuple[Any, Hashable]], list[Hashable]]] = {}
        """By section: (value, key) of what is shown and has one, sorted, and the keys without."""
        self.order: list[Hashable] = []
        self.marks: set[Hashable] = set()
        self.filter: Filter | None = None
        self.sorted_by: Column[R] | None = self._columns.get(sort)
        self.reverse = self.sorted_by.descending if self.sorted_by else False
        self._positions: dict[Hashable, int] | None = None

    def replace(self, rows: Mapping[Hashable, R]) -> None:
        """Other rows; marks of those that are gone go too."""
        self._sections = {None: rows}
        self._sorted.clear()
        self.all = rows
        if self.marks:
            self.marks &= rows.keys()
        self._arrange()

    def replace_sections(self, sections: Mapping[Hashable, Section[R]]) -> None:
        """The same of rows in sections, no key in two of them.

        One that is the same object as last time was not changed, and is not looked at.
        """
        before = self._sections
        rows = self.all if None not in before and isinstance(self.all, dict) else {}
        for name in before.keys() - sections.keys():
            self._forget(rows, before[name], {})
            self._sorted.pop(name, None)
        for name, section in sections.items():
            old = before.get(name)
            if section is not old:
                if old is not None:
                    self._forget(rows, old, section)
                rows.update(section)
                self._sorted.pop(name, None)
        self._sections, self.all = dict(sections), rows
        self._arrange()

    def _forget(
        self, rows: dict[Hashable, R], old: Section[R], new: Mapping[Hashable, object]
    ) -> None:
        gone = old.keys() - new.keys()
        for key in gone:
            rows.pop(key, None)
        self.marks -= gone

    def use_columns(self, columns: Sequence[Column[R]]) -> None:
        """Sort by one of these from now on."""
        self._columns = {column.id: column for column in columns}
        if self.sorted_by is not None:
            self.sorted_by = self._columns.get(self.sorted_by.id, columns[0])
        self._sorted.clear()
        self._arrange()

    def set_filter(self, expression: str) -> None:
        """Raises BadFilter."""
        self.filter = parse_filter(expression)
        self._sorted.clear()
        self._arrange()

    def sort_by(self, column_id: str, reverse: bool | None = None) -> None:
        """Sort by this column; again, without ``reverse``, turns it around."""
        column = self._columns[column_id]
        if column.sort_key is None:
            return
        if reverse is not None:
            self.reverse = reverse
        else:
            self.reverse = not self.reverse if column is self.sorted_by else column.descending
        self.sorted_by = column
        self._sorted.clear()
        self._arrange()

    def index(self, key: Hashable, near: int = -1) -> int | None:
        """Where the key stands among those shown; looked for at ``near`` first."""
        if 0 <= near < len(self.order) and self.order[near] == key:
            return near
        if self._positions is None:
            self._positions = {key: index for index, key in enumerate(self.order)}
        return self._positions.get(key)

    def is_known(self, index: int) -> bool:
        """Whether the row there has a value to be sorted by."""
        if index >= len(self.order):
            return False
        column = self.sorted_by
        if column is None or column.sort_key is None:
            return True
        return column.sort_key(self.all[self.order[index]]) is not None

    def _arrange(self) -> None:
        self._positions = None
        known: list[tuple[Any, Hashable]] = []
        unknown: list[Hashable] = []
        for name, section in self._sections.items():
            found = self._sorted.get(name)
            if found is None:
                found = self._sorted[name] = self._sort(section)
            known += found[0]
            unknown += found[1]
        # Python's sort keeps equals in their order in both directions: rows do not flicker. And
        # it is quick with parts that are in order already.
        if len(self._sections) > 1:
            known.sort(key=_value, reverse=self.reverse)
        self.order = list(map(_key, known))
        self.order += unknown

    def _sort(self, section: Section[R]) -> tuple[list[tuple[Any, Hashable]], list[Hashable]]:
        """What is shown of a section: (value, key) in order, and the keys without a value."""
        shown: Iterable[Hashable] = section
        if self.filter is not None:
            match = self.filter.match
            search = self._search or str
            tags = self._tags or (lambda _row: ())
            shown = [key for key, row in section.items() if match(search(row), tags(row))]
        column = self.sorted_by
        if column is None or column.sort_key is None:
            return [], list(shown)
        known: list[tuple[Any, Hashable]] = []
        unknown: list[Hashable] = []
        sort_key = column.sort_key
        for key in shown:
            value = sort_key(section[key])
            if value is None:
                unknown.append(key)
            else:
                known.append((value, key))
        known.sort(key=_value, reverse=self.reverse)
        return known, unknown
