"""The tab of a domain's backups, driven by keys."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.checkpoint import Backups
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.finding import Plan
from tuivirt.screens.planning import PlanForm
from tuivirt.widgets.form import FormDialog

from . import things
from .backups import FOUND, JOB, PULLED, answer, checkpoint, on_the_tab, plain_of
from .driver import check_golden, on_top, screen_text, until
from .things import SIZES, WEB, driven, harmless, settle, size_name


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    monkeypatch.setattr("tuivirt.screens.snapshots_view.age", lambda _seconds: "3d")
    answer(monkeypatch, FOUND)


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_checkpoints_are_drawn_as_a_tree_with_what_was_written_since(
    size: tuple[int, int],
) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        await on_the_tab(app, pilot)
        check_golden(f"domain-backups-{size_name(size)}", screen_text(app))


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_where_there_is_none_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    answer(monkeypatch, Backups())
    app = driven()
    async with app.run_test(size=size) as pilot:
        await on_the_tab(app, pilot)
        check_golden(f"domain-backups-none-{size_name(size)}", screen_text(app))


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_one_under_way_is_told_with_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    answer(monkeypatch, replace(FOUND, running=JOB))
    app = driven()
    async with app.run_test(size=size) as pilot:
        await on_the_tab(app, pilot)
        check_golden(f"domain-backups-running-{size_name(size)}", screen_text(app))


async def test_one_that_is_pulled_is_told_with_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, Backups(running=PULLED))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "all of it is offered to who pulls it" in plain_of(app)
        assert "at nbd+unix:///vda?socket=/run/b/nbd" in plain_of(app)
        assert "backup-end ends it" in plain_of(app)


async def test_while_one_is_under_way_it_is_asked_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tuivirt.screens.parts_view.time", clock)
    answer(monkeypatch, replace(FOUND, running=JOB))
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_the_tab(app, pilot)
        assert "3 G of 12 G, 25 %" in plain_of(app)
        answer(monkeypatch, replace(FOUND, running=replace(JOB, done_bytes=6 << 30)))
        app.show(app.fleet)
        await settle(app, pilot)
        assert "25 %" in plain_of(app)
        now[0] += 2.5
        app.show(app.fleet)
        await settle(app, pilot)
        assert "6 G of 12 G, 50 %" in plain_of(app)
        answer(monkeypatch, FOUND)
        now[0] += 2.5
        app.show(app.fleet)
        await settle(app, pilot)
        assert "No backup is under way" in plain_of(app)


async def test_of_one_that_is_off_it_is_said_that_it_must_run() -> None:
    fleet = things.full_fleet()
    host = fleet.hosts[WEB.host]
    off = replace(host.domains[WEB.key], state=DomainState.SHUTOFF, id=None)
    app = driven(fleet.with_host(replace(host, domains={WEB.key: off})))
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "It is off: a backup can be begun once it runs." in plain_of(app)


async def test_why_they_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, TuivirtError("cannot read the checkpoints of web-01", "the line was cut"))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "the line was cut" in screen_text(app)


async def test_names_are_drawn_and_never_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "\x1b[2J[red]更新\u202e"
    job = replace(JOB, incremental=name, files=(("vda", f"/b/{name}"),))
    answer(monkeypatch, Backups((checkpoint(name, description="two\nlines"),), job))
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_the_tab(app, pilot)
        assert harmless(screen_text(app))
        assert "[red]更新" in screen_text(app)
        assert "two lines" in screen_text(app)


async def test_a_backup_is_begun_from_here_into_the_folder_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "tuivirt.backend.backup.begin.plan_for",
        lambda *_: Plan("web-01", ("Backup of web-01:",), ()),
    )
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_the_tab(app, pilot)
        for keys, since in ((["b"], ""), (["down", "enter"], "before the upgrade")):
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
            form = cast(FormDialog, on_top(app))
            # Of a checkpoint that no backup made it is not known where the last one lies.
            assert form.values["to"] == ("" if since else "/backups/web")
            assert form.values["incremental"] == since
            await pilot.press("escape")
            await until(pilot, lambda: on_top(app) is app.front, "no dialog")
        await pilot.press("b", "ctrl+s")
        await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
        await until(pilot, lambda: "Backup of web-01" in screen_text(app), "what it says")
        cast(PlanForm, on_top(app)).submit()
        await pilot.pause()
        assert [(name, values["to"]) for name, _, values in app.recorded.wishes] == [
            ("backup-begin", "/backups/web")
        ]


async def test_checkpoints_are_made_deleted_and_shown_by_the_keys_of_the_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned: list[dict[str, Any]] = []

    def plan(_host: Any, _key: str, values: dict[str, Any]) -> Plan:
        planned.append(dict(values))
        return Plan("web-01", ("What was written stays.",), ())

    monkeypatch.setattr("tuivirt.backend.backup.checkpoints.plan_delete", plan)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("-")
        await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
        assert "Delete a checkpoint" in screen_text(app)
        await pilot.press("down", "space")  # And all that came after it.
        cast(FormDialog, on_top(app)).submit()
        await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
        await until(pilot, lambda: "What was written stays" in screen_text(app), "what it says")
        assert (planned[0]["checkpointname"], planned[0]["children"]) == ("sunday", True)
        assert app.recorded.wishes == []
        await pilot.press("escape", "+")
        await until(pilot, lambda: "Make a checkpoint" in screen_text(app), "the form")
        assert cast(FormDialog, on_top(app)).values["name_"] == ""
        await pilot.press("escape", "y")
        await settle(app, pilot)
        assert "checkpoint sunday XML" in screen_text(app)
