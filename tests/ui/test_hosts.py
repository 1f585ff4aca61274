"""The hosts as an operator sees them: a fleet at a glance, and what can be done to each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tuivirt.backend import suggestions
from tuivirt.backend.events import DomainEvent, HostsChanged, LinkChanged
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.entry import HostEntry
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostInfo, HostSnapshot, Link
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.stats import HostStats
from tuivirt.backend.model.task import Task
from tuivirt.backend.suggestions import Suggestion
from tuivirt.screens.hosts import HostsScreen
from tuivirt.settings import default_path
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu

from . import factory
from .consoles import ScriptedSession
from .driver import DrivenApp, SnapshotHost, check_golden, on_top, screen_lines, screen_text, until
from .factory import GIB, domain, fleet, host, uuid_of
from .things import driven, go, harmless, settle, timeless

SIZES = [(80, 24), (160, 50)]


def entry(name: str, uri: str = "", **more: Any) -> HostEntry:
    return HostEntry(name, uri or f"qemu+ssh://root@{name}/system", **more)


def at(snapshot: HostSnapshot, kept: HostEntry | None, **more: Any) -> HostSnapshot:
    """The snapshot as a host of the settings."""
    uri = kept.uri if kept is not None else snapshot.uri
    return replace(snapshot, uri=uri, entry=kept, **more)


def of(name: str, domains: list[Domain], **more: Any) -> HostSnapshot:
    """A host and its domains."""
    return host([replace(each, host=name) for each in domains], name=name, **more)


def several() -> Fleet:
    """Hosts in each state that a list has to tell apart."""
    now = time.monotonic()
    small = HostInfo("x:///", "db1", "QEMU", "10.0.0", "8.2.2", 8, memory_kib=32 * GIB)
    web = [
        domain(1, "web-01", vcpus=4),
        domain(2, "web-02", vcpus=8, memory_kib=16 * GIB),
        domain(3, "old", stalled_since=now - 90),
        domain(4, "tmpl", DomainState.SHUTOFF),
    ]
    db = [domain(5, "db-01", vcpus=16, memory_kib=24 * GIB), domain(6, "x", DomainState.CRASHED)]
    stats = HostStats(at=now, cpu_percent=91.0, memory_total_kib=32 * GIB, memory_used_kib=30 * GIB)
    return fleet(
        at(of("web1", web), entry("web1", group="prod", tags=("web", "ssd"))),
        at(of("db1", db, info=small, stats=stats), entry("db1", group="prod", colour="red")),
        at(host([], name="lab1"), entry("lab1", group="lab", readonly=True)),
        at(
            HostSnapshot(
                "lab2",
                "",
                Link.FAILED,
                "ssh: connect to host lab2 port 22: No route to host",
                "lab2 cannot be reached: check the network and the firewall",
                retry_at=now + 55.5,
            ),
            entry("lab2", group="lab", tags=("slow",)),
        ),
        at(HostSnapshot("spare", "", Link.CLOSED), entry("spare", connect=False)),
        of("local", [domain(7, "mine")]),
    )


def happened(app: DrivenApp) -> None:
    """Something happened on two of them."""
    ago = time.monotonic() - 150
    app.hub.publish(
        DomainEvent(
            host="web1",
            # As the clock was then, before it was set: how long ago it was is not told by that.
            at=0.0,
            since=ago,
            family="lifecycle",
            what="started",
            name="web-02",
            key=uuid_of(2),
        )
    )
    app.hub.publish(LinkChanged(host="db1", since=ago - 7200, link="connected"))


def line_of(app: DrivenApp, text: str) -> str:
    return next(line for line in screen_lines(app) if text in line)


def table(app: DrivenApp) -> Any:
    assert isinstance(app.front, HostsScreen)
    return app.front.table


async def on(app: DrivenApp, pilot: Pilot[Any], name: str) -> None:
    """Put the cursor on a host."""
    table(app).move_to(Ref(name, Kind.HOST, name))
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_fleet_looks_as_drawn(size: tuple[int, int]) -> None:
    app = driven(several())
    async with app.run_test(size=size) as pilot:
        happened(app)
        await go(app, pilot, "hosts")
        check_golden(f"fleet-{size[0]}x{size[1]}", timeless(screen_text(app)))
        await pilot.press("b")
        check_golden(f"fleet-grouped-{size[0]}x{size[1]}", timeless(screen_text(app)))


@pytest.mark.parametrize("typed", ["@db1", "db1", "#ssd @web1", "!@lab."])
async def test_a_filter_names_a_host_as_it_does_anywhere(typed: str) -> None:
    app = driven(several())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "hosts")
        await pilot.press("slash", *typed, "enter")
        await pilot.pause()
        rows = "\n".join(screen_lines(app)[2:8])
        wanted = "web1" if "web1" in typed else "db1"
        assert wanted in rows
        assert "lab1" not in rows


async def test_the_sums_are_of_all_and_leave_out_what_is_not_known() -> None:
    app = driven(several())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "hosts")
        line = screen_lines(app)[1]
        assert "4/6 up" in line
        assert "4/7 run, 1 stalled, 1 crashed" in line
        # Three of 16 CPUs at 23 %, one of 8 at 91 %.
        assert "CPU 33 %" in line
        assert "264/416 G" in line


async def test_the_host_under_the_cursor_tells_why_it_is_not_connected_and_what_to_try() -> None:
    app = driven(several())
    async with app.run_test(size=(160, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "lab2")
        assert "No route to host. lab2 cannot be reached" in screen_text(app)
        await on(app, pilot, "spare")
        assert "spare  qemu+ssh://root@spare/system   not connected" in screen_text(app)


async def test_a_host_that_was_disconnected_is_not_said_never_to_have_answered() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        for name, said in (("spare", "not connected"), ("lab2", "none since it began to connect")):
            await go(app, pilot, "hosts")
            await on(app, pilot, name)
            await pilot.press("enter")
            await pilot.pause()
            assert f"last answer       {said}" in screen_text(app)


async def test_a_host_that_does_not_answer_has_its_guests_stalled() -> None:
    snapshot = host([domain(1, "web-01"), domain(2, "off", DomainState.SHUTOFF)])
    app = driven(fleet(replace(snapshot, link=Link.STALLED)))
    async with app.run_test(size=(160, 24)) as pilot:
        await go(app, pilot, "hosts")
        assert "1 stalled, 1 off" in line_of(app, "srv1  ")
        app.show(fleet(snapshot))
        await pilot.pause()
        assert "1 run, 1 off" in line_of(app, "srv1  ")


async def test_a_tag_or_a_group_filters_and_groups_fold() -> None:
    app = driven(several())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "hosts")
        for expression, names in (("#ssd", ["web1"]), ("#lab", ["lab1", "lab2"])):
            app.front.set_filter(expression)  # type: ignore[union-attr]
            assert [key.host for key in table(app).rows.order] == names
        app.front.set_filter("")  # type: ignore[union-attr]
        await pilot.press("b", "b", "home", "left")
        assert "▸ 0/1" in line_of(app, "#slow")
        await pilot.press("b")
        assert len(table(app).rows.order) == 6


async def test_hosts_that_are_not_connected_make_no_column_and_no_line_of_the_header() -> None:
    app = driven(fleet(host([domain(1, "web-01")]), replace(several().hosts["spare"])))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "srv1 qemu:///system" in screen_lines(app)[0]
        assert "HOST" not in screen_lines(app)[2]


async def test_without_any_host_it_says_what_to_do() -> None:
    app = DrivenApp(Fleet())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert ":host and + add one" in screen_text(app)
        await pilot.press("colon", *"host", "enter")
        await pilot.pause()
        assert "+ adds one, and ctrl+o in its form lists those" in screen_text(app)


async def test_with_all_of_them_closed_the_list_of_domains_says_how_to_connect() -> None:
    app = driven(fleet(several().hosts["spare"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert ":host and c connect one: spare" in screen_text(app)


async def test_the_column_of_hosts_stays_at_80_columns_where_there_are_several() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "HOST" in screen_lines(app)[2]
        assert line_of(app, "web-01").rstrip().endswith("web1")


# What can be done


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Suggestion("hail", "qemu+ssh://hail/system", "uri_aliases of /etc/libvirt/libvirt.conf"),
        Suggestion("", "qemu:///session", "virt-manager"),
    ]
    monkeypatch.setattr(suggestions, "known_hosts", lambda: found)
    ssh = [Suggestion("bastion", "qemu+ssh://bastion/system", "~/.ssh/config")]
    monkeypatch.setattr(suggestions, "ssh_hosts", lambda: ssh)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], object]:
    """Writes a settings file of the test's own, which is not there before."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = default_path()
    path.parent.mkdir()
    return path.write_text


