"""Devices are changed and refused as the guest can bear it; each kind: test_every_kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from queue import Queue

import libvirt
import pytest

from tests.contract.conftest import Place
from tests.support.guests import Guest
from tuivirt.backend import lifecycle, lookups, saved_configuration
from tuivirt.backend.detaching import DetachOutcome
from tuivirt.backend.devices import attach_device, detach_device, update_device
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.hotplug import DiskRequest, attach_disk, detach_disk
from tuivirt.backend.model.when import When
from tuivirt.backend.sides import read_sides
from tuivirt.backend.xml.catalog import kinds
from tuivirt.backend.xml.errors import NoSuchDevice
from tuivirt.backend.xml.found import Found, found

LINK_DOWN = {"link": "down"}


def there(place: Place, kind: str, *, saved: bool = False) -> tuple[Found, ...]:
    sides = read_sides(place.host.domain(place.uuid), "cannot look")
    return found(sides.saved if saved else sides.live, kinds()[kind])


# What is refused before it is tried, and what is done for the next boot.


@pytest.mark.parametrize(
    ("kind", "values", "why"),
    [
        ("sound", {}, "a sound card cannot be plugged into a running guest"),
        ("tpm", {}, "a TPM cannot be plugged into a running guest"),
        ("serial", {"target_type": "isa-serial"}, "usb-serial or pci-serial can be plugged"),
        ("controller", {"type": "usb"}, "whose type is scsi can be plugged"),
        ("input", {"bus": "ps2"}, "usb or virtio can be plugged"),
    ],
)
def test_what_cannot_be_done_live_is_refused_and_offered_for_the_next_boot(
    qemu: Place, kind: str, values: dict[str, object], why: str
) -> None:
    before = qemu.xml(), qemu.xml(saved=True)
    with pytest.raises(BadInput, match=why) as caught:
        qemu.run(attach_device, kind, values)
    assert caught.value.advice == "do it for the next boot"
    assert (qemu.xml(), qemu.xml(saved=True)) == before


def test_a_card_is_given_an_address_of_its_own_and_none_that_is_taken(qemu: Place) -> None:
    qemu.run(attach_device, "interface", {"type": "user"})
    mac = str(there(qemu, "interface")[-1].values["mac"])
    assert mac.startswith("52:54:00:")
    assert there(qemu, "interface", saved=True)[-1].values["mac"] == mac
    with pytest.raises(BadInput, match=f"{mac} is taken"):
        qemu.run(attach_device, "interface", {"type": "user", "mac": mac.upper()})
    qemu.run(detach_device, "interface", mac)


def test_a_card_is_unplugged_from_its_cable_while_the_guest_runs(qemu: Place) -> None:
    qemu.run(attach_device, "interface", {"type": "user"})
    mac = str(there(qemu, "interface")[-1].values["mac"])
    try:
        text = qemu.run(update_device, "interface", mac, {"link": "down"})
        assert "is changed, now and from the next boot on" in text
        assert there(qemu, "interface")[-1].values["link"] == "down"
        assert there(qemu, "interface", saved=True)[-1].values["link"] == "down"
        with pytest.raises(BadInput, match="model of a network interface cannot be changed while"):
            qemu.run(update_device, "interface", mac, {"model": "e1000e"})
        qemu.run(update_device, "interface", mac, {"model": "e1000e"}, When.NEXT_BOOT)
        assert there(qemu, "interface")[-1].values["model"] == "virtio"
        assert there(qemu, "interface", saved=True)[-1].values["model"] == "e1000e"
    finally:
        qemu.run(detach_device, "interface", mac)


def test_a_disks_limits_are_changed_while_the_guest_runs(qemu: Place) -> None:
    qemu.run(attach_disk, DiskRequest(qemu.make_image("limited.img")))
    try:
        qemu.run(update_device, "disk", "vda", {"read_iops_sec": 100, "write_bytes_sec": 1 << 20})
        for saved in (False, True):
            disk = next(d for d in there(qemu, "disk", saved=saved) if d.label == "vda")
            assert disk.values["read_iops_sec"] == 100
            assert disk.values["write_bytes_sec"] == 1 << 20
        qemu.run(update_device, "disk", "vda", {"read_iops_sec": None})
        disk = next(d for d in there(qemu, "disk") if d.label == "vda")
        assert (disk.values["read_iops_sec"], disk.values["write_bytes_sec"]) == (None, 1 << 20)
    finally:
        qemu.run(detach_disk, "vda")


def test_a_change_beside_a_password_keeps_the_password(qemu: Place) -> None:
    graphics = {"type": "vnc", "password": "first"}
    qemu.run(attach_device, "graphics", graphics, When.NEXT_BOOT)
    try:
        qemu.run(update_device, "graphics", "vnc", {"keymap": "de"}, When.NEXT_BOOT)
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        text = qemu.host.domain(qemu.uuid).XMLDesc(flags)
        assert "passwd='first'" in text
        assert "keymap='de'" in text
    finally:
        qemu.run(detach_device, "graphics", "vnc", When.NEXT_BOOT)


def test_a_change_for_the_next_boot_keeps_all_else_of_the_configuration(qemu: Place) -> None:
    before = qemu.xml(saved=True)
    qemu.run(update_device, "memballoon", "", {"period": 7}, When.NEXT_BOOT)
    changed = qemu.xml(saved=True)
    assert "<stats period='7'/>" in changed
    qemu.run(update_device, "memballoon", "", {"period": None}, When.NEXT_BOOT)
    assert qemu.xml(saved=True) == before


def test_a_device_that_is_not_there_is_told_with_those_that_are(qemu: Place) -> None:
    with pytest.raises(BadInput, match="has no serial port 7") as caught:
        qemu.run(detach_device, "serial", "7", When.NEXT_BOOT)
    assert "it has 0, 1" in str(caught.value)
    with pytest.raises(BadInput, match="there is more than one: 0, 1"):
        qemu.run(detach_device, "serial", "", When.NEXT_BOOT)


def test_a_second_device_where_there_can_be_only_one_is_refused(qemu: Place) -> None:
    with pytest.raises(BadInput, match="it has one already"):
        qemu.run(attach_device, "memballoon", {}, When.NEXT_BOOT)


def test_a_guest_that_does_not_let_go_is_followed_until_it_is_forced_off(
    qemu: Place, idle_guest: Guest
) -> None:
    place = replace(qemu, uuid=idle_guest.uuid)
    place.run(attach_device, "rng", {})
    alias = there(place, "rng")[0].alias

    def detach() -> DetachOutcome:
        return detach_device(place.host, place.uuid, "rng", timeout_s=0.5)

    outcome = place.host.actions.submit(detach).result(60)
    assert outcome.pending
    label = there(place, "rng")[0].label
    assert f"has not let go of {label}" in outcome.text
    assert f"{label} is gone from {idle_guest.name}'s saved configuration" in outcome.text
    assert there(place, "rng", saved=True) == ()
    listed = place.host.snapshot.domains[place.uuid]
    assert (listed.detaching, listed.leaving) == ((label,), (alias,))
    with pytest.raises(BadInput, match="already been asked"):
        place.run(detach_device, "rng", alias, When.NOW)
    ended: Queue[str | BaseException] = Queue()
    outcome.on_settled(ended.put)
    lifecycle.force_off(place.host, place.uuid)
    end = ended.get(timeout=20)
    assert isinstance(end, str)
    assert f"{label} is detached" in end


# What differs between now and the next boot.


def waiting(place: Place) -> tuple[str, ...]:
    return lookups.domain_detail(place.host, place.uuid).pending


def test_any_difference_between_now_and_the_next_boot_is_told_until_it_is_none(
    full: Place,
) -> None:
    before = waiting(full)
    full.run(attach_device, "rng", {})
    one = there(full, "rng")[-1].alias
    assert waiting(full) == before
    full.run(update_device, "rng", one, {"bytes": 1000}, When.NEXT_BOOT)
    (told,) = set(waiting(full)) - set(before)
    assert re.fullmatch(r"random number generator( #\d)?: at most default → 1000", told)
    full.run(update_device, "rng", one, {"bytes": None}, When.NEXT_BOOT)
    assert waiting(full) == before
    full.run(attach_device, "sound", {}, When.NEXT_BOOT)
    assert set(waiting(full)) - set(before) == {"new sound"}
    full.run(detach_device, "sound", there(full, "sound", saved=True)[-1].label, When.NEXT_BOOT)
    full.run(detach_device, "rng", one, When.NEXT_BOOT)
    assert set(waiting(full)) - set(before) == {"rng goes"}
    full.run(detach_device, "rng", one)
    assert waiting(full) == before


def test_devices_that_are_removed_together_all_go_and_nothing_else(full: Place) -> None:
    before = waiting(full)
    kinds_of_text = ("sound", "parallel", "panic")
    for kind in kinds_of_text:
        full.run(attach_device, kind, {"type": "null"} if kind == "parallel" else {}, "next boot")
    for _ in range(2):
        full.run(attach_device, "rng", {})
    both = [*there(full, "rng")[-2:]]
    asked = [
        full.host.actions.submit(partial(detach_device, full.host, full.uuid, kind, which, when))
        for kind, which, when in (
            *((one.kind.name, one.alias, When.AUTO) for one in both),
            *(
                (kind, there(full, kind, saved=True)[-1].label, "next boot")
                for kind in kinds_of_text
            ),
        )
    ]
    for each in asked:
        assert "is removed" in each.result(60).text
    assert not {one.alias for one in both} & {one.alias for one in there(full, "rng")}
    assert waiting(full) == before


@pytest.mark.parametrize(
    ("call", "wish", "done"),
    [
        ("change", lambda demo, mac: demo.run(update_device, "interface", mac, LINK_DOWN), True),
        ("remove", lambda demo, mac: demo.run(detach_device, "interface", mac), False),
    ],
)
def test_a_device_that_another_program_takes_meanwhile_is_told_with_what_is_done(
    demo: Place,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    wish: Callable[[Place, str], object],
    done: bool,
) -> None:
    def gone(*_: object) -> None:
        raise NoSuchDevice("the configuration has no such interface")

    monkeypatch.setattr(saved_configuration, call, gone)
    mac = str(there(demo, "interface")[0].values["mac"])
    try:
        with pytest.raises(TuivirtError, match="has no such interface") as caught:
            wish(demo, mac)
        assert caught.value.done == (f"the running {demo.name} is changed" if done else "")
    finally:
        demo.run(update_device, "interface", mac, {"link": "up"}, When.NOW)
