"""The list of domains, driven by keys."""

from __future__ import annotations

import time
from dataclasses import replace
from string import ascii_uppercase
from typing import Any

import pytest

from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostInfo, Link, Sampling
from tuivirt.screens.domains import DomainsScreen
from tuivirt.widgets.live_table import LiveTable

from . import factory
from .driver import DrivenApp, check_golden, screen_lines, screen_text, sent_bytes

UNKNOWN_BARS = "·····"
SIZES = [(80, 24), (120, 40), (200, 60)]


def table_of(app: DrivenApp) -> LiveTable[Any]:
    assert isinstance(app.front, DomainsScreen)
    assert app.front.table is not None
    return app.front.table


def row_key(key: Any) -> str:
    return str(key.key)


def line_of(app: DrivenApp, name: str) -> str:
    return next(line for line in screen_lines(app) if name in line)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_list_looks_as_drawn(size: tuple[int, int]) -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        check_golden(f"domains-{size[0]}x{size[1]}", screen_text(app))


async def test_at_80_columns_no_line_is_longer_and_the_figures_that_matter_are_there() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        lines = screen_lines(app)
        assert max(map(len, lines)) <= 80
        for title in ("STATE", "NAME", "CPU %", "MEM", "DISK", "NET"):
            assert title in lines[2]


async def test_a_silent_domain_is_stalled_with_the_age_and_no_made_up_figures() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        line = line_of(app, "legacy-nt")
        assert "stalled" in line
        assert "2 min ago" in line
        assert line.split()[-4:] == [UNKNOWN_BARS, "?", "?", "?"]


async def test_when_the_host_is_silent_its_figures_stay_with_their_age() -> None:
    fleet = factory.sketch()
    host = replace(fleet.hosts["srv1"], link=Link.STALLED, data_at=time.monotonic() - 200)
    app = DrivenApp(Fleet(hosts={"srv1": host}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        line = line_of(app, "web-01")
        assert "stalled" in line
        assert "3 min ago" in line
        assert "83" in line
        assert "stalled, no answer for 3 min" in screen_lines(app)[0]


@pytest.mark.parametrize("width", [80, 160])
async def test_every_capital_letter_sorts_or_does_nothing(width: int) -> None:
    """One host, so no column of hosts; from 140 columns on other columns of rates."""
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        sorted_by = []
        for letter in ascii_uppercase.replace("G", ""):
            await pilot.press(letter)
            column = table_of(app).rows.sorted_by
            assert column is not None
            sorted_by.append(column.id)
        assert {"state", "name", "cpu", "memory", "disk", "net"} <= set(sorted_by)
        assert "host" not in sorted_by


async def test_an_idle_domain_and_one_that_is_off_do_not_look_alike() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert line_of(app, "win11").split()[:3] == ["paused", "win11", "0"]
        assert line_of(app, "template-deb12").split()[:3] == ["off", "template-deb12", "–"]


async def test_what_waits_for_the_guest_or_the_next_boot_is_marked() -> None:
    fleet = factory.fleet(
        factory.host(
            [
                factory.domain(1, "db-01", detaching=("vdb",)),
                factory.domain(2, "web-01", pending=("memory 4 → 8 GiB",)),
            ]
        )
    )
    app = DrivenApp(fleet)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        assert "detaching vdb" in line_of(app, "db-01")
        assert "↯" in line_of(app, "web-01")


async def test_the_filter_takes_effect_while_it_is_typed_and_esc_gives_it_back() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "w", "e", "b")
        assert len(table_of(app).rows.order) == 1
        await pilot.press("escape")
        assert len(table_of(app).rows.order) == 8


async def test_a_filter_that_is_not_yet_an_expression_is_told_and_hides_nothing() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "left_parenthesis")
        await pilot.pause()
        assert " /(   /( is not a regular expression" in screen_text(app)
        assert len(table_of(app).rows.order) == 8


async def test_esc_clears_marks_then_the_filter_and_only_then_goes_back() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "1", "enter", "space")
        await pilot.press("escape")
        assert not table_of(app).rows.marks
        assert table_of(app).filter_text == "1"
        await pilot.press("escape")
        assert table_of(app).filter_text == ""


async def test_going_to_a_host_shows_its_domains_only() -> None:
    other = factory.host([replace(factory.domain(9, "far"), host="srv2")], name="srv2")
    here = factory.sketch().hosts["srv1"]
    app = DrivenApp(factory.fleet(here, other))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *"dom", "space", *"@srv2", "enter")
        await pilot.pause()
        assert [row.domain.name for row in table_of(app).rows.all.values()] == ["far"]
        assert "HOST" in screen_lines(app)[2]
        assert "Domains @srv2 1 of 1" in screen_text(app)
        await pilot.press("colon", *"dom", "enter")
        await pilot.pause()
        assert "Domains 9 of 9" in screen_text(app)


async def test_the_domains_of_a_host_that_is_not_in_use_are_not_said_to_be_none() -> None:
    closed = replace(factory.host([], name="srv2"), link=Link.CLOSED, filled=False)
    app = DrivenApp(factory.fleet(factory.sketch().hosts["srv1"], closed))
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *"dom", "space", *"@srv2", "enter")
        await pilot.pause()
        assert "connect one: srv2" in screen_text(app)
        assert "There are no domains" not in screen_text(app)


