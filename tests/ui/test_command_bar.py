"""The line for ``:`` and ``/``: what is typed is seen, whatever else there is to show."""

from __future__ import annotations

import pytest

from tuivirt.settings import Settings

from . import factory
from .driver import DrivenApp, screen_text
from .things import driven

PLACES = ["domains", "networks", "pools", "volumes", "devices", "snapshots", "hosts", "events"]


def line(app: DrivenApp) -> str:
    return screen_text(app).splitlines()[-1]


@pytest.mark.parametrize("width", [30, 79, 80, 81, 84, 120])
async def test_the_colon_is_seen_beside_what_is_offered_whole(width: int) -> None:
    app = driven()
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        await pilot.press(":")
        assert line(app).startswith(" :")
        offered = line(app).removesuffix(" tab completes").split()[1:]
        if offered[-1] == "…":
            offered.pop()
            assert width < 90, "all are shown where there is room"
        assert offered
        assert offered == PLACES[: len(offered)]


async def test_what_is_offered_fits_after_the_terminal_has_changed() -> None:
    app = driven()
    async with app.run_test(size=(160, 24)) as pilot:
        await pilot.pause()
        await pilot.press(":")
        assert "events" in line(app)
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        assert line(app).startswith(" :")
        assert line(app).endswith("…  tab completes")
        await pilot.resize_terminal(160, 24)
        await pilot.pause()
        assert "events" in line(app)


async def test_the_end_of_a_long_text_is_seen_and_what_is_wrong_with_it() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(":", *("x" * 100), *"end")
        assert line(app).startswith(" :x")
        assert line(app).rstrip().endswith("xend")
        await pilot.press("ctrl+u", *("漢" * 60), "z")
        assert line(app).rstrip().endswith("漢z"), "in cells, not in characters"
        await pilot.press("escape", "/", *("x" * 100), *"end(")
        assert "xend(" in line(app)
        assert len(line(app)) > line(app).index("xend(") + len("xend(  ")
        await pilot.press("home")
        assert line(app).startswith(" /xxx")
        assert "is not a regular" in line(app)


@pytest.mark.parametrize("width", [30, 66, 76, 80, 84])
async def test_in_ascii_too_the_colon_is_seen(width: int) -> None:
    app = driven(settings=Settings(ascii=True))
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        await pilot.press(":")
        assert line(app).startswith(" :"), line(app)


async def test_a_host_is_a_beginning_while_it_is_typed_and_whole_when_it_was() -> None:
    app = driven(factory.sketch())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.front is not None
        assert app.front.table is not None
        app.front.table.move_to(factory.ref_of(3))
        for char in "/@srv1":
            await pilot.press(char)
            assert app.front.table.cursor == factory.ref_of(3), char
        await pilot.press("enter")
        assert app.front.table.cursor == factory.ref_of(3)
        await pilot.press("/", *"@srv")
        assert "Domains 8 of 8" in screen_text(app)
        await pilot.press("enter")
        assert "Domains 0 of 8" in screen_text(app)
        await pilot.press("/", *"@srv1", "enter", "/", *"@s", "escape")
        assert "Domains 8 of 8   /@srv1" in screen_text(app)
