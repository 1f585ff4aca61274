"""In ASCII, slowly, without colours: what is drawn and sent then."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tuivirt.backend.events import DomainEvent, SnapshotChanged, TaskChanged
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Sampling
from tuivirt.backend.model.task import Task
from tuivirt.backend.model.terminal import Row
from tuivirt.backend.terminal.emulator import GhosttyEmulator
from tuivirt.screens.line_time import AGAIN_S, QUESTION, SLOW_S, LineTime
from tuivirt.screens.painting import EVENT_PAINT_S, PAINT_EVERY_S, SLOWEST_S
from tuivirt.settings import Settings
from tuivirt.widgets.ascii import TABLE
from tuivirt.widgets.sent_cells import SentCells
from tuivirt.widgets.text import width_of

from . import factory, processors, things
from .consoles import ScriptedSession
from .driver import DrivenApp, check_golden, on_top, screen_lines, screen_text, sent_bytes, until
from .test_console import opened as console_opened
from .test_console import says
from .test_grouping import labelled
from .things import driven, settle

ASCII = Settings(ascii=True)
SLOW = Settings(slow=True)
SMALL, LARGE = (80, 24), (160, 50)


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(
        monkeypatch,
        domain_detail=things.DETAIL,
        volumes=things.VOLUMES,
        xml_of="<network>\n  <name>default</name>\n</network>\n",
        processing=processors.PROCESSING,
        host_topology=processors.machine(),
    )


def strays(app: DrivenApp) -> list[str]:
    return [line for line in screen_lines(app) if not line.isascii()]


WALK: tuple[tuple[str, ...], ...] = (
    (),
    ("j", "space", "slash", *"web"),
    ("escape", "b"),
    ("enter",),
    ("b", "b"),
    *((f":{room}",) for room in ("network", "pool", "device", "host")),
    ("enter",),
    ("escape", "j", "j", "b", "b"),
    (":net", "enter"),
    ("escape", "y"),
    (":pool", "enter"),
    (":dev", "3", "enter"),
    (":event",),
    (":job",),
    ("question_mark",),
    (":dom", "enter"),
    *((key,) for key in "1234567"),
    ("a",),
    ("escape", "q", "ctrl+k"),
    ("escape", "ctrl+p"),
    ("escape", ":attach-disk"),
    ("escape", ":attach-rng"),
    ("escape", ":set-vcpus"),
    ("escape", "colon", *"set-"),
)
"""Keys, and words after a colon, that lead from each screen to the next."""


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
async def test_on_a_walk_through_all_screens_all_cells_are_ascii(size: tuple[int, int]) -> None:
    shown = Fleet(hosts={"srv1": things.everything(), "srv2": things.unreachable()})
    app = driven(shown, ASCII)
    seen: set[str] = set()
    async with app.run_test(size=size) as pilot:
        for keys in WALK:
            for key in keys:
                if key[0] == ":":
                    app.go(key[1:])
                else:
                    await pilot.press(key)
            await settle(app, pilot)
            assert strays(app) == [], keys
            seen.add(type(on_top(app)).__name__)
    assert len(seen) > 12, seen


async def test_all_marks_are_as_wide_as_what_stands_for_them() -> None:
    assert {width_of(chr(code)) for code in TABLE} == {1}
    assert {len(each) for each in TABLE.values()} == {1}
    assert all(each.isascii() for each in TABLE.values())


async def test_a_list_a_form_and_a_dialog_look_as_drawn_in_ascii() -> None:
    app = driven(labelled(), ASCII)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("b", "b", "j", "space")
        await pilot.pause()
        check_golden("ascii-list-80x24", screen_text(app))
        await pilot.press("ctrl+k")
        await pilot.pause()
        check_golden("ascii-dialog-80x24", screen_text(app))
        await pilot.press("escape", "escape", "colon", *"set-group", "enter")
        await until(pilot, lambda: "In use: build, shop" in screen_text(app), "the groups")
        check_golden("ascii-form-80x24", screen_text(app))


async def test_a_guests_own_name_stays_as_it_is() -> None:
    shown = Fleet(hosts={"srv1": factory.renamed(factory.sketch().hosts["srv1"], 1, "名前-é")})
    app = driven(shown, ASCII)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert [line for line in strays(app) if "名前-é" not in line] == []
        assert len(strays(app)) == 1


async def test_what_the_guest_draws_in_its_console_stays_and_the_frame_is_ascii(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = ScriptedSession(), ScriptedSession(number=2)
    async with console_opened(monkeypatch, one, two, size=LARGE, settings=ASCII) as (app, pilot, _):
        assert strays(app) == []
        await says(app, pilot, one, "┌─┐ …")
        assert any("┌─┐ …" in line for line in screen_lines(app))
        assert len(strays(app)) == 1


def colours(sent: str) -> set[str]:
    """The SGR parameters that choose a colour."""
    given = {part for each in re.findall(r"\x1b\[([\d;]*)m", sent) for part in each.split(";")}
    return {part for part in given if re.fullmatch(r"[34]\d|9\d|10[0-7]", part)}


def whole(app: DrivenApp) -> str:
    """What is sent when all is drawn anew."""

    def draw() -> None:
        for each in app.screen.walk_children(Widget):
            each.refresh()

    return sent_bytes(app, draw)


@pytest.mark.parametrize("settings", [Settings(), ASCII, SLOW], ids=("plain", "ascii", "slow"))
async def test_no_colour_is_sent_where_none_is_wanted(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = driven(None, settings)
    async with app.run_test(size=SMALL) as pilot:
        for keys in ((), ("space", "ctrl+k"), ("escape", "escape", "enter"), ("4",)):
            await pilot.press(*keys)
            await settle(app, pilot)
            sent = whole(app)
            assert "\x1b[" in sent
            assert colours(sent) == set()


def ticked(shown: Fleet) -> Fleet:
    """The same a tick later: each guest that runs does more, and its little bars move on."""
    host = shown.hosts["srv1"]
    later = {
        uuid: factory.stats((each.cpu_percent or 0) + 7, cpu_history=b"\x05\x60" * 20)
        for uuid, each in host.domain_stats.items()
    }
    return Fleet(hosts={**shown.hosts, "srv1": replace(host, domain_stats=later)})


async def bytes_of_a_tick(settings: Settings) -> int:
    app = driven(factory.sketch(), settings)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        return len(sent_bytes(app, lambda: app.show(ticked(factory.sketch()))).encode())


async def test_a_tick_on_a_slow_line_is_at_most_three_quarters_of_the_bytes() -> None:
    assert await bytes_of_a_tick(SLOW) <= await bytes_of_a_tick(Settings()) * 3 / 4


async def test_slowly_there_are_no_bars_and_charts_and_all_figures() -> None:
    app = driven(None, SLOW)
    async with app.run_test(size=LARGE) as pilot:
        for keys in ((), ("enter",), ("escape", "colon", *"host", "enter"), ("enter",)):
            await pilot.press(*keys)
            await settle(app, pilot)
            assert not set(screen_text(app)) & set("▁▂▃▄▅▆▇⣿┤"), keys
            assert re.search(r"CPU", screen_text(app))


async def test_slowly_only_an_alarm_has_a_colour_and_is_bold() -> None:
    app = driven(factory.sketch(), SLOW)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        sent = whole(app)
        assert colours(sent) == {"31", "33"}
        assert re.search(r"\x1b\[1;31mstalled", sent)
        assert not re.search(r"\x1b\[3\dm", sent)


async def test_slowly_figures_are_drawn_once_a_second_and_what_happens_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven(factory.sketch(), SLOW)
    web = factory.ref_of(1)
    task = Task(1, "migrate", web, "web-01", 0.0, fraction=0.5)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        planned: list[float] = []
        monkeypatch.setattr(app._painting, "plan", planned.append)
        for news in (
            SnapshotChanged(host="srv1", snapshot=app.fleet.hosts["srv1"]),
            TaskChanged(host="srv1", task=task),
            TaskChanged(host="srv1", task=replace(task, fraction=None)),
            DomainEvent(
                host="srv1", family="lifecycle", what="started", name="web-01", key=web.key
            ),
        ):
            app._inbox.put(news)
            app.on_arrived()
        assert planned == [SLOWEST_S, SLOWEST_S, PAINT_EVERY_S, EVENT_PAINT_S]


async def test_slow_can_be_turned_on_and_off_while_it_runs() -> None:
    app = driven(factory.sketch())
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        before = screen_lines(app)
        await pilot.press("colon", *"slow o", "tab", "enter")
        await pilot.pause()
        assert app.slow
        assert "once a second" in screen_text(app)
        assert not set(screen_text(app)) & set("▁▂▃▄▅▆▇█")
        await pilot.press("colon", *"slow off", "enter")
        await pilot.pause()
        assert not app.slow
        assert screen_lines(app)[:40] == before[:40]
        await pilot.press("colon", *"slow down", "enter")
        assert ":slow on sends less" in screen_text(app)


class Terminal:
    """Answers when it is told to; the time is made."""

    def __init__(self, app: DrivenApp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.asked = 0
        self.now = 1000.0
        monkeypatch.setattr("tuivirt.screens.line_time.monotonic", lambda: self.now)
        LineTime(app, self.write)

    def write(self, data: str) -> None:
        assert data == QUESTION
        self.asked += 1

    def hears(self, event: events.Event, after_s: float) -> None:
        self.now += after_s
        event.time = self.now
        if self.app.overhear is not None:
            self.app.overhear(event)

    def answers(self, after_s: float) -> None:
        self.hears(events.CursorPosition(0, 0), after_s)


async def test_a_line_that_was_slow_twice_is_told_once_with_what_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        terminal = Terminal(app, monkeypatch)
        terminal.answers(0.9)
        assert app.notice[0] == ""
        assert terminal.asked == 2, "one long answer may be a hitch"
        terminal.answers(0.41)
        await pilot.pause()
        assert "this line takes 0.4 s there and back: :slow on sends less" in screen_text(app)
        app.say("")
        terminal.hears(events.Key("j", "j"), 2 * AGAIN_S)
        await pilot.pause()
        assert (terminal.asked, app.notice[0]) == (2, "")


async def test_a_quick_line_is_timed_again_with_a_key_that_moves_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    async with app.run_test(size=SMALL) as pilot:
        terminal = Terminal(app, monkeypatch)
        terminal.answers(SLOW_S)
        for key, after_s, asked in (
            ("j", 1.0, 1),
            ("e", AGAIN_S, 1),
            ("j", 1.0, 2),
            ("j", 2 * AGAIN_S, 2),
        ):
            terminal.hears(events.Key(key, key), after_s)
            await pilot.pause()
            assert terminal.asked == asked, "not by a key that may leave, nor while one waits"
        assert app.notice[0] == ""


async def test_a_terminals_answer_reaches_no_widget_and_no_guest() -> None:
    app = driven()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        asked: list[str] = []
        LineTime(app, asked.append)
        before = screen_text(app)
        app.post_message(events.CursorPosition(3, 4))
        await pilot.pause()
        await pilot.pause()
        assert asked == [QUESTION]
        assert screen_text(app) == before


@pytest.mark.parametrize(
    ("round_trip_s", "told"),
    [(0.0523, "there and back    52 ms"), (0.00027, "0.27 ms"), (None, "")],
)
async def test_a_host_tells_how_long_its_own_line_takes(
    round_trip_s: float | None, told: str
) -> None:
    sampling = Sampling(round_trip_s=round_trip_s)
    app = driven(Fleet(hosts={"srv1": replace(things.everything(), sampling=sampling)}))
    async with app.run_test(size=LARGE) as pilot:
        app.go("host")
        await pilot.press("enter")
        await settle(app, pilot)
        assert told in screen_text(app)
        assert ("there and back" in screen_text(app)) is (round_trip_s is not None)
        assert "this line takes" not in screen_text(app), "that is another line"


class Behind:
    """The terminal at the other end: an emulator that is fed what is sent."""

    def __init__(self, app: DrivenApp) -> None:
        self._app = app
        self._emulator = GhosttyEmulator(*SMALL)
        self._rows: dict[int, Row] = {}
        self._console = Console(force_terminal=True, color_system="standard", legacy_windows=False)

    def draws(self, *, full: bool = True) -> int:
        """All pending, or the whole screen once more; how many bytes that took."""
        app = self._app
        update: Any = app.screen._compositor.render_update(
            full=full, screen_stack=app._background_screens
        )
        sent = update.render_segments(self._console).encode() if update is not None else b""
        self._emulator.feed(sent)
        return len(sent)

    @property
    def lines(self) -> list[str]:
        self._rows.update(self._emulator.frame().rows)
        rows = (self._rows.get(number, ()) for number in range(SMALL[1]))
        return ["".join(run.text for run in row).rstrip() for row in rows]


async def test_slowly_the_terminal_shows_all_though_only_what_differs_is_sent() -> None:
    wide = factory.renamed(factory.sketch().hosts["srv1"], 3, "日本語サーバー")
    app = driven(Fleet(hosts={"srv1": wide}), SLOW)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        behind = Behind(app)
        first = behind.draws()
        assert behind.lines == screen_lines(app)
        assert behind.draws() == 0, "nothing differs"
        for keys, part in (
            (("j", "space"), 0.2),
            (("N",), 1.0),
            (("ctrl+k",), 0.6),
            (("escape",), 0.6),
            (("question_mark",), 2.0),
            (("q",), 1.5),
            (("enter",), 2.0),
            (("q",), 1.5),
            (("slash", *"本"), 1.0),
            (("escape",), 1.0),
        ):
            await pilot.press(*keys)
            await settle(app, pilot)
            assert behind.draws() < part * first, keys
            assert behind.lines == screen_lines(app), keys
        app.show(ticked(Fleet(hosts={"srv1": wide})))
        await pilot.pause()
        behind.draws()
        assert behind.lines == screen_lines(app)


async def test_slowly_all_is_sent_again_once_somebody_else_had_the_terminal() -> None:
    app = driven(factory.sketch(), SLOW)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        behind = Behind(app)
        first = behind.draws()
        app._resume_signal()
        await pilot.pause()
        assert behind.draws() == first
        await pilot.resize_terminal(*LARGE)
        await pilot.pause()
        assert behind.draws() > first
        await pilot.press("colon", *"slow on", "enter")
        await pilot.pause()
        assert behind.draws() > first


async def test_the_half_of_a_wide_character_is_never_sent_alone() -> None:
    sent = SentCells()
    for text, parts in (
        ("a日本b", [(0, "a日本b")]),
        ("a日本b", []),
        ("ab 本b", [(1, "b ")]),
        ("a日本b", [(1, "日")]),
        ("日b本b", [(0, "日b")]),
        ("e\u0301b 本b"[:-1], [(0, "e\u0301b ")]),
    ):
        found = sent.differing(0, 0, Strip([Segment(text)]))
        assert [(x, part.text) for x, part in found] == parts, text