async def form_of(app: DrivenApp, pilot: Pilot[Any], key: str) -> FormDialog:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(on_top(app), FormDialog), "a form")
    form = cast(FormDialog, on_top(app))
    await until(pilot, lambda: form.fields and not form.blocked, "its fields")
    return form


async def test_a_host_is_added_by_a_form(known: None) -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await form_of(app, pilot, "plus")
        await pilot.press(*"new1", "tab", *"test:///default", "tab", *"lab", "tab", *"a,b")
        check_golden("host-add-80x24", screen_text(app))
        await pilot.press("ctrl+s")
        ((name, target, values),) = app.recorded.wishes
        assert (name, target) == ("host-add", "new1")
        assert values | {"name": "new1", "uri": "test:///default", "tags": "a,b"} == values


async def test_it_can_be_asked_for_anywhere_by_its_name(known: None) -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"host-add", "enter")
        await until(pilot, lambda: isinstance(on_top(app), FormDialog), "a form")


async def test_what_is_wrong_is_said_in_the_form_and_nothing_is_done(known: None) -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        form = await form_of(app, pilot, "plus")
        await pilot.press(*"a", "ctrl+s")
        assert "URI is missing" in form.problem
        await pilot.press("at", "tab", *"x:///", "ctrl+s")
        assert "the name cannot be 'a@'" in form.problem
        assert app.recorded.wishes == []


