"""The table: what it sends, where its cursor stands, what its marks follow."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region

from tuivirt.widgets.columns import Column, lay_out
from tuivirt.widgets.filtering import BadFilter, parse_filter
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.rows import Rows


@dataclass(frozen=True)
class Guest:
    name: str
    load: int | None = 0
    note: str = ""
    tags: tuple[str, ...] = ()


COLUMNS: tuple[Column[Guest], ...] = (
    Column("name", "NAME", lambda g: g.name, width=10, sort_key=lambda g: g.name, sort_letter="N"),
    Column(
        "load",
        "LOAD",
        lambda g: "?" if g.load is None else str(g.load),
        width=5,
        align="right",
        sort_key=lambda g: g.load,
        sort_letter="L",
        descending=True,
    ),
    Column("note", "NOTE", lambda g: g.note, width=12, priority=1),
)


class TableApp(App[None]):
    def __init__(self, sort: str = "") -> None:
        super().__init__()
        self.theme = "ansi-dark"
        self.table: LiveTable[Guest] = LiveTable(
            COLUMNS,
            caption="Guests",
            sort=sort,
            search=lambda g: g.name,
            tags=lambda g: g.tags,
            empty="No guests.\nMake one.",
        )
        self.opened: list[Hashable] = []
        self.moved: list[Hashable | None] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        self.opened.append(event.key)

    def on_live_table_cursor_moved(self, event: LiveTable.CursorMoved) -> None:
        self.moved.append(event.key)


def guests(*loads: int | None) -> dict[Hashable, Guest]:
    return {number: Guest(f"guest-{number}", load) for number, load in enumerate(loads)}


def invalidated(table: LiveTable[Guest], act: Callable[[], object]) -> set[Region]:
    """The regions of the table that ``act`` wants drawn again."""
    table._repaint_regions.clear()
    act()
    return set(table._repaint_regions)


def shown(table: LiveTable[Guest]) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


def targets(app: TableApp) -> list[Any]:
    return list(app.table.targets)


def cursor(app: TableApp) -> Any:
    return app.table.cursor


SIZE = (40, 10)


async def test_only_the_columns_that_are_there_have_a_key_to_sort_by() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(1, 2))
        app.table.use_columns(COLUMNS[:1])
        await pilot.press("L")
        assert app.table.rows.sorted_by is COLUMNS[0]
        app.table.use_columns(COLUMNS)
        await pilot.press("L")
        assert app.table.rows.sorted_by is COLUMNS[1]


async def test_a_row_that_did_not_change_is_not_drawn_again() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        app.table.update(guests(1, 2, 3))
        assert invalidated(app.table, lambda: app.table.update(guests(1, 2, 3))) == set()


async def test_one_changed_figure_draws_its_cell_and_nothing_else() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        app.table.update(guests(1, 2, 3))
        regions = invalidated(app.table, lambda: app.table.update(guests(1, 7, 3)))
        assert regions == {Region(14, 3, 5, 1)}
        assert shown(app.table)[3] == "   guest-1        7"


async def test_changed_cells_side_by_side_are_sent_in_one_piece() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        rows = guests(1, 2)
        app.table.update(rows)
        rows[1] = replace(rows[1], load=9, note="busy")
        regions = invalidated(app.table, lambda: app.table.update(dict(rows)))
        assert regions == {Region(14, 3, 18, 1)}


async def test_moving_the_cursor_draws_two_lines() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        app.table.update(guests(1, 2, 3))
        regions = invalidated(app.table, lambda: app.table.action_move(1))
        assert regions == {Region(0, 2, 40, 1), Region(0, 3, 40, 1)}


async def test_rows_out_of_sight_are_not_even_formatted() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        formatted: list[str] = []

        def cell(guest: Guest) -> str:
            formatted.append(guest.name)
            return guest.name

        app.table.use_columns((replace(COLUMNS[0], cell=cell),))
        formatted.clear()
        app.table.update(guests(*range(1000)))
        assert len(formatted) == SIZE[1] - 2


async def test_the_cursor_follows_its_object_when_the_order_changes() -> None:
    app = TableApp(sort="load")
    async with app.run_test(size=SIZE):
        app.table.update(guests(30, 20, 10))
        app.table.move_to(1)
        app.table.update(guests(30, 90, 10))
        assert app.table.rows.order == [1, 0, 2]
        assert cursor(app) == 1
        assert shown(app.table)[2].startswith("▌  guest-1")


async def test_until_figures_come_the_cursor_waits_at_the_top() -> None:
    app = TableApp(sort="load")
    async with app.run_test(size=SIZE):
        app.table.update(guests(None, None, None))
        app.table.update(guests(1, 2, 3))
        assert cursor(app) == 2
        app.table.update(guests(9, 2, 3))
        assert cursor(app) == 2


async def test_the_cursor_stays_in_sight_when_its_row_goes_to_the_end() -> None:
    app = TableApp(sort="load")
    async with app.run_test(size=SIZE):
        app.table.update(guests(*range(100, 80, -1)))
        app.table.move_to(0)
        app.table.update(guests(1, *range(99, 80, -1)))
        assert 0 in app.table.visible_keys


async def test_when_its_row_is_gone_the_cursor_takes_the_next_one() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE):
        rows = guests(1, 2, 3)
        app.table.update(rows)
        app.table.move_to(1)
        del rows[1]
        app.table.update(dict(rows))
        assert cursor(app) == 2


async def test_marks_follow_their_rows_and_go_with_them() -> None:
    app = TableApp(sort="load")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(30, 20, 10))
        await pilot.press("space", "space")
        assert targets(app) == [0, 1]
        app.table.update(guests(5, 20, 10))
        assert targets(app) == [1, 0]
        app.table.update({0: Guest("guest-0", 5)})
        assert targets(app) == [0]


async def test_a_range_is_marked_from_the_last_mark_to_the_cursor() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(1, 2, 3, 4, 5))
        await pilot.press("j", "space", "j", "ctrl+@")
        assert targets(app) == [1, 2, 3]


async def test_without_marks_an_action_applies_to_the_row_under_the_cursor() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(1, 2, 3))
        await pilot.press("j")
        assert targets(app) == [1]


async def test_marked_rows_that_a_filter_hides_are_not_acted_on() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(1, 2, 3))
        await pilot.press("space", "space")
        app.table.set_filter("guest-1")
        assert targets(app) == [1]


async def test_a_letter_with_shift_sorts_and_again_turns_it_around() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(10, None, 30))
        await pilot.press("L")
        assert app.table.rows.order == [2, 0, 1]
        await pilot.press("L")
        assert app.table.rows.order == [0, 2, 1]
        assert shown(app.table)[0].endswith("sorted by LOAD ▲")


async def test_rows_that_are_equal_keep_their_order() -> None:
    rows: Rows[Guest] = Rows(COLUMNS, "load")
    rows.replace(guests(5, 5, 5, 9))
    assert rows.order == [3, 0, 1, 2]
    rows.sort_by("load")
    assert rows.order == [0, 1, 2, 3]


async def test_a_filter_that_hides_everything_says_so_and_how_to_clear_it() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        app.table.update(guests(1, 2, 3))
        app.table.set_filter("nothing")
        text = "\n".join(shown(app.table))
        assert "Guests 0 of 3   /nothing" in text
        assert "hides all 3" in text
        assert "esc to clear" in text


async def test_an_empty_table_says_what_to_do() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        app.table.update({})
        assert "   Make one." in shown(app.table)


async def test_the_words_of_an_empty_table_go_with_its_first_row() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE) as pilot:
        app.table.update({})
        await pilot.pause()
        assert "   Make one." in shown(app.table)
        drawn = invalidated(app.table, lambda: app.table.update(guests(1)))
        assert "   Make one." not in shown(app.table)
        assert any(region.y <= 3 < region.bottom for region in drawn)


async def test_enter_opens_the_row_under_the_cursor() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(1, 2))
        await pilot.press("j", "enter")
        assert app.opened == [1]


async def test_a_double_click_opens_and_a_click_on_a_title_sorts() -> None:
    app = TableApp(sort="name")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(1, 2, 3))
        await pilot.click(LiveTable, offset=(5, 4), times=2)
        assert app.opened == [2]
        await pilot.click(LiveTable, offset=(16, 1))
        assert app.table.rows.sorted_by is COLUMNS[1]


async def test_pages_and_ends_are_reached_with_the_keys_of_the_fingers() -> None:
    app = TableApp(sort="load")
    async with app.run_test(size=SIZE) as pilot:
        app.table.update(guests(*range(100, 0, -1)))
        await pilot.press("G")
        assert cursor(app) == 99
        assert 99 in app.table.visible_keys
        await pilot.press("g")
        assert cursor(app) == 0
        await pilot.press("pagedown")
        assert cursor(app) == 7


async def test_hostile_names_reach_no_line_of_the_table() -> None:
    app = TableApp()
    async with app.run_test(size=SIZE):
        app.table.update({1: Guest("\x1b[31mred\u202e\r\n"), 2: Guest("虚拟机虚拟机")})
        text = "".join(shown(app.table))
        assert "␛[31mred" in text
        assert not any(ord(char) < 32 or char == "\u202e" for char in text)
        assert {line.cell_length for line in map(app.table.render_line, range(10))} == {40}


class Site:
    """Guests of one host, that say what changed."""

    def __init__(self, **guests: Guest) -> None:
        self.rows: dict[Hashable, Guest] = dict(guests.items())
        self._changed: list[Hashable] = list(guests)
        self._gone: list[Hashable] = []

    def put(self, key: str, guest: Guest) -> None:
        self.rows[key] = guest
        self._changed.append(key)

    def drop(self, key: str) -> None:
        del self.rows[key]
        self._gone.append(key)

    def take(self) -> tuple[list[Hashable], list[Hashable]]:
        taken = (
            [key for key in self._changed if key in self.rows],
            [key for key in self._gone if key not in self.rows],
        )
        self._changed, self._gone = [], []
        return taken


def test_of_many_hosts_only_the_rows_that_changed_are_looked_at() -> None:
    asked: list[str] = []

    def load(guest: Guest) -> int | None:
        asked.append(guest.name)
        return guest.load

    column: Column[Guest] = Column("load", "LOAD", lambda g: "", width=5, sort_key=load)
    one = Site(a=Guest("a", 3), b=Guest("b", 1))
    two = Site(c=Guest("c", 2))
    rows: Rows[Guest] = Rows([column], "load")
    rows.replace_sections({"one": one, "two": two})
    assert rows.order == ["b", "c", "a"]
    asked.clear()
    one.put("b", Guest("b", 9))
    rows.replace_sections({"one": one, "two": two})
    assert (rows.order, asked) == (["c", "a", "b"], ["b"])


GUESTS = st.builds(
    Guest, st.sampled_from(["web", "db", "mail"]), st.none() | st.integers(0, 3), st.just("")
)
CHANGES = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("abcd"), st.none() | GUESTS)
    | st.sampled_from(["gone", "filter", "sort", "show"])
)


@given(CHANGES)
def test_rows_in_sections_are_shown_as_those_that_are_given_anew(changes: list[Any]) -> None:
    parts: Rows[Guest] = Rows(COLUMNS, "load", search=lambda g: g.name)
    sites = {name: Site() for name in "xyz"}
    for change in [*changes, "show"]:
        if change == "gone":
            sites.pop("y", None)
        elif change == "filter":
            parts.set_filter("" if parts.filter else "web|db")
        elif change == "sort":
            parts.sort_by("load" if parts.sorted_by is COLUMNS[0] else "name")
        elif change == "show":
            parts.replace_sections(dict(sites.items()))
        elif (site := sites.get(change[0])) is not None:
            key = change[0] + change[1]
            if change[2] is not None:
                site.put(key, change[2])
            elif key in site.rows:
                site.drop(key)
    parts.marks = set(parts.all)
    whole: Rows[Guest] = Rows(COLUMNS, "load", search=lambda g: g.name)
    whole.set_filter(parts.filter.expression if parts.filter else "")
    assert parts.sorted_by is not None
    whole.sort_by(parts.sorted_by.id, parts.reverse)
    whole.replace({key: row for site in sites.values() for key, row in site.rows.items()})
    assert dict(parts.all) == dict(whole.all)
    column = parts.sorted_by
    assert column.sort_key is not None
    values = [column.sort_key(parts.all[key]) for key in parts.order]
    assert values == [column.sort_key(whole.all[key]) for key in whole.order]
    assert sorted(map(str, parts.order)) == sorted(map(str, whole.order))


def test_the_columns_that_matter_least_go_first() -> None:
    assert [p.column.id for p in lay_out(COLUMNS, 3, 40)] == ["name", "load", "note"]
    assert [p.column.id for p in lay_out(COLUMNS, 3, 20)] == ["name", "load"]
    assert [p.column.id for p in lay_out(COLUMNS, 3, 12)] == ["name", "load"]


@pytest.mark.parametrize("width", range(0, 200, 7))
def test_a_layout_never_leaves_its_width(width: int) -> None:
    growing = (replace(COLUMNS[0], max_width=30), *COLUMNS[1:])
    placed = lay_out(growing, 3, width)
    assert all(p.x + p.width <= 3 + width for p in placed)


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("web", ["web-1", "Web-2"]),
        ("Web", ["Web-2"]),
        ("!web", ["db"]),
        ("^d|2$", ["Web-2", "db"]),
        ("#prod", ["web-1", "db"]),
        ("!#prod", ["Web-2"]),
        ("#prod #old", ["db"]),
        ("#prod #", ["web-1", "db"]),
        ("#prod web", ["web-1"]),
        ("#prod !web", ["db"]),
        ("!#prod web", ["Web-2", "db"]),
        ("#pro", []),
        ("web #prod", ["web-1"]),
        ("!web #prod", ["Web-2", "db"]),
        ("#prod !#old", ["web-1"]),
        ("!web-1 !db", ["Web-2"]),
        ("!#old !Web", ["web-1"]),
        ("!#old !", ["web-1", "Web-2"]),
        ("web !1", ["Web-2"]),
        ("web #prod !db", ["web-1"]),
    ],
)
def test_a_filter_takes_a_regular_expression_its_inverse_or_a_tag(
    expression: str, matches: list[str]
) -> None:
    found = parse_filter(expression)
    assert found is not None
    rows = [("web-1", ("Prod",)), ("Web-2", ()), ("db", ("old", "PROD"))]
    assert [name for name, tags in rows if found.match(name, tags)] == matches


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("@srv1", ["web-1", "db"]),
        ("@srv1 web", ["web-1"]),
        ("web @srv1", ["web-1"]),
        ("#prod @srv1 ^db", ["db"]),
        ("^db @srv1 #prod", ["db"]),
        ("@srv[23] web", ["Web-2"]),
        ("!@srv1", ["Web-2"]),
        ("web !@srv1", ["Web-2"]),
        ("!@srv1 web", ["Web-2", "db"]),
        ("!@srv1 !@srv2", []),
        ("!@srv2 !web", ["db"]),
        # The whole name of a host, and no other's text.
        ("@srv", []),
        ("@rv1", []),
        ("@srv.", ["web-1", "Web-2", "db"]),
        ("@b.c", []),
        # One that is being typed shows as much as without it.
        ("@", ["web-1", "Web-2", "db"]),
        ("!@", ["web-1", "Web-2", "db"]),
        ("web @", ["web-1", "Web-2"]),
        # Inside a word it is a character like others.
        ("a@b.c", ["Web-2"]),
        ("root a@b", ["Web-2"]),
        ("root a@b @srv2", ["Web-2"]),
        ("^web-1 run", ["web-1"]),
    ],
)
def test_a_filter_takes_hosts_and_tags_anywhere_among_its_words(
    expression: str, matches: list[str]
) -> None:
    found = parse_filter(expression)
    rows = [
        ("web-1 run @srv1", ("prod",)),
        ("Web-2 run root a@b.c @srv2", ()),
        ("db off @srv1", ("prod",)),
    ]
    shown = [text.split()[0] for text, tags in rows if found is None or found.match(text, tags)]
    assert shown == matches


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("@srv", ["web-1", "db", "a"]),
        ("@srv1", ["web-1", "a"]),
        ("!@srv1", ["db"]),
        ("@srv web", []),
        ("@srv1 !@srv", []),
    ],
)
def test_a_host_that_is_being_typed_is_taken_for_those_that_begin_so(
    expression: str, matches: list[str]
) -> None:
    found = parse_filter(expression, typing=True)
    assert found is not None
    rows = ["web-1 @srv1", "db @srv2", "a @srv1"]
    assert [text.split()[0] for text in rows if found.match(text, ())] == matches


def test_where_nothing_names_a_host_an_at_is_one_like_others() -> None:
    found = parse_filter("@deploy")
    assert found is not None
    assert found.match("snap1 before @deploy of web", ())
    assert not found.match("snap2 after", ())


def test_a_filter_that_is_no_expression_is_refused_with_the_place() -> None:
    with pytest.raises(BadFilter, match="position"):
        parse_filter("we(b")
    with pytest.raises(BadFilter, match=r"/we\(b is not .* position"):
        parse_filter("@srv1 we(b #prod")
