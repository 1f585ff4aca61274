"""The tab of a domain's processors: what runs where, and the forms that change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.processors import HostTopology, Processing
from tuivirt.screens.domain import DomainScreen
from tuivirt.screens.processor_rows import fact_lines, host_lines, thread_rows
from tuivirt.widgets.cpu_map import cpu_map
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu
from tuivirt.widgets.page import line_text

from . import processors, things
from .driver import DrivenApp, screen_lines, screen_text
from .factory import fleet, uuid_of
from .processors import LIVE, OFF, PROCESSING, machine
from .things import driven, settle


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(
        monkeypatch,
        domain_detail=things.DETAIL,
        processing=PROCESSING,
        host_topology=machine(),
    )


async def on_the_tab(app: DrivenApp, pilot: Any) -> DomainScreen:
    await pilot.press("enter")
    await pilot.pause()
    await pilot.press("5")
    await pilot.pause()
    await settle(app, pilot)
    assert isinstance(app.front, DomainScreen)
    return app.front


def line_of(app: DrivenApp, start: str) -> str:
    return next(line for line in screen_lines(app) if line[3:].startswith(start))


async def test_a_thread_tells_where_it_may_run_where_it_is_and_what_is_otherwise_later() -> None:
    app = driven()
    async with app.run_test(size=(120, 30)) as pilot:
        await on_the_tab(app, pilot)
        assert "91" in line_of(app, "vCPU 0")
        assert "0-1,8-9" in line_of(app, "vCPU 0")
        assert "■◆ ■■ ·· ··│·· ·· ·· ··" in line_of(app, "vCPU 0")
        assert "↯ next boot: any" in line_of(app, "vCPU 1")
        assert "off" in line_of(app, "vCPU 4")
        assert "↯ next boot: on" in line_of(app, "vCPU 4")
        assert "↯ next boot" in line_of(app, "vCPU 7")
        assert "4-7" in line_of(app, "emulator")
        assert "disk vda" in line_of(app, "I/O thread 1")
        assert "↯ until shutdown" in line_of(app, "I/O thread 2")


async def test_the_facts_say_now_and_next_boot_in_words() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        text = screen_text(app)
        assert "4, at most 6; vCPU 1-3 can be taken away while it runs" in text
        assert "↯ next boot: 6, at most 8" in text
        assert "1 socket × 3 cores × 2 threads" in text
        assert "↯ next boot: 2 sockets × 2 cores × 2 threads" in text
        assert "3 G, at most 4 G; memory devices 1 of 8, up to 16 G" in text


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_every_thread_is_reached_and_nothing_overlaps(size: tuple[int, int]) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        screen = await on_the_tab(app, pilot)
        assert screen.table is not None
        await pilot.press("G")
        await pilot.pause()
        assert screen.table.cursor == ("iothread", 3)
        assert line_of(app, "I/O thread 3").startswith("▌")
        assert "may run on the" in screen_text(app)


async def test_a_domain_that_is_off_shows_what_it_will_start_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things.answer(monkeypatch, processing=OFF, domain_detail=things.OFF)
    snapshot = things.everything()
    still = replace(snapshot.domains[uuid_of(1)], id=None, state=DomainState.SHUTOFF)
    app = driven(fleet(replace(snapshot, domains={still.uuid: still}, domain_stats={})))
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        text = screen_text(app)
        assert "2 sockets × 2 cores × 2 threads" in text
        assert "next boot" not in text
        assert "–" in line_of(app, "vCPU 0")
        assert "off" in line_of(app, "vCPU 7")
        assert "ran there last" not in text


async def test_enter_on_a_vcpu_opens_the_form_that_pins_it_begun_with_what_holds() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("down", "enter")
        await pilot.pause()
        await settle(app, pilot)
        assert isinstance(app.screen, FormDialog)
        assert "vCPU 1  runs on 2" in app.screen.panel.text
        await pilot.press("down", *"4-7,^5", "ctrl+s")
        await pilot.pause()
        name, target, values = app.recorded.wishes[0]
        assert (name, target) == ("vcpupin", "web-01")
        assert (values["vcpu"], values["cpulist"]) == ("1", "4-7,^5")


async def test_a_number_that_is_typed_takes_the_place_of_the_one_that_holds() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await on_the_tab(app, pilot)
        screen.act("setvcpus", screen.targets())
        await pilot.pause()
        await settle(app, pilot)
        form = app.screen
        assert isinstance(form, FormDialog)
        first = form.values["count"]
        await pilot.press("6")
        assert form.values["count"] == "6"
        await pilot.press("backspace", *first, "left", "end", "0")
        assert form.values["count"] == f"{first}0"


@pytest.mark.parametrize(
    ("typed", "why"), [("3-1", "ends before it begins"), ("0-99", "the host has no CPU 16-99")]
)
async def test_a_set_of_cpus_that_cannot_be_is_told_before_the_form_closes(
    typed: str, why: str
) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("down", "enter")
        await pilot.pause()
        await settle(app, pilot)
        await pilot.press("down", "backspace", *typed, "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, FormDialog)
        assert why in app.screen.panel.text
        assert app.recorded.wishes == []


async def test_enter_on_the_emulator_and_on_an_io_thread_pins_those() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await on_the_tab(app, pilot)
        assert screen.table is not None
        for key in (("emulator", 0), ("iothread", 2)):
            screen.table.move_to(key)
            await pilot.press("enter")
            await pilot.pause()
            await settle(app, pilot)
            await pilot.press("ctrl+s")
            await pilot.pause()
        assert [(name, values.get("iothread")) for name, _, values in app.recorded.wishes] == [
            ("emulatorpin", None),
            ("iothreadpin", "2"),
        ]
        assert [values["cpulist"] for _, _, values in app.recorded.wishes] == ["4-7", "all"]


async def test_the_menu_of_a_domain_has_one_line_for_all_of_them() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, Menu)
        names = [choice.id for choice in app.screen.shown]
        assert "setvcpus" not in names
        await pilot.press(*["down"] * (names.index("processors") - app.screen.at), "enter")
        await pilot.pause()
        assert isinstance(app.screen, Menu)
        assert [choice.id for choice in app.screen.shown][:3] == [
            "setvcpus",
            "set-topology",
            "setmem",
        ]
        await pilot.press("enter")
        await pilot.pause()
        await settle(app, pilot)
        assert isinstance(app.screen, FormDialog)
        assert "It has 4 and can have 6." in app.screen.panel.text


async def test_the_form_of_the_topology_begins_with_the_one_that_will_hold() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await on_the_tab(app, pilot)
        screen.act("set-topology")
        await pilot.pause()
        await settle(app, pilot)
        assert "At its next boot it can have 8" in app.screen.panel.text  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await pilot.pause()
        values = app.recorded.wishes[0][2]
        parts = [str(values[name]) for name in ("sockets", "dies", "cores", "threads")]
        assert parts == ["2", "1", "2", "2"]


async def test_a_domain_without_io_threads_has_none_to_pin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = replace(LIVE, iothreads=())
    things.answer(monkeypatch, processing=Processing(bare, bare))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await on_the_tab(app, pilot)
        screen.act("iothreadpin")
        await pilot.pause()
        await settle(app, pilot)
        assert "web-01 has no I/O thread." in app.screen.panel.text  # type: ignore[attr-defined]


async def test_what_cannot_be_read_is_told_in_place_of_the_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = TuivirtError("cannot read the processors of web-01", "its XML is broken")
    things.answer(monkeypatch, processing=failed)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "its XML is broken" in screen_text(app)


async def test_a_host_that_does_not_tell_of_its_cpus_has_the_threads_shown_without_a_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things.answer(monkeypatch, host_topology=TuivirtError("cannot read the CPUs of host srv1"))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "cannot read the CPUs of host srv1" in screen_text(app)
        assert "0-1,8-9" in line_of(app, "vCPU 0")


async def test_why_it_is_not_known_where_the_vcpus_are_is_told_and_the_rest_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = replace(PROCESSING, runs={}, untold="where the vCPUs of web-01 are is not known: gone")
    things.answer(monkeypatch, processing=lost)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        assert "where the vCPUs of web-01 are is not known: gone" in screen_text(app)
        assert "?" in line_of(app, "vCPU 0")


async def test_the_line_of_tabs_fits_into_80_columns_with_two_digits_everywhere() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await on_the_tab(app, pilot)
        line = screen_lines(app)[2]
        assert line.endswith("Bkup")
        assert len(line) <= 80 - 4, "a digit more for disks, networks and devices each"


# The map of the host's CPUs: drawn as finely as there is room for.


def test_each_cpu_is_drawn_by_node_core_and_thread_with_its_number_above() -> None:
    drawn = cpu_map(machine(2, 2, 2), 40)
    assert drawn is not None
    assert drawn.title() == "0  1  2  3"
    text = "".join(piece.text for piece in drawn.row(frozenset({0, 4, 3}), 3))
    assert text == "■■ ··│·· ◆·"


def test_cores_are_drawn_where_cpus_have_no_room_and_told_apart_in_part() -> None:
    drawn = cpu_map(machine(2, 4, 2), 12)
    assert drawn is not None
    assert drawn.unit == "core"
    text = "".join(piece.text for piece in drawn.row(frozenset({0, 8, 1}), None))
    assert text == "■◪··│····"
    assert "◪ on a part of it" in drawn.legend(runs=True)


def test_nodes_are_drawn_where_cores_have_no_room() -> None:
    drawn = cpu_map(machine(4, 16, 2), 20)
    assert drawn is not None
    assert drawn.unit == "node"
    text = "".join(piece.text for piece in drawn.row(frozenset(range(16)), 20))
    assert text == "0◪ 1◆ 2· 3·"


def test_a_host_that_tells_of_no_cpus_has_no_map() -> None:
    assert cpu_map(HostTopology(), 40) is None


def test_the_grid_of_a_large_host_is_told_in_sums_and_cut_to_what_there_is_room_for() -> None:
    large = machine(8, 16, 2)
    lines = [line_text(line) for line in host_lines(large, 80)]
    assert len(lines) == 8
    assert "node 1    64 G  socket 1  16 cores × 2: CPU 16-31,144-159" in lines[1]
    cut = fact_lines(PROCESSING, large, None, 80, 10)
    assert len(cut) == 10
    assert "more" in line_text(cut[-1])


def test_a_thread_pinned_to_all_of_the_host_may_run_on_any_of_it() -> None:
    here = machine(1, 2, 1)
    one = replace(LIVE, vcpus=processors.vcpus(1, 1, {0: {0, 1}}), emulator=None, iothreads=())
    rows = thread_rows(Processing(one, one), here, None)
    assert [row.said for row in rows.values()] == ["any", "any"]
    assert not any(row.when for row in rows.values())


def test_what_is_pinned_nowhere_follows_the_set_of_the_whole_domain() -> None:
    one = replace(LIVE, cpuset=frozenset({3}), emulator=None)
    rows = thread_rows(Processing(one, None), machine(), None)
    assert rows["emulator", 0].said == "3"
    assert rows["vcpu", 2].may == {3}
