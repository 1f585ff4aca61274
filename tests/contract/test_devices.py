"""Devices of any kind come and go under a running guest, and the guest agrees that they did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from queue import Queue

import libvirt
import pytest

from tests.contract.conftest import Heard, Place, started
from tests.support import guests, initramfs
from tests.support.guests import Guest
from tuivirt.backend import lifecycle
from tuivirt.backend.detaching import DetachOutcome
from tuivirt.backend.devices import attach_device, detach_device, update_device
from tuivirt.backend.errors import BadInput
from tuivirt.backend.hotplug import DiskRequest, attach_disk, detach_disk
from tuivirt.backend.model.when import When
from tuivirt.backend.sides import read_sides
from tuivirt.backend.xml.catalog import kinds
from tuivirt.backend.xml.found import Found, found


def there(place: Place, kind: str, *, saved: bool = False) -> tuple[Found, ...]:
    sides = read_sides(place.host.domain(place.uuid), "cannot look")
    return found(sides.saved if saved else sides.live, kinds()[kind])


def count(place: Place, pattern: str, wanted: int | None = None) -> int:
    """How many of these the guest has; it is given a while to see as many as ``wanted``."""
    talk = place.talk("serial1").open()
    talk.wait_for_shell()
    number = f"$(ls -d {pattern} 2>/dev/null | wc -l)"
    wait = f"until [ {number} = {wanted} ] || [ $i = 100 ]; do i=$((i+1)); sleep 0.1; done; "
    said = talk.run(f"i=0; {wait if wanted is not None else ''}echo seen={number}", timeout=30)
    place._closing.close()
    match = re.search(r"seen=(\d+)", said)
    assert match is not None, said
    return int(match[1])


def come_and_go(place: Place, kind: str, values: dict[str, object], pattern: str) -> None:
    """Add a device, look for it, and remove it; ``pattern`` are files of it in the guest."""
    before = count(place, pattern) if pattern else 0
    saved = len(there(place, kind, saved=True))
    text = place.run(attach_device, kind, values)
    assert "from the next boot on" in text
    added = there(place, kind)[-1]
    assert len(there(place, kind, saved=True)) == saved + 1
    if pattern:
        assert count(place, pattern, before + 1) == before + 1
    assert "is removed" in place.run(detach_device, kind, added.alias)
    assert added.alias not in [each.alias for each in there(place, kind)]
    assert len(there(place, kind, saved=True)) == saved
    if pattern:
        assert count(place, pattern, before) == before


PCI = "/sys/bus/pci/devices/*"
IN_THE_GUEST: dict[str, tuple[dict[str, object], str]] = {
    "interface": ({"type": "user"}, "/sys/bus/virtio/drivers/virtio_net/virtio*"),
    "rng": ({}, PCI),
    "controller": ({"type": "scsi", "model": "virtio-scsi"}, "/sys/class/scsi_host/*"),
    "input": ({"type": "keyboard", "bus": "virtio"}, PCI),
}


@pytest.mark.parametrize("kind", IN_THE_GUEST)
def test_a_device_added_now_is_seen_in_the_guest_and_a_removed_one_no_more(
    qemu: Place, kind: str
) -> None:
    come_and_go(qemu, kind, *IN_THE_GUEST[kind])


@pytest.fixture(scope="module")
def roomy(qemu_uri: str) -> Iterator[Place]:
    """A booted guest with what libvirt cannot add while it runs: USB, a PCI bridge, ports."""
    with ExitStack() as stack:
        bridge = (
            "<controller type='pci' model='pcie-to-pci-bridge'/>"
            "<controller type='virtio-serial' index='0'/>"
            "<console type='pty'><target type='serial' port='0'/></console>"
        )
        xml = guests.domain_xml(
            guests.unique_name("roomy"),
            serials=2,
            ports=8,
            extra_devices=bridge,
            usb="qemu-xhci",
        )
        # The cloud's kernel sees no USB.
        small, whole = initramfs.build(), initramfs.build(cloud=False)
        xml = xml.replace(str(small.kernel), str(whole.kernel))
        xml = xml.replace(str(small.initrd), str(whole.initrd))
        guest = stack.enter_context(guests.Guest.define(qemu_uri, xml))
        guest.boot("serial1").close()
        heard = Heard()
        host = started(qemu_uri, heard)
        stack.callback(host.close)
        yield Place("qemu", host, guest.uuid, heard)


USB = "/sys/bus/usb/devices/*/idVendor"
PORTS = "/sys/class/virtio-ports/*"
ON_A_ROOMY_MACHINE: dict[str, tuple[str, dict[str, object], str]] = {
    "channel": ("channel", {"target_name": "org.example.mine"}, PORTS),
    "console": ("console", {"target_type": "virtio"}, PORTS),
    "shmem": ("shmem", {"region": "tuivirt-shm", "size": 1 << 20}, f"{PCI}/resource2"),
    "watchdog": ("watchdog", {"action": "none"}, PCI),
    "USB tablet": ("input", {}, USB),
    "PCI serial port": ("serial", {"target_type": "pci-serial", "type": "null"}, PCI),
    # The guest sees it once somebody has opened its other end.
    "USB serial port": ("serial", {"target_type": "usb-serial", "type": "null"}, ""),
    "redirected USB": (
        "redirdev",
        {"type": "tcp", "mode": "bind", "host": "127.0.0.1", "service": "47123", "protocol": "raw"},
        "",
    ),
}


@pytest.mark.parametrize("case", ON_A_ROOMY_MACHINE)
def test_a_device_that_needs_room_of_its_kind_comes_and_goes(roomy: Place, case: str) -> None:
    kind, values, pattern = ON_A_ROOMY_MACHINE[case]
    come_and_go(roomy, kind, values, pattern)


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


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("sound", {}),
        ("video", {"type": "vga"}),
        ("panic", {"model": "isa"}),
        ("watchdog", {"action": "none"}),
        ("iommu", {}),
        ("graphics", {}),
        ("audio", {"id": 2}),
        ("parallel", {"type": "null"}),
        ("smartcard", {"reader": "host"}),
    ],
)
def test_a_device_that_cannot_be_plugged_in_is_there_from_the_next_boot_on(
    roomy: Place, kind: str, values: dict[str, object]
) -> None:
    before = roomy.xml()
    count_before = len(there(roomy, kind, saved=True))
    text = roomy.run(attach_device, kind, values, When.NEXT_BOOT)
    assert "from the next boot on" in text
    assert roomy.xml() == before
    added = there(roomy, kind, saved=True)
    assert len(added) == count_before + 1
    roomy.run(detach_device, kind, added[-1].label, When.NEXT_BOOT)
    assert len(there(roomy, kind, saved=True)) == count_before


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
    assert label in place.host.snapshot.domains[place.uuid].detaching
    with pytest.raises(BadInput, match="already been asked"):
        place.run(detach_device, "rng", alias, When.NOW)
    ended: Queue[str | BaseException] = Queue()
    outcome.on_settled(ended.put)
    lifecycle.force_off(place.host, place.uuid)
    end = ended.get(timeout=20)
    assert isinstance(end, str)
    assert f"{label} is detached" in end
