"""The screen of consoles: what is drawn, where keys, pastes and the mouse go, and its menu."""

from __future__ import annotations

import os
import re
import resource
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from tuivirt.actions import consoles
from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.console import ConsoleState, Sending
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.terminal import MouseReports
from tuivirt.screens import console_lines
from tuivirt.screens.console import ConsoleScreen
from tuivirt.settings import Settings
from tuivirt.widgets.dialogs import ConfirmDialog, MessageDialog
from tuivirt.widgets.terminal import TerminalPane

from . import factory
from .consoles import ScriptedSession
from .driver import DrivenApp, check_golden, screen_lines, screen_text, sent_bytes, until

SHELL = "\x1b[1mweb-01\x1b[m login: root\r\n\x1b[32mroot@web-01\x1b[m:~# "
PREFIX = "ctrl+right_square_bracket"


@asynccontextmanager
async def opened(
    monkeypatch: pytest.MonkeyPatch,
    *sessions: ScriptedSession,
    size: tuple[int, int] = (80, 24),
    settings: Settings | None = None,
) -> AsyncIterator[tuple[DrivenApp, Pilot[Any], ConsoleScreen]]:
    """The screen with these consoles; the first is the one that ``c`` opened."""
    first = sessions[0]
    monkeypatch.setattr(consoles, "open_console", lambda *_: first)
    app = DrivenApp(factory.sketch(), settings)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.sessions.extend(sessions[1:])
        app.open_console(first.ref, {})
        screen = app.screen
        assert isinstance(screen, ConsoleScreen)
        await until(pilot, lambda: screen.session is first, "the console is shown")
        yield app, pilot, screen


async def says(app: DrivenApp, pilot: Pilot[Any], session: ScriptedSession, text: str) -> None:
    """The guest prints, and that is drawn."""
    session.says(text)
    screen = app.screen
    assert isinstance(screen, ConsoleScreen)
    await pilot.pause()
    for slot in screen.panes.slots:
        slot.paint()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_console_stands_between_two_lines(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one, size=size) as (app, pilot, _):
        await says(app, pilot, one, SHELL)
        check_golden(f"console-{size[0]}x{size[1]}", screen_text(app))


async def test_only_what_changed_goes_down_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, screen):
        await says(app, pilot, one, SHELL)

        def print_one() -> None:
            one.says("x")
            screen.panes.slot.paint()

        sent = sent_bytes(app, print_one)
        assert "x" in sent
        assert len(sent) < 160  # A row and no more.


async def test_every_key_is_the_guests_in_the_way_it_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await pilot.press("a", "colon", "slash", "question_mark", "escape", "q")
        assert one.typed == b"a:/?\x1bq"
        one.typed = b""
        await pilot.press("ctrl+q", "ctrl+c", "ctrl+z", "ctrl+p", "enter", "tab", "backspace")
        assert one.typed == b"\x11\x03\x1a\x10\r\t\x7f"
        one.typed = b""
        await pilot.press("up", "f1", "f5", "shift+f5", "home", "alt+x")
        assert one.typed == b"\x1b[A\x1bOP\x1b[15~\x1b[15;2~\x1b[H\x1bx"
        one.says("\x1b[?1h")
        one.typed = b""
        await pilot.press("up")
        assert one.typed == b"\x1bOA"
        assert isinstance(app.screen, ConsoleScreen)


async def test_the_menu_is_behind_one_key_and_twice_that_key_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, screen):
        await says(app, pilot, one, SHELL)
        await pilot.press(PREFIX)
        check_golden("console-menu-80x24", screen_text(app))
        await pilot.press("escape")
        assert app.screen is screen
        await pilot.press(PREFIX, PREFIX)
        assert app.screen is app.front is not screen
        assert "the console stays open" in screen_text(app)
        assert one.did == []
        assert one.typed == b""


async def test_another_key_of_the_settings_opens_the_menu_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    settings = Settings(keys={"console.prefix": "ctrl+t"})
    async with opened(monkeypatch, one, settings=settings) as (app, pilot, screen):
        assert "ctrl+t menu" in screen_lines(app)[0]
        await pilot.press(PREFIX)
        assert one.typed == b"\x1d"
        await pilot.press("ctrl+t", "ctrl+t")
        assert app.front is not screen