async def test_the_header_says_of_how_many_hosts_nothing_is_listed() -> None:
    sketch = factory.sketch().hosts["srv1"]
    far = replace(sketch, uri="qemu+ssh://root@srv1.example.org/system")
    others = [factory.host([], name=name) for name in ("srv2", "srv3")]
    closed = [replace(other, link=Link.CLOSED, filled=False) for other in others]
    for hosts, said in (
        ((sketch, *closed), " 2 others closed  ↻ 2 s"),
        ((far, *closed), " 2 others closed  ↻ 2 s"),
        ((sketch, others[0], closed[1]), "2 of 2 connected 1 closed"),
        ((sketch, *others), "3 of 3 connected"),
        ((sketch,), "↻ 2 s"),
    ):
        app = DrivenApp(factory.fleet(*hosts))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            header = screen_lines(app)[0].rstrip()
            assert header.endswith(said)
            if "connected" not in said:
                assert "16 CPU 23 %   mem 78/128 G " in header
            for there in ("dom @srv1", "events", "help"):
                await pilot.press("colon", *(each if each != " " else "space" for each in there))
                await pilot.press("enter")
                app.show(app.fleet)
                await pilot.pause()
                assert "closed" not in screen_lines(app)[0], f"{there} lacks nothing"
            await pilot.press("colon", *"dom", "enter", "enter")
            await pilot.pause()
            assert "closed" not in screen_lines(app)[0], "a page of one domain lacks nothing"


async def test_the_sampler_is_told_what_is_in_view_and_what_is_marked() -> None:
    app = DrivenApp(factory.many(100))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        marked = table_of(app).targets[0]
        await pilot.press("G")
        await pilot.pause()
        seen = app.doubles["srv1"].views[-1].domains
        assert seen == {row_key(key) for key in (*table_of(app).visible_keys, marked)}
        assert len(seen) == 20


async def test_figures_that_change_do_not_move_the_cursor_to_another_domain() -> None:
    app = DrivenApp(factory.many(50))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "j")
        before = table_of(app).cursor
        app.show(factory.many(50, salt=3))
        await pilot.pause()
        assert table_of(app).cursor == before
        assert before in table_of(app).visible_keys


async def test_a_failed_connection_is_said_with_the_reason_and_what_to_try() -> None:
    host = replace(
        factory.host(),
        link=Link.FAILED,
        filled=False,
        info=None,
        stats=None,
        reason="Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied",
        advice="add yourself to the group libvirt",
        retry_at=time.monotonic() + 100,
    )
    app = DrivenApp(factory.fleet(host))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert "Permission denied" in text
        assert "Add yourself to the group libvirt" in text
        assert "next try in" in screen_lines(app)[0]


async def test_the_demo_and_a_read_only_connection_are_marked() -> None:
    info = HostInfo(uri="test:///default", libvirt_version="9.0.0", demo=True, readonly=True)
    app = DrivenApp(factory.fleet(factory.host(info=info)))
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert "DEMO" in screen_lines(app)[0]
        assert "READ-ONLY" in screen_lines(app)[0]


async def test_nothing_in_a_domains_names_reaches_the_terminal_as_a_command() -> None:
    evil = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202egnp.exe\n\r虚拟机"
    fleet = factory.fleet(factory.host([factory.domain(1, evil, addresses=(evil,))]))
    app = DrivenApp(factory.many(1))
    async with app.run_test(size=(160, 24)) as pilot:
        await pilot.pause()
        sent = sent_bytes(app, lambda: app.show(fleet))
        assert "␛]52" in sent
        assert "\x1b]" not in sent
        assert "\x1b[2J" not in sent
        assert "\u202e" not in sent
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert "␛]52" in screen_text(app)
        assert "\x1b" not in screen_text(app)


async def test_a_quiet_tick_sends_nothing() -> None:
    fleet = factory.many(100)
    app = DrivenApp(fleet)
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        assert sent_bytes(app, lambda: app.show(fleet)) == ""


async def test_a_tick_that_changes_every_visible_row_stays_under_ten_kilobytes() -> None:
    app = DrivenApp(factory.many(100))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.press("N")
        await pilot.pause()
        sent = sent_bytes(app, lambda: app.show(factory.many(100, salt=1)))
        assert 1000 < len(sent.encode()) <= 10_000


async def test_figures_older_than_the_sampler_allows_are_drawn_as_old() -> None:
    now = time.monotonic()
    fleet = factory.fleet(
        factory.host(
            [factory.domain(1, "old"), factory.domain(2, "new")],
            {
                factory.uuid_of(1): factory.stats(5, 1, now=now - 60),
                factory.uuid_of(2): factory.stats(5, 1),
            },
            sampling=Sampling(interval_s=2.0),
        )
    )
    app = DrivenApp(fleet)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        cells = {line.key: line.cells for line in table_of(app)._lines if line is not None}
        assert cells[factory.ref_of(1)][2][0].tone == "dim"
        assert cells[factory.ref_of(2)][2][0].tone == ""


async def test_a_crashed_domain_sorts_before_one_that_runs_by_state() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S")
        rows = table_of(app).rows
        states = [rows.all[key].domain.state for key in rows.order]
        assert states[0] is DomainState.CRASHED
        assert states[-1] is DomainState.SHUTOFF


async def test_guests_at_rest_do_not_change_places_with_every_tick() -> None:
    def fleet(first: float, second: float, third: float) -> Fleet:
        figures = {"a": first, "b": second, "c": third}
        host = factory.sketch().hosts["srv1"]
        domains = {name: factory.domain(n, name) for n, name in enumerate(figures, 1)}
        stats = {d.uuid: factory.stats(figures[name]) for name, d in domains.items()}
        host = replace(host, domains={d.uuid: d for d in domains.values()}, domain_stats=stats)
        return Fleet(hosts={host.name: host})

    app = DrivenApp(fleet(0.4, 0.6, 1.3))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        before = table_of(app).visible_keys
        app.show(fleet(1.4, 0.3, 0.6))
        await pilot.pause()
        assert table_of(app).visible_keys == before
        app.show(fleet(0.4, 0.6, 5.0))
        await pilot.pause()
        assert table_of(app).visible_keys == (before[2], before[0], before[1])
