"""Rows by key, filtered and sorted: the part of a table that draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from .columns import Column
from .filtering import Filter, parse_filter

R = TypeVar("R")


class Rows(Generic[R]):
    """All rows, the order in which those are shown that the filter lets through, and the marks."""

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
        self.order: list[Hashable] = []
        self.marks: set[Hashable] = set()
        self.filter: Filter | None = None
        self.sorted_by: Column[R] | None = self._columns.get(sort)
        self.reverse = self.sorted_by.descending if self.sorted_by else False
        self._positions: dict[Hashable, int] | None = None

    def replace(self, rows: Mapping[Hashable, R]) -> None:
        """Other rows; marks of those that are gone go too."""
        self.all = rows
        if self.marks:
            self.marks &= rows.keys()
        self._arrange()

    def use_columns(self, columns: Sequence[Column[R]]) -> None:
        """Sort by one of these from now on."""
        self._columns = {column.id: column for column in columns}
        if self.sorted_by is not None:
            self.sorted_by = self._columns.get(self.sorted_by.id, columns[0])
        self._arrange()

    def set_filter(self, expression: str) -> None:
        """Raises BadFilter."""
        self.filter = parse_filter(expression)
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
        self._arrange()

    def index(self, key: Hashable) -> int | None:
        """Where the key stands among those shown."""
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
        shown: Iterable[Hashable] = self.all
        if self.filter is not None:
            match = self.filter.match
            search = self._search or str
            tags = self._tags or (lambda _row: ())
            shown = [key for key, row in self.all.items() if match(search(row), tags(row))]
        column = self.sorted_by
        if column is None or column.sort_key is None:
            self.order = list(shown)
            return
        known: list[tuple[Hashable, object]] = []
        unknown: list[Hashable] = []
        sort_key = column.sort_key
        for key in shown:
            value = sort_key(self.all[key])
            if value is None:
                unknown.append(key)
            else:
                known.append((key, value))
        # Python's sort keeps equals in their order in both directions: rows do not flicker.
        known.sort(key=lambda pair: pair[1], reverse=self.reverse)  # type: ignore[arg-type, return-value]
        self.order = [key for key, _ in known]
        self.order.extend(unknown)
