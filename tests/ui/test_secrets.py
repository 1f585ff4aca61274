"""Secrets of libvirt's on the screen: where they are made, chosen, and how a value is typed."""

from __future__ import annotations

from typing import Any, cast

import pytest
from textual import events
from textual.pilot import Pilot

from tuivirt.backend.model.question import Question, QuestionKind
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu

from . import things
from .driver import DrivenApp, check_golden, on_top, screen_text, until
from .test_asking import URI, asking, listing
from .test_volumes import in_the_pool
from .things import driven, go, settle

FOUND = [
    ("7c2a4a60-6f0f-4f0c-9b57-0d6c0a2f1c11", "volume", "/images/new.img"),
    ("7c2a4a60-6f0f-4f0c-9b57-0d6c0a2f1c12", "ceph", "client.admin"),
]
EXACT = "secret-set-value takes it as it is with --file PATH"
ABOUT = "It becomes the value of a secret of libvirt's; tuivirt keeps it nowhere."


async def test_a_value_is_typed_unseen_and_to_leave_it_says_nothing_of_the_connection() -> None:
    async with listing() as (app, pilot):
        prompt = "The value of the secret volume /images/new.img:"
        question = Question("srv2", URI, QuestionKind.SECRET, prompt, about=ABOUT)
        asking(app, question)
        await pilot.pause()
        await pilot.press(*"s3cret")
        check_golden("asking-secret-80x24", screen_text(app))
        assert "s3cret" not in screen_text(app)
        await pilot.press("escape")
        assert question.wait() is None
        await pilot.pause()
        assert "not connected" not in screen_text(app)


async def test_a_paste_that_would_be_altered_is_refused_and_the_way_with_a_file_is_told() -> None:
    async with listing() as (app, pilot):
        question = Question("srv2", URI, QuestionKind.SECRET, "The value:", exact=EXACT)
        asking(app, question)
        await pilot.pause()
        for text in ("s3\tcret", "s3\rcret", "s3\u00a0cret", "s3\u200bcret", "s3cret\n\n"):
            app.screen.post_message(events.Paste(text))
            await pilot.pause()
            said = " ".join(screen_text(app).replace("│", "").split())
            assert "nothing of it was taken" in said, repr(text)
            assert EXACT in said
            assert "> *" not in said
            await pilot.press("a", "backspace")
            assert "nothing of it was taken" not in screen_text(app)
        for end in ("\n", "\r", "\r\n"):
            await pilot.press("ctrl+u")
            app.screen.post_message(events.Paste(f"s3 crét{end}"))
            await pilot.pause()
            assert "> *******" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: not question.open, "it is answered")
        assert question.wait() == "s3 crét"


async def test_a_password_of_a_connection_is_pasted_as_before() -> None:
    async with listing() as (app, pilot):
        question = Question("srv2", URI, QuestionKind.SECRET, "password: ")
        asking(app, question)
        await pilot.pause()
        app.screen.post_message(events.Paste("s3\tcret\n"))
        await pilot.press("enter")
        await until(pilot, lambda: not question.open, "it is answered")
        assert question.wait() == "s3cret"


async def chosen(pilot: Pilot[Any], app: DrivenApp, name: str) -> None:
    """Go to that line of the menu, and take it."""
    await until(pilot, lambda: isinstance(on_top(app), Menu), "the menu")
    names = [choice.id for choice in cast(Menu, on_top(app)).shown]
    await pilot.press(*["down"] * names.index(name), "enter")
    await pilot.pause()


async def test_one_is_defined_from_the_hosts_menu_and_its_value_is_in_no_field() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "host")
        await pilot.press("a")
        await chosen(pilot, app, "secrets")
        await until(pilot, lambda: "Define a secret" in screen_text(app), "their menu")
        names = [choice.id for choice in cast(Menu, on_top(app)).shown]
        assert names == [
            "secret-list", "secret-dumpxml", "secret-define", "secret-set-value",
            "secret-undefine",
        ]  # fmt: skip
        await chosen(pilot, app, "secret-define")
        await until(pilot, lambda: isinstance(on_top(app), FormDialog), "the form")
        check_golden("secret-define-80x24", screen_text(app))
        await pilot.press(*"/images/new.img", "ctrl+s")
        await pilot.pause()
        ((name, _, values),) = app.recorded.wishes
        assert name == "secret-define"
        assert (values["usage"], values["type"]) == ("/images/new.img", "volume")
        assert {*values} == {
            "usage", "type", "description", "ephemeral", "private", "uuid", "file", "base64",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "said"),
    [(FOUND, "client.admin"), ([], "The host has no secrets: its own menu (:host, a) has Secrets")],
)
async def test_the_form_of_a_volume_offers_those_that_there_are_and_says_where_one_is_made(
    monkeypatch: pytest.MonkeyPatch, found: Any, said: str
) -> None:
    monkeypatch.setattr("tuivirt.screens.volume_form.formats_offered", lambda *_: ("raw", "qcow2"))
    things.answer(monkeypatch, secrets=found, volumes=things.VOLUMES)
    monkeypatch.setattr("tuivirt.actions.volumes.with_halves", lambda *_: ())
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await in_the_pool(app, pilot)
        await pilot.press("+")
        form = cast(FormDialog, on_top(app))
        await settle(app, pilot)
        await pilot.press(*["down"] * [f.name for f in form.fields].index("more"), "enter")
        names = [field.name for field in form.fields]
        await pilot.press(*["down"] * (names.index("secret") - names.index("more")))
        assert "secret-define makes one" in " ".join(screen_text(app).replace("│", "").split())
        await pilot.press("ctrl+o")
        await settle(app, pilot)
        assert said in " ".join(screen_text(app).replace("│", "").split())
        if found:
            await pilot.press(*"new.img", "enter")
            await pilot.pause()
            assert form.values["secret"] == FOUND[0][0]
