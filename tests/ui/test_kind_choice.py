"""Devices of any kind, from the menu of a domain: the kind first, then what is to be known."""

from __future__ import annotations

from typing import Any

import pytest

from tuivirt.backend.model.forms import FormFacts
from tuivirt.backend.model.machine import Machine
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu

from . import factory
from .driver import DrivenApp
from .things import answer, driven, settle

SIZE = (80, 24)


async def chosen(pilot: Any, app: DrivenApp, title: str, kind: str) -> None:
    """The first domain's menu, that line of it, and a kind of device by its name."""
    await pilot.pause()
    assert app.front is not None
    assert app.front.table is not None
    app.front.table.move_to(factory.ref_of(1))
    await pilot.press("a")
    await pilot.pause()
    assert isinstance(app.screen, Menu)
    at = [choice.title for choice in app.screen.shown].index(title)
    await pilot.press(*["down"] * (at - app.screen.at), "enter")
    await pilot.pause()
    assert isinstance(app.screen, Menu)
    await pilot.press(*kind, "enter")
    await pilot.pause()


async def test_the_menu_has_one_line_for_all_kinds_and_asks_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, kinds_lacking={}, form_facts=FormFacts(Machine()))
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await chosen(pilot, app, "Add a device…", "watchdog")
        await settle(app, pilot)
        assert isinstance(app.screen, FormDialog)
        assert "Add a watchdog, now, at the next boot, or both." in app.screen.panel.text
        await pilot.press("ctrl+s")
        await pilot.pause()
        name, target, values = app.recorded.wishes[0]
        assert (name, target) == ("attach-watchdog", "web-01")
        assert values == {"model": "i6300esb", "when": "auto"}, "what suits it is chosen"


async def test_a_device_to_be_removed_is_chosen_among_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, devices_of_kind=[("0", "pty"), ("1", "file /var/log/guest")])
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await chosen(pilot, app, "Remove a device…", "serial")
        await settle(app, pilot)
        assert isinstance(app.screen, FormDialog)
        await pilot.press("right", "right")
        assert "1  file /var/log/guest" in app.screen.panel.text
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert app.recorded.wishes[0][2]["which"] == "1"


async def test_the_only_one_there_is_is_meant_and_none_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, devices_of_kind=[("#1", "tpm-crb emulator 2.0")])
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await chosen(pilot, app, "Remove a device…", "tpm")
        await settle(app, pilot)
        assert isinstance(app.screen, FormDialog)
        assert app.screen.values["which"] == "#1"
        await pilot.press("escape")
        answer(monkeypatch, form_facts=FormFacts(Machine()))
        await chosen(pilot, app, "Change a device…", "tpm")
        await settle(app, pilot)
        assert isinstance(app.screen, FormDialog)
        assert "web-01 has none" in app.screen.panel.text
        assert app.recorded.wishes == []


async def test_what_has_a_verb_of_its_own_is_found_there_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, kinds_lacking={}, form_facts=FormFacts(Machine()))
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await chosen(pilot, app, "Add a device…", "attach a disk")
        assert isinstance(app.screen, FormDialog)
        assert "Attach a file, a block device, a volume" in app.screen.panel.text
