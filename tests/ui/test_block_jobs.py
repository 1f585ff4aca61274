"""Block jobs that others began, as the tasks' screen shows them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import DomainEvent, TaskChanged
from tuivirt.backend.model.block_job import BlockJob, Running
from tuivirt.backend.model.finding import Plan
from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task
from tuivirt.screens.planning import PlanForm

from .driver import DrivenApp, on_top, screen_text, until
from .factory import domain, fleet, host
from .things import answer, driven, settle

WEB = domain(1, "web-01")
REF = Ref("srv1", Kind.DOMAIN, WEB.uuid)
HALF = BlockJob("vda", "copy", done=1, end=2, other="/images/copy.qcow2")


@pytest.fixture
def app() -> DrivenApp:
    return driven(fleet(host([WEB])))


def running(monkeypatch: pytest.MonkeyPatch, *jobs: BlockJob) -> None:
    answer(monkeypatch, block_jobs=tuple(Running(REF, WEB.name, job) for job in jobs))


async def opened(app: DrivenApp, pilot: Pilot[Any]) -> None:
    await pilot.press(":", *"job", "enter")
    await settle(app, pilot)


async def test_those_that_run_are_there_from_the_start_and_can_be_ended(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, HALF)
    monkeypatch.setattr(
        "tuivirt.backend.block_jobs.control.plan_for", lambda *_: Plan("web-01", ("It ends.",))
    )
    async with app.run_test(size=(160, 24)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "Copy of vda" in screen_text(app), "the copy is shown")
        assert "50%" in screen_text(app)
        assert "/images/copy.qcow2" in screen_text(app)
        await pilot.press("ctrl+k")
        await settle(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: "It ends." in screen_text(app), "the plan")
        cast(PlanForm, on_top(app)).submit()
        await settle(app, pilot)
        ((action, name, values),) = app.recorded.wishes
        assert (action, name, values["path"], values["abort"]) == (
            "blockjob",
            "web-01",
            "vda",
            True,
        )


async def test_one_that_ends_goes_by_its_event_and_what_begins_comes_by_a_note(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(160, 24)) as pilot:
        await opened(app, pilot)
        running(monkeypatch, HALF)
        await happens(app, pilot, "metadata-change")
        await until(pilot, lambda: "Copy of vda" in screen_text(app), "it has begun")
        running(monkeypatch)
        await happens(app, pilot, "block-job-2")
        await until(pilot, lambda: "Copy of vda" not in screen_text(app), "it has ended")


async def happens(app: DrivenApp, pilot: Pilot[Any], family: str) -> None:
    app.hub.publish(
        DomainEvent(host="srv1", family=family, what=family, name=WEB.name, key=WEB.uuid)
    )
    await settle(app, pilot)


async def test_what_a_task_follows_stands_there_once(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, HALF, BlockJob("vdb", "pull"))
    virsh = "virsh blockcopy web-01 vda --dest /images/copy.qcow2 --wait"
    async with app.run_test(size=(160, 24)) as pilot:
        own = Task(7, "blockcopy", REF, WEB.name, started=1.0, virsh=virsh)
        app.hub.publish(TaskChanged(host="srv1", task=own))
        await opened(app, pilot)
        await until(pilot, lambda: "Pull of vdb" in screen_text(app), "the other's is shown")
        assert "Copy of vda" not in screen_text(app)


async def test_why_they_are_not_known_is_said(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, block_jobs=TuivirtError("cannot read the block jobs of web-01", "no"))
    async with app.run_test(size=(160, 24)) as pilot:
        await opened(app, pilot)
        await until(
            pilot, lambda: "cannot read the block jobs" in screen_text(app), "the reason is said"
        )


@pytest.mark.parametrize(
    ("more", "said"), [((), ""), ((host(name="srv2"),), f" -c {host().uri}")], ids=["one", "two"]
)
async def test_the_same_by_hand_names_the_host_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, more: tuple[HostSnapshot, ...], said: str
) -> None:
    monkeypatch.setenv("VIRSH_DEFAULT_CONNECT_URI", host().uri)
    running(monkeypatch, HALF)
    app = driven(fleet(host([WEB]), *more))
    async with app.run_test(size=(160, 24)) as pilot:
        await opened(app, pilot)
        await until(pilot, lambda: "Copy of vda" in screen_text(app), "the copy is shown")
        assert f"by hand  virsh{said} blockjob web-01 vda --info" in screen_text(app)
