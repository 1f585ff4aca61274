"""Copies, backups, uploads, conversions: asked for by keys, planned, followed, aborted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tuivirt.actions.catalog import listed
from tuivirt.backend.events import TaskChanged
from tuivirt.backend.model.finding import Finding, Plan, Weight
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.screens.planning import PlanForm
from tuivirt.widgets.form import FormDialog

from . import things
from .driver import DrivenApp, check_golden, on_top, screen_text, until
from .factory import fleet
from .test_volumes import DETAILS, in_the_pool
from .things import driven, go

SIZE = (80, 24)
Reach = Callable[[DrivenApp, Pilot[Any], str], Awaitable[None]]


async def by_name(app: DrivenApp, pilot: Pilot[Any], verb: str) -> None:
    await go(app, pilot, verb)


async def of_the_host(app: DrivenApp, pilot: Pilot[Any], verb: str) -> None:
    await go(app, pilot, "host")
    await go(app, pilot, verb)


async def of_the_volume(app: DrivenApp, pilot: Pilot[Any], verb: str) -> None:
    await in_the_pool(app, pilot)
    await pilot.press("a")
    await pilot.pause()
    titles = [choice.title for choice in on_top(app).shown]
    await pilot.press(*["down"] * titles.index(listed()[verb].title), "enter")
    await pilot.pause()


WORK: dict[str, tuple[Reach, str, dict[str, str], dict[str, Any]]] = {
    "backup-begin": (
        by_name,
        "web-01",
        {"to": "/srv/backup"},
        {"to": "/srv/backup", "pull": False},
    ),
    "checkpoint-create": (by_name, "web-01", {"name_": "monday"}, {"name_": "monday"}),
    "blockcopy": (
        by_name,
        "web-01",
        {"path": "vda", "dest": "/fast/web.qcow2"},
        {"path": "vda", "dest": "/fast/web.qcow2", "pivot": False},
    ),
    "vol-upload": (
        of_the_volume,
        "images",
        {"file": "/tmp/new.img"},
        {"vol": "base.qcow2", "file": "/tmp/new.img"},
    ),
    "image-convert": (
        of_the_host,
        "srv1",
        {"path": "/images/a.img", "target": "/images/a.qcow2"},
        {"path": "/images/a.img", "target": "/images/a.qcow2", "in_place": False},
    ),
}


@pytest.mark.parametrize("verb", WORK)
async def test_it_is_asked_for_planned_followed_and_aborted(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach, name, typed, wanted = WORK[verb]
    things.answer(monkeypatch, volumes=things.VOLUMES, domain_detail=things.DETAIL)
    monkeypatch.setattr("tuivirt.actions.volumes.details", lambda *_: DETAILS)
    monkeypatch.setattr("tuivirt.actions.volumes.with_halves", lambda *_: ())
    planned: list[dict[str, Any]] = []

    def plan(_host: object, _key: str, values: Mapping[str, Any]) -> Plan:
        planned.append(dict(values))
        return Plan(name, ("What was asked is done.",), (Finding(Weight.NOTE, "it takes a while"),))

    monkeypatch.setitem(listed(), verb, replace(listed()[verb], plan=plan))
    aborted: list[int] = []
    here = things.everything()
    assert here.info is not None
    app = driven(fleet(replace(here, info=replace(here.info, local=True))))
    monkeypatch.setattr(app, "abort", aborted.append)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await reach(app, pilot, verb)
        form = on_top(app)
        assert isinstance(form, FormDialog)
        check_golden(f"{verb}-80x24", screen_text(app))
        for field in form.fields:
            if field.name in typed:
                form.fill(field, typed[field.name])
        form.submit()
        await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
        await until(pilot, lambda: "it takes a while" in screen_text(app), "what it says")
        assert app.recorded.wishes == []
        on_top(app).submit()
        await pilot.pause()
        ((action, target, values),) = app.recorded.wishes
        assert (action, target) == (verb, name)
        assert wanted.items() <= values.items()
        assert wanted.items() <= planned[0].items()

        await go(app, pilot, "job")
        ref = things.WEB
        task = Task(
            1, verb, ref, name, time.time(), TaskState.RUNNING, fraction=0.4, abortable=True
        )
        app.hub.publish(TaskChanged(host="srv1", task=replace(task, text="working")))
        await until(pilot, lambda: "40%" in screen_text(app), "how far it is")
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert f"Abort: {listed()[verb].title} of {name}" in screen_text(app)
        await pilot.press("y")
        await pilot.pause()
        assert aborted == [1]
