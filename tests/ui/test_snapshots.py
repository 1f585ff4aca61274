"""The tab of a domain's snapshots, driven by keys."""

from __future__ import annotations

import calendar
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tuivirt.actions import lookups
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import DomainEvent, TaskChanged
from tuivirt.backend.lanes import Lane
from tuivirt.backend.model.finding import Finding, Plan, Weight
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.snapshot import (
    Snapshot,
    SnapshotDisk,
    Snapshots,
    Trouble,
    branch,
    tree,
)
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.backend.snapshots.judge import Facts
from tuivirt.screens.domain import TABS
from tuivirt.screens.planning import PlanForm
from tuivirt.widgets.form import FormDialog

from . import processors, things
from .driver import PATIENCE_S, DrivenApp, check_golden, on_top, screen_text, until
from .factory import uuid_of
from .things import SIZES, driven, go, harmless, settle, size_name

DISKS = (SnapshotDisk("vda", "internal"), SnapshotDisk("vdb", "internal"))
BEGAN = float(calendar.timegm((2026, 3, 1, 12, 0, 0, 0, 0, 0)))
KEY = str(TABS.index("snapshots") + 1)


def snapshot(name: str, parent: str = "", hours: int = 0, **more: Any) -> Snapshot:
    given = {"state": "running", "memory": "internal", "disks": DISKS, **more}
    return Snapshot(name, parent=parent, created=BEGAN + 3600 * hours, **given)


FOUND = (
    snapshot("installed", state="shutoff", memory="no"),
    snapshot("before the upgrade", "installed", 1, description="of March"),
    snapshot("tried twice", "before the upgrade", 2),
    snapshot("other way", "before the upgrade", 3, current=True),
    snapshot(
        "nightly",
        "installed",
        4,
        state="disk-snapshot",
        memory="no",
        disks=(SnapshotDisk("vda", "external", "/images/web.nightly"), SnapshotDisk("vdb", "no")),
    ),
)


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    monkeypatch.setattr("tuivirt.screens.snapshots_view.age", lambda _seconds: "3d")
    monkeypatch.setattr("tuivirt.actions.snapshots.troubles", lambda *_: ())
    answer(monkeypatch, FOUND)


def answer(monkeypatch: pytest.MonkeyPatch, snapshots: Any) -> None:
    things.answer(
        monkeypatch,
        domain_detail=things.DETAIL,
        processing=processors.PROCESSING,
        host_topology=processors.machine(),
        snapshots=snapshots,
        snapshot_sizes={"before the upgrade": 512 << 20, "nightly": 5 << 30},
        snapshot_facts=Facts(things.LIVE, True, "9.0.0", "its guest agent is not connected"),
        sizes_of_snapshots={"before the upgrade": 512 << 20, "nightly": 5 << 30},
        part_xml="<domainsnapshot><name>before the upgrade</name></domainsnapshot>",
    )


async def on_the_tab(app: DrivenApp, pilot: Pilot[Any]) -> None:
    await pilot.press("enter")
    await settle(app, pilot)
    await pilot.press(KEY)
    await settle(app, pilot)


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_they_are_drawn_as_a_tree(size: tuple[int, int]) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        await on_the_tab(app, pilot)
        check_golden(f"domain-snapshots-{size_name(size)}", screen_text(app))


async def test_no_size_is_asked_before_the_last_answer_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, go_on = [100.0], threading.Event()
    asked: list[str] = []
    reads: list[str] = []

    def sizes(_host: Any, key: str) -> Any:
        asked.append(key)
        assert go_on.wait(PATIENCE_S)
        return {"nightly": 5 << 30}

    def read(_host: Any, key: str) -> Any:
        reads.append(key)
        return FOUND

    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tuivirt.screens.parts_view.time", clock)
    monkeypatch.setattr(lookups, "snapshots", read)
    monkeypatch.setattr(lookups, "snapshot_sizes", sizes)
    app = driven()
    for double in app.doubles.values():
        double.lookups = Lane("look-ups", 4)
    async with app.run_test(size=(120, 40)) as pilot:
        try:
            await pilot.press("enter", KEY)
            await until(pilot, lambda: bool(asked), "the sizes asked for")
            for _ in range(3):
                reads.clear()
                now[0] += 10.5
                app.show(app.fleet)
                await until(pilot, lambda: bool(reads), "another look")
                await pilot.pause()
            assert len(asked) == 1
        finally:
            go_on.set()
        await until(pilot, lambda: "5 G" in screen_text(app), "the sizes")
        now[0] += 10.5
        app.show(app.fleet)
        await until(pilot, lambda: len(asked) == 2, "the sizes asked for again")


