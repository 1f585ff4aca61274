"""``:vol``: the volumes of all pools of all hosts in one list."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from tuivirt.actions import lookups, volumes
from tuivirt.backend import lanes
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.resources import Pool, Volume
from tuivirt.screens.volume import VolumeScreen
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu

from . import factory
from .driver import DrivenApp, on_top, screen_lines, screen_text, until
from .factory import fleet, host
from .things import driven, go, pool, settle

MANY = 10_000


def named(host_name: str, pool_name: str, *names: str, **more: Any) -> tuple[Volume, ...]:
    where = f"/{host_name}/{pool_name}"
    return tuple(
        Volume(host_name, pool_name, each, f"{where}/{each}", f"{where}/{each}", "file", "qcow2")
        for each in names
    )


def two_hosts() -> tuple[Fleet, dict[str, tuple[Volume, ...]]]:
    """Two hosts, three pools that are active and one that is not; the volumes by pool."""
    pools = [
        pool(1, "images"),
        pool(2, "fast"),
        pool(3, "off", active=False, state="inactive"),
    ]
    other = replace(pool(4, "far"), host="srv2")
    domains = [factory.domain(1, "web-01", DomainState.SHUTOFF), factory.domain(2, "db-01")]
    shown = fleet(
        host(domains, pools={each.uuid: each for each in pools}),
        host(name="srv2", pools={other.uuid: other}),
    )
    found = {
        pools[0].uuid: named("srv1", "images", "web-01.qcow2", "debian.iso"),
        pools[1].uuid: named("srv1", "fast", "web-01.qcow2"),
        other.uuid: named("srv2", "far", "zz.qcow2", "aa.qcow2"),
    }
    return shown, found


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """The hosts, each of whose look-ups answers."""
    fleet, found = two_hosts()

    def read(_host: object, key: str, *_more: object) -> tuple[Volume, ...]:
        return found[key]

    monkeypatch.setattr(lookups, "volumes", read)
    monkeypatch.setattr(volumes, "names", read)
    monkeypatch.setattr(volumes, "with_halves", lambda *_: ())
    monkeypatch.setattr(volumes, "details", lambda *_: "name       web-01.qcow2")
    return fleet


def rows(app: DrivenApp) -> list[list[str]]:
    """The name, the pool and the host of each row that is shown."""
    lines = screen_lines(app)
    head = next(n for n, line in enumerate(lines) if "POOL" in line)
    table = [line.removeprefix("▌").split() for line in lines[head + 1 :]]
    return [words[:3] for words in table if words and "." in words[0]]


async def test_it_has_every_volume_of_every_pool_that_is_active(shown: Fleet) -> None:
    app = driven(shown)
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "vol")
        await until(pilot, lambda: len(rows(app)) == 5, "all of them")
        assert rows(app) == [
            ["aa.qcow2", "far", "srv2"],
            ["debian.iso", "images", "srv1"],
            ["web-01.qcow2", "images", "srv1"],
            ["web-01.qcow2", "fast", "srv1"],
            ["zz.qcow2", "far", "srv2"],
        ]
        assert "3 pools" in screen_text(app)
        await pilot.press("P")
        await pilot.pause()
        assert [row[1] for row in rows(app)] == ["far", "far", "fast", "images", "images"]
        await pilot.press("slash", *"fast", "enter")
        await pilot.pause()
        assert rows(app) == [["web-01.qcow2", "fast", "srv1"]]
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(on_top(app), VolumeScreen)
        assert "volume of pool fast" in screen_text(app)


async def test_one_host_alone_is_shown_and_a_pool_that_stops_goes(shown: Fleet) -> None:
    app = driven(shown)
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "vol @srv1")
        await until(pilot, lambda: len(rows(app)) == 3, "those of srv1")
        here = shown.hosts["srv1"]
        off = {key: replace(each, active=each.name == "images") for key, each in here.pools.items()}
        app.show(fleet(replace(here, pools=off), shown.hosts["srv2"]))
        await until(pilot, lambda: len(rows(app)) == 2, "those of the pool that is left")
        assert "1 pool of host srv1" in screen_text(app)


async def test_a_pool_that_cannot_be_read_is_named_and_hides_no_other(
    shown: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = lookups.volumes

    def broken(host: Any, key: str, *more: Any) -> tuple[Volume, ...]:
        if host.name == "srv2":
            raise TuivirtError("cannot list the volumes of pool far", "stale file handle")
        return read(host, key, *more)

    monkeypatch.setattr(lookups, "volumes", broken)
    app = driven(shown)
    async with app.run_test(size=(160, 40)) as pilot:
        await go(app, pilot, "vol")
        await until(pilot, lambda: "far of srv2 cannot be read" in screen_text(app), "the reason")
        assert "stale file handle" in screen_text(app)
        await until(pilot, lambda: len(rows(app)) == 3, "the others")


async def test_one_is_attached_to_a_domain_that_is_chosen(shown: Fleet) -> None:
    app = driven(shown)
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "vol")
        await until(pilot, lambda: len(rows(app)) == 5, "all of them")
        await pilot.press("slash", *"iso", "enter", "a")
        await pilot.pause()
        menu = cast(Menu, on_top(app))
        at = [choice.title for choice in menu.shown].index("Attach it to a domain…")
        await pilot.press(*["down"] * (at - menu.at), "enter")
        await pilot.pause()
        assert "Attach debian.iso to" in screen_text(app)
        assert [choice.title for choice in on_top(app).shown] == ["db-01", "web-01"]
        await pilot.press(*"web", "enter")
        await pilot.pause()
        form = cast(FormDialog, on_top(app))
        assert "Attach a disk: web-01" in screen_text(app)
        assert form.values["source"] == "images/debian.iso"


def full(number: int, count: int) -> tuple[Pool, tuple[Volume, ...]]:
    one = pool(number, f"pool{number}")
    return one, named("srv1", one.name, *(f"{one.name}-{n:05}.img" for n in range(count)))


async def test_a_key_is_answered_while_ten_thousand_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their names are there, filtered and moved among, before the reading of them has ended."""
    known = dict(full(number, MANY // 2) for number in (1, 2))
    found = {each.uuid: volumes for each, volumes in known.items()}
    bare = {
        key: tuple(replace(each, path="", type="", format="") for each in some)
        for key, some in found.items()
    }
    go_on, reading = threading.Event(), []

    def read_all(_host: object, key: str, *_more: object) -> tuple[Volume, ...]:
        reading.append(key)
        assert go_on.wait(60)
        return tuple(replace(each, users=("web-01",)) for each in found[key])

    def read_some(_host: object, key: str, names: Sequence[str]) -> tuple[Volume, ...]:
        return tuple(replace(each, format="seen") for each in found[key] if each.name in names)

    monkeypatch.setattr(lookups, "volumes", read_all)
    monkeypatch.setattr(volumes, "names", lambda _host, key: bare[key])
    monkeypatch.setattr(volumes, "some", read_some)
    monkeypatch.setattr(volumes, "with_halves", lambda *_: ())
    # Its look-ups are two at a time, as a host's are: one is left for what is in view.
    app = DrivenApp(fleet(host(pools={each.uuid: each for each in known})))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("colon", *"vol", "enter")
        try:
            await until(pilot, lambda: f"Volumes {MANY} of {MANY}" in screen_text(app), "names")
            await until(pilot, lambda: " seen " in screen_text(app), "what is in view")
            assert len(reading) == 1, "one pool of a host after the other"
            await pilot.press("G")
            await pilot.pause()
            assert "pool2-04999.img" in _cursor(app)
            await until(pilot, lambda: _cursor(app).count("seen"), "what came into view")
            await pilot.press("slash", *"pool1-00042", "enter")
            await pilot.pause()
            assert f"Volumes 1 of {MANY}" in screen_text(app)
            assert "web-01" not in screen_text(app)
        finally:
            go_on.set()
        await until(pilot, lambda: "web-01" in screen_text(app), "all of it")
        await until(pilot, lambda: len(reading) == 2, "the other pool")


def _cursor(app: DrivenApp) -> str:
    return next((line for line in screen_lines(app) if line.startswith("▌")), "")


@pytest.mark.parametrize("whole", [True, False], ids=["all", "one pool"])
async def test_a_pool_that_hangs_leaves_a_look_up_to_the_rest(
    shown: Fleet, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    asked, go_on = threading.Event(), threading.Event()
    key = next(each.uuid for each in shown.hosts["srv1"].pools.values() if each.name == "images")
    read = lookups.volumes

    def hang(host: Any, pool: str, *more: Any) -> Any:
        if pool == key:
            asked.set()
            assert go_on.wait(60)
        return read(host, pool, *more)

    monkeypatch.setattr(lookups, "volumes", hang)
    monkeypatch.setattr(volumes, "names", hang)
    app = DrivenApp(shown)
    async with app.run_test(size=(120, 40)) as pilot:
        try:
            if whole:
                await pilot.press("colon", *"vol", "enter")
                await until(pilot, lambda: "aa.qcow2" in screen_text(app), "the other host's")
            else:
                await pilot.press("colon", *"pool", "enter")
                await pilot.pause()
                await pilot.press("slash", *"images", "enter", "enter")
            await until(pilot, asked.is_set, "the pool that hangs is asked")
            other = app.doubles["srv1"].lookups.submit(lambda: "answered")
            await until(pilot, other.done, "another look-up of its host")
        finally:
            go_on.set()
        await until(pilot, lambda: "debian.iso" in screen_text(app), "what hung")


async def test_a_pool_that_hangs_once_it_has_told_its_names_keeps_one_look_up_whoever_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, found = full(1, MANY // 10)
    bare = tuple(replace(each, path="", type="", format="") for each in found)
    go_on, asked = threading.Event(), threading.Event()

    def hang(_host: object, _key: str, *_more: object) -> tuple[Volume, ...]:
        asked.set()
        assert go_on.wait(60)
        return found

    monkeypatch.setattr(lookups, "volumes", hang)
    monkeypatch.setattr(volumes, "some", hang)
    monkeypatch.setattr(volumes, "names", lambda *_: bare)
    monkeypatch.setattr(volumes, "with_halves", lambda *_: ())
    monkeypatch.setattr(lanes, "HUNG_S", 60.0)  # No other worker stands in.
    app = DrivenApp(fleet(host(pools={one.uuid: one})))
    lane = app.doubles["srv1"].lookups
    async with app.run_test(size=(120, 40)) as pilot:
        try:
            for _time in range(3):
                await pilot.press("colon", *"vol", "enter")
                await until(pilot, asked.is_set, "those in view")
                await pilot.press("G")
                await pilot.pause()
                await pilot.press("colon", *"dom", "enter")
                await pilot.pause()
            other = lane.submit(lambda: "answered")
            await until(pilot, other.done, "another look-up of its host")
        finally:
            go_on.set()
        await pilot.press("colon", *"vol", "enter")
        await until(pilot, lambda: " qcow2 " in screen_text(app), "what hung")


async def test_what_a_broken_line_kept_from_being_read_is_read_once_it_stands_again(
    shown: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pools are what they were: nothing but the line has changed."""
    read, broken = lookups.volumes, [True]

    def breaks(host: Any, key: str, *more: Any) -> tuple[Volume, ...]:
        if host.name == "srv2" and broken[0]:
            raise TuivirtError("cannot list the volumes of pool far", "the connection broke")
        return read(host, key, *more)

    monkeypatch.setattr(lookups, "volumes", breaks)
    app = driven(shown)
    async with app.run_test(size=(160, 40)) as pilot:
        await go(app, pilot, "vol")
        await until(pilot, lambda: "far of srv2 cannot be read" in screen_text(app), "the reason")
        here, there = shown.hosts.values()
        app.show(fleet(here, replace(there, link=Link.LOST)))
        await settle(app, pilot)
        broken[0] = False
        app.show(fleet(here, there))
        await until(pilot, lambda: len(rows(app)) == 5, "its volumes")
        assert "cannot be read" not in screen_text(app)
