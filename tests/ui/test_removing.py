"""Devices of a domain marked and taken away together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tuivirt.backend.model.device import DomainDetail
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.task import TaskState
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.screens.domain_rows import device_rows

from . import things
from .driver import DrivenApp, screen_text
from .factory import HOST
from .things import driven, settle

DEVICES = """<domain><name>web-01</name><devices>
  <disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/>{}</disk>
  <disk type='file' device='disk'><source file='/b'/><target dev='vdb' bus='virtio'/></disk>
  <interface type='user'><mac address='52:54:00:00:00:01'/>{}</interface>
  <rng model='virtio'><backend model='random'>/dev/urandom</backend>{}</rng>
  <sound model='ich9'>{}</sound>
  <shmem name='one'>{}</shmem>
  {}</devices></domain>"""
ALIASES = [f"<alias name='{name}'/>" for name in ("virtio-disk0", "net0", "rng0", "sound0", "shm0")]
LIVE = DEVICES.format(*ALIASES, "<memory model='nvdimm'><alias name='nvdimm0'/></memory>")
SAVED = DEVICES.format(*[""] * 5, "<video><model type='vga'/></video>")
DETAIL = DomainDetail(parse_domain(LIVE), parse_domain(SAVED), LIVE, SAVED, ())


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    things.answer(monkeypatch, domain_detail=DETAIL)


async def on_the_devices(app: DrivenApp, pilot: Pilot[Any]) -> None:
    await pilot.press("enter")
    await settle(app, pilot)
    await pilot.press("4")
    await settle(app, pilot)


async def test_one_question_names_all_that_are_marked_and_each_gets_a_task() -> None:
    app = driven()
    async with app.run_test(size=(100, 30)) as pilot:
        await on_the_devices(app, pilot)
        await pilot.press("space", "space", "space", "space", "space")
        await pilot.press("minus")
        await settle(app, pilot)
        text = " ".join(screen_text(app).split())
        assert "Remove 4 devices: web-01" in text
        for name in ("random number generator rng0", "sound card sound0", "shared memory one"):
            assert name in text
        assert "sound card sound0 with the next boot only: a sound card cannot be plugged" in text
        assert "memory device nvdimm0 stays:" in text
        await pilot.press("y")
        await settle(app, pilot)
        assert app.recorded.wishes == [
            # By its number, so before any other of its kind.
            ("detach-video", "web-01", {"which": "#1", "when": "next boot"}),
            ("detach-rng", "web-01", {"which": "rng0", "when": "auto"}),
            ("detach-sound", "web-01", {"which": "sound0", "when": "next boot"}),
            ("detach-shmem", "web-01", {"which": "one", "when": "auto"}),
        ]
        assert "marked" not in screen_text(app)
        for number in range(1, 5):
            app.recorded.end(number, TaskState.DONE, "it is removed")
        app.on_arrived()
        app._paint()
        told = "4 devices are removed, 1 of them with the next boot"
        assert app.notice == (told, "information")


async def test_no_is_no_and_the_marks_stay() -> None:
    app = driven()
    async with app.run_test(size=(100, 30)) as pilot:
        await on_the_devices(app, pilot)
        await pilot.press("space", "space", "minus")
        await settle(app, pilot)
        await pilot.press("n")
        await settle(app, pilot)
        assert app.recorded.wishes == []
        assert "2 marked" in screen_text(app)


async def test_what_failed_among_them_is_told_with_how_many_are_done() -> None:
    app = driven()
    async with app.run_test(size=(160, 30)) as pilot:
        await on_the_devices(app, pilot)
        await pilot.press("space", "space", "space", "minus")
        await settle(app, pilot)
        await pilot.press("y")
        await settle(app, pilot)
        app.recorded.end(1, TaskState.DONE, "rng0 is removed")
        app.recorded.end(2, TaskState.FAILED, "cannot remove the sound card: the monitor hangs")
        app.recorded.end(3, TaskState.PENDING, "the guest has not let go of one")
        app.on_arrived()
        app._paint()
        await settle(app, pilot)
        told = "1 of 3 devices are removed; the guest still holds shared memory one; cannot remove"
        assert app.notice == (f"{told} the sound card: the monitor hangs", "error")


async def test_minus_is_about_the_device_under_the_cursor_on_every_tab(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    asked: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(app, "act", lambda name, _refs, values: asked.append((name, values)))
    async with app.run_test(size=(100, 30)) as pilot:
        await on_the_devices(app, pilot)
        await pilot.press("minus", "j", "minus", "3", "minus", "2", "minus")
        await settle(app, pilot)
    assert asked == [
        ("detach-rng", {"which": "rng0"}),
        ("detach-sound", {"which": "sound0", "when": "next boot"}),
        ("detach-interface", {"which": "52:54:00:00:00:01"}),
        ("detach-disk", {"target": "vda"}),
    ]


async def test_marks_stay_with_their_devices_when_others_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = driven()
    async with app.run_test(size=(100, 30)) as pilot:
        await on_the_devices(app, pilot)
        await pilot.press("j", "space")
        assert DETAIL.live is not None
        fewer = replace(DETAIL.live, devices=DETAIL.live.devices[1:])
        things.answer(monkeypatch, domain_detail=replace(DETAIL, live=fewer))
        await pilot.press("1", "4")
        app.front._answered(replace(DETAIL, live=fewer))  # type: ignore[union-attr]
        await settle(app, pilot)
        table = app.front.table  # type: ignore[union-attr]
        assert table is not None
        rows = [table.row(key) for key in table.marks]
        assert [row.device.alias for row in rows if row is not None] == ["sound0"]


def test_a_device_that_the_guest_still_holds_is_marked_as_detaching() -> None:
    domain = replace(things.web(), detaching=("0000:05:00.0",), leaving=("rng0",))
    rows = {row.device.alias: row.when for row in device_rows(domain, DETAIL).values()}
    assert rows["rng0"] == "detaching …"
    assert rows["sound0"] == ""


async def test_a_disk_that_the_guest_boots_from_is_told_among_the_others() -> None:
    app = driven()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("enter")
        await settle(app, pilot)
        await pilot.press("2")
        await settle(app, pilot)
        await pilot.press("space", "space", "minus")
        await settle(app, pilot)
        text = " ".join(screen_text(app).replace("│", " ").split())
        assert "2 devices: disk vda, disk vdb." in text
        assert "the images themselves stay" in text
        assert "⚠ web-01 boots from vda: the guest may lose its system." in text
        assert "boots from vdb" not in text


async def test_why_none_is_begun_stays_on_the_screen() -> None:
    app = driven()
    async with app.run_test(size=(160, 30)) as pilot:
        await on_the_devices(app, pilot)
        await pilot.press("space", "space", "minus")
        await settle(app, pilot)
        app.show(renamed(app.fleet))
        await settle(app, pilot)
        await pilot.press("y")
        await settle(app, pilot)
        assert app.recorded.wishes == []
        told = "0 of 2 devices are removed; web-01: it is called web-old by now"
        assert app.notice == (told, "error")
        app.on_arrived()
        app._paint()
        assert app.notice == (told, "error")


def renamed(shown: Fleet) -> Fleet:
    host = shown.hosts[HOST]
    domains = {**host.domains, things.web().uuid: replace(things.web(), name="web-old")}
    return replace(shown, hosts={**shown.hosts, HOST: replace(host, domains=domains)})