async def test_none_is_said_with_the_key_that_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, ())
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "No snapshots." in screen_text(app)
        assert "+ takes one." in screen_text(app)


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_what_is_half_done_is_told_with_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    found = (
        Trouble("", "vda lies on /images/web.x, and libvirt has no record of it", "merge it"),
        Trouble("nightly", "what it kept of vda is gone", "have libvirt forget it"),
        Trouble("nightly", "its memory's file is gone", "have libvirt forget it"),
    )
    monkeypatch.setattr("tuivirt.actions.snapshots.troubles", lambda *_: found)
    app = driven()
    async with app.run_test(size=size) as pilot:
        await on_the_tab(app, pilot)
        check_golden(f"domain-snapshots-troubles-{size_name(size)}", screen_text(app))


async def test_why_they_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, TuivirtError("cannot read the snapshots of web-01", "the line was cut"))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "the line was cut" in screen_text(app)


async def test_names_are_drawn_and_never_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "\x1b[2J[red]更新\u202e"
    answer(monkeypatch, (snapshot(name, description="two\nlines"),))
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_the_tab(app, pilot)
        assert harmless(screen_text(app))
        assert "[red]更新" in screen_text(app)
        assert "two lines" in screen_text(app)


@pytest.mark.parametrize(
    ("key", "module", "title"),
    [("enter", "revert", "Go back to a snapshot"), ("-", "remove", "Delete a snapshot")],
)
async def test_going_back_and_deleting_show_what_is_lost_for_the_one_under_the_cursor(
    monkeypatch: pytest.MonkeyPatch, key: str, module: str, title: str
) -> None:
    planned: list[dict[str, Any]] = []

    def plan(_host: Any, _key: str, values: dict[str, Any]) -> Plan:
        planned.append(dict(values))
        return Plan("web-01", ("What was written since is lost.",), ())

    monkeypatch.setattr(f"tuivirt.backend.snapshots.{module}.plan_for", plan)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("down", key)
        await pilot.pause()
        assert title in screen_text(app)
        cast(FormDialog, on_top(app)).submit()
        await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
        await until(pilot, lambda: "What was written" in screen_text(app), "what it says")
        assert planned[0]["snapshotname"] == "before the upgrade"
        assert app.recorded.wishes == []
        await pilot.press("escape")
        assert app.recorded.wishes == []


async def test_one_is_taken_with_a_form_and_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    note = Finding(Weight.NOTE, "the guest stands still while its memory is written")
    monkeypatch.setattr(
        "tuivirt.backend.snapshots.make.plan_for",
        lambda *_: Plan("web-01", ("Snapshot x of web-01, internal:",), (note,)),
    )
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("+")
        await pilot.pause()
        assert "Take a snapshot" in screen_text(app)
        check_golden("snapshot-create-80x24", screen_text(app))
        await pilot.press("x", "ctrl+s")
        await until(pilot, lambda: "stands still" in screen_text(app), "the plan")
        form = cast(PlanForm, on_top(app))
        assert not form.risky
        form.submit()
        await pilot.pause()
        assert [(name, values["name_"]) for name, _, values in app.recorded.wishes] == [
            ("snapshot-create", "x")
        ]


async def test_what_the_domain_does_not_allow_cannot_be_chosen_and_why_stands_beside() -> None:
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("+")
        form = cast(FormDialog, on_top(app))
        await until(pilot, lambda: "not internal: vdc is raw" in screen_text(app), "why")
        assert "[ ] no  its guest agent is not connected" in screen_text(app)
        await pilot.press("down", "down")  # Kind
        chosen = []
        for key in ("right", "right", "left", "i"):
            await pilot.press(key)
            chosen.append(form.values["kind"])
        assert chosen == ["external", "", "external", "external"]
        await pilot.press("down", "down", "down", "space")  # Quiesce
        assert form.values["quiesce"] is False
        said = " ".join(screen_text(app).replace("│", "").split())
        assert "still meanwhile; not now: its guest agent is not connected" in said
        await pilot.press("down", "space")  # Live
        assert form.values["live"] is False
        await pilot.press("up", "up", "up", "space", "down", "down", "down", "space")
        # It is about the memory, which is to be taken by now.
        assert (form.values["memory"], form.values["live"]) == (True, True)
        # What was chosen before it became impossible can be taken back.
        await pilot.press("up", "up", "up", "space", "down", "down", "down")
        assert "[x] yes  only with its memory" in screen_text(app)
        await pilot.press("space")
        assert form.values["live"] is False


