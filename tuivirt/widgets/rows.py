"""Rows by key, filtered and sorted: the part of a table that draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .columns import Column
from .filtering import Filter, parse_filter

if TYPE_CHECKING:
    from .grouping import Grouping

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
        self.listed: list[Hashable] = []
        """The keys of the rows that the filter lets through, in their order."""
        self.order: list[Hashable] = self.listed
        """What is shown, line by line: the same, or, of groups, names and those not folded."""
        self.grouping: Grouping[R, Any] | None = None
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

    def group_by(self, grouping: Grouping[R, Any] | None) -> None:
        """Below the names of their groups, or in one list again."""
        self.grouping = grouping
        self._arrange()

    def fold(self, key: Hashable | None, close: bool | None) -> Hashable | None:
        """Fold or unfold the group that ``key`` is of; where its name is shown, or None."""
        header = self.grouping.fold(key, close) if self.grouping is not None else None
        if header is not None:
            self._arrange()
        return header

    def key_of(self, key: Hashable) -> Hashable | None:
        """The key of the row that is shown as ``key``; None for the name of a group."""
        return key if self.grouping is None else self.grouping.key_of(key)

    def keys_of(self, keys: Sequence[Hashable], *, folded: bool = False) -> tuple[Hashable, ...]:
        """Those of several; ``folded``: with all that stand behind the name of a folded group."""
        return tuple(keys) if self.grouping is None else self.grouping.keys_of(keys, folded)

    def mark(self, key: Hashable) -> None:
        """Mark the row, or no longer; the name of a group stands for all in it."""
        of = (key,) if self.grouping is None else self.grouping.members(key)
        if self.marks.issuperset(of):
            self.marks.difference_update(of)
        else:
            self.marks.update(of)

    def is_marked(self, key: Hashable) -> bool:
        """Whether the row is marked; of the name of a group, all in it."""
        if self.grouping is None or not self.marks:
            return key in self.marks
        return self.marks.issuperset(self.grouping.members(key))

    def index(self, key: Hashable, near: int = -1) -> int | None:
        """Where the key stands among those shown; looked for at ``near`` first."""
        if 0 <= near < len(self.order) and self.order[near] == key:
            return near
        if self._positions is None:
            self._positions = {key: index for index, key in enumerate(self.order)}
        return self._positions.get(key)

    def is_known(self, index: int) -> bool:
        """Whether the row there has a value to be sorted by."""
        if index >= len(self.listed):
            return False
        column = self.sorted_by
        if column is None or column.sort_key is None:
            return True
        return column.sort_key(self.all[self.listed[index]]) is not None

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
        self.listed = self.order = list(map(_key, known))
        self.listed += unknown
        if self.grouping is not None:
            self.order = self.grouping.arrange(self.listed, self.all, self._sorted)

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