async def test_that_other_key_can_be_sent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    settings = Settings(keys={"console.prefix": "ctrl+t"})
    async with opened(monkeypatch, one, settings=settings) as (app, pilot, screen):
        await pilot.press("ctrl+t", "k", "ctrl+t")
        assert one.typed == b"\x14"
        await pilot.press("ctrl+t")
        assert app.screen is not screen


async def test_a_console_that_is_left_before_it_is_open_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, may_open = ScriptedSession(), threading.Event()

    def slowly(*_: object) -> ScriptedSession:
        assert may_open.wait(20)
        return one

    monkeypatch.setattr(consoles, "open_console", slowly)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_console(one.ref, {})
        await pilot.pause()
        await pilot.press(PREFIX, PREFIX)
        assert not isinstance(app.front, ConsoleScreen)
        await pilot.pause()
        may_open.set()
        await until(pilot, lambda: app.sessions == [one], "it is kept")
        assert "the console of web-01 is open" in screen_text(app)
        app.open_console(one.ref, {})
        await pilot.pause()
        assert isinstance(app.screen, ConsoleScreen)
        assert app.screen.session is one
        one.says("still here")
        await until(pilot, lambda: "still here" in screen_text(app), "what it prints")
    assert one.did == ["let go", "close"]


async def test_a_console_opened_from_anothers_menu_stands_in_the_same_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = ScriptedSession(), ScriptedSession(2, name="db-01")
    async with opened(monkeypatch, one, two) as (app, pilot, screen):
        await pilot.press(PREFIX, "a")
        app.open_console(two.ref, {})
        await pilot.pause()
        assert app.screen is screen
        assert screen.session is two
        two.says("from db-01")
        await until(pilot, lambda: "from db-01" in screen_text(app), "what it prints")


async def test_a_pane_that_is_gone_before_it_is_filled_stays_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = ScriptedSession(), ScriptedSession(2, name="db-01")
    async with opened(monkeypatch, one, two, size=(120, 40)) as (_app, pilot, screen):
        assert screen.panes.add(two) == ""
        screen.panes.only()
        await pilot.pause()
        assert screen.panes.shown == [one]


async def test_what_was_meant_for_a_pane_that_is_gone_goes_to_no_other_guest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = ScriptedSession(), ScriptedSession(2, name="db-01")
    async with opened(monkeypatch, one, two, size=(120, 40)) as (_app, pilot, screen):
        assert screen.panes.add(two) == ""
        await until(pilot, lambda: screen.session is two, "the new one gets the keys")
        pane = screen.panes.slot.pane
        screen.panes.turn()
        pane.post_message(TerminalPane.Pressed(pane, "x", "x"))
        pane.post_message(TerminalPane.Pasted(pane, "reboot"))
        screen.panes.only()
        await pilot.pause()
        assert screen.panes.shown == [one]
        assert one.typed == two.typed == b""
        assert one.did == []


async def test_a_console_goes_along_only_with_a_guest_that_runs_here_no_more() -> None:
    one = ScriptedSession()

    def hosts(here: DomainState) -> Fleet:
        return factory.fleet(
            factory.host([factory.domain(1, "web-01", here)]),
            factory.host([factory.domain(1, "web-01", host="srv2")], name="srv2"),
        )

    app = DrivenApp(hosts(DomainState.RUNNING))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.sessions.append(one)
        one.becomes(ConsoleState.CLOSED, "it cannot be opened")
        app.show(hosts(DomainState.RUNNING))
        assert one.did == []
        app.show(hosts(DomainState.SHUTOFF))
        assert one.did == ["follow to srv2"]


async def test_the_key_of_the_menu_itself_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (_app, pilot, _):
        await pilot.press(PREFIX, "k", PREFIX)
        assert one.typed == b"\x1d"
        await pilot.press("x")
        assert one.typed == b"\x1dx"