async def test_its_xml_and_its_description_are_a_key_away(monkeypatch: pytest.MonkeyPatch) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("down", "y")
        await settle(app, pilot)
        assert "snapshot before the upgrade XML" in screen_text(app)
        assert "<name>before the upgrade</name>" in screen_text(app)
        await pilot.press("escape", "e")
        await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
        form = cast(FormDialog, on_top(app))
        assert form.values["snapshotname"] == "before the upgrade"
        assert form.values["description"] == "of March"
        await pilot.press("down", *" 2026", "ctrl+s")
        await pilot.pause()
        assert [
            (name, v["snapshotname"], v["description"]) for name, _, v in app.recorded.wishes
        ] == [("snapshot-edit", "before the upgrade", "of March 2026")]
        # By its name the verb asks which one, and shows that.
        await pilot.press(":", *"snapshot-dumpxml", "enter")
        await until(pilot, lambda: isinstance(on_top(app), FormDialog), "which one")
        await pilot.press(*"nightly", "ctrl+s")
        await settle(app, pilot)
        assert "snapshot nightly XML" in screen_text(app)


async def test_the_name_that_the_plan_shows_is_the_one_that_it_gets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "tuivirt.backend.snapshots.make.plan_for",
        lambda *_: Plan("web-01", ("Snapshot of noon:",), (), (("name_", "12-00-00"),)),
    )
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("+", "ctrl+s")
        await until(pilot, lambda: "of noon" in screen_text(app), "the plan")
        cast(PlanForm, on_top(app)).submit()
        await pilot.pause()
        assert [values["name_"] for _, _, values in app.recorded.wishes] == ["12-00-00"]


async def test_what_was_typed_is_there_again_until_it_is_carried_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "tuivirt.backend.snapshots.make.plan_for",
        lambda *_: Plan("web-01", ("Snapshot of web-01, internal:",), ()),
    )
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        for leave in (["escape"], ["ctrl+s", "escape"]):  # From the form, and from its plan.
            await pilot.press("+")
            await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
            if leave == ["escape"]:
                await pilot.press(*"one")
            else:
                assert "What was typed before is here again" in screen_text(app)
                assert cast(FormDialog, on_top(app)).values["name_"] == "one"
            for key in leave:
                await pilot.press(key)
                await pilot.pause()
            await until(pilot, lambda: on_top(app) is app.front, "no dialog")
        assert app.recorded.wishes == []
        await pilot.press("+", "ctrl+s")
        await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
        await until(pilot, lambda: "internal" in screen_text(app), "what it says")
        cast(PlanForm, on_top(app)).submit()
        await pilot.pause()
        assert [values["name_"] for _, _, values in app.recorded.wishes] == ["one"]
        await pilot.press("+")
        await pilot.pause()
        assert "typed before" not in screen_text(app)
        assert cast(FormDialog, on_top(app)).values["name_"] == ""


WEB = Ref("srv1", Kind.DOMAIN, uuid_of(1))
ALL = (
    Snapshots(WEB, "web-01", FOUND),
    Snapshots(Ref("srv1", Kind.DOMAIN, uuid_of(9)), "old", (), "cannot read the snapshots of old"),
)


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_those_of_all_domains_are_listed(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    things.answer(monkeypatch, all_snapshots=ALL)
    app = driven()
    async with app.run_test(size=size) as pilot:
        await go(app, pilot, "snap")
        check_golden(f"snapshots-{size_name(size)}", screen_text(app))


async def test_from_the_list_one_gets_to_a_domains_own_and_to_what_can_be_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things.answer(monkeypatch, all_snapshots=ALL)
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "snap /nightly")
        assert "Snapshots 1 of 5" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
        assert "[Snapshots 5]" in screen_text(app)
        await pilot.press("escape")
        for key, title in (("-", "Delete a snapshot"), ("R", "Go back"), ("e", "Describe or")):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
            assert title in screen_text(app)
            assert cast(FormDialog, on_top(app)).values["snapshotname"] == "nightly"
            await pilot.press("escape")
        await pilot.press("r")  # What loses something takes more than one finger.
        await pilot.pause()
        assert not isinstance(on_top(app), FormDialog)
        await pilot.press("y")
        await settle(app, pilot)
        assert "snapshot nightly XML" in screen_text(app)


