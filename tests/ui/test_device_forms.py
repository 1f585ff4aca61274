"""The forms for devices: what applies is shown, the rest on demand, nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tuivirt.actions.errors import TuivirtError
from tuivirt.backend.model.blocks import BlockDevice
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.forms import FormFacts, KnownDevice
from tuivirt.backend.model.functions import VirtualFunction
from tuivirt.backend.model.machine import Capabilities, Machine
from tuivirt.widgets.form import FormDialog
from tuivirt.widgets.menu import Menu

from . import factory
from .driver import DrivenApp, check_golden, on_top, screen_text
from .things import answer, driven, go, settle

SIZE = (80, 24)
OFFERED = Capabilities(
    {
        "rng": {"model": ("virtio",), "backendModel": ("random", "egd")},
        "tpm": {"model": ("tpm-tis", "tpm-crb"), "backendModel": ("passthrough",)},
        "disk": {"bus": ("virtio", "scsi", "sata", "usb"), "diskDevice": ("disk", "cdrom")},
    }
)
Q35 = Machine(frozenset(("qemu", "x86_64", "x86", "q35", "usb")), "9.0.0", "QEMU 7.2.22", OFFERED)
OFF = factory.fleet(factory.host([factory.domain(1, "web-01", DomainState.SHUTOFF)]))
BLOCKS = (
    BlockDevice(
        "sdb",
        "/dev/disk/by-id/ata-Fine_Disk_S123",
        8 * 1024**4,
        "Fine Disk",
        "S123",
        "1 partition",
    ),
    BlockDevice("sda", "/dev/sda", 1024**4, uses=("sda1: mounted at /",)),
    BlockDevice("sdc", "/dev/sdc", 1024**4, uses=("vdb of db-01",)),
)


async def opened(pilot: Any, app: DrivenApp, action: str) -> FormDialog:
    """The form of that action on the first domain, once it knows what to offer."""
    await pilot.pause()
    assert app.front is not None
    assert app.front.table is not None
    app.front.table.move_to(factory.ref_of(1))
    await go(app, pilot, action)
    form = on_top(app)
    assert isinstance(form, FormDialog)
    return form


@pytest.fixture(autouse=True)
def facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the look-up for a form tells."""
    answer(monkeypatch, form_facts=FormFacts(Q35, networks=("default", "lab")))


def labels(form: FormDialog) -> list[str]:
    return [field.label for field in form.fields]


async def go_to(pilot: Any, form: FormDialog, name: str) -> None:
    """Move the focus to a field."""
    names = [field.name for field in form.fields]
    steps = names.index(name) - form.at
    await pilot.press(*(["down"] * steps if steps > 0 else ["up"] * -steps))


def words(form: FormDialog) -> str:
    return " ".join(form.panel.text.split())


async def test_a_new_device_begins_with_the_few_fields_that_matter_filled_in() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-rng")
        assert labels(form) == ["Model", "Source", "Device", "When", "More…"]
        assert form.values["device"] == "/dev/urandom"
        check_golden("attach-rng-80x24", screen_text(app))
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.recorded.wishes == [
            (
                "attach-rng",
                "web-01",
                {
                    "model": "virtio",
                    "backend": "random",
                    "device": "/dev/urandom",
                    "when": "auto",
                },
            )
        ]


async def test_a_choice_brings_its_fields_at_once_and_the_focus_stays() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-rng")
        await go_to(pilot, form, "backend")
        await pilot.press(*"egd")
        assert labels(form)[:6] == ["Model", "Source", "Behind it", "Role", "Host", "Port"]
        assert form.fields[form.at].name == "backend"
        check_golden("attach-rng-egd-80x24", screen_text(app))


async def test_what_was_typed_is_there_again_when_its_field_comes_back() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-rng")
        await go_to(pilot, form, "backend")
        await pilot.press(*"egd")
        await go_to(pilot, form, "host")
        await pilot.press(*"192.0.2.7")
        await go_to(pilot, form, "backend")
        await pilot.press(*"random")
        assert "host" not in form.values, "what does not apply is not asked for"
        assert form.values["device"] == "/dev/urandom"
        await pilot.press(*"egd")
        assert form.values["host"] == "192.0.2.7"


