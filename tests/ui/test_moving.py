"""Domains moved from the screen: the form of hosts, plans of one and of several, then the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tuivirt.actions.catalog import listed
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.finding import Finding, Weight
from tuivirt.backend.model.migration import MigrationPlan
from tuivirt.widgets.form import FormDialog

from .driver import DrivenApp, check_golden, on_top, screen_text
from .factory import domain, fleet, host
from .things import answer, driven, settle

SIZE = (80, 24)
HOSTS = (("srv2", "qemu+ssh://srv2/system, 78.0 GiB free"), ("srv3", "qemu+ssh://srv3/system"))
RISK = Finding(Weight.RISK, "QEMU on srv2 is older", "What the guest has may not be known there")
REFUSAL = Finding(Weight.REFUSED, "srv2 has no network lab", "Define it there")


def plan(name: str, *findings: Finding) -> MigrationPlan:
    steps = (f"move the running {name} to srv2, live", "define it on srv2")
    return MigrationPlan(name, "srv1", "srv2", {}, (), steps, findings)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> DrivenApp:
    answer(monkeypatch, destinations=HOSTS)
    return driven()


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> DrivenApp:
    answer(monkeypatch, destinations=HOSTS)
    return driven(fleet(host([domain(number, f"vm-{number}") for number in (1, 2, 3)])))


async def filled(pilot: Any, app: DrivenApp, marks: int = 0) -> FormDialog:
    """The form for the domain under the cursor, or for so many that are marked."""
    await pilot.pause()
    for _ in range(marks):
        await pilot.press("space")
    await pilot.press(":", *"migrate", "enter")
    await settle(app, pilot)
    form = on_top(app)
    assert isinstance(form, FormDialog)
    return form


async def planned(
    pilot: Any, app: DrivenApp, monkeypatch: pytest.MonkeyPatch, *answers: Any, marks: int = 0
) -> FormDialog:
    """The plan that is shown then, made of ``answers`` in turn."""
    given = list(answers)

    def planning(_host: object, _key: str, values: Mapping[str, Any]) -> MigrationPlan:
        assert values["dest"] == "srv2"
        one = given.pop(0)
        if isinstance(one, BaseException):
            raise one
        return one  # type: ignore[no-any-return]

    actions = listed()
    monkeypatch.setitem(actions, "migrate", replace(actions["migrate"], plan=planning))
    form = await filled(pilot, app, marks)
    form.submit()
    await settle(app, pilot)
    shown = on_top(app)
    assert isinstance(shown, FormDialog)
    assert shown is not form
    return shown


async def test_the_form_offers_the_other_hosts_and_hides_what_few_need(app: DrivenApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await filled(pilot, app)
        check_golden("migrate-80x24", screen_text(app))
        assert "78.0 GiB free" in form.panel.text
        assert "Tunnelled" not in [field.label for field in form.fields]
        await pilot.press("right")
        assert form.values["dest"] == "srv3"


async def test_without_another_host_nothing_can_be_moved(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, destinations=())
    async with app.run_test(size=SIZE) as pilot:
        form = await filled(pilot, app)
        assert "There is no other host" in form.panel.text
        assert form.blocked


async def test_what_is_copied_is_one_choice_and_becomes_virshs_option(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await filled(pilot, app)
        await pilot.press("tab", "right", "right", "right")
        assert form.values["storage"] == "shared_storage"
        assert form.parameters(form.values)["shared_storage"] is True  # type: ignore[attr-defined]


async def test_a_plan_without_risk_is_done_when_it_is_asked_for(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, plan("a"))
        assert app.recorded.wishes == []
        form.submit()
        await pilot.pause()
        (wish,) = app.recorded.wishes
        assert wish[0] == "migrate"
        assert wish[2]["dest"] == "srv2"
        assert wish[2]["force"] is False


async def test_of_several_those_that_are_refused_are_told_and_left_out(
    several: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = several
    answers = (plan("a"), plan("b", REFUSAL), TuivirtError("c cannot be planned", "it is stuck"))
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, *answers, marks=3)
        text = " ".join(form.panel.text.split())
        assert text.count("which is left out") == 2
        assert "srv2 has no network lab" in text
        assert "c cannot be planned: it is stuck" in text
        form.submit()
        await pilot.pause()
        assert len(app.recorded.wishes) == 1


async def test_risks_of_several_are_taken_by_one_word(
    several: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = several
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, plan("a", RISK), plan("b"), marks=2)
        form.submit()
        await pilot.pause()
        assert app.recorded.wishes == []
        await pilot.press(*"risk")
        form.submit()
        await pilot.pause()
        # Of one that had none, a risk that comes up later is not taken.
        assert [wish[2]["force"] for wish in app.recorded.wishes] == [True, False]


async def test_a_plan_longer_than_the_screen_opens_at_its_top_and_scrolls(
    several: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = several
    steps = tuple(f"step {number} of it" for number in range(1, 21))
    long = replace(plan("a"), steps=steps)
    async with app.run_test(size=SIZE) as pilot:
        await planned(pilot, app, monkeypatch, plan("b", REFUSAL), long, marks=2)
        shown = screen_text(app)
        assert "Refused: srv2 has no network lab" in shown
        assert "▼" in shown
        assert "▲" not in shown
        assert "[ move to another host ]" in shown
        await pilot.press("pagedown", "pagedown", "pagedown")
        assert "20. step 20 of it" in screen_text(app)
        assert "[ move to another host ]" in screen_text(app)
        # Going from button to button leaves it where it was scrolled to.
        await pilot.press("tab")
        assert "20. step 20 of it" in screen_text(app)
        await pilot.press("pageup", "pageup", "pageup")
        assert "Refused: srv2 has no network lab" in screen_text(app)


async def test_a_long_plan_with_risks_shows_them_beside_the_field_that_takes_them(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = tuple(f"step {number} of it" for number in range(1, 31))
    async with app.run_test(size=SIZE) as pilot:
        long = replace(plan("a", RISK), steps=steps)
        form = await planned(pilot, app, monkeypatch, long)
        await pilot.press(*"a")
        shown = screen_text(app)
        assert "Risk: QEMU on srv2 is older" in shown
        assert "▸ Type a *" in shown
        assert form.values == {"name": "a"}
        await pilot.press("pagedown")
        assert "Risk: QEMU" not in screen_text(app)
        assert "▸ Type a *" in screen_text(app)


async def test_what_is_about_a_job_stands_in_a_menu_of_its_own(app: DrivenApp) -> None:
    async with app.run_test(size=(80, 50)) as pilot:
        await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        assert "Abort its job" not in screen_text(app)
        assert "Move to another host" in screen_text(app)
        app.screen.dismiss("its-job")
        await pilot.pause()
        for title in ("Abort its job", "Limit its downtime", "Switch to post-copy"):
            assert title in screen_text(app)


async def test_what_to_do_about_it_is_told_in_the_forms_words(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    advised = Finding(Weight.RISK, "a --unsafe name", "Say that it is done all the same (--unsafe)")
    async with app.run_test(size=SIZE) as pilot:
        await planned(pilot, app, monkeypatch, plan("a", advised))
        shown = screen_text(app)
        assert "Risk: a --unsafe name" in shown
        assert "(“Though unsafe”)" in shown