async def test_they_are_read_again_only_when_something_tells_that_they_may_be_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    def answered(_host: object) -> Any:
        nonlocal asked
        asked += 1
        return ALL

    monkeypatch.setattr(lookups, "all_snapshots", answered)
    now = [float(int(time.monotonic()))]  # 3000 s more are 3000 then, not a hair less.
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tuivirt.screens.snapshots.time", clock)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "snap")
        seen = [asked]

        async def then(fleet: Fleet | None = None) -> None:
            app.show(fleet or app.fleet)
            await settle(app, pilot)
            seen.append(asked)

        now[0] += 3000  # However long nothing is told.
        await then()
        assert "read 50 min ago; ctrl+r reads them again" in screen_text(app)
        await pilot.press("ctrl+r")
        await then()
        assert "ctrl+r reads" not in screen_text(app)
        for action in ("snapshot-create", "start"):
            task = Task(len(seen), action, WEB, "web-01", 0.0, TaskState.DONE, ended=1.0)
            app.hub.publish(TaskChanged(host=WEB.host, task=task))
            await then()
        for what in ("resumed (from snapshot)", "resumed (unpaused)"):
            app.hub.publish(
                DomainEvent(
                    host=WEB.host, family="lifecycle", what=what, name="web-01", key=WEB.key
                )
            )
            await then()
        host = app.fleet.hosts[WEB.host]
        domains = {**host.domains, WEB.key: replace(host.domains[WEB.key], has_snapshots=True)}
        await then(app.fleet.with_host(replace(host, domains=domains)))
        await then()
        lost = replace(app.fleet.hosts[WEB.host], link=Link.LOST)
        await then(app.fleet.with_host(lost))
        await then(app.fleet.with_host(replace(lost, link=Link.CONNECTED)))
        #       time ctrl+r task other event other domains same lost back
        assert seen == [1, 1, 2, 3, 3, 4, 4, 5, 5, 5, 6]


async def test_the_snapshots_of_a_host_that_does_not_answer_tell_how_old_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things.answer(monkeypatch, all_snapshots=ALL[:1])
    now = [float(int(time.monotonic()))]  # 3000 s more are 3000 then, not a hair less.
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tuivirt.screens.snapshots.time", clock)
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "snap")
        assert "as of" not in screen_text(app)
        now[0] += 200
        host = app.fleet.hosts[WEB.host]
        app.show(app.fleet.with_host(replace(host, link=Link.LOST)))
        await pilot.pause()
        assert "srv1 is lost: its snapshots are as of 3 min ago" in screen_text(app)
        lines = [line for line in on_top(app).table._lines if line is not None]
        pieces = [piece for line in lines for cell in line.cells for piece in cell]
        tones = {piece.tone for piece in pieces if piece.text.strip()}
        assert tones == {"dim"}
        app.show(app.fleet.with_host(replace(host, link=Link.CLOSED)))
        await pilot.pause()
        assert "nightly" not in screen_text(app)


async def test_why_those_of_a_host_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(monkeypatch, all_snapshots=TuivirtError("cannot list the domains", "it is busy"))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "snap")
        assert "cannot list the domains: it is busy" in screen_text(app)


async def test_sizes_are_read_of_what_is_in_view_one_domain_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = tuple(
        Snapshots(
            Ref("srv1", Kind.DOMAIN, uuid_of(n)), f"web-{n:03}", (snapshot(f"s{n}", hours=n),)
        )
        for n in range(500)
    )
    things.answer(monkeypatch, all_snapshots=many)
    asked: list[str] = []

    def sizes(_host: object, known: tuple[Snapshot, ...]) -> dict[str, int]:
        asked.extend(each.name for each in known)
        if known[0].name == "s3":
            raise TuivirtError("cannot be read")
        return {known[0].name: (int(known[0].name[1:]) + 1) << 30}

    monkeypatch.setattr(lookups, "sizes_of_snapshots", sizes)
    app = driven()
    async with app.run_test(size=(120, 24)) as pilot:
        await go(app, pilot, "snap")
        await until(pilot, lambda: "12 G" in screen_text(app), "sizes of what is in view")
        await until(pilot, lambda: len(asked) >= 15, "all of them")
        await settle(app, pilot)
        in_view = len(asked)
        assert in_view < 30
        assert len(set(asked)) == in_view, "each once"
        await pilot.press("G")
        await until(pilot, lambda: "500 G" in screen_text(app), "the last one")
        assert "s250" not in asked
        # Nothing is asked again for what is known, whatever is told.
        await pilot.press("g")
        known = len(asked)
        app.show(app.fleet)
        await settle(app, pilot)
        assert len(asked) == known


def test_a_tree_stands_whatever_is_said_of_parents() -> None:
    strange = (snapshot("loop", "loop"), snapshot("orphan", "gone"), snapshot("child", "orphan"))
    assert [(row.snapshot.name, row.depth, row.children) for row in tree(strange)] == [
        ("loop", 0, 0),
        ("orphan", 0, 1),
        ("child", 1, 0),
    ]


def test_a_long_chain_is_a_tree_too() -> None:
    chain = [snapshot(f"s{n}", f"s{n - 1}" if n else "", n) for n in range(3000)]
    rows = tree(chain)
    assert rows[0].children == 2999
    assert branch(rows[2]) == "   └─ "
