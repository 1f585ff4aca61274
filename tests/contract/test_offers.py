"""What a real host offers to a domain's devices, and its block devices, local ones by loop."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import Place
from tests.support.guests import image_folder
from tests.support.needs import missing, need_programs, need_root
from tuivirt.actions import lookups
from tuivirt.actions.device_forms import asked_for, attaching
from tuivirt.backend import capabilities
from tuivirt.backend.devices import attach_device, detach_device
from tuivirt.backend.errors import BadInput
from tuivirt.backend.hotplug import DiskRequest, attach_disk, detach_disk
from tuivirt.backend.model.when import When
from tuivirt.backend.xml.catalog import kinds


def test_a_host_is_asked_once_for_all_domains_of_one_kind_of_machine(
    qemu: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = lookups.form_facts(qemu.host, qemu.uuid, "rng").machine
    assert told.capabilities is not None
    assert "q35" in told.traits
    assert told.hypervisor.startswith("QEMU ")

    def again(*_args: object) -> None:
        raise AssertionError("it is asked again")

    monkeypatch.setattr(capabilities, "_asked", again)
    assert lookups.form_facts(qemu.host, qemu.uuid, "video").machine.capabilities


def test_every_list_that_a_declaration_names_is_one_that_the_host_tells(qemu: Place) -> None:
    told = lookups.form_facts(qemu.host, qemu.uuid, "rng").machine.capabilities
    assert told is not None
    for kind in kinds().values():
        for field in kind.declaration.fields:
            element, _, name = field.offer.told.partition("/")
            if element and element != "panic":  # Of those libvirt tells from 9.7 on.
                lists = told.offered[element]
                assert lists is None or name in lists, field.offer.told


@pytest.mark.parametrize(
    ("kind", "values", "why"),
    [
        ("graphics", {"type": "rdp"}, "Type rdp needs libvirt"),
        ("tpm", {"model": "tpm-spapr"}, "Model tpm-spapr needs a POWER machine"),
        ("input", {"type": "mouse", "bus": "xen"}, "Bus xen needs Xen"),
        ("hostdev", {"mode": "capabilities", "type": "storage", "block": "/dev/sdz"}, "needs a"),
    ],
)
def test_what_the_host_does_not_offer_is_refused_before_it_is_tried(
    qemu: Place, kind: str, values: dict[str, object], why: str
) -> None:
    before = qemu.xml(), qemu.xml(saved=True)
    with pytest.raises(BadInput, match=why) as caught:
        qemu.run(attach_device, kind, values, When.NEXT_BOOT)
    assert caught.value.advice.startswith("the host offers ")
    assert (qemu.xml(), qemu.xml(saved=True)) == before


def test_a_disks_bus_that_the_machine_lacks_is_refused_with_those_it_has(
    qemu: Place, images: Path
) -> None:
    image = images / "spare.img"
    image.write_bytes(b"\0" * 1024**2)
    with pytest.raises(BadInput, match="Bus ide needs an i440fx machine") as caught:
        qemu.run(attach_disk, DiskRequest(source=str(image), bus="ide"))
    assert "virtio" in caught.value.advice


PLUGGED = ("interface", "rng", "input", "controller")


@pytest.mark.parametrize("kind", PLUGGED)
def test_what_a_form_begins_with_is_taken_by_a_running_guest(qemu: Place, kind: str) -> None:
    facts = lookups.form_facts(qemu.host, qemu.uuid, kind)
    given = {field.name: field.start for field in attaching(kind, facts, {})}
    if kind == "interface":
        # This machine's networks may be off.
        user = {field.name: field.start for field in attaching(kind, facts, {"type": "user"})}
        given = user | {"type": "user"}
    asked = {n: v for n, v in asked_for(kind, facts, given, new=True).items() if v != ""}
    qemu.run(attach_device, kind, asked, When.NOW)
    label = lookups.form_facts(qemu.host, qemu.uuid, kind).devices[-1].label
    qemu.run(detach_device, kind, label, When.NOW)


NEXT = ("tpm", "video", "sound", "watchdog", "panic", "iommu", "graphics", "channel")


@pytest.mark.parametrize("kind", NEXT)
def test_what_a_form_begins_with_is_taken_for_the_next_boot(qemu: Place, kind: str) -> None:
    facts = lookups.form_facts(qemu.host, qemu.uuid, kind)
    given = {field.name: field.start for field in attaching(kind, facts, {})}
    asked = {n: v for n, v in asked_for(kind, facts, given, new=True).items() if v != ""}
    before = qemu.xml(saved=True)
    qemu.run(attach_device, kind, asked, When.NEXT_BOOT)
    assert f"<{kind}" in qemu.xml(saved=True)
    qemu.host.conn.defineXML(before)


def test_what_needs_a_bus_that_the_domain_has_not_is_told_before(qemu: Place) -> None:
    lacking = lookups.kinds_lacking(qemu.host, qemu.uuid)
    assert lacking == dict.fromkeys(
        ("redirdev", "smartcard"), "needs a USB controller in the domain"
    )


@pytest.fixture
def loop() -> Iterator[str]:
    """A block device of this machine that holds a file system."""
    need_root()
    need_programs("losetup", "mkfs.ext4", "mount")
    with image_folder() as folder:
        image = folder / "loop.img"
        image.write_bytes(b"")
        with image.open("r+b") as file:
            file.truncate(16 * 1024**2)
        done = subprocess.run(
            ["losetup", "--find", "--show", str(image)], capture_output=True, text=True
        )
        if done.returncode:
            missing(f"no loop device can be made here: {done.stderr.strip()}")
        device = done.stdout.strip()
        try:
            subprocess.run(["mkfs.ext4", "-q", device], check=True)
            yield device
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)


def test_a_block_device_is_offered_with_its_size_until_somebody_has_it(
    qemu: Place, loop: str
) -> None:
    def offered() -> tuple[int | None, tuple[str, ...]]:
        devices = lookups.block_devices(qemu.host, qemu.uuid)
        one = next(each for each in devices if each.path == loop)
        return one.size_bytes, one.uses

    assert offered() == (16 * 1024**2, ())
    qemu.run(attach_disk, DiskRequest(source=loop), When.NEXT_BOOT)
    target = next(
        disk.target
        for configs in lookups.configs_of(qemu.host).values()
        for config in configs
        for disk in config.disks
        if disk.source == loop
    )
    try:
        assert offered()[1] == (f"already {target} here",)
    finally:
        qemu.run(detach_disk, target, When.NEXT_BOOT)


def test_a_block_device_that_is_mounted_is_neither_offered_nor_attached(
    qemu: Place, loop: str, tmp_path: Path
) -> None:
    before = qemu.xml()
    subprocess.run(["mount", loop, str(tmp_path)], check=True)
    try:
        devices = {each.path: each.uses for each in lookups.block_devices(qemu.host, qemu.uuid)}
        assert devices[loop] == (f"mounted at {tmp_path}",)
        with pytest.raises(BadInput, match=f"{loop} is in use by the host") as caught:
            qemu.run(attach_disk, DiskRequest(source=loop))
        assert caught.value.why == f"mounted at {tmp_path}"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert qemu.xml() == before


def test_a_block_device_of_another_domain_is_neither_offered_nor_attached(
    qemu: Place, loop: str
) -> None:
    name = f"{qemu.name}-b"
    xml = (
        f"<domain type='qemu'><name>{name}</name><memory>65536</memory>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
        f"<disk type='block' device='disk'><source dev='{loop}'/><target dev='vda'/></disk>"
        "</devices></domain>"
    )
    other = qemu.host.conn.defineXML(xml)
    try:
        told = {each.path: each.uses for each in lookups.block_devices(qemu.host, qemu.uuid)}
        assert told[loop] == (f"vda of {name}",)
        with pytest.raises(BadInput, match=f"{loop} belongs to another domain"):
            qemu.run(attach_disk, DiskRequest(source=loop), When.NEXT_BOOT)
    finally:
        other.undefine()


def test_a_card_that_the_host_itself_uses_is_not_given_as_an_interface(qemu: Place) -> None:
    known = qemu.host.snapshot.devices
    cards = [
        (device, facts)
        for device in known.values()
        if device.capability == "pci" and device.pci_class.startswith("02")
        for facts in (lookups.device_facts(qemu.host, device.name),)
        if any(net.addresses for net in facts.nets)
    ]
    if not cards:
        missing("no network card with an address on this machine")
    device, facts = cards[0]
    before = qemu.xml(), qemu.xml(saved=True)
    values = {"type": "hostdev", "pci": device.address}
    with pytest.raises(BadInput, match=f"{device.address} is in use: {facts.nets[0].name} on"):
        qemu.run(attach_device, "interface", values, When.NEXT_BOOT)
    assert (qemu.xml(), qemu.xml(saved=True)) == before
