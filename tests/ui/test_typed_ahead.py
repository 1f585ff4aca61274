"""Keys that come in one packet: each finds what the one before it has done."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.keys import _character_to_key

from tuivirt.screens.devices import DevicesScreen
from tuivirt.screens.domains import DomainsScreen
from tuivirt.screens.networks import NetworkScreen, NetworksScreen
from tuivirt.screens.pools import PoolsScreen
from tuivirt.widgets.form import FormDialog

from . import factory
from .driver import DrivenApp, on_top, screen_text
from .things import driven, settle

SIZE = (80, 24)


def packet(app: DrivenApp, text: str) -> None:
    """Give the app all these keys before it looks at one; ``\\r`` is Enter, ``\\x1b`` escape."""
    names = {"\r": "enter", "\x1b": "escape", "\x15": "ctrl+u"}
    for char in text:
        key = names.get(char) or (char if char.isalnum() else _character_to_key(char))
        app.post_message(events.Key(key, char))


async def sent(app: DrivenApp, pilot: Any, text: str) -> None:
    packet(app, text)
    await pilot.pause()
    await settle(app, pilot)


async def test_two_commands_are_both_carried_out() -> None:
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await sent(app, pilot, ":domains\r:networks\r")
        assert isinstance(on_top(app), NetworksScreen)
        await sent(app, pilot, ":pools\r:devices\r")
        assert isinstance(on_top(app), DevicesScreen)
        await sent(app, pilot, ":net\r:dom\r:pool\r")
        assert isinstance(on_top(app), PoolsScreen)
        await sent(app, pilot, ":dom\r")
        assert isinstance(on_top(app), DomainsScreen)


async def test_keys_after_a_command_are_meant_for_where_it_leads() -> None:
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await sent(app, pilot, ":networks\rj\r")
        screen = on_top(app)
        assert isinstance(screen, NetworkScreen)
        assert "lab" in screen_text(app)
        await sent(app, pilot, "qgk")
        assert isinstance(on_top(app), NetworksScreen)


async def test_what_is_typed_into_a_place_not_yet_there_is_a_filter_of_it() -> None:
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await sent(app, pilot, ":networks\r/up\r")
        assert "Networks 1 of 3   /up" in screen_text(app)
        await sent(app, pilot, ":dom\r/x\r/")
        assert screen_text(app).splitlines()[-1] == " /x", "opened again, the line is seen"
        await sent(app, pilot, "\x1b")
        await sent(app, pilot, "j:dom\r:net /lab\r\r")
        screen = on_top(app)
        assert isinstance(screen, NetworkScreen)
        assert "lab" in screen_text(app).splitlines()[1]


async def test_an_action_after_a_filter_is_about_what_it_leaves() -> None:
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await sent(app, pilot, "/kernel\rs")
        assert [wish[:2] for wish in app.recorded.wishes] == [("start", "kernel-test")]
        await sent(app, pilot, "/template\rs")
        assert app.recorded.wishes[-1][:2] == ("start", "template-deb12")


async def test_an_action_after_moving_sorting_or_marking_is_about_what_that_has_chosen() -> None:
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await sent(app, pilot, "Ngj:shutdown\r")
        table = app.front.table if app.front is not None else None
        assert table is not None
        second = table.rows.all[table.cursor].domain
        assert second.name == sorted(row.domain.name for row in table.rows.all.values())[1]
        assert second.name in screen_text(app).split("Shut down", 1)[1]
        await sent(app, pilot, "\x1b")
        await sent(app, pilot, "g  :shutdown\r")
        assert "2 domains" in screen_text(app)


async def test_a_form_that_a_command_opens_takes_what_follows() -> None:
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await sent(app, pilot, ":attach-disk\r/srv/a.img")
        form = on_top(app)
        assert isinstance(form, FormDialog)
        assert form.values["source"] == "/srv/a.img"


async def test_what_is_pasted_into_the_line_is_there_before_enter() -> None:
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        packet(app, ":")
        app.post_message(events.Paste("net\x1bworks"))
        await sent(app, pilot, "\r")
        assert isinstance(on_top(app), NetworksScreen)


async def test_the_list_has_the_keys_again_when_the_line_is_left() -> None:
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        table = app.front.table if app.front is not None else None
        assert table is not None
        first = table.cursor
        await sent(app, pilot, ":zz\x1bj")
        assert table.cursor != first
        assert app.focused is table


async def test_the_old_filter_is_replaced_by_the_first_key_and_kept_by_enter_or_escape() -> None:
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        table = app.front.table if app.front is not None else None
        assert table is not None
        await sent(app, pilot, "/web\r")
        await sent(app, pilot, "/")
        assert screen_text(app).splitlines()[-1].startswith(" /web")
        assert table.filter_text == "web"
        await sent(app, pilot, "\r")
        assert table.filter_text == "web"
        await sent(app, pilot, "/db")
        assert table.filter_text == "db"
        await sent(app, pilot, "\x1b")
        assert table.filter_text == "web", "escape puts back what was"
        await sent(app, pilot, "/db\r")
        assert table.filter_text == "db"
        packet(app, "/")
        await pilot.press("left", "x")
        assert table.filter_text == "dxb", "moving in it begins to change it"
        await pilot.press("escape", "slash", "backspace", "enter")
        await pilot.pause()
        assert table.filter_text == ""