@pytest.mark.parametrize(
    ("state", "text", "told"),
    [
        (ConsoleState.GUEST_OFF, "the guest is off, waiting for it", "ctrl+] S starts it"),
        (ConsoleState.HOST_AWAY, "the host is not connected", "the host is not connected"),
        (ConsoleState.HELD, "somebody else has it open", "ctrl+] t takes it over"),
        (ConsoleState.CLOSED, "the domain is gone", "ctrl+] t tries again"),
    ],
)
async def test_what_keeps_it_from_its_guest_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, state: ConsoleState, text: str, told: str
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        one.becomes(state, text)
        await says(app, pilot, one, "")
        assert told in screen_lines(app)[-1]
        await pilot.press("l", "s")
        assert one.typed == b""


async def test_a_terminal_that_garbage_has_set_is_put_right_and_forgets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, "before\r\n\x1b(0\x1b[?1000h\x1b[3;5r\x1b[31m\x1b]0;open")
        await pilot.press(PREFIX, "e")
        await says(app, pilot, one, "lqk $ ")
        assert "lqk $" in screen_text(app)
        assert "before" in one.emulator.text()
        assert one.emulator.frame().mouse is MouseReports.NONE
        assert one.typed == b""


async def test_a_held_console_is_taken_over_from_the_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (_app, pilot, _):
        one.becomes(ConsoleState.HELD, "somebody else has it open")
        await pilot.press(PREFIX, "t")
        assert one.did == ["open by force"]


async def test_a_line_is_pasted_at_once_and_several_are_shown_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        app.post_message(events.Paste("uptime"))
        await until(pilot, lambda: one.typed == b"uptime", "the line is typed")
        one.typed = b""
        app.post_message(events.Paste("rm -rf /tmp/a\nre\x1b[201~boot\n"))
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog), "the question")
        text = screen_text(app)
        assert "2 lines" in text
        assert "│ rm -rf /tmp/a" in text
        assert "re␛[201~boot" in text
        await pilot.press("n")
        assert one.typed == b""
        app.post_message(events.Paste("a\nb"))
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog), "the question")
        await pilot.press("y")
        assert one.typed == b"a\rb"


async def test_a_guest_that_asks_for_it_gets_pastes_in_brackets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        one.says("\x1b[?2004h")
        app.post_message(events.Paste("up"))
        await until(pilot, lambda: one.typed == b"\x1b[200~up\x1b[201~", "the paste")


async def test_looking_back_choosing_and_copying(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    copied: list[str] = []
    async with opened(monkeypatch, one) as (app, pilot, _):
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await says(app, pilot, one, "".join(f"line {n}\r\n" for n in range(100)) + "$ ")
        await pilot.press(PREFIX, "left_square_bracket", "pageup", "pageup")
        assert "line 5" in screen_text(app)
        assert "y copy" in screen_lines(app)[-1]
        await pilot.press("g")
        assert screen_lines(app)[1] == "line 0"
        await pilot.press("space", "down", "dollar_sign", "y")
        assert copied == ["line 0\nline 1"]
        assert "copied 2 lines" in screen_text(app)
        assert "line 99" in screen_text(app)
        assert one.typed == b""


async def test_a_search_goes_from_match_to_match_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, "".join(f"line {n}\r\n" for n in range(100)) + "$ ")
        await pilot.press(PREFIX, "slash", *"LINE", "space", *"3", "enter")
        assert "1 of 11 found" in screen_lines(app)[-1]
        assert "line 39" in screen_text(app)
        await pilot.press("n")
        assert "2 of 11 found" in screen_lines(app)[-1]
        await pilot.press("N")
        assert "1 of 11 found" in screen_lines(app)[-1]
        await pilot.press("escape")
        assert "line 99" in screen_text(app)
        await pilot.press("x")
        assert one.typed == b"x"


async def test_what_comes_meanwhile_does_not_move_what_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, "".join(f"line {n}\r\n" for n in range(100)))
        await pilot.press(PREFIX, "left_square_bracket", "g")
        before = screen_lines(app)[1:-1]
        await says(app, pilot, one, "more\r\n" * 50)
        assert screen_lines(app)[1:-1] == before
        await pilot.press("escape")
        assert "more" in screen_text(app)


