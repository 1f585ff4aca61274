"""The events, the tasks and the help, driven by keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tuivirt.actions.registry import ACTIONS
from tuivirt.backend.events import (
    DomainEvent,
    Event,
    LinkChanged,
    NetworkEvent,
    NodeDeviceEvent,
    PoolEvent,
    TaskChanged,
)
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task, TaskState
from tuivirt.screens.domain import DomainScreen
from tuivirt.screens.events import EventsScreen
from tuivirt.screens.help import HelpScreen, key_words, virsh_words
from tuivirt.screens.host import HostScreen
from tuivirt.screens.networks import NetworkScreen
from tuivirt.settings import Settings
from tuivirt.widgets.page import Page

from . import factory, things
from .driver import DrivenApp, check_golden, screen_lines, screen_text
from .factory import HOST, uuid_of
from .things import SIZES, WEB, driven, go, harmless, settle, size_name

DAY = 86400.0


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    things.answer(monkeypatch, domain_detail=things.DETAIL)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def web_event(what: str, at: float = DAY, **more: Any) -> DomainEvent:
    values: dict[str, Any] = {"family": "lifecycle", "name": "web-01", "key": uuid_of(1)}
    return DomainEvent(host=HOST, at=at, what=what, **(values | more))


EVENTS: tuple[Event, ...] = (
    LinkChanged(host=HOST, at=DAY, link="connected"),
    web_event("started (booted)", DAY + 5),
    web_event("added", DAY + 6, family="device-added", detail={"alias": "virtio-disk2"}),
    NetworkEvent(
        host=HOST, at=DAY + 7, family="lifecycle", what="started", name="lab", key=uuid_of(2)
    ),
    PoolEvent(
        host=HOST, at=DAY + 8, family="refresh", what="refreshed", name="images", key=uuid_of(1)
    ),
    NodeDeviceEvent(
        host=HOST, at=DAY + 9, family="lifecycle", what="created", name="usb_1_2", key="usb_1_2"
    ),
    web_event("crashed (panicked)", DAY + 10),
    LinkChanged(host=HOST, at=DAY + 11, link="lost", reason="End of file while reading data"),
)


def publish(app: DrivenApp, *events: Event) -> None:
    for event in events:
        app.hub.publish(event)
    app.show(app.fleet)


def task(number: int, state: TaskState, **more: Any) -> Task:
    values: dict[str, Any] = {
        "action": "attach-disk",
        "target": WEB,
        "target_name": "web-01",
        "started": DAY * number,
        "ended": None if state in (TaskState.RUNNING, TaskState.PENDING) else DAY * number + 3,
        "virsh": "virsh attach-disk web-01 /x vdb --live",
    }
    return Task(id=number, state=state, **(values | more))


def tell(app: DrivenApp, *tasks: Task) -> None:
    publish(app, *(TaskChanged(host=HOST, task=t) for t in tasks))


TASKS = (
    task(1, TaskState.DONE, action="start", text="web-01 runs", virsh="virsh start web-01"),
    task(
        2,
        TaskState.FAILED,
        text="cannot attach /x to web-01: target vdb already exists (libvirt error 1)",
        advice="choose another target",
    ),
)


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_the_events_look_as_drawn(size: tuple[int, int]) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        publish(app, *EVENTS)
        await go(app, pilot, "events")
        check_golden(f"events-{size_name(size)}", screen_text(app))


@pytest.mark.parametrize("size", SIZES, ids=size_name)
async def test_the_tasks_look_as_drawn(size: tuple[int, int]) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        tell(app, *TASKS)
        await go(app, pilot, "job")
        check_golden(f"tasks-{size_name(size)}", screen_text(app))


async def test_an_event_appears_at_once_on_top_with_time_object_and_detail() -> None:
    app = driven()
    async with app.run_test(size=(160, 24)) as pilot:
        await go(app, pilot, "events")
        assert "Nothing happened yet." in screen_text(app)
        publish(app, *EVENTS[:2])
        await pilot.pause()
        publish(app, EVENTS[2])
        await pilot.pause()
        first = screen_lines(app)[4]
        for word in ("02 Jan 00:00", HOST, "web-01", "device-added", "alias=virtio-disk2"):
            assert word in first
        assert "started (booted)" in screen_lines(app)[5]


async def test_bad_news_is_marked_by_a_sign_too() -> None:
    app = driven()
    async with app.run_test(size=(120, 24)) as pilot:
        publish(app, *EVENTS)
        await go(app, pilot, "events")
        text = screen_text(app)
        assert "⚠ crashed (panicked)" in text
        assert "✗ lost" in text


async def test_held_still_the_list_stays_counts_what_is_new_and_shows_it_when_let_go() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        publish(app, *EVENTS[:2])
        await go(app, pilot, "events")
        await pilot.press("p")
        # The clock was set back meanwhile.
        publish(app, web_event("suspended (paused)", DAY - 3600))
        await pilot.pause()
        assert "suspended" not in screen_text(app)
        assert "held still; 1 new since" in screen_text(app)
        await pilot.press("p")
        await pilot.pause()
        assert "suspended" in screen_text(app)
        assert "live" in screen_lines(app)[1]


async def test_at_the_top_one_reads_along_and_elsewhere_the_cursor_stays_on_its_event() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        publish(app, *EVENTS[:3])
        await go(app, pilot, "events")

        def under_the_cursor() -> str:
            return next(line for line in screen_lines(app) if line.startswith("▌"))

        publish(app, EVENTS[3])
        await pilot.pause()
        assert "lab" in under_the_cursor()
        await pilot.press("j")
        before = under_the_cursor()
        publish(app, EVENTS[4])
        await pilot.pause()
        assert under_the_cursor() == before


async def test_events_can_be_filtered_and_their_object_opened() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        publish(app, *EVENTS)
        await go(app, pilot, "events")
        await pilot.press("slash", *"lab", "enter")
        await pilot.pause()
        assert "Events 1 of 8" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.front, NetworkScreen)


async def test_hostile_events_and_tasks_are_drawn_and_not_obeyed() -> None:
    app = driven()
    evil = things.HOSTILE
    async with app.run_test(size=(80, 24)) as pilot:
        publish(app, web_event(evil, name=evil, detail={"x": evil}))
        tell(app, task(1, TaskState.FAILED, text=evil, advice=evil, target_name=evil, virsh=evil))
        await go(app, pilot, "events")
        assert harmless(screen_text(app))
        await go(app, pilot, "job")
        assert harmless(screen_text(app))


async def test_the_task_under_the_cursor_is_told_in_full_with_advice_and_virsh() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, *TASKS)
        await go(app, pilot, "job")
        text = screen_text(app)
        assert "already exists (libvirt" in text
        assert "choose another target" in text
        assert "virsh attach-disk web-01 /x vdb --live" in text
        await pilot.press("j")
        await pilot.pause()
        assert "virsh start web-01" in screen_text(app)


async def test_a_long_task_is_told_beside_its_scroll_bar_whole_and_scrolls_by_keys() -> None:
    app = driven()
    words = " ".join(f"word{number:02}" for number in range(60))
    command = "virsh migrate web-01 qemu+ssh://" + "".join(f"{number:04}" for number in range(50))
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, TASKS[0], task(2, TaskState.FAILED, text=words, virsh=command))
        await go(app, pilot, "job")
        await pilot.pause()
        page = app.screen.query_one("#task", Page)
        seen = [line.text for line in map(page.render_line, range(page.size.height))]
        assert page.show_vertical_scrollbar
        for _ in range(len(page.lines)):
            await pilot.press("shift+down")
            await pilot.pause()
            seen.append(page.render_line(page.size.height - 1).text)
        # The bar stands on the last column: nothing may be told there.
        assert all(len(line) == 80 and line.endswith(" ") for line in seen)
        told = "".join("".join(line.split()) for line in dict.fromkeys(seen))
        assert words.replace(" ", "") in told
        assert command.replace(" ", "") in told
        assert "shift+↓↑ scroll text" in screen_lines(app)[-1]

        await pilot.press("shift+up")
        await pilot.pause()
        assert page.scroll_offset.y > 0
        await pilot.press("j", "k")
        await pilot.pause()
        assert page.scroll_offset.y == 0


async def test_with_several_hosts_a_tasks_object_is_told_with_its_own_at_80_columns() -> None:
    there = WEB._replace(host="srv2")
    app = driven(factory.fleet(things.everything(), factory.host([], name="srv2")))
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, TASKS[0], task(2, TaskState.DONE, text="web-01 is off", target=there))
        assert "web-01@srv2 is off" in screen_text(app)
        await go(app, pilot, "job")
        text = screen_text(app)
        assert "web-01@srv1 " in text
        assert "web-01@srv2 " in text
        app.front.set_filter("web-01@srv2")  # type: ignore[union-attr]
        assert "Tasks 1 of 2" in screen_text(app)


async def test_with_several_hosts_an_event_is_told_with_its_own_at_80_columns() -> None:
    app = driven(factory.fleet(things.everything(), factory.host([], name="srv2")))
    async with app.run_test(size=(80, 24)) as pilot:
        publish(
            app,
            DomainEvent(host="srv2", family="lifecycle", what="started", name="web-01", key="1"),
        )
        await go(app, pilot, "event")
        await settle(app, pilot)
        assert "@srv2: started" in screen_text(app)


async def test_enter_opens_what_a_task_is_about_or_says_why_it_does_not() -> None:
    for target, opened in (
        (WEB, DomainScreen),
        (Ref(HOST, Kind.HOST, HOST), HostScreen),
        (Ref("", Kind.HOST, ""), "a host is found in its list"),
        (Ref(HOST, Kind.VOLUME, "/images/x"), "a volume is found in its list"),
        (Ref("gone", Kind.HOST, "gone"), "host gone is not there any more"),
    ):
        app = driven()
        async with app.run_test(size=(80, 24)) as pilot:
            tell(app, task(1, TaskState.DONE, action="evacuate", target=target))
            await go(app, pilot, "job")
            here = app.front
            await pilot.press("enter")
            await pilot.pause()
            if isinstance(opened, str):
                assert app.front is here
                assert opened in screen_text(app)
            else:
                assert isinstance(app.front, opened)


async def test_running_tasks_stand_on_top_with_their_progress() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, *TASKS, task(3, TaskState.RUNNING, fraction=0.5, text="copying", abortable=True))
        await go(app, pilot, "job")
        first = screen_lines(app)[3]
        for word in ("running", "Attach a disk", "██░░  50%", "copying"):
            assert word in first


async def test_aborting_asks_first_and_enter_alone_aborts_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    aborted: list[int] = []
    monkeypatch.setattr(app, "abort", aborted.append)
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, task(7, TaskState.RUNNING, abortable=True))
        await go(app, pilot, "job")
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert "stays done" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert aborted == []
        await pilot.press("ctrl+k", "y")
        await pilot.pause()
        assert aborted == [7]


async def test_a_task_that_has_ended_cannot_be_aborted() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, TASKS[0])
        await go(app, pilot, "job")
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert "this task has ended" in screen_text(app)


async def test_l_shows_what_happened_to_the_object_under_the_cursor() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.front is not None
        assert app.front.table is not None
        app.front.table.move_to(factory.ref_of(1))
        for number, name in ((1, "web-01"), (2, "db-01")):
            app.hub.publish(
                DomainEvent(
                    host=HOST, family="lifecycle", what="started", name=name, key=uuid_of(number)
                )
            )
        await pilot.press("l")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.front, EventsScreen)
        assert "Events 1 of 2   /web-01" in screen_text(app)


async def test_a_name_with_a_tags_or_a_hosts_sign_in_it_is_looked_for_as_it_is() -> None:
    names = ("vm #1 @x", "vm #2 @x")
    domains = [factory.domain(number, name) for number, name in enumerate(names, 1)]
    app = DrivenApp(factory.fleet(factory.host(domains)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for number, name in enumerate(names, 1):
            publish(app, web_event("started", name=name, key=uuid_of(number)))
        await pilot.press("l")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.front, EventsScreen)
        assert r"Events 1 of 2   /vm \#1 \@x" in screen_text(app)


async def test_enter_on_a_task_opens_what_it_was_about() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        tell(app, *TASKS)
        await go(app, pilot, "job")
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.front, DomainScreen)


async def test_help_is_about_where_one_stands_and_names_the_virsh_command() -> None:
    app = driven()
    async with app.run_test(size=(120, 60)) as pilot:
        await go(app, pilot, "net")
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.front, HelpScreen)
        lines = screen_lines(app)
        assert "virtual networks of libvirt" in lines[1]
        for action in ACTIONS.values():
            if action.object == "network":
                line = next(line for line in lines if action.title in line)
                assert virsh_words(action.virsh) in line
        assert not any("virsh start NAME" in line for line in lines)
        assert any(":pools" in line for line in lines)
        await pilot.press("q")
        await pilot.pause()
        assert "Networks 3 of 3" in screen_text(app)


async def test_help_tells_the_keys_of_the_screen_and_of_its_table_with_their_ids() -> None:
    app = driven()
    async with app.run_test(size=(120, 90)) as pilot:
        await go(app, pilot, "dev")
        await pilot.press("question_mark")
        await pilot.pause()
        text = screen_text(app)
        for words in ("Show USB", "Mark a range", "Refresh now", "ctrl+r"):
            assert words in text
        lines = text.splitlines()
        for id, keys in (
            ("screen.back", "q"),
            ("screen.escape", "esc"),
            ("table.first", "g"),
            ("app.leave", "ctrl+q"),
        ):
            (line,) = [line for line in lines if line.endswith(f" {id}")]
            assert keys in line.split()


async def test_help_tells_the_keys_that_the_operator_has_set() -> None:
    app = DrivenApp(factory.sketch(), Settings(keys={"start": "f5,f6", "table.first": "f7"}))
    async with app.run_test(size=(120, 150)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        lines = [line.split() for line in screen_lines(app)]
        assert ["f5", "f6", "Start", "virsh", "start", "NAME"] in lines
        assert ["f7", "First", "table.first"] in lines


async def test_help_is_silent_about_the_key_of_an_action_without_one() -> None:
    app = driven()
    async with app.run_test(size=(120, 90)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        (line,) = [line for line in screen_lines(app) if "Throw its saved memory away" in line]
        assert line.split()[0] == "Throw"


async def test_help_can_be_searched() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.press("slash", *"where : leads", "enter")
        await pilot.pause()
        assert "hit 1 of 1" in screen_text(app)
        assert "Where : leads" in screen_text(app)


def test_keys_are_written_as_on_a_keyboard() -> None:
    assert key_words(["colon"]) == ":"
    assert key_words(["ctrl+k", "enter", "plus"]) == "ctrl+k  ⏎  +"
    assert key_words(["ctrl+space", "ctrl+@"]) == "ctrl+space"


def test_a_virsh_command_is_written_as_in_a_manual_page() -> None:
    template = "virsh attach-disk {name} {source} {target|TARGET}[ --type {type}] {when}"
    assert virsh_words(template) == "virsh attach-disk NAME SOURCE TARGET WHEN"
