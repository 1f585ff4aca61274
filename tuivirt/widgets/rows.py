"""Rows by key, filtered and sorted: the part of a table that draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .columns import Column
from .filtering import Filter, parse_filter

if TYPE_CHECKING:
    from .grouping import Grouping, Sorted

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Section(Protocol[R_co]):
    """Rows that come and change together, as those of a host."""

    @property
    def rows(self) -> Mapping[Hashable, R_co]:
        """All of them now."""

    def take(self) -> tuple[Collection[Hashable], Collection[Hashable]]:
        """The keys of those that changed or came, and of those that went, since it was asked."""


_value, _key = itemgetter(0), itemgetter(1)
_HIDDEN = object()


class _Sorted:
    """A section as it is shown."""

    def __init__(self, section: Any) -> None:
        self.section = section
        self.values: dict[Hashable, Any] = {}
        """What each row is sorted by: None where that is not known, _HIDDEN where it is not shown.
        A row that is there stays in its place: equals keep the order in which they came."""
        self.lists: Sorted = [], []
        """(value, key), in order, and the keys without a value; another object after each change.
        """
        self.gone: set[Hashable] = set()
        """Keys that went, and that are still listed."""

    def sort(self, reverse: bool) -> None:
        """In order again, after values changed."""
        values = self.values.items()
        known = [
            (value, key) for key, value in values if value is not None and value is not _HIDDEN
        ]
        known.sort(key=_value, reverse=reverse)
        self.lists = known, [key for key, value in values if value is None]


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
        self._sorted: dict[Hashable, _Sorted] = {}
        """By the name of a section."""
        self.listed: list[Hashable] = []
        """The keys of the rows that the filter lets through, in their order."""
        self.order: list[Hashable] = self.listed
        """What is shown, line by line: the same, or, of groups, names and those not folded."""
        self.grouping: Grouping[R, Any] | None = None
        self.marks: set[Hashable] = set()
        self.filter: Filter | None = None
        self.sorted_by: Column[R] | None = self._columns.get(sort)
        self.reverse = self.sorted_by.descending if self.sorted_by else False

    def replace(self, rows: Mapping[Hashable, R]) -> None:
        """Other rows; marks of those that are gone go too."""
        self.all = rows
        if self.marks:
            self.marks &= rows.keys()
        found = _Sorted(rows)
        self._sorted = {None: found}
        self._look_at(found, rows)
        self._arrange()

    def replace_sections(self, sections: Mapping[Hashable, Section[R]]) -> None:
        """The same of rows in sections, no key in two of them; what did not change costs nothing.

        To a table that is given sections ``replace`` is not done.
        """
        rows = self.all if isinstance(self.all, dict) else {}
        self.all = rows
        for name in self._sorted.keys() - sections.keys():
            self._forget(rows, self._sorted.pop(name).values)
        for name, section in sections.items():
            found = self._sorted.get(name)
            if found is None or found.section is not section:
                if found is not None:
                    self._forget(rows, found.values)
                found = self._sorted[name] = _Sorted(section)
                section.take()
                rows.update(section.rows)
                self._look_at(found, section.rows)
                continue
            self.look_ahead(name)
            if found.gone:
                gone, found.gone = found.gone, set()
                self._forget(rows, gone)
                for key in gone:  # One may have come and gone since the section was asked last.
                    found.values.pop(key, None)
                found.sort(self.reverse)
        self._arrange()

    def look_ahead(self, name: Hashable) -> None:
        """Look already at what changed in that section; ``replace_sections`` will list it.

        Sections that change at different times are looked at one by one so, and what there is to
        do for all of them together stays short.
        """
        found = self._sorted.get(name)
        if found is None or not isinstance(self.all, dict):
            return
        section: Section[R] = found.section
        changed, gone = section.take()
        found.gone.difference_update(changed)
        found.gone.update(gone)
        if changed:
            now = section.rows
            self.all.update((key, now[key]) for key in changed)
            self._look_at(found, changed)

    def _forget(self, rows: dict[Hashable, R], gone: Iterable[Hashable]) -> None:
        for key in gone:
            rows.pop(key, None)
        self.marks.difference_update(gone)

    def use_columns(self, columns: Sequence[Column[R]]) -> None:
        """Sort by one of these from now on."""
        self._columns = {column.id: column for column in columns}
        if self.sorted_by is not None:
            self.sorted_by = self._columns.get(self.sorted_by.id, columns[0])
        self._arrange_all()

    def set_filter(self, expression: str, *, typing: bool = False) -> None:
        """``typing``: it is not whole yet. Raises BadFilter."""
        self.filter = parse_filter(expression, typing=typing)
        self._arrange_all()

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
        self._arrange_all()

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
        try:
            return self.order.index(key)
        except ValueError:
            return None

    def is_known(self, index: int) -> bool:
        """Whether the row there has a value to be sorted by."""
        if index >= len(self.listed):
            return False
        column = self.sorted_by
        if column is None or column.sort_key is None:
            return True
        return column.sort_key(self.all[self.listed[index]]) is not None

    def _arrange_all(self) -> None:
        """Another filter or order: look at all rows."""
        for found in self._sorted.values():
            self._look_at(found, [*found.values])
        self._arrange()

    def _arrange(self) -> None:
        known: list[tuple[Any, Hashable]] = []
        unknown: list[Hashable] = []
        for found in self._sorted.values():
            known += found.lists[0]
            unknown += found.lists[1]
        # Python's sort keeps equals in their order in both directions: rows do not flicker. And
        # it is quick with parts that are in order already.
        if len(self._sorted) > 1:
            known.sort(key=_value, reverse=self.reverse)
        self.listed = self.order = list(map(_key, known))
        self.listed += unknown
        if self.grouping is not None:
            lists = {name: found.lists for name, found in self._sorted.items()}
            self.order = self.grouping.arrange(self.listed, self.all, lists)

    def _look_at(self, found: _Sorted, keys: Iterable[Hashable]) -> None:
        """Whether these rows are shown, and where."""
        rows, values = self.all, found.values
        match = self.filter.match if self.filter is not None else None
        search = self._search or str
        tags = self._tags or (lambda _row: ())
        sort_key = self.sorted_by.sort_key if self.sorted_by is not None else None
        for key in keys:
            row = rows[key]
            if match is not None and not match(search(row), tags(row)):
                values[key] = _HIDDEN
            else:
                values[key] = None if sort_key is None else sort_key(row)
        found.sort(self.reverse)