async def test_what_is_chosen_stays_chosen_when_older_lines_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, copied = ScriptedSession(), list[str]()
    async with opened(monkeypatch, one) as (app, pilot, screen):
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await says(app, pilot, one, "".join(f"line {n}\r\n" for n in range(12_000)))
        await pilot.press(PREFIX, "left_square_bracket", "pageup", "pageup", "V", "down")
        pane = screen.panes.slot.pane
        assert pane.selection is not None
        assert pane.frame is not None
        chosen, offset = one.emulator.text(*pane.selection.ends), pane.frame.scroll.offset
        while pane.frame.scroll.offset == offset:
            await says(app, pilot, one, "more\r\n" * 50)
        await pilot.press("y")
        assert copied == [chosen]


async def test_the_mouse_scrolls_and_copies_unless_the_guest_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    copied: list[str] = []
    async with opened(monkeypatch, one) as (app, pilot, screen):
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await says(app, pilot, one, "".join(f"line {n}\r\n" for n in range(100)))
        pane = screen.panes.slot.pane
        await pilot.mouse_down(pane, offset=(0, 3))
        await pilot.hover(pane, offset=(6, 3))
        await pilot.mouse_up(pane, offset=(6, 3))
        row = screen_lines(app)[4]
        assert copied == [row[:7]]
        one.says("\x1b[?1000h\x1b[?1006h")
        await says(app, pilot, one, "")
        await pilot.mouse_down(pane, offset=(2, 3))
        await pilot.mouse_up(pane, offset=(2, 3))
        y = 3 + 1 + screen.panes.slot.pane.hidden[0]
        assert one.typed == b"\x1b[<0;3;%dM\x1b[<0;3;%dm" % (y, y)


async def test_consoles_stand_side_by_side_and_the_tabs_tell_of_those_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = ScriptedSession(), ScriptedSession(2, "serial1", "db-01")
    async with opened(monkeypatch, one, two, size=(120, 30)) as (app, pilot, screen):
        two.says("something new\a")
        await until(pilot, lambda: "♪" in screen_lines(app)[0], "the bell of the other")
        assert "db-01 serial1 ♪ ◦14" in screen_lines(app)[0]
        await pilot.press(PREFIX, "v")
        await until(pilot, lambda: len(screen.panes.slots) == 2, "a second pane")
        await until(pilot, lambda: "something new" in screen_text(app), "what it shows")
        await pilot.press("2")
        await pilot.press(PREFIX, "left", "1")
        assert (one.typed, two.typed) == (b"1", b"2")
        check_golden("consoles-120x30", screen_text(app))
        await pilot.press(PREFIX, "1")
        await until(pilot, lambda: len(screen.panes.slots) == 1, "one pane")
        await pilot.press(PREFIX, "n", "y")
        assert two.typed == b"2y"


async def test_a_closed_console_makes_room_for_the_next_and_the_last_leads_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = ScriptedSession(), ScriptedSession(2, "serial0", "db-01")
    async with opened(monkeypatch, one, two) as (app, pilot, screen):
        await pilot.press(PREFIX, "x")
        assert one.did == ["close"]
        assert app.sessions == [two]
        assert screen.session is two
        await pilot.press(PREFIX, "x")
        assert app.front is not screen
        assert app.sessions == []


async def test_a_guest_is_told_the_size_of_its_pane(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one, size=(120, 40)) as (app, pilot, _):
        await pilot.press(PREFIX, "w")
        assert one.typed == b"stty rows 38 cols 120\r"
        assert "120×38" in screen_lines(app)[-1]


async def test_all_rows_are_the_guests_on_a_small_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, "\r\n".join(f"row {n}" for n in range(24)))
        assert "2 rows hidden" in screen_lines(app)[-1]
        await pilot.press(PREFIX, "z")
        await until(pilot, lambda: screen_lines(app)[0] == "row 0", "the first row")
        assert screen_lines(app)[23] == "row 23"
        await pilot.press(PREFIX, "z")
        await until(pilot, lambda: "menu" in screen_lines(app)[0], "our line again")


@pytest.mark.parametrize("at_once", [False, True], ids=["row by row", "at once"])
@pytest.mark.parametrize("screen", ["", "\x1b[?1049h"], ids=["shell", "full-screen program"])
async def test_the_first_rows_are_seen_again_once_the_cursor_is_back_near_them(
    monkeypatch: pytest.MonkeyPatch, screen: str, at_once: bool
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, screen + "\x1b[24;1H:wq")
        assert screen_lines(app)[22] == ":wq"
        parts = ["\x1b[H\x1b[J", "2 /tmp/lines\r\n", "guest# "]
        for part in ["".join(parts)] if at_once else parts:
            await says(app, pilot, one, part)
        assert [line.rstrip() for line in screen_lines(app)[1:3]] == ["2 /tmp/lines", "guest#"]


