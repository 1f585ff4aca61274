"""The joint: what comes up reaches the screen, what hangs does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.app import ComposeResult

from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import ACTIONS
from tuivirt.app import checked
from tuivirt.backend.events import LinkChanged, Noticed
from tuivirt.backend.model.fleet import Fleet
from tuivirt.screens.base import FleetScreen
from tuivirt.settings import Settings, load
from tuivirt.widgets.dialogs import MessageDialog

from . import factory
from .driver import DrivenApp, on_top, screen_lines, screen_text, until

SIZE = (80, 24)


class Blank(FleetScreen):
    """A screen that counts what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Fleet] = []

    def compose_body(self) -> ComposeResult:
        return iter(())

    def show_fleet(self, fleet: Fleet) -> None:
        self.given.append(fleet)


async def test_what_a_thread_publishes_is_on_the_screen() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        host = factory.renamed(app.fleet.hosts["srv1"], 1, "renamed-by-event")
        thread = threading.Thread(target=app.publish, args=(factory.fleet(host),))
        thread.start()
        await until(pilot, lambda: "renamed-by-event" in screen_text(app), "its new name")
        thread.join()


async def test_of_many_snapshots_only_the_newest_is_drawn() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        screen = Blank()
        await app.push_screen(screen)
        await pilot.pause()
        screen.given.clear()
        names = [f"name-{number}" for number in range(50)]
        for name in names:
            app.publish(factory.fleet(factory.renamed(factory.sketch().hosts["srv1"], 1, name)))
        app.on_arrived()
        app._paint()
        assert len(screen.given) <= 2
        assert app.fleet.hosts["srv1"].domains[factory.uuid_of(1)].name == names[-1]


async def test_an_answer_for_a_screen_that_is_gone_is_dropped() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        go_on = threading.Event()
        answers: list[Any] = []
        gone, here = Blank(), Blank()
        await app.push_screen(gone)
        gone.look_up("srv1", lambda _host: go_on.wait(10), then=answers.append)
        await app.pop_screen()
        await app.push_screen(here)
        go_on.set()
        here.look_up("srv1", lambda host, more: host.name + more, "!", then=answers.append)
        await until(pilot, lambda: answers, "an answer")
        assert answers == ["srv1!"]


async def test_a_look_up_that_fails_gives_the_error_with_its_words() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        answers: list[Any] = []
        screen = Blank()
        await app.push_screen(screen)

        def fail(_host: Any) -> None:
            raise OSError("disk on fire")

        screen.look_up("srv1", fail, then=answers.append)
        screen.look_up("nowhere", fail, then=answers.append)
        await until(pilot, lambda: len(answers) == 2, "two answers")
        assert all(isinstance(answer, TuivirtError) for answer in answers)
        assert any("disk on fire" in str(answer) for answer in answers)


async def test_leaving_does_not_wait_for_a_call_that_hangs() -> None:
    app = DrivenApp(factory.sketch())
    hang = threading.Event()
    async with app.run_test(size=SIZE) as pilot:
        screen = Blank()
        await app.push_screen(screen)
        screen.look_up("srv1", lambda _host: hang.wait(60), then=lambda _answer: None)
        await pilot.press("ctrl+q")
    assert app.return_code == 0
    assert not hang.is_set()
    hang.set()


async def test_events_are_kept_for_the_events_screen_and_notices_shown() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        app.hub.publish(LinkChanged(host="srv1", link="lost", reason="daemon killed"))
        app.hub.publish(Noticed(host="srv1", text="pool default is full\x1b[31m"))
        await pilot.pause()
        app.on_arrived()
        app._paint()
        assert [type(event) for event in app.events_log] == [LinkChanged, Noticed]
        assert "⚠ pool default is full␛[31m" in screen_text(app)


async def test_keys_are_remapped_by_their_binding_ids() -> None:
    settings = Settings(keys={"start": "f5", "table.down": "n", "sort.name": "Z"})
    app = DrivenApp(factory.sketch(), settings)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("S", "Z", "n")
        table = app.front.table if app.front else None
        assert table is not None
        assert table.rows.sorted_by is not None
        assert table.rows.sorted_by.id == "name"
        table.move_to(factory.ref_of(8))
        await pilot.press("s")
        assert app.recorded.wishes == []
        await pilot.press("f5")
        assert [wish[0] for wish in app.recorded.wishes] == ["start"]


async def test_an_action_without_a_key_can_be_given_one() -> None:
    assert not ACTIONS["managedsave-remove"].key
    settings = Settings(keys={"managedsave-remove": "f6"})
    assert checked(settings).problems == ()
    app = DrivenApp(factory.sketch(), settings)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("f6")
        await pilot.pause()
        assert "Throw its saved memory away: " in screen_text(app)


async def test_every_binding_of_the_list_has_an_id() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        ours = [
            binding
            for node in app.screen._binding_chain[:3]
            for bindings in node[1].key_to_bindings.values()
            for binding in bindings
            if not binding.action.startswith(("screen.copy", "app.focus", "screen.minimize"))
        ]
        assert ours
        assert [binding for binding in ours if not binding.id] == []


