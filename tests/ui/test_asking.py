"""What a host asks is shown over whatever is there, and answered by what is meant for it alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from tuivirt.backend.model.host import Link
from tuivirt.backend.model.question import Question, QuestionKind
from tuivirt.screens.asking import DecisionDialog, SecretDialog
from tuivirt.screens.domains import DomainsScreen
from tuivirt.widgets.answer import AnswerDialog
from tuivirt.widgets.guard import Guard

from . import factory
from .driver import DrivenApp, check_golden, on_top, screen_text, until
from .test_typed_ahead import packet

SIZE = (80, 24)
URI = "qemu+ssh://ops@srv2/system"
UNKNOWN = (
    "The authenticity of host 'srv2 (10.0.0.7)' can't be established.\n"
    "ED25519 key fingerprint is SHA256:NEWuV1xq7dp7Jb5OoYq6YlU4yDhOqhEYo4V3d4W0p1c.\n"
    "This key is not known by any other names.\n"
    "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
)


def secret(prompt: str = "ops@srv2's password: ", **more: Any) -> Question:
    return Question("srv2", URI, QuestionKind.SECRET, prompt, **more)


def asking(app: DrivenApp, *questions: Question | None) -> None:
    """Hosts srv2, srv3 … ask these; None: it asks nothing any more."""
    for number, question in enumerate(questions, 2):
        name = f"srv{number}"
        snapshot = replace(
            factory.host(name=name), link=Link.CONNECTING, question=question, domains={}
        )
        app.fleet = app.fleet.with_host(snapshot)
    app._paint()
    app.follow()


@asynccontextmanager
async def listing() -> AsyncIterator[tuple[DrivenApp, Pilot[int]]]:
    """The list of one connected host; nothing is asked yet."""
    app = DrivenApp(factory.fleet(factory.host([factory.domain(1, "web-01")])))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        yield app, pilot


async def test_a_password_is_typed_unseen() -> None:
    async with listing() as (app, pilot):
        question = secret(kept=True)
        asking(app, question)
        await pilot.pause()
        check_golden("asking-password-80x24", screen_text(app))
        await pilot.press(*"s3cret", "enter")
        await until(pilot, lambda: not question.open, "it is answered")
        assert question.wait() == "s3cret"
        assert "s3cret" not in screen_text(app)
        await until(pilot, lambda: isinstance(on_top(app), DomainsScreen), "the dialog went")


async def test_an_answer_and_its_enter_that_come_in_one_packet_are_taken_as_they_came() -> None:
    async with listing() as (app, pilot):
        question = secret()
        asking(app, question)
        await until(pilot, lambda: isinstance(on_top(app), AnswerDialog), "the dialog")
        await pilot.pause(2 * Guard.QUIET_S)
        packet(app, "s3cret\r")
        await until(pilot, lambda: not question.open, "it is answered")
        assert question.wait() == "s3cret"


async def test_what_is_typed_is_stars_and_a_refusal_is_told() -> None:
    async with listing() as (app, pilot):
        asking(app, secret(refused=1))
        await pilot.pause()
        assert "That was refused." in screen_text(app)
        await pilot.press(*"abc")
        assert "> ***" in screen_text(app)
        assert "abc" not in screen_text(app)
        assert "refused" not in screen_text(app).replace("until it is refused", "")


async def test_an_unknown_key_is_shown_with_its_fingerprint_and_is_no_unless_yes_is_chosen() -> (
    None
):
    async with listing() as (app, pilot):
        for key, answer in (("enter", "no"), ("escape", "no"), ("n", "no"), ("y", "yes")):
            question = Question("srv2", URI, QuestionKind.YES_NO, UNKNOWN)
            asking(app, question)
            await until(pilot, lambda: isinstance(on_top(app), DecisionDialog), "it is asked")
            if key == "enter":
                await pilot.pause()
                check_golden("asking-host-key-80x24", screen_text(app))
            await pilot.press(key)
            assert question.wait() == answer
            asking(app, None)
            await until(pilot, lambda: isinstance(on_top(app), DomainsScreen), "the dialog went")


async def test_escape_dismisses_and_says_how_to_be_asked_again() -> None:
    async with listing() as (app, pilot):
        question = secret()
        asking(app, question)
        await pilot.pause()
        await pilot.press("escape")
        assert question.wait() is None
        assert question.why_not == "you did not answer"
        assert app.notice == ("srv2 is not connected: ctrl+r asks again", "warning")


async def test_nothing_typed_is_no_answer() -> None:
    async with listing() as (app, pilot):
        question = secret()
        asking(app, question)
        await pilot.pause()
        await pilot.press("enter")
        assert question.open
        assert "nothing was typed" in screen_text(app)


async def test_questions_of_several_hosts_come_one_after_the_other() -> None:
    async with listing() as (app, pilot):
        first = secret()
        second = Question("srv3", URI, QuestionKind.TEXT, "Please enter your name", default="ops")
        asking(app, first, second)
        await pilot.pause()
        await pilot.press("x", "enter")
        assert first.wait() == "x"
        await until(pilot, lambda: "srv3 asks" in screen_text(app), "the second is asked")
        assert "> ops" in screen_text(app)
        await pilot.press("enter")
        assert second.wait() == "ops"


async def test_a_question_that_nobody_waits_for_goes() -> None:
    async with listing() as (app, pilot):
        question = secret()
        asking(app, question)
        await until(pilot, lambda: isinstance(on_top(app), SecretDialog), "it is asked")
        question.withdraw()
        asking(app, None)
        await until(pilot, lambda: isinstance(on_top(app), DomainsScreen), "the dialog went")


async def test_what_a_host_asks_is_drawn_and_never_interpreted() -> None:
    async with listing() as (app, pilot):
        asking(app, secret("(ops@srv2) \x1b[2J\x1b]0;owned\x07Code\u202e: "))
        await pilot.pause()
        assert "␛[2J␛]0;owned␇Code·" in screen_text(app)


async def test_a_question_asked_before_there_was_a_screen_is_shown() -> None:
    fleet = factory.fleet(factory.host([factory.domain(1, "web-01")]))
    name, snapshot = next(iter(fleet.hosts.items()))
    app = DrivenApp(fleet.with_host(replace(snapshot, question=secret())))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(on_top(app), SecretDialog), f"{name} asks")


@pytest.fixture
def _a_reader_of_our_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "QUIET_S", 3600.0)


@pytest.mark.usefixtures("_a_reader_of_our_time")
async def test_keys_that_were_meant_for_something_else_are_no_answer() -> None:
    async with listing() as (app, pilot):
        question = secret()
        asking(app, question)
        await pilot.pause()
        packet(app, "web-01\r\x1b")
        await pilot.pause()
        assert question.open
        assert AnswerDialog.EARLY.partition(":")[0] in " ".join(screen_text(app).split())
        app.screen.post_message(events.Paste("web-01"))
        await pilot.pause()
        assert "> *" not in screen_text(app)


@pytest.mark.usefixtures("_a_reader_of_our_time")
async def test_a_key_is_not_accepted_by_what_was_meant_for_something_else() -> None:
    async with listing() as (app, pilot):
        question = Question("srv2", URI, QuestionKind.YES_NO, UNKNOWN)
        asking(app, question)
        await pilot.pause()
        packet(app, "my-vm\r")
        await pilot.pause()
        assert question.open
