"""The list of domains below the names of its hosts, groups and tags."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuivirt.backend.model.domain import Domain, DomainState, Labels
from tuivirt.backend.model.fleet import Fleet
from tuivirt.screens.domains import DomainsScreen
from tuivirt.widgets.grouping import Again, Name
from tuivirt.widgets.live_table import LiveTable

from . import factory
from .driver import DrivenApp, check_golden, on_top, screen_lines, screen_text, until
from .factory import ref_of, uuid_of

SIZES = [(80, 24), (120, 40), (200, 60)]

LABELS = {
    1: Labels(("web", "prod"), "shop", "Reboot only after 22:00."),
    2: Labels(("db", "Prod"), "Shop"),
    3: Labels(("ci",), "build"),
    7: Labels(("ci",), "build"),
    8: Labels((), "shop", "It was @srv2"),
}


def labelled(fleet: Fleet | None = None) -> Fleet:
    """The sketch with tags, groups and notes."""
    fleet = fleet or factory.sketch()
    host = fleet.hosts["srv1"]
    changed = {
        uuid_of(number): replace(host.domains[uuid_of(number)], labels=labels)
        for number, labels in LABELS.items()
    }
    return Fleet(hosts={"srv1": replace(host, domains={**host.domains, **changed})})


def table_of(app: DrivenApp) -> LiveTable[Any]:
    assert isinstance(app.front, DomainsScreen)
    assert app.front.table is not None
    return app.front.table


def names(app: DrivenApp) -> list[str]:
    """What is shown line by line: a group as ``[name]``, a domain by its name."""
    table = table_of(app)
    shown = []
    for key in table.rows.order:
        row = table.row(key)
        shown.append(f"[{key.name}]" if isinstance(key, Name) else row.domain.name)  # type: ignore[union-attr]
    return shown


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_groups_look_as_drawn(size: tuple[int, int]) -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=size) as pilot:
        await pilot.press("b", "b")
        await pilot.pause()
        check_golden(f"domains-grouped-{size[0]}x{size[1]}", screen_text(app))


async def test_a_key_goes_from_host_to_group_to_tag_and_back() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        plain = names(app)
        await pilot.press("b")
        assert names(app) == ["[srv1]", *plain]
        await pilot.press("b")
        assert names(app)[:3] == ["[build]", "build-arm64", "kernel-test"]
        await pilot.press("b")
        assert "   by tag" in screen_lines(app)[1]
        await pilot.press("b")
        assert names(app) == plain


async def test_a_word_after_a_colon_groups_too_and_a_wrong_one_is_told() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*":group", "space", *"tag", "enter")
        await pilot.pause()
        assert "   by tag" in screen_lines(app)[1]
        await pilot.press(*":group", "space", *"moon", "enter")
        await pilot.pause()
        assert "one of host, group, tag, off" in screen_text(app)
        await pilot.press(*":group", "space", *"off", "enter")
        await pilot.pause()
        assert "   by" not in screen_lines(app)[1]


async def test_names_that_differ_in_case_are_one_group_and_those_in_none_come_last() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("N", "b", "b")
        groups = [name for name in names(app) if name.startswith("[")]
        assert groups == ["[build]", "[shop]", "[]"]
        at = names(app).index("[shop]")
        assert names(app)[at + 1 : at + 4] == ["db-01", "template-deb12", "web-01"]


async def test_a_domain_stands_below_each_of_its_tags_and_is_one_all_the_same() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "b")
        assert names(app).count("web-01") == 2
        table = table_of(app)
        table._go(names(app).index("[web]") + 1)
        assert table.cursor == Again(ref_of(1), "web")
        assert table.targets == (ref_of(1),)
        await pilot.press("space")
        assert table.marks == (ref_of(1),)
        assert sum("✓" in line and "web-01" in line for line in screen_lines(app)) == 2
        assert "8 of 8" in screen_lines(app)[1]
        assert "1 marked" in screen_lines(app)[1]


async def test_the_cursor_stays_on_its_line_when_figures_come() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "b")
        table = table_of(app)
        table._go(names(app).index("[web]") + 1)
        for _ in range(2):
            app.front.receive(labelled())  # type: ignore[union-attr]
            assert table.cursor == Again(ref_of(1), "web")


async def test_the_order_inside_a_group_is_the_columns() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b")
        at = names(app).index("[shop]")
        assert names(app)[at + 1 : at + 4] == ["web-01", "db-01", "template-deb12"]
        await pilot.press("C")
        assert names(app)[at + 1 : at + 4] == ["db-01", "web-01", "template-deb12"]


async def test_a_filter_leaves_the_groups_that_have_something_to_show() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "slash", *"#prod", "enter")
        await pilot.pause()
        assert names(app) == ["[shop]", "web-01", "db-01"]
        assert "Domains 2 of 8   by group   /#prod" in screen_lines(app)[1]


async def test_a_group_is_folded_and_unfolded_and_that_is_remembered() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "g", "down", "left")
        table = table_of(app)
        assert names(app)[:2] == ["[build]", "[shop]"]
        assert table.cursor == Name("build")
        assert "▸" in screen_lines(app)[3]
        await pilot.press("left")
        assert names(app)[:2] == ["[build]", "[shop]"]
        await pilot.press("b", "b", "b", "b")
        assert names(app)[:2] == ["[build]", "[shop]"]
        await pilot.press("g", "enter")
        assert names(app)[:2] == ["[build]", "build-arm64"]
        await pilot.press("enter", "right")
        assert names(app)[:2] == ["[build]", "build-arm64"]


async def test_the_mark_of_a_group_means_all_in_it_folded_or_not() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "g", "left", "space")
        table = table_of(app)
        assert set(table.targets) == {ref_of(3), ref_of(7)}
        assert "✓" in screen_lines(app)[3]
        await pilot.press("x")
        await pilot.pause()
        assert "build-arm64" in screen_text(app)
        await pilot.press("escape", "g", "space")
        assert table.marks == ()


async def test_without_a_mark_nothing_is_done_to_a_whole_group() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "g", "ctrl+k")
        await pilot.pause()
        assert table_of(app).targets == ()
        assert app.recorded.wishes == []
        assert "no domain is chosen here" in screen_text(app)


async def test_a_range_goes_over_a_folded_group_as_over_what_is_in_it() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "g", "left", "down", "down", "space", "g", "ctrl+space")
        assert set(table_of(app).marks) == {ref_of(3), ref_of(7), ref_of(1)}


async def test_the_sampler_is_told_of_the_domains_that_are_in_view_and_no_others() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "b", "g", "left")
        await pilot.pause()
        view = app.hosts["srv1"].views[-1]
        assert view.domains == {uuid_of(number) for number in (1, 2, 4, 5, 6, 8)}


async def test_the_line_of_a_group_counts_what_runs_and_adds_up_what_it_uses() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b")
        line = next(line for line in screen_lines(app) if " shop " in line)
        assert line.split() == ["▾", "2/3", "shop", "124", "16/20", "G", "107", "M/s", "2.4", "M/s"]
        line = next(line for line in screen_lines(app) if "in no group" in line)
        assert "▾ 2/3    in no group  1 stalled" in line
        assert " 99 " in line


async def test_a_key_that_only_moves_adds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    app = DrivenApp(factory.many(500))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "g")
        grouping = table_of(app).rows.grouping
        assert grouping is not None
        monkeypatch.setattr(grouping, "_cell", lambda *_: pytest.fail("it was added up again"))
        await pilot.press("down", "up", "space")


def test_a_count_that_is_too_long_for_its_column_stands_beside_the_name() -> None:
    from tuivirt.screens.domain_columns import NARROW, Now, Row
    from tuivirt.screens.domain_groups import Sums, grouping_by

    host = factory.many(1000).hosts["srv1"]
    rows: dict[Any, Row] = {
        ref_of(n): Row(host.domains[uuid_of(n)], None, Now(host)) for n in range(1000)
    }
    sums = Sums.of(list(rows.values()))
    grouping = grouping_by("host")
    state, name = (grouping._cell(column, "srv1", True, sums) for column in NARROW[:2])
    assert getattr(state, "text", "") == "▸"
    assert "".join(piece[0] for piece in name) == "srv1  1000/1000"


async def test_tags_are_found_and_sorted_by_and_groups_and_notes_searched() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.press("T")
        assert names(app)[:4] == [
            "build-arm64",
            "kernel-test",
            "db-01",
            "web-01",
        ]
        for typed, found in [
            ("after 22", ["web-01"]),
            ("shop", ["web-01", "db-01", "template-deb12"]),
            ("#CI", ["build-arm64", "kernel-test"]),
            ("#prod @srv1", ["web-01", "db-01"]),
            ("@srv2", []),
        ]:
            app.front.set_filter(typed)  # type: ignore[union-attr]
            assert sorted(names(app)) == sorted(found)


async def test_the_form_of_a_group_begins_with_the_one_it_has_and_names_the_others() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        table_of(app).move_to(ref_of(3))
        app.act("set-group", [ref_of(3)], {})
        await until(pilot, lambda: "In use: build, shop" in screen_text(app), "the groups")
        check_golden("set-group-80x24", screen_text(app))
        await pilot.press("ctrl+s")
        assert app.recorded.wishes == [("set-group", "build-arm64", {"group": "build"})]


async def test_a_note_is_written_on_from_what_it_says() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        table_of(app).move_to(ref_of(1))
        await pilot.press("w")
        await until(pilot, lambda: "only after 22:00." in screen_text(app), "the note it has")
        await pilot.press("!", "ctrl+s")
        note = "Reboot only after 22:00.!"
        assert app.recorded.wishes == [("set-note", "web-01", {"note": note})]


async def test_tags_go_on_all_that_are_marked() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "b", "g", "space", "t")
        await until(pilot, lambda: "In use: #ci #db" in screen_text(app), "the tags")
        await pilot.press(*"nightly", "ctrl+s")
        assert [(verb, name) for verb, name, _ in app.recorded.wishes] == [
            ("tag", "build-arm64"),
            ("tag", "kernel-test"),
        ]


def test_domains_have_what_their_labels_say() -> None:
    domain: Domain = factory.domain(1, "a", DomainState.RUNNING, labels=LABELS[1])
    assert (domain.tags, domain.group, domain.note) == (
        ("web", "prod"),
        "shop",
        "Reboot only after 22:00.",
    )


async def test_the_menu_of_a_domain_leads_to_its_labels_by_one_line() -> None:
    app = DrivenApp(labelled())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.open_menu([ref_of(1), ref_of(2)])
        await pilot.pause()
        assert "Set its group" not in screen_text(app)
        menu: Any = on_top(app)
        menu.at = [choice.id for choice in menu.shown].index("labels")
        await pilot.press("enter")
        await until(pilot, lambda: "Set its group" in screen_text(app), "its labels")
        text = screen_text(app)
        for line in ("Tag", "Take tags away", "Take it out of its group", "Write a note"):
            assert line in text
