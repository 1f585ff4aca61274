"""A guest that is being moved here: it is no guest of this host yet, and is left alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tuivirt.actions.catalog import for_kind
from tuivirt.actions.registry import ACTIONS
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Kind
from tuivirt.commands.records import domain_record
from tuivirt.screens.host_rows import by_state

from . import factory
from .driver import DrivenApp, on_top, screen_lines, screen_text

ARRIVING = factory.domain(
    1,
    "web-01",
    DomainState.PAUSED,
    reason=2,
    arriving=True,
    persistent=False,
    stalled_since=time.monotonic() - 41,
)
"""Its monitor is busy with the migration, so the sampler hears nothing of it."""


def shown(**more: Any) -> Fleet:
    return factory.fleet(replace(factory.host([ARRIVING]), **more))


def row(app: DrivenApp) -> str:
    return next(line for line in screen_lines(app) if "web-01" in line)


async def test_the_list_says_that_it_is_arriving_and_not_since_when_it_is_silent() -> None:
    app = DrivenApp(shown())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert row(app).split()[1:3] == ["arriving", "web-01"]
        assert "ago" not in row(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "arriving from another host" in screen_text(app)


def test_it_is_counted_and_listed_as_what_it_is() -> None:
    assert by_state([ARRIVING], silent=False) == (("arriving", 1),)
    assert domain_record(ARRIVING)["state"] == "arriving"


async def test_on_a_host_that_is_silent_it_is_stalled_as_all_others() -> None:
    app = DrivenApp(shown(link=Link.STALLED))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert row(app).split()[1:3] == ["stalled", "web-01"]


@pytest.mark.parametrize("key", ["u", "p", "ctrl+k", "m", "x"])
async def test_what_would_be_done_to_a_guest_of_this_host_is_refused(key: str) -> None:
    app = DrivenApp(shown())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert on_top(app) is app.front
        said = "not web-01: it is arriving from another host; abort the move there"
        assert said in screen_text(app)
        assert app.recorded.wishes == []


def test_only_looking_is_left() -> None:
    host = factory.host([ARRIVING])
    actions = [*for_kind(Kind.DOMAIN), ACTIONS["attach-disk"], ACTIONS["destroy"]]
    for action in actions:
        refused = "abort the move there" in action.refusal(ARRIVING, host)
        assert refused is (action.changes and not action.view), action.name