async def test_a_name_that_is_taken_is_said_in_the_form_and_nothing_typed_is_lost(
    known: None, settings: Callable[[str], object]
) -> None:
    settings('[[hosts]]\nname = "later"\nuri = "test:///default"\n')
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        form = await form_of(app, pilot, "plus")
        # One that is there, and one that another program has written meanwhile.
        for name in ("spare", "later"):
            await pilot.press("ctrl+u", *name, "tab", "ctrl+u", *"x:///")
            await pilot.press("ctrl+s", "shift+tab")
            assert form.problem == f"There is a host {name} already: choose another name."
            assert form.values | {"name": name, "uri": "x:///"} == form.values
        assert app.recorded.wishes == []


async def test_a_host_keeps_its_own_name_and_takes_no_others(
    settings: Callable[[str], object],
) -> None:
    settings('[[hosts]]\nname = "web1"\nuri = "test:///default"\n')
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "web1")
        form = await form_of(app, pilot, "e")
        await pilot.press("ctrl+u", *"db1", "ctrl+s")
        assert "There is a host db1 already" in form.problem
        await pilot.press("ctrl+u", *"web1", "ctrl+s")
        assert [wish[:2] for wish in app.recorded.wishes] == [("host-edit", "web1")]


async def test_settings_that_are_not_right_are_told_before_anything_is_typed(
    known: None, settings: Callable[[str], object]
) -> None:
    settings("interval = = 2\n")
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await pilot.press("plus")
        form = cast(FormDialog, on_top(app))
        await until(pilot, lambda: form.fields, "its fields")
        assert "config.toml is not right:" in form.blocked
        await pilot.press("ctrl+s")
        assert on_top(app) is form
        assert app.recorded.wishes == []


async def test_hosts_that_are_known_here_are_listed_with_who_knows_them(known: None) -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        form = await form_of(app, pilot, "plus")
        await pilot.press("tab", "ctrl+o")
        await until(pilot, lambda: isinstance(on_top(app), Menu), "a menu")
        check_golden("known-hosts-80x24", screen_text(app))
        await pilot.press("enter")
        assert form.values | {"name": "hail", "uri": "qemu+ssh://hail/system"} == form.values


async def test_the_hosts_of_ssh_are_listed_when_they_are_asked_for(known: None) -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        form = await form_of(app, pilot, "plus")
        await pilot.press(*"mine", "tab", "ctrl+o")
        await until(pilot, lambda: isinstance(on_top(app), Menu), "a menu")
        assert "bastion" not in screen_text(app)
        await pilot.press(*"hosts of", "enter")
        await until(pilot, lambda: "bastion" in screen_text(app), "those of ssh")
        await pilot.press("enter")
        # A name that was typed stays.
        assert form.values | {"name": "mine", "uri": "qemu+ssh://bastion/system"} == form.values


