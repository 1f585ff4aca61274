"""The volumes of a pool and what is done with them, driven by keys."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tuivirt.actions import catalog, volumes
from tuivirt.backend.errors import NotFound
from tuivirt.backend.model.finding import Finding, Plan, Weight
from tuivirt.backend.model.resources import Volume
from tuivirt.screens.planning import PlanForm
from tuivirt.screens.volume import VolumeScreen
from tuivirt.widgets.form import FormDialog

from . import things
from .driver import DrivenApp, on_top, screen_text, until
from .factory import HOST, fleet, host
from .things import HOSTILE, POOLS, VOLUMES, driven, everything, go, harmless, settle

WITH_HALVES = volumes.with_halves
DETAILS = "name       base.qcow2\nlies on    /x\nused by    domain web-01 (off)"


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(monkeypatch, volumes=VOLUMES)
    monkeypatch.setattr("tuivirt.actions.volumes.details", lambda *_: DETAILS)
    monkeypatch.setattr("tuivirt.actions.volumes.with_halves", lambda *_: ())
    formats = "tuivirt.screens.volume_form.formats_offered"
    monkeypatch.setattr(formats, lambda *_: ("raw", "qcow2"))


async def in_the_pool(app: DrivenApp, pilot: Pilot[Any]) -> None:
    """The volumes of images; the cursor is on base.qcow2."""
    await go(app, pilot, "pool")
    await pilot.press("g", *["down"] * sorted(p.name for p in POOLS).index("images"), "enter")
    await settle(app, pilot)
    assert "base.qcow2" in screen_text(app)


async def test_enter_tells_all_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(on_top(app), VolumeScreen)
        assert "domain web-01 (off)" in screen_text(app)
        assert "base.qcow2   volume of pool images" in screen_text(app)
        assert "no screen of its own" not in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert "debian-12.iso" in screen_text(app)


async def test_why_nothing_is_known_of_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> str:
        raise NotFound("pool images has no volume 'base.qcow2'", advice="refresh the pool")

    monkeypatch.setattr("tuivirt.actions.volumes.details", gone)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert "Refresh the pool" in screen_text(app)


async def test_that_nobody_has_it_is_said_only_where_that_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = replace(VOLUMES[1], users=("db-01", "snapshot s1 of web-01"))
    unsure = replace(VOLUMES[0], users=(), unsure="what snapshots keep cannot be read: no")
    things.answer(monkeypatch, volumes=(kept, unsure))
    app = driven()
    async with app.run_test(size=(200, 24)) as pilot:
        await in_the_pool(app, pilot)
        base, web = (
            next(line for line in screen_text(app).splitlines() if name in line)
            for name in ("base.qcow2", "web-01.qcow2 ")
        )
        assert "db-01, snapshot s1 of web-01" in base
        assert " ? " in web


async def test_one_is_made_with_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("+")
        await pilot.pause()
        assert "Make a volume: images" in screen_text(app)
        await pilot.press(*"new.img", "tab", *"20G", "ctrl+s")
        await pilot.pause()
        ((name, target, values),) = app.recorded.wishes
        assert (name, target, values["vol"], values["capacity"]) == (
            "vol-create",
            "images",
            "new.img",
            "20G",
        )


async def test_the_form_of_a_new_one_has_the_formats_that_the_pool_offers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fields_of(*offered: str) -> dict[str, Any]:
        monkeypatch.setattr("tuivirt.screens.volume_form.formats_offered", lambda *_: offered)
        app = driven()
        async with app.run_test(size=(80, 24)) as pilot:
            await in_the_pool(app, pilot)
            await pilot.press("+")
            form = cast(FormDialog, on_top(app))
            await settle(app, pilot)
            await pilot.press(*["down"] * [f.name for f in form.fields].index("more"), "enter")
            return {each.name: each for each in form.fields}

    of_files = await fields_of("raw", "qcow2", "brand-new")
    assert of_files["format"].choices == ("", "raw", "qcow2", "brand-new")
    assert of_files["backing_vol_format"].choices == ("", "raw", "qcow2", "brand-new")
    assert {"backing_vol", "cluster_size", "prealloc_falloc"} <= {*of_files}
    of_a_disk = await fields_of("linux", "extended")
    assert of_a_disk["format"].choices == ("", "linux", "extended")
    assert not {"backing_vol", "cluster_size", "prealloc_falloc"} & {*of_a_disk}
    assert "format" not in await fields_of()


async def test_deleting_one_shows_the_plan_and_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[dict[str, Any]] = []
    used = Finding(Weight.REFUSED, "base.qcow2 is in use by domain web-01", "detach it there first")

    def plan(_host: Any, _key: str, values: dict[str, Any]) -> Plan:
        planned.append(dict(values))
        return Plan("base.qcow2", ("base.qcow2 is deleted",), (used,))

    monkeypatch.setattr("tuivirt.backend.storage.remove.plan_delete", plan)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
        await until(pilot, lambda: "in use by domain web-01" in screen_text(app), "who has it")
        assert planned[0]["vol"] == "base.qcow2"
        await pilot.press("enter")
        assert app.recorded.wishes == []


async def test_the_menu_is_about_the_one_under_the_cursor() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("a")
        await pilot.pause()
        shown = screen_text(app)
        for title in ("Volume base.qcow2", "Copy a volume", "Resize a volume", "on top of it"):
            assert title in shown
        titles = [choice.title for choice in on_top(app).shown]
        await pilot.press(*["down"] * titles.index("Resize a volume"), "enter")
        await pilot.pause()
        form = cast(FormDialog, on_top(app))
        assert form.values["vol"] == "base.qcow2"


async def test_another_can_be_made_on_top_of_one() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("a")
        await pilot.pause()
        titles = [choice.title for choice in on_top(app).shown]
        await pilot.press(*["down"] * titles.index("Make a volume on top of it"), "enter")
        await pilot.pause()
        values = cast(FormDialog, on_top(app)).values
        assert (values["backing_vol"], values["format"]) == ("base.qcow2", "qcow2")


async def test_several_that_are_marked_are_not_taken_for_one() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("space", "space", "ctrl+d")
        await pilot.pause()
        assert "one volume at a time" in screen_text(app)
        assert app.recorded.wishes == []


async def test_the_pools_own_actions_are_one_line_of_the_menu() -> None:
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("a")
        await pilot.pause()
        await pilot.press(*["down"] * (len(on_top(app).shown) - 1), "enter")
        await pilot.pause()
        for title in ("Refresh", "Build", "Undefine"):
            assert title in screen_text(app)


async def test_a_volume_that_cannot_be_read_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Volume(HOST, "images", HOSTILE, "k", "/x", "", problem="it is no qcow2 image")
    things.answer(monkeypatch, volumes=(*VOLUMES, broken))
    app = driven()
    async with app.run_test(size=(200, 40)) as pilot:
        await in_the_pool(app, pilot)
        shown = screen_text(app)
        assert harmless(shown)
        assert "unread" in shown
        assert "it is no qcow2 image" in shown


async def test_one_that_holds_half_of_a_file_stands_out(monkeypatch: pytest.MonkeyPatch) -> None:
    half = "it holds a part at most: the upload of /x was cut off"
    monkeypatch.setattr("tuivirt.actions.volumes.with_halves", WITH_HALVES)
    known = "tuivirt.backend.storage.unfinished.by_volume"
    monkeypatch.setattr(known, lambda _host, volumes: {volumes[0].name: half})
    app = driven()
    async with app.run_test(size=(200, 40)) as pilot:
        await in_the_pool(app, pilot)
        await until(pilot, lambda: half[:30] in screen_text(app), "what is wrong with it")
        (line,) = [e for e in screen_text(app).splitlines() if f" {VOLUMES[0].name} " in e]
        assert " half " in line


async def test_an_empty_pool_says_which_key_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(monkeypatch, volumes=())
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("g", *["down"] * 2, "enter")
        await settle(app, pilot)
        assert "+ makes one." in screen_text(app)
        await pilot.press("a")
        await pilot.pause()
        assert [choice.id for choice in on_top(app).shown] == ["vol-create", "pool"]


# -- pools ----------------------------------------------------------------------------------------


OFFERED = ("dir", "fs", "netfs", "logical", "iscsi-direct", "scsi")


def foreseen(monkeypatch: pytest.MonkeyPatch, offered: Sequence[str] = OFFERED) -> None:
    types = "tuivirt.screens.pool_form.types_offered"
    monkeypatch.setattr(types, lambda *_: frozenset(offered))
    steps = ("Pool x is defined: files in a folder",)
    made = "tuivirt.backend.storage.pools.plan_define"
    monkeypatch.setattr(made, lambda *_: Plan("x", steps, ()))


async def take_the_plan(app: DrivenApp, pilot: Any) -> None:
    await until(pilot, lambda: isinstance(on_top(app), PlanForm), "the plan")
    await until(pilot, lambda: "files in a folder" in screen_text(app), "what would be done")
    assert app.recorded.wishes == []
    cast(FormDialog, on_top(app)).submit()
    await pilot.pause()


async def test_a_pool_is_defined_on_the_host_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreseen(monkeypatch)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("+")
        await pilot.pause()
        form = cast(FormDialog, on_top(app))
        assert "Define a storage pool" in screen_text(app)
        await pilot.press(*"fast", "ctrl+s")
        await pilot.pause()
        assert "(files in a folder) needs “Target”" in screen_text(app)
        form.fill(next(each for each in form.fields if each.name == "target"), "/srv/fast")
        await pilot.press("ctrl+s")
        await take_the_plan(app, pilot)
        ((name, target, values),) = app.recorded.wishes
        assert (name, target, values["pool"]) == ("pool-define-as", HOST, "fast")
        assert form is not on_top(app)


async def shown_for(app: DrivenApp, pilot: Pilot[Any], kind: str) -> list[str]:
    """The fields that a pool of that type has in the form."""
    form = cast(FormDialog, on_top(app))
    form.fill(next(each for each in form.fields if each.name == "type"), kind)
    await pilot.pause()
    return [each.name for each in form.fields]


async def test_each_type_of_pool_has_its_own_fields_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreseen(monkeypatch)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("+")
        await until(pilot, lambda: len(cast(FormDialog, on_top(app)).fields) < 8, "its fields")
        always = ["build", "start", "autostart"]
        assert await shown_for(app, pilot, "dir") == ["pool", "type", "target", *always]
        netfs = ["pool", "type", "target", "source_host", "source_path", "source_format"]
        assert await shown_for(app, pilot, "netfs") == [*netfs, *always, "more"]
        form = cast(FormDialog, on_top(app))
        by_name = {each.name: each for each in form.fields}
        assert by_name["type"].choices == OFFERED
        assert by_name["source_format"].choices == ("", "auto", "nfs", "glusterfs", "cifs")
        assert by_name["source_host"].required
        assert "source_initiator" in await shown_for(app, pilot, "iscsi-direct")
        assert "overwrite" not in await shown_for(app, pilot, "fs")
        form.fill(form.fields[0], "x")
        for name in ("source_dev", "target"):
            form.fill(next(each for each in form.fields if each.name == name), "/dev/x")
        build = [each.name for each in form.fields].index("build")
        await pilot.press(*["down"] * (build - form.at), "space")
        assert {"overwrite", "no_overwrite"} <= {each.name for each in form.fields}


async def test_what_cannot_be_right_is_refused_while_the_form_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreseen(monkeypatch)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("+")
        await until(pilot, lambda: len(cast(FormDialog, on_top(app)).fields) < 8, "its fields")
        form = cast(FormDialog, on_top(app))
        await shown_for(app, pilot, "scsi")
        form.fill(form.fields[0], "x")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert on_top(app) is form
        assert "needs “Adapter”, or “WWNN” and “WWPN”" in form.problem


async def test_what_is_found_to_make_a_pool_of_fills_the_form_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreseen(monkeypatch)
    asked: list[dict[str, Any]] = []

    def found(_host: Any, given: dict[str, Any]) -> list[dict[str, str]]:
        asked.append(given)
        server = {"source_host": "nas", "source_format": "nfs"}
        return [{**server, "source_path": "/a"}, {**server, "source_path": "/export/b c"}]

    monkeypatch.setattr("tuivirt.screens.host_choice.sources_found", found)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("+")
        await until(pilot, lambda: len(cast(FormDialog, on_top(app)).fields) < 8, "its fields")
        form = cast(FormDialog, on_top(app))
        names = await shown_for(app, pilot, "netfs")
        form.fill(form.fields[names.index("source_host")], "nas:2049")
        await pilot.press(*["down"] * (names.index("source_path") - form.at))
        assert "ctrl+o: pool sources" in screen_text(app)
        await pilot.press("ctrl+o")
        await settle(app, pilot)
        assert "The host's pool sources" in screen_text(app)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert on_top(app) is form
        assert (asked[0]["type"], asked[0]["source_host"]) == ("netfs", "nas:2049")
        filled = [form.values[name] for name in ("source_host", "source_path", "source_format")]
        assert filled == ["nas:2049", "/export/b c", "nfs"], "the port that was typed is kept"


async def test_of_several_hosts_it_is_asked_which(monkeypatch: pytest.MonkeyPatch) -> None:
    foreseen(monkeypatch)
    other = replace(host(name="srv2"), pools={})
    app = driven(fleet(replace(everything(), pools={}), other))
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("+")
        await pilot.pause()
        assert "Define a pool on" in screen_text(app)
        await pilot.press("down", "enter")
        await pilot.pause()
        form = cast(FormDialog, on_top(app))
        form.fill(next(each for each in form.fields if each.name == "target"), "/srv/x")
        await pilot.press(*"x", "ctrl+s")
        await take_the_plan(app, pilot)
        assert app.recorded.wishes[0][:2] == ("pool-define-as", "srv2")


async def test_a_pool_that_runs_is_not_undefined_and_one_that_is_off_is_asked_about() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        names = sorted(p.name for p in POOLS)
        await pilot.press("g", *["down"] * names.index("images"), "ctrl+d")
        await pilot.pause()
        assert "is active: stop it first" in screen_text(app)
        await pilot.press("g", *["down"] * names.index("backup"), "ctrl+d")
        await pilot.pause()
        assert "Undefine pool backup?" in screen_text(app)
        await pilot.press("y")
        await pilot.pause()
        assert [wish[:2] for wish in app.recorded.wishes] == [("pool-undefine", "backup")]


async def test_the_menu_of_a_pool_has_all_that_can_be_done_to_it() -> None:
    app = driven()
    async with app.run_test(size=(120, 50)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("a")
        await pilot.pause()
        shown = [choice.id for choice in on_top(app).shown]
        assert {"pool-start", "pool-build", "pool-delete", "pool-undefine"} <= {*shown}
        assert not [each for each in shown if each.startswith("vol-")]
        await pilot.press(*["down"] * (shown.index("volumes") - on_top(app).at), "enter")
        await pilot.pause()
        assert "Its volumes: " in screen_text(app)
        of_volumes = {choice.id for choice in on_top(app).shown}
        assert of_volumes == {each for each in catalog.listed() if each.startswith("vol-")}


async def test_of_thousands_the_names_are_there_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [
        Volume(HOST, "images", f"v{n:05}.img", f"/p/v{n:05}.img", f"/p/v{n:05}.img", "file", "raw")
        for n in range(10_000)
    ]
    read = threading.Event()
    asked: list[str] = []

    def some(_host: Any, _key: str, names: Sequence[str]) -> tuple[Volume, ...]:
        asked.extend(names)
        return tuple(replace(each, format="seen") for each in found if each.name in names)

    def all_of_them(*_: object) -> tuple[Volume, ...]:
        assert read.wait(20)
        return tuple(replace(each, users=("web-01",)) for each in found)

    bare = tuple(replace(each, path="", type="", format="") for each in found)
    monkeypatch.setattr("tuivirt.actions.volumes.names", lambda *_: bare)
    monkeypatch.setattr("tuivirt.actions.volumes.some", some)
    monkeypatch.setattr("tuivirt.actions.lookups.volumes", all_of_them)
    app = DrivenApp(things.full_fleet())  # Its look-ups are two at a time, as a host's are.
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"pool", "enter")
        await pilot.pause()
        await pilot.press("g", "down", "down", "enter")
        try:
            await until(pilot, lambda: "Volumes 10000 of 10000" in screen_text(app), "the names")
            await until(pilot, lambda: " seen " in screen_text(app), "what is in view")
            assert 0 < len(asked) < 30
            assert "web-01" not in screen_text(app)
            await pilot.press("down")
        finally:
            read.set()
        await until(pilot, lambda: "web-01" in screen_text(app), "all of them")
        assert app.recorded.wishes == []
