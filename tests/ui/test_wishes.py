"""From a key to a run: menus, questions, forms, and what is said when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual import events

from tuivirt.actions.errors import BadInput
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import HostInfo
from tuivirt.backend.model.task import TaskState
from tuivirt.widgets.dialogs import ConfirmDialog
from tuivirt.widgets.form import Field, FormDialog
from tuivirt.widgets.guard import Guard
from tuivirt.widgets.menu import Menu

from . import factory
from .driver import DrivenApp, on_top, screen_lines, screen_text

SIZE = (80, 24)


async def go_to(pilot: Any, app: DrivenApp, number: int) -> None:
    await pilot.pause()
    assert app.front is not None
    assert app.front.table is not None
    app.front.table.move_to(factory.ref_of(number))


async def test_a_key_runs_its_action_on_the_row_under_the_cursor() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("s")
        assert [wish[:2] for wish in app.recorded.wishes] == [("start", "template-deb12")]


async def test_force_off_asks_and_enter_alone_does_not_do_it() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmDialog)
        assert "web-01" in app.screen.panel.text
        await pilot.press("enter")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert on_top(app) is app.front


async def test_force_off_is_done_by_y_or_by_going_to_its_button() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+k", "y")
        await pilot.pause()
        await pilot.press("ctrl+k", "left", "enter")
        await pilot.pause()
        assert [wish[:2] for wish in app.recorded.wishes] == [("destroy", "web-01")] * 2


async def test_a_harmless_question_is_answered_by_enter() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("x", "enter")
        await pilot.pause()
        assert [wish[:2] for wish in app.recorded.wishes] == [("shutdown", "web-01")]


async def test_a_word_typed_into_the_list_answers_no_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guard, "QUIET_S", 3600.0)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press(*"my-vm", "enter")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert "Save and stop: web-01" in screen_text(app)
        assert "too fast for an answer" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert on_top(app) is app.front


@pytest.mark.parametrize("opening", ["x", "ctrl+k"])
@pytest.mark.parametrize(
    "typed",
    [[":", *"tasks", "enter"], [*":tas", "tab", "enter"], [*"kz", "left", "right", "enter"]],
)
async def test_enter_behind_what_was_typed_slowly_for_somewhere_else_is_no_yes(
    opening: str, typed: list[str]
) -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press(opening, *typed)
        await pilot.pause()
        assert app.recorded.wishes == []
        if on_top(app) is not app.front:
            assert "y or n: enter may end what was typed for somewhere else" in screen_text(app)
            await pilot.press("y")
            await pilot.pause()
            assert [wish[1] for wish in app.recorded.wishes] == ["web-01"]


async def test_enter_behind_an_answer_that_came_too_fast_is_no_yes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        monkeypatch.setattr(Guard, "QUIET_S", 3600.0)
        await pilot.press("x", *"no")
        monkeypatch.setattr(Guard, "QUIET_S", 0.0)
        await pilot.press("enter")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert isinstance(on_top(app), ConfirmDialog)


async def test_what_is_typed_for_somewhere_else_is_no_answer_to_force_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guard, "QUIET_S", 3600.0)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        for typed in (":pool", "/my"):
            await pilot.press("ctrl+k", *("colon" if c == ":" else "slash" if c == "/" else c
                                          for c in typed), "enter")  # fmt: skip
            await pilot.pause()
            assert app.recorded.wishes == []
            assert "Force off: web-01" in screen_text(app)
            await pilot.press("escape")
            await pilot.pause()
        await pilot.press("ctrl+k", "y")
        await pilot.pause()
        assert [wish[:2] for wish in app.recorded.wishes] == [("destroy", "web-01")]


async def test_what_comes_in_one_packet_answers_a_dialog_once() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("enter")
        await pilot.pause()
        below = app.front
        for opening, answer in (("ctrl+k", "y"), ("a", "escape"), ("-", "escape")):
            await pilot.press(opening)
            await pilot.pause()
            assert on_top(app) is not below
            for _ in range(3):
                app.post_message(events.Key(answer, None))
            await pilot.pause()
            assert on_top(app) is below
        await pilot.press("a")
        await pilot.pause()
        for _ in range(3):
            app.post_message(events.Key("p", None))
        await pilot.pause()
        assert isinstance(on_top(app), ConfirmDialog), "one question, and the menu is gone"
        await pilot.press("escape")
        assert on_top(app) is below
        assert [wish[0] for wish in app.recorded.wishes] == ["destroy"]


async def test_keys_typed_ahead_or_held_down_go_through_no_form_that_destroys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guard, "QUIET_S", 3600.0)
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("minus")
        await pilot.pause()
        for _ in range(2):
            await pilot.press(*"vdb", "enter", "enter", "enter", "enter", "enter")
            await pilot.pause()
            assert app.recorded.wishes == []
            assert "[ detach a disk ]" in screen_text(app)
            assert "too fast for an answer" in screen_text(app)
        monkeypatch.setattr(Guard, "QUIET_S", 0.0)
        await pilot.press("enter")
        await pilot.pause()
        assert [wish[:2] for wish in app.recorded.wishes] == [("detach-disk", "template-deb12")]


async def test_marks_are_acted_on_together_and_those_that_cannot_are_named() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("N")
        await go_to(pilot, app, 7)
        for number in (7, 8, 1):
            await go_to(pilot, app, number)
            await pilot.press("space")
        await pilot.press("s")
        await pilot.pause()
        assert {wish[1] for wish in app.recorded.wishes} == {"kernel-test", "template-deb12"}
        assert app.front is not None
        assert "not web-01" in app.front._footer.notice


async def test_what_is_done_to_many_names_them_first_and_says_what_is_common_once() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("N", "g", "ctrl+space", "G", "ctrl+space", "ctrl+d")
        await pilot.pause()
        text = screen_text(app)
        for name in ("web-01", "db-01", "gpu-train", "template-deb12"):
            assert name in text
        assert "Undefine each of them?" in text
        assert text.count("Its configuration is lost") == 1


async def test_a_question_longer_than_the_screen_shows_its_names_and_its_buttons() -> None:
    names = [f"a-guest-with-a-long-name-{number:03}" for number in range(1, 101)]
    domains = [factory.domain(number, name) for number, name in enumerate(names, 1)]
    app = DrivenApp(factory.fleet(factory.host(domains)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("N", "g", "ctrl+space", "G", "ctrl+space", "ctrl+k")
        await pilot.pause()
        assert "100 domains: a-guest-with-a-long-name-001" in screen_text(app)
        assert "[ y force off ]   [ n no ]" in screen_text(app)
        assert "▼" in screen_text(app)
        seen = screen_text(app)
        for _ in range(8):
            await pilot.press("pagedown")
            await pilot.pause()
            seen += screen_text(app)
        assert all(name in seen for name in names)
        assert "is lost." in screen_text(app)
        assert "[ y force off ]   [ n no ]" in screen_text(app)


async def test_on_a_narrow_terminal_a_question_can_be_read_to_its_end() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=(40, 12)) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+k")
        await pilot.pause()
        shown = " ".join(screen_text(app).replace("│", " ").split())
        for part in ("Force off web-01 as if its power were", "has not written to disk is lost."):
            assert part in shown


async def test_the_menu_shows_everything_and_why_some_of_it_cannot_be() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, Menu)
        refused = {choice.id: choice.refusal for choice in app.screen.shown}
        assert "web-01 is on already" in refused["start"]
        assert refused["shutdown"] == ""
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, Menu)
        assert app.recorded.wishes == []


async def test_from_the_menu_an_action_with_options_asks_for_them() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("a", "s")
        await pilot.pause()
        assert isinstance(app.screen, FormDialog)
        await pilot.press("space", "ctrl+s")
        await pilot.pause()
        assert app.recorded.wishes[0][2] == {"paused": True, "force_boot": False}


async def test_a_form_that_is_wrong_says_so_and_loses_nothing() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("a", "x")
        await pilot.pause()
        await pilot.press("down", "ctrl+u", "s", "o", "o", "n", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, FormDialog)
        assert "it is a number" in app.screen.panel.text
        assert app.screen.values["timeout"] == "soon"
        await pilot.press("ctrl+u", "9", "ctrl+s")
        await pilot.pause()
        assert app.recorded.wishes[0][2]["timeout"] == "9"


async def test_a_choice_goes_around_and_a_flag_turns() -> None:
    given: list[Any] = []
    fields = [Field("mode", "Mode", "choice", "b", ("a", "b")), Field("on", "On", "flag", False)]
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(FormDialog("Form", fields, lambda _values: ""), given.append)
        await pilot.pause()
        await pilot.press("right", "down", "space", "down", "enter")
        await pilot.pause()
        assert given == [{"mode": "a", "on": True}]


async def test_what_is_pasted_into_a_form_holds_no_control_characters() -> None:
    form = FormDialog("Form", [Field("path", "Path")], lambda _values: "")
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(form)
        await pilot.pause()
        form._edits["", "path"].insert("/a\x1b[31m\n/b")
        assert form.values == {"path": "/a[31m/b"}


async def test_on_a_read_only_connection_a_key_is_refused_with_the_reason() -> None:
    fleet = factory.sketch()
    host = fleet.hosts["srv1"]
    info = replace(host.info or HostInfo(""), readonly=True)
    app = DrivenApp(Fleet(hosts={"srv1": replace(host, info=info)}))
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("s")
        assert app.recorded.wishes == []
        assert "the connection is read-only" in screen_text(app)


async def test_what_the_runner_refuses_is_said_with_its_advice() -> None:
    app = DrivenApp(factory.sketch())
    app.recorded.fail_with = BadInput("mode cannot be 'x'", advice="use acpi")
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("s")
        assert ". Use acpi" in screen_text(app)


async def test_why_a_task_failed_is_read_to_its_end_above_the_hints() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("s")
        why = "cannot start template-deb12: internal error: /srv/image/template-deb12.qcow2"
        app.recorded.end(1, TaskState.FAILED, f"{why} is on a share that is away", "mount it")
        app.on_arrived()
        app._paint()
        await pilot.pause()
        assert screen_text(app).endswith(
            " ✗ cannot start template-deb12: internal error: /srv/image/template-deb12.qcow2\n"
            "   is on a share that is away. Mount it\n"
            f"{screen_lines(app)[-1]}\n"
        )
        assert app.front is not None
        app.say("short")
        await pilot.pause()
        assert screen_lines(app)[-2] == " short"
        assert screen_lines(app)[-3] == ""


async def test_how_a_task_ended_is_told_above_the_hints_and_counted_while_it_runs() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 8)
        await pilot.press("s")
        app.show(app.fleet)
        assert "1 task" in screen_text(app)
        app.recorded.end(1, TaskState.FAILED, "cannot start template-deb12: no memory", "stop one")
        app.show(app.fleet)
        text = screen_text(app)
        assert "✗ cannot start template-deb12: no memory. Stop one" in text
        assert "1 task" not in text


async def test_typing_after_colon_completes_actions_and_runs_them() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 6)
        await pilot.press("colon", "r", "e", "s", "u", "tab", "enter")
        await pilot.pause()
        assert [wish[:2] for wish in app.recorded.wishes] == [("resume", "win11")]


async def test_a_name_after_an_action_is_not_passed_over() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 6)
        await pilot.press("colon", *"resume", "space", *"other", "enter")
        await pilot.pause()
        assert not app.recorded.wishes
        assert "nothing was done: :resume takes no words" in screen_text(app)
        await pilot.press("colon", *"host-add", "space", *"x", "enter")
        assert "takes no words, it asks in its form" in screen_text(app)
        await pilot.press("colon", "q", "space", *"other", "enter")
        await pilot.pause()
        assert "nothing was done: :q takes no words" in screen_text(app)
        assert app.return_code is None


async def test_an_unknown_word_after_colon_is_said() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("colon", "z", "z", "enter")
        await pilot.pause()
        assert "there is no “zz”" in screen_text(app)


async def test_the_palette_narrows_as_words_are_typed() -> None:
    app = DrivenApp(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+p", *"saved")
        await pilot.pause()
        assert isinstance(app.screen, Menu)
        assert [choice.id for choice in app.screen.shown] == ["managedsave-remove"]


async def test_yes_to_a_name_is_no_yes_to_a_guest_that_was_renamed_meanwhile() -> None:
    fleet = factory.sketch()
    app = DrivenApp(fleet)
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert "web-01" in on_top(app).panel.text
        app.show(factory.fleet(factory.renamed(fleet.hosts["srv1"], 1, "web-old")))
        await pilot.press("y")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert "not web-01: it is called web-old by now" in screen_text(app)


async def test_yes_to_forcing_off_a_guest_that_went_off_meanwhile_is_told_so() -> None:
    running = factory.domain(1, "web-01")
    app = DrivenApp(factory.fleet(factory.host([running])))
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+k")
        await pilot.pause()
        off = factory.domain(1, "web-01", DomainState.SHUTOFF)
        app.show(factory.fleet(factory.host([off])))
        await pilot.press("y")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert "not web-01: web-01 is off" in screen_text(app)


async def test_yes_to_losing_one_thing_is_no_yes_to_losing_more() -> None:
    app = DrivenApp(factory.fleet(factory.host([factory.domain(1, "web-01")])))
    async with app.run_test(size=SIZE) as pilot:
        await go_to(pilot, app, 1)
        await pilot.press("ctrl+k")
        await pilot.pause()
        undefined = factory.domain(1, "web-01", persistent=False)
        app.show(factory.fleet(factory.host([undefined])))
        await pilot.press("y")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert "not web-01: what goes with it has changed meanwhile" in screen_text(app)
