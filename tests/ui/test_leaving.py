"""Leaving: at once where nothing runs, else with each task named and what becomes of it."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from tuivirt.backend.events import TaskChanged
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.screens import leaving
from tuivirt.screens.leaving import LeaveDialog
from tuivirt.widgets.guard import Guard

from . import factory
from .driver import DrivenApp, on_top, screen_text, until

SIZE = (80, 24)


def task(number: int, action: str, name: str, state: TaskState = TaskState.RUNNING) -> Task:
    return Task(number, action, factory.ref_of(number), name, time.time() - 12, state)


SHUTDOWN = task(1, "shutdown", "web-01")
DETACH = task(2, "detach-disk", "db-01", TaskState.PENDING)
SAVE = task(3, "managedsave", "build-arm64")


def words(app: DrivenApp) -> str:
    dialog = on_top(app)
    assert isinstance(dialog, LeaveDialog)
    return " ".join(dialog.panel.text.split())


async def test_without_tasks_it_leaves_at_once() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
    assert app.return_code == 0


async def test_with_tasks_each_is_named_with_what_becomes_of_it() -> None:
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (SHUTDOWN, DETACH, SAVE)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        said = words(app)
        assert "3 tasks are under way" in said
        asked = r"The guest was asked and may still do it; it is no longer followed\."
        assert re.search(rf"Shut down: web-01, running for \d+ (s|min)\. {asked}", said)
        assert re.search(rf"Detach a disk: db-01, pending for \d+ (s|min)\. {asked}", said)
        assert re.search(
            r"Save and stop: build-arm64, running for \d+ (s|min)\. What libvirt was", said
        )
        await pilot.press("n")
        await pilot.pause()
        assert on_top(app) is app.front
        assert app.return_code is None
        await pilot.press("ctrl+q", "y")
    assert app.return_code == 0


COMMAND = "virsh migrate web-01 qemu+ssh://srv2/system"
LOOK = "then both hosts must be looked at"
UNKNOWN = (
    "how it ends is no longer followed; if it fails, images that were made for it stay on the "
    "target."
)
ABORTED = "The guest stays where it is, and images that were being made for it stay on the target."


@pytest.mark.parametrize(
    ("virsh", "becomes"),
    [
        (f"{COMMAND} --live", f"It is aborted. {ABORTED}"),
        (COMMAND, f"It is aborted. {ABORTED}"),
        (f"{COMMAND} --p2p", f"It is aborted. {ABORTED}"),
        (
            f"{COMMAND} --live --postcopy",
            f"It is aborted, unless it was switched to post-copy: {LOOK}. {ABORTED}",
        ),
        (
            f"{COMMAND} --live --p2p",
            f"The daemons go on with it by themselves, but {UNKNOWN}",
        ),
    ],
    ids=["direct", "prepared", "p2p prepared", "post-copy", "p2p"],
)
async def test_of_a_move_is_said_whether_it_goes_on_without_the_program(
    virsh: str, becomes: str
) -> None:
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (replace(task(1, "migrate", "web-01"), virsh=virsh),)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert becomes in words(app)


async def test_an_evacuation_moves_no_other_once_the_program_has_gone() -> None:
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (task(1, "evacuate", "srv1"),)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert "What it has begun is named for itself; no other domain is moved." in words(app)


async def test_the_word_after_a_colon_asks_as_the_key_does() -> None:
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (SHUTDOWN,)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("colon", "q", "enter")
        await pilot.pause()
        assert isinstance(app.screen, LeaveDialog)
        assert "A task is under way" in screen_text(app)


async def test_the_key_again_leaves_but_not_while_it_is_held_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guard, "QUIET_S", 3600.0)
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (SHUTDOWN,)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q", "ctrl+q", "ctrl+q")
        await pilot.pause()
        assert isinstance(app.screen, LeaveDialog)
        assert len(app.screen_stack) == 2
        monkeypatch.setattr(Guard, "QUIET_S", 0.0)
        await pilot.press("ctrl+q")
    assert app.return_code == 0


async def test_what_began_since_it_was_asked_is_named_before_it_is_left() -> None:
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (SHUTDOWN,)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        app.recorded.under_way = (DETACH, SAVE)
        await pilot.press("y")
        await pilot.pause()
        said = words(app)
        assert "something else is under way by now" in said
        assert "Shut down: web-01" not in said
        assert "Detach a disk: db-01" in said
        assert "Save and stop: build-arm64" in said
        app.recorded.under_way = (SAVE,)
        await pilot.press("y")
    assert app.return_code == 0


async def test_it_follows_what_is_under_way_while_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaving, "LOOK_AGAIN_S", 0.01)
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (SHUTDOWN,)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        app.recorded.under_way = ()
        await until(pilot, lambda: "Nothing is under way any more." in words(app), "it is told")


async def test_what_was_only_just_named_is_not_left_by_the_key_that_was_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guard, "QUIET_S", 3600.0)
    app = DrivenApp(factory.sketch())
    app.recorded.under_way = (SHUTDOWN,)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        dialog = app.screen
        assert isinstance(dialog, LeaveDialog)
        guard = dialog._guard
        guard._typed_at = float("-inf")
        app.recorded.under_way = (SHUTDOWN, SAVE)
        assert dialog._look_again()
        assert not guard.meant(), "as if a key had been pressed just now"
        assert not dialog._look_again(), "what stays as it is is no news"


def stalled() -> Fleet:
    host = factory.sketch().hosts[factory.HOST]
    return factory.fleet(replace(host, link=Link.STALLED, data_at=time.monotonic() - 41))


async def test_of_a_task_on_a_host_that_is_silent_nothing_is_promised() -> None:
    app = DrivenApp(stalled())
    app.recorded.under_way = (SAVE,)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert re.search(r"There is no answer for \d+ s: waits for host srv1\.", words(app))


async def test_a_task_that_waits_for_a_silent_host_says_so_and_since_when() -> None:
    app = DrivenApp(stalled())
    async with app.run_test(size=(120, 30)) as pilot:
        app.hub.publish(TaskChanged(host="srv1", task=SAVE))
        app.on_arrived()
        await pilot.press("colon", *"tasks", "enter")
        await pilot.pause()
        app._paint()
        await pilot.pause()
        text = screen_text(app)
        assert re.search(r"no answer for \d+ s: waits for host srv1", text)
        assert "running" not in text


async def test_a_task_that_waits_for_a_silent_domain_says_so() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(120, 30)) as pilot:
        for waiting in (replace(SAVE, target=factory.ref_of(5), target_name="legacy-nt"), SHUTDOWN):
            app.hub.publish(TaskChanged(host="srv1", task=waiting))
        gone = replace(SAVE, id=9, target=Ref("srv1", SAVE.target.kind, "gone"), target_name="gone")
        app.hub.publish(TaskChanged(host="srv1", task=gone))
        app.on_arrived()
        await pilot.press("colon", *"tasks", "enter")
        await pilot.pause()
        app._paint()
        await pilot.pause()
        text = screen_text(app)
        assert re.search("waits +legacy-nt .* no answer for 2 m", text)
        assert len(re.findall("running +(?:web-01|gone) ", text)) == 2
