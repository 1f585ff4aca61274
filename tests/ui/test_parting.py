"""What is said of a move when one of its hosts is disconnected, or edited so that it is."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tuivirt.backend.model.entry import HostEntry
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task
from tuivirt.screens.hosts import HostsScreen
from tuivirt.screens.parting import interrupted
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.form import FormDialog

from . import factory
from .driver import DrivenApp, on_top, until
from .things import driven, go

MOVE = Task(1, "migrate", factory.ref_of(1, "src"), "web-01", time.time() - 12, other="dst")
"""Its hosts are still looked at."""
BEGUN = replace(MOVE, virsh="virsh migrate web-01 qemu:///system --live --persistent")
EVACUATION = Task(2, "evacuate", Ref("src", Kind.HOST, "src"), "src", time.time() - 12)
SHUTDOWN = Task(3, "shutdown", factory.ref_of(2, "dst"), "db-01", time.time() - 12)


def of(name: str) -> HostSnapshot:
    uri = f"qemu+ssh://root@{name}/system"
    return replace(factory.host([], name=name), uri=uri, entry=HostEntry(name, uri))


def busy(*tasks: Task) -> DrivenApp:
    shown = Fleet(hosts={name: of(name) for name in ("dst", "src")}, tasks=tasks)
    app = driven(shown)
    for task in tasks:
        app.fleet = app.fleet.with_task(task)
    return app


async def at(app: DrivenApp, pilot: Pilot[Any], name: str) -> None:
    """Go to a host."""
    await go(app, pilot, "hosts")
    assert isinstance(app.front, HostsScreen)
    table: Any = app.front.table
    table.move_to(Ref(name, Kind.HOST, name))
    await pilot.pause()


def words(app: DrivenApp) -> str:
    return " ".join(cast(ConfirmDialog, on_top(app)).panel.text.split())


@pytest.mark.parametrize("host", ["src", "dst"])
async def test_a_move_goes_on_when_one_of_its_hosts_is_disconnected(host: str) -> None:
    app = busy(BEGUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(app, pilot, host)
        await pilot.press("d")
        assert (
            "Under way there, and going on when the connection ends, but what is there then is "
            "not looked at: Move to another host web-01 (for" in words(app)
        )
        await pilot.press("y")
        assert app.recorded.wishes == [("host-disconnect", host, {})]


async def test_of_each_kind_of_task_is_said_what_becomes_of_it() -> None:
    app = busy(replace(MOVE, id=4, target_name="off-01"), BEGUN, SHUTDOWN)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(app, pilot, "dst")
        await pilot.press("d")
        said = words(app)
        assert "it may fail when the connection ends and leave images: Move to another" in said
        assert "going on when the connection ends" in said
        assert "no longer followed when the connection ends: Shut down db-01 (for" in said


async def test_an_evacuation_begins_no_other_move_when_its_host_is_disconnected() -> None:
    app = busy(EVACUATION, BEGUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(app, pilot, "src")
        await pilot.press("d")
        assert "and beginning no other move when the connection ends: Evacuate src" in words(app)


@pytest.mark.parametrize("to", ["", "dst", "other, dst", "qemu+ssh://root@dst/system"])
async def test_an_evacuation_that_may_send_guests_to_a_host_is_told_before_it_goes(to: str) -> None:
    app = busy(replace(EVACUATION, other=to))
    async with app.run_test(size=(80, 24)) as pilot:
        await at(app, pilot, "dst")
        await pilot.press("d")
        assert "what was to go there stays: Evacuate src" in words(app)


async def test_of_a_host_that_is_closed_nothing_is_under_way() -> None:
    app = busy(EVACUATION)
    app.fleet = app.fleet.with_host(replace(app.fleet.hosts["dst"], link=Link.CLOSED))
    assert interrupted(["dst"], app.fleet, []) == []
    assert interrupted(["src"], app.fleet, []) != []


async def test_an_evacuation_to_other_hosts_does_not_ask() -> None:
    app = busy(replace(EVACUATION, other="other"))
    async with app.run_test(size=(80, 24)) as pilot:
        await at(app, pilot, "dst")
        await pilot.press("d")
        assert app.recorded.wishes == [("host-disconnect", "dst", {})]


async def edited(app: DrivenApp, pilot: Pilot[Any], *keys: str) -> None:
    """Open the form of a host, type into its name, and have it done."""
    await at(app, pilot, "dst")
    await pilot.press("e")
    await until(pilot, lambda: isinstance(on_top(app), FormDialog), "a form")
    form = cast(FormDialog, on_top(app))
    await until(pilot, lambda: form.fields and not form.blocked, "its fields")
    assert "Under way" not in form.panel.text
    await pilot.press(*keys, "ctrl+s")
    await until(pilot, lambda: on_top(app) is not form, "an end of the form")


async def test_an_edit_that_connects_anew_asks_as_disconnecting_does() -> None:
    for answer in ("n", "y"):
        app = busy(BEGUN, SHUTDOWN)
        async with app.run_test(size=(80, 24)) as pilot:
            await edited(app, pilot, "2")
            said = words(app)
            assert "going on when the connection ends" in said
            assert "no longer followed when the connection ends: Shut down db-01" in said
            assert app.recorded.wishes == []
            await pilot.press(answer)
            await pilot.pause()
            wishes = [(name, values["rename"]) for name, _, values in app.recorded.wishes]
            assert wishes == ([("host-edit", "dst2")] if answer == "y" else [])


async def test_an_edit_that_leaves_the_connection_asks_nothing() -> None:
    app = busy(BEGUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await edited(app, pilot, "tab", "tab", *"lab")
        assert [values["group"] for _, _, values in app.recorded.wishes] == ["lab"]


async def test_an_edit_asks_nothing_where_nothing_is_under_way() -> None:
    app = busy(replace(BEGUN, other="elsewhere"))
    async with app.run_test(size=(80, 24)) as pilot:
        await edited(app, pilot, "2")
        assert [values["rename"] for _, _, values in app.recorded.wishes] == ["dst2"]


def moving(number: int, name: str) -> Task:
    return replace(MOVE, id=number, target=factory.ref_of(number), target_name=name, other="srv2")


async def test_a_question_tells_what_is_under_way_with_the_domain_already() -> None:
    app = DrivenApp(factory.sketch())
    app.fleet = app.fleet.with_task(moving(1, "web-01"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        table: Any = app.front and app.front.table
        for key in ("ctrl+k", "x"):
            table.move_to(factory.ref_of(1))
            await pilot.press(key)
            assert "Under way already: Move to another host web-01 to srv2 (for" in words(app)
            await pilot.press("escape")
            table.move_to(factory.ref_of(2))
            await pilot.press(key)
            assert "Under way" not in words(app)
            await pilot.press("escape")
        assert app.recorded.wishes == []


async def test_of_several_the_question_names_those_with_which_something_is_under_way() -> None:
    app = DrivenApp(factory.sketch())
    app.fleet = app.fleet.with_task(moving(2, "db-01")).with_task(replace(SHUTDOWN, id=9))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        table: Any = app.front and app.front.table
        for number in (1, 2):
            table.move_to(factory.ref_of(number))
            await pilot.press("space")
        await pilot.press("ctrl+k")
        said = words(app)
        assert "Under way already: Move to another host db-01 to srv2 (for" in said
        assert "Shut down" not in said, "that one is of a host that is not here"


async def test_of_several_hosts_that_are_disconnected_what_is_under_way_is_told_too() -> None:
    app = busy(BEGUN, SHUTDOWN)
    async with app.run_test(size=(80, 24)) as pilot:
        await at(app, pilot, "src")
        table: Any = app.front and app.front.table
        for name in ("src", "dst"):
            table.move_to(Ref(name, Kind.HOST, name))
            await pilot.press("space")
        await pilot.press("d")
        said = words(app)
        assert "2 hosts: " in said
        assert "going on when the connection ends" in said
        assert "no longer followed when the connection ends: Shut down db-01 (for" in said