async def test_a_row_longer_than_the_pane_is_seen_from_its_start_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one, size=(60, 24)) as (app, pilot, _):
        await says(app, pilot, one, "guest# " + "x" * 70)
        assert screen_lines(app)[1].endswith("xxx")
        assert not screen_lines(app)[1].startswith("guest#")
        await says(app, pilot, one, "\r\nguest# ")
        assert screen_lines(app)[2].startswith("guest#")


async def test_what_was_printed_is_saved_but_never_over_another_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = ScriptedSession()
    monkeypatch.chdir(tmp_path)
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, SHELL)
        await pilot.press(PREFIX, "s", "enter")
        saved = tmp_path / "web-01-serial0.txt"
        assert saved.read_text() == "web-01 login: root\nroot@web-01:~#\n"
        assert saved.stat().st_mode & 0o777 == 0o600
        assert "saved 2 lines" in screen_text(app)
        saved.write_text("mine")
        await pilot.press(PREFIX, "s", "enter")
        assert saved.read_text() == "mine"
        assert "is there already" in screen_text(app)


@pytest.mark.parametrize(
    ("name", "told"),
    [("nothing", "there is no such file"), (".", "it is no file"), ("binary", "it is not text")],
)
async def test_a_file_that_cannot_be_sent_is_told_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, told: str
) -> None:
    one = ScriptedSession()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    async with opened(monkeypatch, one) as (app, pilot, _):
        await pilot.press(PREFIX, "f", *(name.replace(".", "|")), "enter") if name != "." else (
            await pilot.press(PREFIX, "f", "full_stop", "enter")
        )
        assert told in screen_text(app)
        assert one.typed == b""


async def test_a_recording_is_marked_and_its_trouble_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await pilot.press(PREFIX, "g")
        assert "● rec" in screen_lines(app)[0]
        assert "/state/web-01-serial0.log" in screen_text(app)
        one.trouble = "what is printed cannot be recorded: No space left on device"
        await says(app, pilot, one, "x")
        assert "No space left" in screen_lines(app)[-1]
        await pilot.press(PREFIX, "g")
        assert "● rec" not in screen_lines(app)[0]


async def test_a_paste_under_way_tells_how_far_it_is_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        one.sending = Sending(2048, 10240, "notes.txt")
        await says(app, pilot, one, "")
        assert "sending notes.txt: 2 k of 10 k" in screen_lines(app)[-1].replace("K", "k")
        await pilot.press(PREFIX, "ctrl+c")
        assert one.did == ["stop sending"]


async def test_the_raw_mode_gives_the_console_to_the_terminal_and_takes_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        monkeypatch.setattr(app, "lend_console", lambda ref, device, log: one.did.append(device))
        await pilot.press(PREFIX, "r")
        assert one.did == ["let go", "serial0", "open"]


async def test_the_guests_power_is_asked_for_as_from_the_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await pilot.press(PREFIX, "K")
        assert "Force off: web-01" in screen_text(app)
        await pilot.press("y")
        assert app.recorded.wishes == [("destroy", "web-01", {})]


async def test_a_guest_without_a_console_is_told_what_it_lacks_and_offered_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise consoles.NoConsole("web-01 has no console to open", "it has no serial port")

    monkeypatch.setattr(consoles, "open_console", refuse)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.open_console(factory.ref_of(1), {})
        await until(pilot, lambda: "has no console" in screen_text(app), "what is lacking")
        check_golden("console-missing-80x24", screen_text(app))
        await pilot.press("s")
        await until(pilot, lambda: "Add a serial port: web-01" in screen_text(app), "the form")


async def test_a_console_that_cannot_be_opened_leads_back_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise TuivirtError("web-01 has no console serial9", advice="it has serial0")

    monkeypatch.setattr(consoles, "open_console", refuse)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        home = app.screen
        app.open_console(factory.ref_of(1), {"devname": "serial9"})
        await until(pilot, lambda: isinstance(app.screen, MessageDialog), "the reason")
        assert "it has serial0" in screen_text(app).lower()
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is home, "the list again")


