"""Mediated devices on the screen: in the tree as what they are, and made by choosing a type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import MdevType, NodeDevice
from tuivirt.widgets.form import FormDialog

from .driver import DrivenApp, on_top, screen_text
from .factory import HOST, fleet
from .things import DEVICES, answer, driven, everything, settle

SIZE = (80, 24)
UUID = "c2177883-f1bb-47f0-914d-32a22e3a8804"
TYPES = (
    MdevType("acme-1", "Painter, a quarter", "vfio-pci", 3),
    MdevType("acme-2", "Painter, half", "vfio-pci", 0),
)
GPU = replace(next(d for d in DEVICES if d.pci_class.startswith("03")), mdev_types=TYPES)
DEFINED = NodeDevice(
    HOST,
    f"mdev_{UUID}",
    parent=GPU.name,
    capability="mdev",
    mdev_type="acme-1",
    mdev_uuid=UUID,
    active=False,
    persistent=True,
    autostart=True,
)


def app_with(*devices: NodeDevice) -> DrivenApp:
    there = everything()
    known = {**there.devices, **{device.name: device for device in devices}}
    return driven(fleet(replace(there, devices=known)))


async def on(pilot: Any, app: DrivenApp, device: NodeDevice, *keys: str) -> None:
    """Press keys on a device in the list."""
    await pilot.pause()
    await pilot.press(":", *"dev", "enter")
    await pilot.pause()
    assert app.front is not None
    assert app.front.table is not None
    app.front.table.move_to(Ref(HOST, Kind.DEVICE, device.name))
    await pilot.press(*keys)
    await settle(app, pilot)


async def test_one_that_is_only_defined_hangs_on_its_parent_and_says_that_it_is_not_there() -> None:
    app = app_with(GPU, DEFINED)
    async with app.run_test(size=SIZE) as pilot:
        await on(pilot, app, DEFINED, "8")
        (row,) = (line for line in screen_text(app).splitlines() if UUID[:8] in line)
        assert "not active" in row
        await on(pilot, app, DEFINED, "enter")
        text = " ".join(screen_text(app).split())
        assert "not active" in text
        assert "defined yes, and started with its parent" in text


async def test_a_device_that_makes_them_offers_its_types_with_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, mdev_types=TYPES)
    app = app_with(GPU)
    async with app.run_test(size=SIZE) as pilot:
        await on(pilot, app, GPU, "a")
        await pilot.press("enter")
        await settle(app, pilot)
        form = on_top(app)
        assert isinstance(form, FormDialog)
        assert "which one?" in form.panel.text
        form.submit()
        assert app.recorded.wishes == []
        await pilot.press("right", "right")
        assert "acme-2 Painter, half 0 left" in " ".join(form.panel.text.split())
        assert "can make no more" in form.panel.text
        await pilot.press("left")
        assert "acme-1 Painter, a quarter 3 left" in " ".join(form.panel.text.split())
        form.submit()
        await pilot.pause()
        (wish,) = app.recorded.wishes
        assert wish[:2] == ("create-mdev", GPU.name)
        assert wish[2]["kind"] == "acme-1"


async def test_where_there_is_no_room_at_all_none_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, mdev_types=TYPES[1:])
    app = app_with(GPU)
    async with app.run_test(size=SIZE) as pilot:
        await on(pilot, app, GPU, "a")
        await pilot.press("enter")
        await settle(app, pilot)
        form = on_top(app)
        assert isinstance(form, FormDialog)
        assert "can make no more of any type" in form.blocked


@pytest.mark.parametrize(
    ("key", "device", "said"),
    [
        ("s", GPU, "no mediated device"),
        ("ctrl+k", DEFINED, "it is not there"),
        ("ctrl+d", replace(DEFINED, active=True, persistent=False), "it is not defined"),
    ],
)
async def test_what_cannot_be_done_to_it_is_said(key: str, device: NodeDevice, said: str) -> None:
    app = app_with(GPU, device)
    async with app.run_test(size=SIZE) as pilot:
        await on(pilot, app, device, key)
        assert said in screen_text(app)
        assert app.recorded.wishes == []


async def test_a_device_that_nobody_has_named_is_told_by_its_numbers() -> None:
    nameless = replace(GPU, vendor="", product="", vendor_id="1234", product_id="1111")
    app = app_with(nameless)
    async with app.run_test(size=SIZE) as pilot:
        await on(pilot, app, nameless, "3")
        (row,) = (line for line in screen_text(app).splitlines() if nameless.address in line)
        assert "1234:1111" in row