async def test_one_row_opens_the_rest_and_hides_it_again() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-rng")
        assert "2 others: At most, Period" in words(form)
        await go_to(pilot, form, "more")
        await pilot.press("enter")
        assert labels(form)[4:] == ["Less", "At most", "Period"]
        await pilot.press("down", *"1024", "up", "space")
        assert "Period" not in labels(form)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.recorded.wishes[0][2]["bytes"] == "1024", "what is hidden is not forgotten"


async def test_what_the_host_does_not_offer_is_said_of_the_field_in_focus() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-tpm")
        await go_to(pilot, form, "backend")
        assert "emulator needs swtpm on the host (packages swtpm and swtpm-tools)" in words(form)
        assert form.values["backend"] == "passthrough"
        check_golden("attach-tpm-80x24", screen_text(app))


async def test_a_kind_that_the_host_does_not_offer_cannot_be_added_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    why = "needs swtpm on the host"
    answer(monkeypatch, kinds_lacking={"tpm": why}, form_facts=FormFacts(Q35, lacking=why))
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-tpm")
        assert f"web-01 cannot have one: it {why}." in words(form)
        await pilot.press("ctrl+s", "escape")
        await pilot.press("a")
        await pilot.pause()
        actions = on_top(app)
        assert isinstance(actions, Menu)
        at = [choice.id for choice in actions.shown].index("attach")
        await pilot.press(*["down"] * (at - actions.at), "enter")
        await settle(app, pilot)
        menu = on_top(app)
        assert isinstance(menu, Menu)
        await pilot.press(*"tpm", "enter")
        assert on_top(app) is menu
        assert why in menu.panel.text
        assert app.recorded.wishes == []


async def test_what_a_running_guest_cannot_be_given_is_for_the_next_boot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, form_facts=FormFacts(Q35, active=True))
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-tpm")
        assert form.values["when"] == "next boot"
        await pilot.press("escape")
        form = await opened(pilot, app, "attach-rng")
        assert form.values["when"] == "auto"


async def test_a_change_begins_with_what_the_device_is_and_asks_for_the_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tuivirt.backend.xml.catalog import kinds

    silent = {f.name: f.nothing for f in kinds()["rng"].declaration.fields}
    devices = tuple(
        KnownDevice(
            label,
            f"virtio {device}",
            silent | {"model": "virtio", "backend": "random", "device": device, "bytes": bytes},
            live=True,
        )
        for label, device, bytes in (("#1", "/dev/random", 512), ("#2", "/dev/hwrng", None))
    )
    answer(monkeypatch, form_facts=FormFacts(Q35, devices=devices))
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "update-rng")
        assert labels(form) == ["Which", "When"], "nothing is shown of none"
        await pilot.press("ctrl+s")
        assert "Which one?" in words(form)
        await pilot.press("right")
        assert form.values["device"] == "/dev/random"
        assert "At most" in labels(form), "it says something there"
        await go_to(pilot, form, "bytes")
        await pilot.press("ctrl+u", *"256")
        await go_to(pilot, form, "which")
        await pilot.press("right")
        assert form.values["device"] == "/dev/hwrng"
        assert form.values["bytes"] == "", "each has its own"
        await pilot.press("left")
        assert form.values["bytes"] == "256", "what was typed for this one is there again"
        await go_to(pilot, form, "device")
        await pilot.press("ctrl+u")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.recorded.wishes == [
            (
                "update-rng",
                "web-01",
                {"which": "#1", "when": "auto", "bytes": "256", "clear": "device"},
            )
        ]


