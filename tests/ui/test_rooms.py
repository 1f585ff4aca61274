"""Networks, pools, volumes, devices, hosts, XML: what an operator sees and does there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual import events

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.resources import NodeDevice

from . import things
from .driver import DrivenApp, check_golden, screen_lines, screen_text
from .factory import fleet, host, uuid_of
from .things import SIZES, driven, go, harmless, settle, size_name, timeless

ROOMS = ("networks", "pools", "devices", "hosts")


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(
        monkeypatch,
        domain_detail=things.DETAIL,
        volumes=things.VOLUMES,
        xml_of="<network>\n  <name>default</name>\n</network>\n",
    )


def line_of(app: DrivenApp, text: str) -> str:
    return next(line for line in screen_lines(app) if text in line)


def two_hosts() -> Fleet:
    return fleet(things.everything(), things.unreachable())


@pytest.mark.parametrize("size", SIZES, ids=size_name)
@pytest.mark.parametrize("room", ROOMS)
async def test_a_list_looks_as_drawn(size: tuple[int, int], room: str) -> None:
    app = driven(two_hosts() if room == "hosts" else None)
    async with app.run_test(size=size) as pilot:
        await go(app, pilot, room)
        check_golden(f"{room}-{size_name(size)}", timeless(screen_text(app)))


@pytest.mark.parametrize("size", SIZES, ids=size_name)
@pytest.mark.parametrize(
    ("room", "keys", "name"),
    [
        ("networks", ("enter",), "network"),
        ("pools", ("j", "j", "enter"), "volumes"),
        ("devices", ("3", "enter"), "device"),
        ("hosts", ("enter",), "host"),
        ("networks", ("y",), "xml"),
    ],
)
async def test_one_object_looks_as_drawn(
    size: tuple[int, int], room: str, keys: tuple[str, ...], name: str
) -> None:
    app = driven()
    async with app.run_test(size=size) as pilot:
        await go(app, pilot, room)
        await pilot.press(*keys)
        await settle(app, pilot)
        check_golden(f"{name}-{size_name(size)}", timeless(screen_text(app)))


@pytest.mark.parametrize("room", ROOMS)
async def test_hostile_names_are_drawn_and_not_obeyed(room: str) -> None:
    evil = things.HOSTILE
    snapshot = replace(
        things.everything(),
        reason=evil,
        networks={"1": replace(things.NETWORKS[0], name=evil, users=(evil,), bridge=evil)},
        pools={"1": replace(things.POOLS[0], name=evil, path=evil, type=evil)},
        devices={evil: replace(things.DEVICES[2], name=evil, vendor=evil, driver=evil)},
    )
    app = driven(fleet(snapshot))
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, room)
        assert harmless(screen_text(app))
        await pilot.press("enter")
        await settle(app, pilot)
        assert harmless(screen_text(app))


@pytest.mark.parametrize(
    ("room", "words"),
    [
        ("networks", "virsh net-define"),
        ("pools", "tuivirt pool-define-as"),
        ("devices", "There are no devices here"),
    ],
)
async def test_an_empty_list_says_what_to_do(room: str, words: str) -> None:
    app = driven(fleet(host([])))
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, room)
        assert words in screen_text(app)


async def test_a_network_tells_who_is_connected_and_its_leases() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "net")
        assert "192.168.122.1/24" in line_of(app, "default")
        assert "isolated" in line_of(app, "lab")
        await pilot.press("enter")
        await pilot.pause()
        lease = line_of(app, "192.168.122.41/24")
        assert "52:54:00:00:00:01" in lease
        assert "web-01" in lease
        assert "never" in lease
        assert "expired" in line_of(app, "192.168.122.42/24")


async def test_a_network_that_goes_away_while_it_is_open_is_told() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "net")
        await pilot.press("enter")
        await pilot.pause()
        app.show(fleet(replace(things.everything(), networks={})))
        await pilot.pause()
        assert "It is gone" in screen_text(app)
        assert "192.168.122.41/24" in screen_text(app)


async def test_a_pool_shows_how_full_it_is_in_words_too_and_one_that_is_off_does_not_guess() -> (
    None
):
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        assert "97%" in line_of(app, "fast")
        assert "256 G" not in line_of(app, "backup")
        assert "768 G" in line_of(app, "images")
        assert "degraded" in line_of(app, "san")


async def test_the_volumes_of_a_pool_tell_format_size_backing_and_who_uses_them() -> None:
    app = driven()
    async with app.run_test(size=(200, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("j", "j", "enter")
        await settle(app, pilot)
        line = line_of(app, "web-01.qcow2")
        for word in ("qcow2", "40 G", "12 G", "base.qcow2", "web-01"):
            assert word in line


async def test_a_pool_that_is_off_says_that_it_has_to_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things.answer(monkeypatch, volumes=AssertionError("must not be asked"))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("enter")
        await settle(app, pilot)
        assert "backup is inactive; start it to see its volumes." in screen_text(app)


async def test_volumes_that_cannot_be_read_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(monkeypatch, volumes=TuivirtError("cannot list", "stale handle", "remount it"))
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "pool")
        await pilot.press("j", "j", "enter")
        await settle(app, pilot)
        assert "cannot list: stale handle" in screen_text(app)
        assert "Remount it" in screen_text(app)


async def test_devices_hang_below_their_parents() -> None:
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "dev")
        lines = screen_lines(app)
        port = next(i for i, x in enumerate(lines) if "PCIe Root Port" in x)
        assert "0000:04:00.0" in lines[port + 1]
        assert lines[port + 1].index("0000:04") > lines[port].index("0000:00")
        gpu = lines[port + 1]
        for word in ("Tesla P4", "vfio-pci", "14", "gpu-train"):
            assert word in gpu


async def test_a_digit_shows_one_kind_of_devices_and_says_how_many_there_are() -> None:
    app = driven()
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "dev")
        await pilot.press("4")
        await pilot.pause()
        text = screen_text(app)
        assert "[USB 1]" in text
        assert "YubiKey" in text
        assert "Tesla" not in text
        await pilot.press("left")
        await pilot.pause()
        assert "[GPU 1]" in screen_text(app)
        assert "HD Audio" not in screen_text(app)
        await pilot.press("8")
        await pilot.pause()
        assert "1 shows all devices." in screen_text(app)


async def test_a_device_tells_what_goes_along_with_it() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "dev")
        await pilot.press("3", "enter")
        await pilot.pause()
        assert "HD Audio" in line_of(app, "goes along")
        assert "10de:1bb3" in screen_text(app)


async def test_devices_that_claim_to_be_one_another_s_parents_are_shown_all_the_same() -> None:
    circle = {
        name: NodeDevice("srv1", name, parent, "pci")
        for name, parent in (("a", "b"), ("b", "a"), ("c", "missing"), ("d", "c"))
    }
    app = driven(fleet(replace(things.everything(), devices=circle)))
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "dev")
        assert "Devices 4 of 4" in screen_text(app)


async def test_a_host_that_cannot_be_reached_says_why_and_what_to_try() -> None:
    app = driven(two_hosts())
    async with app.run_test(size=(120, 40)) as pilot:
        await go(app, pilot, "host")
        assert "srv2" in line_of(app, "failed ")
        await pilot.press("j", "enter")
        await pilot.pause()
        text = screen_text(app)
        assert "Permission denied (publickey)" in text
        assert "add your key" in text
        assert "next try in" in text


async def test_a_host_tells_what_watching_it_costs() -> None:
    app = driven()
    async with app.run_test(size=(120, 60)) as pilot:
        await go(app, pilot, "host")
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        assert "3.1 %" in text
        assert "10.0.0.7/24" in text
        assert "1 run" in text


async def test_the_xml_of_a_network_is_read_on_y_and_its_failure_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        await go(app, pilot, "net")
        await pilot.press("y")
        await settle(app, pilot)
        assert "<name>default</name>" in screen_text(app)
        await pilot.press("q")
        things.answer(monkeypatch, xml_of=TuivirtError("cannot read it", "gone", "refresh"))
        await pilot.press("y")
        await settle(app, pilot)
        assert "cannot read it: gone" in screen_text(app)


async def test_a_list_of_one_host_only() -> None:
    other = replace(
        things.everything(),
        name="srv3",
        networks={uuid_of(9): replace(things.NETWORKS[2], host="srv3", name="elsewhere")},
    )
    app = driven(fleet(things.everything(), other))
    async with app.run_test(size=(120, 30)) as pilot:
        await go(app, pilot, "net")
        assert "elsewhere" in screen_text(app)
        await pilot.press("colon", *"net @srv1", "enter")
        await pilot.pause()
        await pilot.pause()
        assert "elsewhere" not in screen_text(app)
        assert "uplink" in screen_text(app)


def test_every_row_of_a_list_names_an_object_that_can_be_opened() -> None:
    snapshot: Any = things.everything()
    for thing in (*snapshot.networks.values(), *snapshot.pools.values()):
        assert fleet(snapshot).find(thing.ref) is thing


async def test_what_is_typed_ahead_of_the_command_line_belongs_to_it() -> None:
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        # One packet of a slow line: no key waits until the one before it was drawn.
        for key in ("colon", "n", "e", "t", "space", "slash", "l", "a", "colon", "enter"):
            char = {"colon": ":", "slash": "/", "space": " "}.get(key, key)
            app.post_message(events.Key(key, char if len(char) == 1 else None))
        await pilot.pause()
        await pilot.pause()
        assert "Networks 0 of 3   /la:" in screen_text(app)