async def test_what_is_kept_is_edited_as_it_is_and_emptied_fields_mean_none() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "web1")
        form = await form_of(app, pilot, "e")
        assert form.values == {
            "rename": "web1",
            "uri": "qemu+ssh://root@web1/system",
            "group": "prod",
            "tags": "web, ssd",
            "colour": "none",
            "access": "full",
            "autoconnect": "yes",
        }
        await pilot.press("tab", "tab", "ctrl+u", "ctrl+s")
        ((name, target, values),) = app.recorded.wishes
        assert (name, target, values["group"]) == ("host-edit", "web1", "none")


async def test_a_host_of_the_command_line_is_edited_to_be_kept() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "local")
        form = await form_of(app, pilot, "e")
        assert (form.values["rename"], form.values["uri"]) == ("local", "qemu:///system")


async def test_removing_says_what_goes_and_what_stays() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "db1")
        await pilot.press("ctrl+d")
        dialog = cast(ConfirmDialog, on_top(app))
        said = " ".join(dialog.panel.text.split())
        assert "Remove db1 from the hosts? Only its entry in the settings goes" in said
        await pilot.press("y")
        assert app.recorded.wishes == [("host-remove", "db1", {})]


async def test_one_that_is_not_kept_is_not_removed_from_what_has_it_not() -> None:
    app = driven(several())
    async with app.run_test(size=(120, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "local")
        await pilot.press("ctrl+d")
        assert "not local: it is not in the settings; d disconnects it" in screen_text(app)


async def test_what_is_so_already_is_said() -> None:
    app = driven(several())
    async with app.run_test(size=(120, 24)) as pilot:
        await go(app, pilot, "hosts")
        for name, key, said in (("web1", "c", "connected"), ("spare", "d", "not connected")):
            await on(app, pilot, name)
            await pilot.press(key)
            assert f"not {name}: it is {said}" in screen_text(app)
        assert app.recorded.wishes == []


async def test_a_key_is_a_wish_whether_the_host_answers_or_not() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        wishes = [
            ("spare", "c", "host-connect"),
            ("lab2", "c", "host-connect"),
            ("lab2", "t", "host-test"),
            ("spare", "t", "host-test"),
            ("web1", "d", "host-disconnect"),
        ]
        for name, key, _wish in wishes:
            await on(app, pilot, name)
            await pilot.press(key)
        assert app.recorded.wishes == [(wish, name, {}) for name, _key, wish in wishes]


async def test_disconnecting_asks_where_a_task_or_a_console_would_lose_its_host() -> None:
    shown = several()
    task = Task(1, "shutdown", factory.ref_of(1, "web1"), "web-01", time.time() - 12)
    app = driven(replace(shown, tasks=(task,)))
    app.fleet = app.fleet.with_task(task)
    session = ScriptedSession()
    session.ref = factory.ref_of(1, "web1")
    async with app.run_test(size=(80, 24)) as pilot:
        app.sessions.append(session)
        await go(app, pilot, "hosts")
        await on(app, pilot, "web1")
        await pilot.press("d")
        dialog = cast(ConfirmDialog, on_top(app))
        said = " ".join(dialog.panel.text.split())
        assert "no longer followed when the connection ends: Shut down web-01 (for" in said
        assert "cut off when the connection ends: the console of web-01 serial0." in said
        assert app.recorded.wishes == []
        await pilot.press("y")
        assert app.recorded.wishes == [("host-disconnect", "web1", {})]


# Hosts that come and go


def changed(app: DrivenApp, shown: Fleet, *fresh: str) -> None:
    """Other hosts from now on, those in ``fresh`` made anew."""
    for name, snapshot in shown.hosts.items():
        if name in fresh or name not in app.doubles:
            app.doubles[name] = SnapshotHost(snapshot)
    hosts = {name: app.doubles[name] for name in shown.hosts}
    app.hub.publish(HostsChanged(host="", hosts=hosts))


def renamed(app: DrivenApp, old: str, new: str) -> None:
    """The roster has made a host anew under another name, in the place of the old one."""
    shown = [
        replace(each, name=new) if each.name == old else each for each in app.fleet.hosts.values()
    ]
    changed(app, fleet(*shown), new)
    app.on_arrived()
    app._paint()


@pytest.mark.parametrize("by", ["off", "group", "tag"])
async def test_the_cursor_stays_on_a_host_that_gets_another_name(by: str) -> None:
    app = driven(several())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "hosts")
        for _ in range(("off", "group", "tag").index(by)):
            await pilot.press("b")
        await on(app, pilot, "lab1")
        renamed(app, "lab1", "zoo")
        await pilot.pause()
        assert [ref.host for ref in table(app).targets] == ["zoo"]
        assert "zoo" in line_of(app, "▌")
        await pilot.press("d")
        assert app.recorded.wishes[-1][:2] == ("host-disconnect", "zoo")