async def test_a_change_that_a_running_guest_refuses_becomes_one_for_the_next_boot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tuivirt.backend.xml.catalog import kinds

    silent = {f.name: f.nothing for f in kinds()["interface"].declaration.fields}
    card = KnownDevice("52:54:00:00:00:01", "", silent | {"source": "lab", "model": "virtio"}, True)
    facts = FormFacts(Q35, active=True, devices=(card,), networks=("lab",))
    answer(monkeypatch, form_facts=facts)
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "update-interface")
        assert form.values["when"] == "auto"
        await go_to(pilot, form, "mac")
        await pilot.press(*"52:54:00:00:00:02")
        assert form.values["when"] == "next boot"
        await go_to(pilot, form, "when")
        assert "MAC address of a network interface cannot be changed while" in words(form)
        await go_to(pilot, form, "mac")
        await pilot.press("ctrl+u")
        assert form.values["when"] == "auto", "nothing differs any more"


async def block_devices(pilot: Any, app: DrivenApp, form: FormDialog) -> None:
    """Have the form of a disk list the host's block devices."""
    form.fill(next(field for field in form.fields if field.name == "sourcetype"), "block")
    assert "ctrl+o: block devices" in words(form)
    await pilot.press("ctrl+o")
    await settle(app, pilot)


async def test_a_block_device_is_chosen_from_those_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, block_devices=BLOCKS)
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        await block_devices(pilot, app, form)
        menu = on_top(app)
        assert isinstance(menu, Menu)
        check_golden("block-devices-80x24", screen_text(app))
        await pilot.press("down", "enter")
        await pilot.pause()
        assert on_top(app) is menu, "what is in use cannot be chosen"
        await pilot.press("up", "enter")
        await pilot.pause()
        assert on_top(app) is form
        assert form.values["source"] == "/dev/disk/by-id/ata-Fine_Disk_S123"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((), "The host tells of no block devices."),
        (TuivirtError("cannot look", "End of file"), "cannot look: End of file"),
    ],
)
async def test_no_list_to_choose_from_is_said(
    monkeypatch: pytest.MonkeyPatch, told: Any, said: str
) -> None:
    answer(monkeypatch, block_devices=told)
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        await block_devices(pilot, app, form)
        assert on_top(app) is form
        assert said in words(form)


async def test_a_virtual_function_is_chosen_with_its_card_in_sight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functions = (
        VirtualFunction("0000:03:10.2", "0000:03:00.0", "eth1", "Intel 82576"),
        VirtualFunction("0000:03:10.0", "0000:03:00.0", "eth1", "Intel 82576", ("db-01 has it",)),
    )
    answer(monkeypatch, network_functions=functions)
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-interface")
        await pilot.press(*"hostdev", "down")
        assert form.fields[form.at].label == "PCI address"
        await pilot.press("ctrl+o")
        await settle(app, pilot)
        check_golden("functions-80x24", screen_text(app))
        await pilot.press("enter")
        await pilot.pause()
        await go_to(pilot, form, "vlan")
        await pilot.press(*"42", "ctrl+s")
        await pilot.pause()
        assert app.recorded.wishes == [
            (
                "attach-interface",
                "web-01",
                {
                    "type": "hostdev",
                    "managed": "yes",
                    "pci": "0000:03:10.2",
                    "vlan": "42",
                    "when": "auto",
                },
            )
        ]


async def test_the_buses_of_a_new_disk_are_those_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buses = {"disk": "virtio", "cdrom": "sata"}
    answer(monkeypatch, form_facts=FormFacts(Q35, buses=buses))
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-disk")
        bus = next(field for field in form.fields if field.name == "targetbus")
        assert bus.choices == ("", "virtio", "scsi", "sata", "usb")
        assert "‹ virtio, as suits it ›" in words(form)
        await go_to(pilot, form, "targetbus")
        assert "ide needs an i440fx machine" in words(form)
        await go_to(pilot, form, "type")
        await pilot.press(*"cdrom")
        assert "‹ sata, as suits it ›" in words(form)


async def test_a_form_fits_a_small_screen_with_everything_in_reach() -> None:
    app = driven(OFF)
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "attach-interface")
        await go_to(pilot, form, "more")
        await pilot.press("enter", "up", "up")
        for _step in form.fields:
            await pilot.press("down")
            if form.at < len(form.fields):
                assert f"▸ {form.fields[form.at].label}" in screen_text(app)