async def test_what_is_wrong_in_the_settings_is_said_at_the_start() -> None:
    app = DrivenApp(factory.sketch(), Settings(problems=("config.toml: interval is 'x'",)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "interval is 'x'" in screen_text(app)


async def test_of_several_mistakes_the_first_is_said_and_the_events_have_them_all() -> None:
    settings = Settings(problems=("config.toml: one", "config.toml: two", "config.toml: three"))
    app = DrivenApp(factory.sketch(), settings)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "⚠ config.toml: one (and 2 more, see :events)" in screen_text(app)
        await pilot.press("colon", *"events", "enter")
        await pilot.pause()
        assert all(f"config.toml: {word}" in screen_text(app) for word in ("one", "two", "three"))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"strat": "x"}, "there is no binding strat; did you mean start?"),
        ({"zzz": "x"}, "there is no binding zzz; ? shows the bindings of a screen"),
        (
            {"start": "ctrl+x", "shutdown": "ctrl+x"},
            "ctrl+x is a key of both shutdown and start (domains, a domain, XML): only one",
        ),
        ({"table.down": "down,a"}, "a is a key of both table.down and screen.menu"),
        ({"confirm.yes": "n"}, "n is a key of both confirm.yes and confirm.no (questions"),
        ({"start": "ctrl+q"}, "ctrl+q is a key of both start and app.leave"),
        ({"sort.name": "D"}, "D is a key of both sort.name and sort.disk (domains)"),
    ],
)
def test_keys_that_cannot_be_as_they_were_set_are_told(keys: dict[str, str], told: str) -> None:
    problems = checked(Settings(keys=keys, problems=("before",))).problems
    assert problems[0] == "before"
    assert len(problems) == 2
    assert f"config.toml: [keys] {told}" in problems[1]


@pytest.mark.parametrize(
    "keys",
    [
        {"table.down": "down,n"},  # n is a page's key, and no page has the focus with a table.
        {"start": "x", "shutdown": "s"},
        {"screen.command": "f2", "app.leave": "ctrl+x", "confirm.yes": "j", "bar.submit": "f3"},
        {},
    ],
)
def test_keys_that_are_right_are_no_problem(keys: dict[str, str]) -> None:
    assert checked(Settings(keys=keys)).problems == ()


async def test_the_console_gets_the_terminal_and_its_end_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = DrivenApp(factory.sketch())
    lent: list[str] = []

    @contextmanager
    def suspend() -> Iterator[None]:
        lent.append("suspended")
        yield
        lent.append("back")

    def attach(run: Any, domain: Any, **values: Any) -> str:
        lent.append(f"{domain.name} on {run.host.name}")
        return "left the console of web-01"

    monkeypatch.setattr(app, "suspend", suspend)
    action = ACTIONS["console"]
    original = action.function
    object.__setattr__(action, "function", attach)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert app.front is not None
            assert app.front.table is not None
            app.lend_console(factory.ref_of(1), "serial0")
            await pilot.pause()
            assert lent == ["suspended", "web-01 on srv1", "back"]
            assert "left the console of web-01" in screen_text(app)
    finally:
        object.__setattr__(action, "function", original)


async def test_an_error_is_told_with_what_why_the_code_and_the_advice() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        app.tell_error(TuivirtError("cannot start web-01", "no \x1bmemory", "stop one", code=38))
        await pilot.pause()
        assert isinstance(app.screen, MessageDialog)
        text = screen_text(app)
        for part in ("cannot start web-01", "no ␛memory (libvirt error 38)", "Stop one"):
            assert part in text
        await pilot.press("escape")
        assert on_top(app) is app.front


async def test_a_plain_notice_goes_after_a_while_and_an_error_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tuivirt.app.NOTICE_S", -1.0)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for severity, shown in (("information", False), ("error", True)):
            app.say("said just now", severity)
            app._age()
            app._age()
            assert ("said just now" in screen_text(app)) is shown


async def test_without_colours_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space", "ctrl+k")
        await pilot.pause()
        assert "▌  run" in screen_text(app)
        assert "[ y force off ]" in screen_text(app)
        styles = [s.style for strip in app.screen._compositor.render_strips() for s in strip]
        colours = {style.color.name for style in styles if style and style.color}
        assert colours <= {"default"}


async def test_on_the_last_screen_back_says_how_to_leave() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("q")
        assert "ctrl+q leaves" in screen_text(app)


async def test_a_terminal_that_becomes_smaller_is_drawn_anew() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        assert "WRITE" in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        lines = screen_lines(app)
        assert len(lines) == 24
        assert max(map(len, lines)) <= 80
        assert "DISK" in lines[2]
        assert lines[-1].endswith("q back")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("interval = 'fast'", "interval is 'fast'"),
        ("interval = 0.1", "not between 0.5 and 60"),
        ("interval = true", "not a number"),
        ("ascii = 3", "neither true nor false"),
        ("slow = 'yes'", "neither true nor false"),
        ("keys = 7", "not a table"),
        ("[keys]\nstart = 5", "the key of start is 5"),
        ("colour = 1", "colour is not a setting"),
        ("interval = = 2", "line 1"),
    ],
)
def test_a_mistake_in_the_settings_is_told_and_the_default_holds(
    tmp_path: Path, written: str, told: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(written)
    settings = load(path)
    assert any(told in problem for problem in settings.problems)
    assert replace(settings, problems=()) == Settings()


def test_one_mistake_in_the_settings_does_not_lose_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('interval = 5\nascii = "x"\n[keys]\n"table.down" = "n, down"\nstart = 1\n')
    settings = load(path)
    assert settings.interval == 5.0
    assert settings.keys == {"table.down": "n,down"}
    assert len(settings.problems) == 2


def test_no_settings_are_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings()
