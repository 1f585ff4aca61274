"""Forms that offer only what the objects have: their belongings, their disks, their drives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.lookups import Belongings
from tuivirt.backend.model.device import DomainDetail
from tuivirt.backend.model.domain import DomainState
from tuivirt.widgets.form import Field, FormDialog

from . import factory
from .driver import DrivenApp, check_golden, on_top, screen_text
from .things import DETAIL, LIVE, OFF, SAVED, WEB, answer, driven, settle

SIZE = (80, 24)
SIZES = {"vda": 40 * 1024**3, "vdb": 8 * 1024**3}

EVERYTHING = Belongings(True, 3, 1, "/var/lib/libvirt/qemu/nvram/template_VARS.fd", True)


async def opened(pilot: Any, app: DrivenApp, key: str, number: int = 1) -> FormDialog:
    """The form that ``key`` opens on a domain, once it knows what to offer."""
    await pilot.pause()
    assert app.front is not None
    assert app.front.table is not None
    app.front.table.move_to(factory.ref_of(number))
    await pilot.press(key)
    await settle(app, pilot)
    form = on_top(app)
    assert isinstance(form, FormDialog)
    return form


def words(form: FormDialog) -> str:
    return " ".join(form.panel.text.split())


async def test_undefine_offers_and_names_what_the_domain_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, belongings=EVERYTHING)
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "ctrl+d", 8)
        assert [field.label for field in form.fields] == [
            "Remove saved memory",
            "Remove snapshot records",
            "Remove checkpoint records",
            "UEFI variables",
            "TPM state",
        ]
        for lost in ("saved memory", "3 snapshots", "1 checkpoint;", "template_VARS.fd", "TPM"):
            assert lost in words(form)
        check_golden("undefine-80x24", screen_text(app))


async def test_undefine_of_a_domain_without_belongings_asks_for_nothing_and_enter_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, belongings=Belongings())
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "ctrl+d", 8)
        assert form.fields == ()
        assert "Its configuration is lost. Its disks stay." in words(form)
        await pilot.press("ctrl+s", "enter")
        await pilot.pause()
        assert on_top(app) is app.front
        assert app.recorded.wishes == []
        await opened(pilot, app, "ctrl+d", 8)
        await pilot.press("left", "enter")
        await pilot.pause()
        assert app.recorded.wishes == [("undefine", "template-deb12", {})]


async def test_until_it_is_known_what_a_domain_has_it_cannot_be_undefined() -> None:
    app = DrivenApp(factory.sketch())
    app.look_up = lambda *_: None  # type: ignore[method-assign]
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+d")
        await pilot.pause()
        assert "Looking up what belongs to it" in screen_text(app)
        await pilot.press("left", "enter", "enter", "ctrl+s")
        await pilot.pause()
        assert isinstance(on_top(app), FormDialog)
        assert app.recorded.wishes == []
        await pilot.press("escape")
        assert on_top(app) is app.front


async def test_what_is_not_decided_is_named_in_the_words_of_the_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, belongings=Belongings(snapshots=1, nvram="/n.fd", tpm=True))
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "ctrl+d", 8)
        await pilot.press("up", "up", "enter")
        await pilot.pause()
        assert app.recorded.wishes == []
        assert "UEFI variables: choose keep or delete." in words(form)
        assert "TPM state: choose keep or delete." in words(form)
        assert "Remove snapshot records: libvirt undefines no domain that has it" in words(form)
        assert "--" not in words(form)
        await pilot.press("down", "down", "space", "down", *"del", "down", *"k", "down", "enter")
        await pilot.pause()
        assert app.recorded.wishes == [
            (
                "undefine",
                "template-deb12",
                {
                    "snapshots_metadata": True,
                    "nvram": True,
                    "keep_nvram": False,
                    "tpm": False,
                    "keep_tpm": True,
                },
            )
        ]


async def test_undefine_of_many_offers_what_any_of_them_has_and_says_who(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tuivirt.actions import lookups

    def belongings(_host: object, key: str) -> Belongings:
        return Belongings(snapshots=2) if key == factory.uuid_of(7) else Belongings(tpm=True)

    monkeypatch.setattr(lookups, "belongings", belongings)
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.front is not None
        assert app.front.table is not None
        for number in (7, 8):
            app.front.table.move_to(factory.ref_of(number))
            await pilot.press("space")
        form = await opened(pilot, app, "ctrl+d", 8)
        assert [field.name for field in form.fields] == ["snapshots_metadata", "tpm"]
        assert "kernel-test has records of 2 snapshots." in words(form)
        assert "template-deb12 has an emulated TPM with its state." in words(form)


async def test_what_cannot_be_looked_up_is_said_and_everything_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, belongings=TuivirtError("cannot read it", "End of file", "try again"))
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "ctrl+d", 8)
        assert len(form.fields) == 7
        assert "cannot read it: End of file. Try again" in words(form)


async def test_detach_offers_the_disks_with_their_size_bus_and_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, domain_detail=DETAIL, disk_sizes={})
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "minus")
        assert form.fields[0].choices == ("", "sda", "vda", "vdb", "vdc")
        assert form.values["target"] == "", "none is taken for granted"
        await pilot.press("right", "right")
        await pilot.pause()
        assert "vda  virtio  40 G  web-01.qcow2" in form.panel.text
        assert "web-01 boots from it" in words(form)
        assert "/var/lib/libvirt/images/web-01.qcow2" in words(form)
        check_golden("detach-disk-80x24", screen_text(app))
        await pilot.press("right")
        await pilot.pause()
        assert "vdb  virtio  data.qcow2  next boot" in form.panel.text
        assert "boots from it" not in words(form)


async def test_a_disk_is_chosen_by_typing_its_name_before_and_after_the_disks_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, domain_detail=DETAIL, disk_sizes={})
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "minus")
        await pilot.press(*"vdc")
        assert form.values["target"] == "vdc"
        await pilot.press(*"sd")
        assert form.values["target"] == "sda"
        await pilot.press("escape")
        held: list[Any] = []
        app.look_up = lambda *given: held.append(given)  # type: ignore[method-assign]
        await pilot.press("minus")
        await pilot.pause()
        await pilot.press(*"vdb")
        late = on_top(app)
        held[-1][-1]((DETAIL, {}))
        await pilot.pause()
        assert late.fields[0].kind == "choice"
        assert late.values["target"] == "vdb"
        await pilot.press("up", "up", "enter")
        await pilot.pause()
        assert [wish[2]["target"] for wish in app.recorded.wishes] == ["vdb"]


@pytest.mark.parametrize("order", [None, 1], ids=["the first disk", "by its order"])
async def test_the_disk_a_domain_boots_from_is_told_by_its_order_else_the_first(
    monkeypatch: pytest.MonkeyPatch, order: int | None
) -> None:
    first, second, drive = SAVED.disks
    disks = (first, replace(second, boot_order=order), replace(drive, boot_order=2))
    answer(
        monkeypatch, domain_detail=replace(OFF, saved=replace(SAVED, disks=disks)), disk_sizes=SIZES
    )
    app = driven(factory.fleet(factory.host([factory.domain(1, "web-01", DomainState.SHUTOFF)])))
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "minus")
        boots = [
            c for c, w in zip(form.fields[0].choices, form.fields[0].warnings, strict=True) if w
        ]
        assert boots == ["vda" if order is None else "vdb"]
        await pilot.press(*boots[0])
        await pilot.pause()
        assert "it may not start" in words(form)
        assert f"{boots[0]}  virtio  {'40 G' if order is None else '8 G'}" in form.panel.text


async def test_a_medium_is_changed_in_a_drive_only_and_the_only_drive_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, domain_detail=DETAIL, disk_sizes={})
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "i")
        assert form.fields[0].choices == ("sda",)
        assert "sda  sata  cdrom  empty" in form.panel.text


async def test_a_domain_without_a_drive_has_no_medium_to_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = replace(LIVE, disks=LIVE.disks[:2])
    answer(monkeypatch, domain_detail=DomainDetail(bare, None), disk_sizes={})
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        form = await opened(pilot, app, "i")
        assert "web-01 has no CD-ROM or floppy drive." in words(form)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert on_top(app) is form
        assert app.recorded.wishes == []


async def test_on_the_tab_of_disks_the_disk_under_the_cursor_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, domain_detail=DETAIL, disk_sizes={})
    app = driven()
    async with app.run_test(size=SIZE) as pilot:
        app.open_object(WEB)
        await pilot.pause()
        await settle(app, pilot)
        await pilot.press("2", "j", "minus")
        await settle(app, pilot)
        form = on_top(app)
        assert isinstance(form, FormDialog)
        assert form.values["target"] == "vda"
        assert "" not in form.fields[0].choices


async def test_who_stands_on_the_button_stays_there_unless_something_new_must_be_decided() -> None:
    fields = [Field("name", "Name"), Field("size", "Size")]
    form = FormDialog("Make it", fields, lambda _values: "")
    app = driven()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(form)
        await pilot.pause()
        await pilot.press("tab", "tab")
        form.offer(fields, form._check, sentences=["More is known."])
        assert form.at == len(fields)
        form.offer([*fields, Field("keep", "Keep")], form._check, sentences=[])
        assert form.at == 0


async def test_what_was_refused_before_the_offer_came_is_still_said_after_it() -> None:
    form = FormDialog(
        "Attach",
        [Field("source", "Source", "text", "", required=True)],
        lambda given: "" if given["source"] else "SOURCE is missing",
        sentences=[],
        yes="attach",
    )
    app = driven(factory.sketch())
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.push_screen(form)
        await settle(app, pilot)
        form.submit()
        assert "SOURCE is missing" in words(form)
        fields = [Field("source", "Source", "text", "", required=True), Field("x", "X", "text", "")]
        form.offer(fields, form._check, sentences=["More is known."])
        assert "More is known." in words(form)
        assert "SOURCE is missing" in words(form)
        form.fill(form.fields[0], "/x")
        form.offer(fields, form._check, sentences=[])
        assert "SOURCE is missing" not in words(form)
