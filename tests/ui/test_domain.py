"""One domain, driven by keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import DomainEvent
from tuivirt.backend.model.device import Device, Disk, DomainConfig, DomainDetail, Interface
from tuivirt.backend.model.domain import DomainState, Labels
from tuivirt.screens.domain import DomainScreen
from tuivirt.screens.domain_rows import device_rows

from . import processors, things
from .driver import DrivenApp, check_golden, screen_lines, screen_text
from .factory import HOST, domain, fleet, host, uuid_of
from .things import SIZES, driven, everything, harmless, settle, size_name


async def opened(app: DrivenApp, pilot: Pilot[Any]) -> DomainScreen:
    await pilot.press("enter")
    await pilot.pause()
    await settle(app, pilot)
    assert isinstance(app.front, DomainScreen)
    return app.front


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(
        monkeypatch,
        domain_detail=things.DETAIL,
        processing=processors.PROCESSING,
        host_topology=processors.machine(),
    )


async def test_one_that_stands_still_over_a_disk_says_so_and_a_paused_one_does_not() -> None:
    for reason, told in ((1, False), (5, True)):
        app = driven(fleet(host([things.web(state=DomainState.PAUSED, reason=reason)])))
        async with app.run_test(size=(80, 24)) as pilot:
            await opened(app, pilot)
            said = "It stands still as a disk failed or is full: see :events, then resume it."
            assert (said in screen_text(app)) is told


@pytest.mark.parametrize("size", SIZES, ids=size_name)
@pytest.mark.parametrize(
    ("key", "tab"),
    [
        ("1", "overview"),
        ("2", "disks"),
        ("3", "interfaces"),
        ("4", "devices"),
        ("5", "processors"),
        ("6", "xml"),
    ],
)
async def test_a_tab_looks_as_drawn(size: tuple[int, int], key: str, tab: str) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        await pilot.press(key)
        await settle(app, pilot)
        check_golden(f"domain-{tab}-{size_name(size)}", screen_text(app))


async def test_the_overview_has_each_figure_that_was_sampled() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        text = screen_text(app)
        for figure in ("332 %", "83 % of its 4 vCPUs", "1.9/4 G", "on host 4 G", "412/s", "0.6 ms"):
            assert figure in text
        assert "Waits for the next boot: new disk vdb, disk vdc goes" in text
        assert "vnet0" in text
        assert "no drops" in text


async def test_on_a_wide_screen_the_overview_draws_charts_with_an_axis() -> None:
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        text = screen_text(app)
        assert "400 % ┤" in text
        assert "-3 min" in text
        assert text.count("now") == 4


async def test_opening_a_domain_has_the_sampler_take_its_vcpus_and_leaving_ends_it() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        assert app.doubles[HOST].views[-1].focus == uuid_of(1)
        await pilot.press("q")
        await pilot.pause()
        assert app.doubles[HOST].views[-1].focus is None


async def test_tab_and_arrows_turn_round_and_digits_go_straight_there() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)

        def current() -> str:
            line = screen_lines(app)[2]
            return line[line.index("[") + 1 : line.index("]")]

        seen = []
        for key in ("tab", "right", "right", "shift+tab", "7", "right", "left"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(current())
        assert seen == [
            "Disks 4",
            "Net 2",
            "Dev 3",
            "Net 2",
            "Events",
            "Snap",
            "Events",
        ]


async def test_what_differs_between_now_and_the_next_boot_is_marked_in_words() -> None:
    app = driven()
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("2")
        await settle(app, pilot)
        lines = screen_lines(app)

        def line(start: str) -> str:
            return next(x for x in lines if start in x)

        assert "next boot" in line("data.qcow2")
        assert "until shutdown" in line("scratch.img")
        assert "↯" not in line("web-01.qcow2")
        assert "cache none" in line("web-01.qcow2")
        assert "empty" in line("sda")
        assert "40 G" in line("vda")
        await pilot.press("3")
        await settle(app, pilot)
        lines = screen_lines(app)
        assert "next boot" in line("52:54:00:00:00:09")
        assert "down" in line("52:54:00:00:00:09")
        assert "vnet0" in line("52:54:00:00:00:01")


async def test_a_disk_that_the_guest_has_not_let_go_is_detaching(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = things.everything()
    slow = replace(snapshot.domains[uuid_of(1)], detaching=("vdc",))
    app = driven(fleet(replace(snapshot, domains={slow.uuid: slow})))
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(app, pilot)
        assert "vdc: detaching" in screen_text(app)
        await pilot.press("2")
        await settle(app, pilot)
        assert "detaching …" in next(x for x in screen_lines(app) if "scratch.img" in x)


async def test_actions_are_about_this_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        assert screen.targets() == (things.WEB,)
        await pilot.press("p")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        names = [action.name for action in screen.actions() if action.key == "p"]
        assert app.recorded.wishes == [(names[0], "web-01", {})]


async def test_detach_is_about_the_disk_under_the_cursor_and_a_medium_about_the_only_drive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    asked: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(app, "act", lambda name, _refs, values: asked.append((name, values)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("2", "j", "j")
        await settle(app, pilot)
        screen.action_act("detach-disk")
        screen.action_act("attach-disk")
        screen.action_act("change-media")
        await pilot.press("1")
        screen.action_act("detach-disk")
    assert asked == [
        ("detach-disk", {"target": "vdb"}),
        ("attach-disk", {}),
        ("change-media", {"path": "sda"}),
        ("detach-disk", {}),
    ]


async def test_a_marked_disk_goes_before_the_one_under_the_cursor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    asked: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(app, "act", lambda name, _refs, values: asked.append((name, values)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("2", "space")
        await settle(app, pilot)
        assert screen._disks.cursor not in screen._disks.targets
        screen.action_act("detach-disk")
    assert asked == [("detach-disk", {"target": "sda"})]


async def test_v_turns_between_live_and_saved_xml_and_slash_searches_in_it() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("6")
        await settle(app, pilot)
        assert "<memory>1</memory>" in screen_text(app)
        await pilot.press("v")
        await settle(app, pilot)
        assert "<memory>2</memory>" in screen_text(app)
        assert "[XML saved]" in screen_text(app)
        await pilot.press("slash", *"memory", "enter")
        await pilot.pause()
        assert "hit 1 of 2 for /memory" in screen_text(app)
        await pilot.press("n")
        await pilot.pause()
        assert "hit 2 of 2 for /memory" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "hit" not in screen_text(app)
        assert app.front is not None
        assert app.front.focus_ref() == things.WEB


async def test_a_domain_that_is_off_has_no_figures_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things.answer(monkeypatch, domain_detail=things.OFF)
    app = driven(fleet(host([domain(1, "web-01", DomainState.SHUTOFF)])))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        text = screen_text(app)
        assert "It is off, so there are no figures." in text
        assert "pc-q35-7.2" in text
        await pilot.press("2")
        await settle(app, pilot)
        assert "↯" not in screen_text(app)


async def test_a_configuration_that_cannot_be_read_says_why_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = TuivirtError("cannot read web-01", "the monitor hangs", "look at :job")
    things.answer(monkeypatch, domain_detail=error)
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        assert "332 %" in screen_text(app)
        await pilot.press("2")
        await settle(app, pilot)
        assert "cannot read web-01: the monitor hangs" in screen_text(app)
        assert "Look at :job" in screen_text(app)


async def test_the_configuration_is_read_again_when_an_event_tells_of_the_domain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        saved = replace(things.SAVED, disks=(*things.SAVED.disks, Disk("vdz", "virtio")))
        things.answer(
            monkeypatch, domain_detail=DomainDetail(things.LIVE, saved, "<a/>", "<b/>", ())
        )
        await pilot.press("2")
        await settle(app, pilot)
        assert "vdz" not in screen_text(app)
        app.hub.publish(
            DomainEvent(
                host=HOST, family="device-added", what="added", name="web-01", key=uuid_of(1)
            )
        )
        app.show(app.fleet)
        await settle(app, pilot)
        assert "vdz" in screen_text(app)
        await pilot.press("7")
        await settle(app, pilot)
        assert "device-added" in screen_text(app)


async def test_a_domain_that_is_gone_is_told_and_what_was_known_stays() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("6")
        await settle(app, pilot)
        app.show(fleet(host([])))
        await pilot.pause()
        text = screen_text(app)
        assert "web-01 is gone" in text
        assert "<memory>1</memory>" in text


async def test_of_a_domain_that_has_moved_it_is_told_where_to() -> None:
    app = driven(fleet(everything(), host([], name="srv2")))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        assert isinstance(app.screen, DomainScreen)
        found = app.fleet.domain(app.screen.ref)
        assert found is not None
        moved = replace(found, host="srv2")
        app.show(fleet(host([]), host([moved], name="srv2")))
        await pilot.pause()
        assert "web-01 is on srv2 now, and no longer on srv1." in screen_text(app)


async def test_hostile_names_are_drawn_and_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = things.HOSTILE
    config = replace(
        things.LIVE,
        name=evil,
        title=evil,
        description=evil,
        disks=(Disk("vda", source=evil),),
        interfaces=(Interface("52:54:00:00:00:01", source=evil),),
        devices=(replace(things.LIVE.devices[0], summary=evil),),
    )
    detail = DomainDetail(config, None, f"<a>{evil}</a>", "", (evil,))
    things.answer(monkeypatch, domain_detail=detail)
    bad = replace(things.web(), name=evil, detaching=(evil,), addresses=(evil,))
    app = driven(fleet(replace(things.everything(), domains={bad.uuid: bad})))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        for key in "123456":
            await pilot.press(key)
            await settle(app, pilot)
            assert harmless(screen_text(app))
            assert max(map(len, screen_lines(app))) <= 80


async def test_a_device_without_an_address_in_the_saved_configuration_is_still_the_same() -> None:
    def config(*devices: Device) -> DomainConfig:
        return replace(things.LIVE, devices=devices)

    gpu = Device("hostdev", node_device="0000:04:00.0", address="pci 0000:05:00.0")
    sound = Device("hostdev", node_device="0000:04:00.1", address="pci 0000:06:00.0")
    port = Device("controller", "pci 1", address="pci 0000:00:02.0")
    live = config(gpu, port, Device("watchdog", "one"))
    saved = config(replace(port, address=""), sound, replace(gpu, address=""))
    rows = device_rows(things.web(), DomainDetail(live, saved))
    assert [(row.device, row.when) for row in rows.values()] == [
        (gpu, ""),
        (port, ""),
        (live.devices[2], "until shutdown"),
        (sound, "next boot"),
    ]


async def test_tags_stand_in_the_title_and_the_group_and_the_note_below() -> None:
    said = Labels(("web", "prod"), "shop", "Ask Anna.\nReboot after 22:00.")
    shown = replace(things.everything(), domains={uuid_of(1): things.web(labels=said)})
    app = driven(fleet(shown))
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        lines = screen_lines(app)
        assert lines[1].endswith("autostart   #web #prod")
        at = next(number for number, line in enumerate(lines) if " group " in line)
        assert lines[at].split() == ["group", "shop"]
        assert lines[at + 1].split() == ["note", "Ask", "Anna."]
        assert lines[at + 2].split() == ["Reboot", "after", "22:00."]