async def test_what_a_guest_prints_is_never_a_control_to_the_operators_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    wild = (
        "\x1b]0;title\a\x1b]52;c;aGk=\a\x1b[c\x1b[6n\x1bP0q~\x1b\\\x1b_Gi=1;AAAA\x1b\\"
        "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\x9b31m\x85\u202eabc\u2066\x1b[?1049h\x1b[?1003h"
        "\x1b[20h\x1bc\x07\x1b[5;10rok\x1b#8"
    )
    async with opened(monkeypatch, one) as (app, pilot, screen):

        def print_wild() -> None:
            one.says(wild)
            screen.panes.slot.paint()

        sent = sent_bytes(app, print_wild)
        left = re.sub(r"\x1b\[[0-9;]*[mHK]", "", sent)
        assert not [char for char in left if not char.isprintable()]
        await pilot.pause()


async def test_a_notice_is_read_before_what_keeps_the_console_from_its_guest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = ScriptedSession()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web-01-serial0.txt").write_text("mine")
    async with opened(monkeypatch, one) as (app, pilot, screen):
        one.becomes(ConsoleState.GUEST_OFF, "the guest is off, waiting for it")
        await pilot.press(PREFIX, "s", "enter")
        assert "is there already; nothing was written" in screen_lines(app)[-1]
        monkeypatch.setattr(console_lines, "FRESH_S", 0.0)
        screen.show_footer()
        await pilot.pause()
        assert "the guest is off, waiting for it; ctrl+] S starts it" in screen_lines(app)[-1]
        monkeypatch.setattr(console_lines, "FRESH_S", 8.0)
        await pilot.press("x")
        assert "not sent; ctrl+] S starts it: the guest is off" in screen_lines(app)[-1]


async def test_what_cannot_be_saved_whole_leaves_no_half_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = ScriptedSession()
    monkeypatch.chdir(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        async with opened(monkeypatch, one) as (app, pilot, _):
            await pilot.press(PREFIX, "s", "enter")
            assert "cannot save to web-01-serial0.txt: File too large" in screen_text(app)
    finally:
        limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert os.listdir(tmp_path) == []


async def test_a_guest_that_was_renamed_is_called_by_its_new_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession(name="before")
    async with opened(monkeypatch, one) as (app, pilot, screen):
        screen.receive(app.fleet)
        await pilot.pause()
        assert screen_lines(app)[0].startswith(" [web-01 serial0]")


async def test_no_size_is_typed_into_a_full_screen_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        await says(app, pilot, one, "\x1b[?1049hvi")
        one.typed = b""
        await pilot.press(PREFIX, "w")
        assert one.typed == b""
        assert "a full-screen program" in screen_lines(app)[-1]


async def test_the_tabs_name_the_panes_from_the_left(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = ScriptedSession(1), ScriptedSession(2, name="db-01")
    async with opened(monkeypatch, one, two, size=(160, 50)) as (app, pilot, screen):
        await pilot.press(PREFIX, "n")
        await pilot.press(PREFIX, "v")
        await until(pilot, lambda: screen.panes.shown == [two, one], "they are side by side")
        await until(pilot, lambda: screen.session is one, "the new one gets the keys")
        assert screen_lines(app)[0].startswith("  db-01 serial0 │[web-01 serial0]")


async def test_leaving_while_a_text_is_sent_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, _):
        one.sending = Sending(2048, 10240, "notes.txt")
        await pilot.press(PREFIX, PREFIX)
        await pilot.press("ctrl+q")
        told = " ".join(screen_text(app).split())
        assert "notes.txt is being sent to web-01 serial0, 2 k of 10 k so far" in told
        await pilot.press("n")
        assert app.sessions == [one]


async def test_a_paste_while_the_keys_look_back_is_not_the_guests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ScriptedSession()
    async with opened(monkeypatch, one) as (app, pilot, screen):
        await says(app, pilot, one, SHELL)
        one.typed = b""
        await pilot.press(PREFIX, "left_square_bracket")
        screen.panes.slot.pane.post_message(events.Paste("reboot"))
        await pilot.pause()
        assert one.typed == b""
        assert "not pasted" in screen_lines(app)[-1]