async def test_a_mark_stays_on_a_host_that_gets_another_name() -> None:
    app = driven(several())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "lab1")
        await pilot.press("space")
        await on(app, pilot, "web1")
        renamed(app, "lab1", "zoo")
        await pilot.pause()
        assert [ref.host for ref in table(app).targets] == ["zoo"]


async def test_the_cursor_goes_to_no_host_that_was_added_when_another_went() -> None:
    app = driven(several())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "lab1")
        shown = [each for each in app.fleet.hosts.values() if each.name != "lab1"]
        changed(app, fleet(*shown, of("zoo", [])))
        app.on_arrived()
        app._paint()
        await pilot.pause()
        assert table(app).targets[0].host not in ("lab1", "zoo")


async def test_a_host_that_is_added_while_it_runs_is_listed_and_watched() -> None:
    first = host([domain(1, "web-01")])
    app = driven(fleet(first))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        other = host([domain(2, "db-01", host="srv2")], name="srv2")
        changed(app, fleet(first, other))
        app.on_arrived()
        app.show(fleet(first, other))
        await pilot.pause()
        assert "Domains 2 of 2" in screen_text(app)
        assert any(uuid_of(2) in view.domains for view in app.doubles["srv2"].views)


async def test_a_host_that_is_removed_takes_its_domains_and_its_late_news_is_no_news() -> None:
    first = host([domain(1, "web-01")])
    second = host([domain(2, "db-01", host="srv2")], name="srv2")
    app = driven(fleet(first, second))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        changed(app, fleet(first))
        app.publish(fleet(second))
        app.show(fleet(first))
        await pilot.pause()
        assert "Domains 1 of 1" in screen_text(app)
        assert list(app.fleet.hosts) == ["srv1"]


async def test_the_screen_of_a_host_that_is_removed_says_so() -> None:
    app = driven(several())
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "hosts")
        await on(app, pilot, "db1")
        await pilot.press("enter")
        await settle(app, pilot)
        left = {name: each for name, each in several().hosts.items() if name != "db1"}
        changed(app, Fleet(hosts=left))
        app.show(Fleet(hosts=left))
        await pilot.pause()
        assert "It is gone" in screen_text(app)


async def test_the_console_of_a_host_made_anew_waits_for_it_and_that_of_a_removed_one_closes() -> (
    None
):
    first, second = host([domain(1, "web-01")]), host([domain(2, "db-01")], name="srv2")
    app = driven(fleet(first, second))
    async with app.run_test(size=(80, 24)) as pilot:
        staying, going = ScriptedSession(1), ScriptedSession(2)
        going.ref = factory.ref_of(2, "srv2")
        app.sessions += [staying, going]
        changed(app, fleet(first), "srv1")
        app.on_arrived()
        await pilot.pause()
        assert app.sessions == [staying]
        assert "follow" in " ".join(staying.did)
        assert "close" in " ".join(going.did)


async def test_hostile_names_of_a_host_are_drawn_and_not_obeyed() -> None:
    evil = "ev\x1b[2Jil\u202e"
    kept = entry("srv1", group=evil, tags=(evil,))
    snapshot = at(host([], name="srv1"), kept, link=Link.LOST, reason=evil, advice=evil)
    app = driven(fleet(snapshot))
    async with app.run_test(size=(160, 24)) as pilot:
        await go(app, pilot, "hosts")
        assert harmless(screen_text(app))
        await pilot.press("b")
        assert harmless(screen_text(app))
