"""The tab of a domain's backups: when it asks, what it offers, what it tells of as the last."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tuivirt.actions import lookups
from tuivirt.backend.events import TaskChanged
from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.checkpoint import Backups
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.screens.backups_view import BackupsView
from tuivirt.widgets.form import FormDialog

from . import things
from .backups import BYTES, FOUND, JOB, KEY, MONDAY, answer, on_the_tab, plain_of
from .driver import PATIENCE_S, DrivenApp, on_top, screen_text, until
from .things import WEB, driven, settle


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    monkeypatch.setattr("tuivirt.screens.snapshots_view.age", lambda _seconds: "3d")
    answer(monkeypatch, FOUND)


async def ended(
    app: DrivenApp,
    pilot: Pilot[Any],
    number: int,
    state: TaskState,
    text: str,
    started: float,
    at: float,
    *,
    begun: bool = True,
) -> None:
    """A backup that was begun in this session ends."""
    task = Task(
        number,
        "backup-begin",
        WEB,
        "web-01",
        started,
        state,
        ended=at,
        text=text,
        begun=begun,
    )
    app.hub.publish(TaskChanged(host=WEB.host, task=task))
    await settle(app, pilot)
    app.show(app.fleet)
    await settle(app, pilot)


def count_reads(monkeypatch: pytest.MonkeyPatch, found: Backups) -> list[str]:
    """The backups are these from now on; what is given grows with each time they are read."""
    reads: list[str] = []

    def read(_host: Any, key: str) -> Backups:
        reads.append(key)
        return found

    monkeypatch.setattr(lookups, "backups", read)
    return reads


async def test_how_the_last_one_of_this_session_ended_is_told() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "The last that made a checkpoint: with monday, to /backups/web." in plain_of(app)
        for number, state, text in (
            (1, TaskState.DONE, "web-01 is backed up fully. Restored by /b/one.json"),
            (2, TaskState.FAILED, "cannot back up web-01: no room"),
        ):
            await ended(app, pilot, number, state, text, MONDAY - 60, MONDAY + 60)
            assert f"The last: {text}" in plain_of(app)
        assert "made a checkpoint: with" not in plain_of(app)


async def test_where_it_is_told_in_part_is_seen() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        long = "cannot back up web-01: " + "no room on it at all, " * 20
        await ended(app, pilot, 1, TaskState.FAILED, long, MONDAY - 60, MONDAY + 60)
        assert " no room on it … Checkpoints" in plain_of(app)


async def test_a_later_checkpoint_tells_of_the_last_one_rather_than_a_task() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await ended(app, pilot, 1, TaskState.DONE, "backed up", MONDAY - 99, MONDAY - 60)
        assert "The last that made a checkpoint: with monday, to /backups/web." in plain_of(app)
        assert "The last: backed up" not in plain_of(app)


async def test_one_that_was_refused_hides_no_backup() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        refused = "cannot back up web-01: no such folder"
        await ended(app, pilot, 1, TaskState.FAILED, refused, MONDAY + 60, MONDAY + 61, begun=False)
        assert "The last that made a checkpoint: with monday, to /backups/web." in plain_of(app)
        assert "The last: cannot" not in plain_of(app)
        await ended(app, pilot, 2, TaskState.DONE, "backed up", MONDAY + 70, MONDAY + 80)
        await ended(
            app, pilot, 3, TaskState.ABORTED, "not begun", MONDAY + 90, MONDAY + 91, begun=False
        )
        assert "The last: backed up" in plain_of(app)


async def test_no_size_is_asked_before_the_last_answer_came_nor_while_one_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, go_on, asked = [100.0], threading.Event(), []

    def sizes(_host: Any, key: str) -> Any:
        asked.append(key)
        assert go_on.wait(PATIENCE_S)
        return BYTES

    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tuivirt.screens.parts_view.time", clock)
    reads = count_reads(monkeypatch, FOUND)
    monkeypatch.setattr(lookups, "checkpoint_sizes", sizes)
    app = driven()
    app.doubles[WEB.host].lookups = Lane("look-ups", 4)

    async def later(seconds: float) -> None:
        before = len(reads)
        now[0] += seconds
        app.show(app.fleet)
        await until(pilot, lambda: len(reads) > before, "another look")
        await until(pilot, lambda: not view._asking, "its answer")

    async with app.run_test(size=(120, 40)) as pilot:
        try:
            await pilot.press("enter", KEY)
            view = app.front.query_one(BackupsView)  # type: ignore[union-attr]
            await until(pilot, lambda: bool(asked), "the sizes asked for")
            for _ in range(3):
                await later(10.5)
            assert len(asked) == 1
        finally:
            go_on.set()
        await until(pilot, lambda: "300 M" in screen_text(app), "the sizes")
        await later(10.5)
        await until(pilot, lambda: len(asked) == 2, "the sizes asked for again")
        reads = count_reads(monkeypatch, replace(FOUND, running=JOB))
        await later(10.5)  # It is seen that one runs.
        for _ in range(6):
            await later(2.5)
        assert len(asked) == 2
        reads = count_reads(monkeypatch, FOUND)
        await later(2.5)
        await until(pilot, lambda: len(asked) == 3, "the sizes once it is over")


async def test_one_that_does_not_answer_is_asked_for_no_sizes_and_not_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, asked = [100.0], []
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tuivirt.screens.parts_view.time", clock)
    reads = count_reads(monkeypatch, FOUND)

    def sizes(_host: Any, key: str) -> Any:
        asked.append(key)
        return {}

    monkeypatch.setattr(lookups, "checkpoint_sizes", sizes)
    fleet = things.full_fleet()
    host = fleet.hosts[WEB.host]
    stalled = replace(host.domains[WEB.key], stalled_since=time.monotonic() - 60)
    app = driven(fleet.with_host(replace(host, domains={WEB.key: stalled})))
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "before the upgrade" in screen_text(app)  # libvirt knows them without the guest.
        now[0] += 60
        app.show(app.fleet)
        await settle(app, pilot)
        assert (len(reads), asked) == (1, [])
        app.show(fleet.with_host(replace(host, domains={WEB.key: host.domains[WEB.key]})))
        await settle(app, pilot)
        await settle(app, pilot)
        assert (len(reads), asked) == (2, [WEB.key])


async def test_on_a_host_elsewhere_one_is_offered_to_be_pulled_and_no_folder_filled_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, replace(FOUND, here=False))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "b offers one to who pulls it (Pull, and an address at Listen)" in plain_of(app)
        assert "to a folder or a pool" not in plain_of(app)
        for key, since in (("b", ""), ("enter", "sunday")):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
            form = cast(FormDialog, on_top(app))
            assert (form.values["to"], form.values["incremental"]) == ("", since)
            await pilot.press("escape")
            await until(pilot, lambda: on_top(app) is app.front, "no dialog")


async def test_where_the_driver_takes_none_it_is_said_and_none_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, replace(FOUND, taken=False))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "This host's libvirt takes no backups." in plain_of(app)
        assert "b begins one" not in plain_of(app)
        assert "b backs up" not in plain_of(app)
        await pilot.press("b", "enter")
        await pilot.pause()
        assert on_top(app) is app.front


@pytest.mark.parametrize(("width", "label"), [(100, "[Bkup]"), (106, "[Backups]")])
async def test_the_last_tab_has_its_whole_label(width: int, label: str) -> None:
    app = driven()
    async with app.run_test(size=(width, 24)) as pilot:
        await on_the_tab(app, pilot)
        tabs = next(line for line in screen_text(app).splitlines() if "Overview" in line)
        assert tabs.rstrip().endswith(label)
