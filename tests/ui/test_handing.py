"""A device handed over on the screen: chosen, planned, asked for, and only then done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tuivirt.actions.catalog import ACTIONS
from tuivirt.actions.errors import BadInput
from tuivirt.backend.model.passthrough import (
    DeviceFacts,
    DiskUse,
    Finding,
    NetUse,
    Plan,
    Step,
    Task,
    Weight,
)
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.widgets.form import FormDialog

from .driver import DrivenApp, check_golden, on_top, screen_text
from .factory import HOST
from .things import DEVICES, answer, driven, settle

GPU = next(d for d in DEVICES if d.pci_class.startswith("03"))
WARNING = Finding(Weight.RISK, f"{GPU.address} holds the boot display", "The console goes dark")
REFUSAL = Finding(Weight.REFUSED, f"db-01 runs with {GPU.address}", "Take it from db-01 first")
SIZE = (80, 24)


def plan(*findings: Finding) -> Plan:
    return Plan(
        domain="web-01",
        given=(GPU,),
        held=(),
        live=True,
        saved=True,
        steps=(
            Step(Task.UNBIND, GPU, f"take {GPU.address} from nouveau and bind it to vfio-pci"),
            Step(Task.HAND_OVER, GPU, f"add {GPU.address} to web-01, now and for each boot"),
        ),
        findings=findings,
        lost=(GPU.address,),
    )


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> DrivenApp:
    answer(monkeypatch, givable=(GPU,), devices_of=(GPU,))
    return driven()


async def planned(pilot: Any, app: DrivenApp, monkeypatch: Any, answer: Any) -> FormDialog:
    """The plan of handing the GPU to the first domain, by keys from the list of devices."""

    def planning(_host: object, _key: str, values: Mapping[str, Any]) -> Plan:
        assert values["device"] == GPU.name
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]

    action = ACTIONS["attach-hostdev"]
    monkeypatch.setitem(ACTIONS, action.name, replace(action, plan=planning))
    await pilot.pause()
    await pilot.press(":", *"dev", "enter")
    await pilot.pause()
    assert app.front is not None
    assert app.front.table is not None
    app.front.table.move_to(Ref(HOST, Kind.DEVICE, GPU.name))
    await pilot.press("+", "enter")
    await settle(app, pilot)
    await pilot.press("ctrl+s")
    await settle(app, pilot)
    form = on_top(app)
    assert isinstance(form, FormDialog)
    return form


async def test_the_plan_is_shown_and_nothing_is_done_before_it_is_asked_for(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, plan())
        assert "bind it to vfio-pci" in " ".join(form.panel.text.split())
        check_golden("plan-80x24", screen_text(app))
        await pilot.press("enter")
        await pilot.pause()
        assert app.recorded.wishes == []


async def test_what_was_asked_for_is_done(app: DrivenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, plan())
        form.submit()
        await pilot.pause()
        (wish,) = app.recorded.wishes
        assert wish[0] == "attach-hostdev"
        assert wish[2]["device"] == GPU.name
        assert wish[2]["force"] is False


async def test_a_risk_is_taken_by_the_devices_name_alone(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, plan(WARNING))
        assert "holds the boot display" in form.panel.text
        form.submit()
        await pilot.pause()
        assert app.recorded.wishes == []
        await pilot.press(*GPU.address)
        form.submit()
        await pilot.pause()
        (wish,) = app.recorded.wishes
        assert wish[2]["force"] is True


@pytest.mark.parametrize(
    "answered", [plan(REFUSAL, WARNING), BadInput("web-01 is gone", "it was undefined")]
)
async def test_what_is_refused_or_cannot_be_planned_cannot_be_asked_for(
    app: DrivenApp, monkeypatch: pytest.MonkeyPatch, answered: Any
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        form = await planned(pilot, app, monkeypatch, answered)
        assert ("db-01 runs with" in form.panel.text) or ("web-01 is gone" in form.panel.text)
        assert form.blocked
        form.submit()
        await pilot.pause()
        assert app.recorded.wishes == []


async def test_a_device_that_no_domain_has_is_not_taken_back(app: DrivenApp) -> None:
    free = next(d for d in DEVICES if isinstance(d, NodeDevice) and not d.users)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press(":", *"dev", "enter")
        await pilot.pause()
        assert app.front is not None
        assert app.front.table is not None
        app.front.table.move_to(Ref(HOST, Kind.DEVICE, free.name))
        await pilot.press("-")
        await pilot.pause()
        assert "no domain has" in screen_text(app)


async def test_a_device_says_what_the_host_does_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    about = DeviceFacts(
        boot_display=True,
        can_reset=False,
        nets=(NetUse("eth0", ("192.0.2.7",), above=("br0",), this_session=True),),
        disks=(DiskUse("sda1", "mounted at /"),),
    )
    answer(monkeypatch, device_facts=about)
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.open_object(Ref(HOST, Kind.DEVICE, GPU.name))
        await settle(app, pilot)
        text = " ".join(screen_text(app).split())
        assert "boot display yes" in text
        assert "cannot be reset" in text
        assert "sda1 mounted at /, eth0 in br0 192.0.2.7 this SSH session" in text


async def test_one_that_cannot_be_given_is_never_taken_for_another(app: DrivenApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.front is not None
        domain = app.front.targets()[0]
        assert GPU.address.startswith("0")
        app.front.act("attach-hostdev", [domain], device="pci_0000_00_00_0")
        await settle(app, pilot)
        form = on_top(app)
        assert isinstance(form, FormDialog)
        assert form.fields[0].choices == ("", GPU.name)
        assert form.values["device"] == ""
        assert "which one?" in form.panel.text
