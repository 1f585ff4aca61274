"""Disks come and go under a running guest, and the guest agrees that they did."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest

from tests.contract.conftest import Heard, Place, started
from tests.support.guests import Guest, make_image
from tuivirt.backend import lifecycle
from tuivirt.backend.errors import BadInput, NotFound, ReadOnly, TuivirtError
from tuivirt.backend.hotplug import (
    DetachOutcome,
    DiskRequest,
    attach_disk,
    detach_disk,
    eject_media,
    insert_media,
    swap_media,
)
from tuivirt.backend.model.device import Disk
from tuivirt.backend.model.when import When
from tuivirt.backend.sides import Sides, read_sides


def sides(place: Place) -> Sides:
    return read_sides(place.host.domain(place.uuid), "cannot look")


def now(place: Place, target: str) -> Disk:
    disk = sides(place).find_live(target)
    assert disk is not None, f"no {target} in the running domain"
    return disk


def later(place: Place, target: str) -> Disk:
    disk = sides(place).find_saved(target)
    assert disk is not None, f"no {target} in the saved configuration"
    return disk


def test_an_attached_disk_is_seen_in_the_guest_and_a_detached_one_no_more(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    text = full.run(attach_disk, DiskRequest(full.make_image("one.img")))
    assert f"is {full.free} of" in text
    assert "from the next boot on" in text
    talk.run_until("cat /proc/partitions", rf"\d {full.free}\n")
    assert now(full, full.free).alias
    assert sides(full).find_saved(full.free) is not None

    assert f"{full.free} is detached" in full.run(detach_disk, full.free)
    assert full.free not in talk.run("cat /proc/partitions")
    assert sides(full).find_live(full.free) is None
    assert sides(full).find_saved(full.free) is None


def test_a_disk_attached_now_only_leaves_the_saved_configuration_as_it_was(full: Place) -> None:
    before = full.xml(saved=True)
    full.run(attach_disk, DiskRequest(full.make_image("now.img")), When.NOW)
    assert sides(full).find_live(full.free) is not None
    assert full.xml(saved=True) == before
    full.run(detach_disk, full.free)


def test_a_disk_attached_for_the_next_boot_leaves_the_running_guest_as_it_was(full: Place) -> None:
    before = full.xml()
    full.run(attach_disk, DiskRequest(full.make_image("next.img")), When.NEXT_BOOT)
    assert sides(full).find_saved(full.free) is not None
    assert full.xml() == before
    assert "from the next boot on" in full.run(detach_disk, full.free, When.NEXT_BOOT)


def test_a_disk_attached_now_is_kept_for_the_next_boot_under_the_same_name(full: Place) -> None:
    image = full.make_image("kept.img")
    full.run(attach_disk, DiskRequest(image, target="vdk"), When.NOW)
    full.run(attach_disk, DiskRequest(image), When.NEXT_BOOT)
    assert later(full, "vdk").source == now(full, "vdk").source
    full.run(detach_disk, "vdk")


def test_the_format_is_found_out_on_a_local_host(qemu: Place, images: Path) -> None:
    image = make_image(images / "grown.qcow2", "16M", "qcow2")
    qemu.run(attach_disk, DiskRequest(str(image)), When.NEXT_BOOT)
    try:
        assert later(qemu, "vda").format == "qcow2"
    finally:
        qemu.run(detach_disk, "vda", When.NEXT_BOOT)


@pytest.fixture(params=["demo", "qemu"])
def drive(request: pytest.FixtureRequest) -> Place:
    """A running guest with an empty CD-ROM drive, sda."""
    place: Place = request.getfixturevalue(request.param)
    if place.kind == "demo":
        place = replace(place, uuid=place.host.domain("web-01").UUIDString())
        if now(place, "sda").source:
            place.run(eject_media, "sda")
    return place


def test_a_medium_is_inserted_swapped_and_ejected(drive: Place) -> None:
    first, second = drive.make_image("first.iso"), drive.make_image("second.iso")
    drive.run(insert_media, "sda", first)
    assert now(drive, "sda").source == first
    assert later(drive, "sda").source == first
    with pytest.raises(BadInput, match="is not empty"):
        drive.run(insert_media, "sda", second)
    drive.run(swap_media, "sda", second)
    assert now(drive, "sda").source == second
    assert later(drive, "sda").source == second
    assert second in drive.run(eject_media, "sda")
    assert now(drive, "sda").source == ""
    assert later(drive, "sda").source == ""
    with pytest.raises(BadInput, match="is empty"):
        drive.run(eject_media, "sda")


def test_a_medium_that_is_not_there_leaves_the_old_one_in(drive: Place) -> None:
    first = drive.make_image("kept.iso")
    drive.run(insert_media, "sda", first)
    before = drive.xml(), drive.xml(saved=True)
    missing = "contract/no-such.iso" if drive.kind == "demo" else "/no/such.iso"
    with pytest.raises(TuivirtError, match=r"no-such\.iso|does not exist"):
        drive.run(swap_media, "sda", missing)
    assert (drive.xml(), drive.xml(saved=True)) == before
    drive.run(eject_media, "sda")


# What cannot be right: said clearly, and nothing is changed.


def refused(place: Place, request: DiskRequest, words: str, when: str = When.AUTO) -> None:
    before = place.xml(), place.xml(saved=True)
    with pytest.raises(BadInput, match=words):
        place.run(attach_disk, request, when)
    assert (place.xml(), place.xml(saved=True)) == before


def test_a_missing_file_is_refused(qemu: Place) -> None:
    refused(qemu, DiskRequest("/no/such/file.img"), "/no/such/file.img does not exist")


def test_a_directory_is_refused(qemu: Place, images: Path) -> None:
    refused(qemu, DiskRequest(str(images)), "is a directory")


def test_a_file_of_the_hosts_own_system_is_refused(qemu: Place) -> None:
    words = "lies in /usr, where the host keeps its own system"
    refused(qemu, DiskRequest("/usr/lib/os-release"), words)


def test_a_device_that_is_no_block_device_is_refused(qemu: Place) -> None:
    refused(qemu, DiskRequest("/dev/null"), "neither a file nor a block device")


def test_a_word_that_is_neither_path_nor_volume_is_refused(full: Place) -> None:
    refused(full, DiskRequest("image.qcow2"), "neither a path nor a volume")


def test_an_unknown_pool_is_refused(full: Place) -> None:
    before = full.xml()
    with pytest.raises(NotFound, match="nowhere"):
        full.run(attach_disk, DiskRequest("nowhere/volume"))
    assert full.xml() == before


def test_a_disk_that_is_attached_already_is_refused(full: Place) -> None:
    image = full.make_image("twice.img")
    full.run(attach_disk, DiskRequest(image))
    refused(full, DiskRequest(image), "already attached")
    full.run(detach_disk, full.free)


def test_a_target_that_is_taken_is_refused(full: Place) -> None:
    full.run(attach_disk, DiskRequest(full.make_image("first.img")))
    request = DiskRequest(full.make_image("other.img"), target=full.free)
    refused(full, request, f"{full.free} is taken")
    full.run(detach_disk, full.free)


def test_a_disk_of_another_running_domain_is_refused_and_the_domain_named(
    qemu: Place, idle_guest: Guest
) -> None:
    theirs = read_sides(idle_guest.domain, "").disks()[0].source
    refused(qemu, DiskRequest(theirs), f"in use by {idle_guest.name}")


def test_a_bus_without_a_free_place_is_told_as_full(qemu: Place) -> None:
    attached: list[str] = []
    before = qemu.xml(), qemu.xml(saved=True)

    def fill() -> None:
        nonlocal before
        for number in range(12):
            before = qemu.xml(), qemu.xml(saved=True)
            image = qemu.make_image(f"many{number}.img")
            outcome = attach_disk(qemu.host, qemu.uuid, DiskRequest(image), When.NOW)
            attached.append(outcome.target)

    try:
        with pytest.raises(BadInput, match="no free PCI slot") as caught:
            fill()
        assert "next boot" in caught.value.advice
        assert (qemu.xml(), qemu.xml(saved=True)) == before
        assert len(attached) == 4
        other = DiskRequest(qemu.make_image("scsi.img"), bus="scsi")
        with pytest.raises(BadInput, match="PCI slot for one") as caught:
            qemu.run(attach_disk, other, When.NOW)
        assert "next boot" in caught.value.advice
        assert (qemu.xml(), qemu.xml(saved=True)) == before
    finally:
        for target in attached:
            qemu.run(detach_disk, target)


@pytest.fixture
def forbidden(images: Path) -> Path:
    """An image in a folder that the hypervisor's user may not enter."""
    folder = images / "private"
    folder.mkdir(mode=0o700)
    return make_image(folder / "disk.img", "8M")


def test_an_image_that_the_hypervisor_may_not_read_is_told_and_nothing_changed(
    qemu: Place, forbidden: Path
) -> None:
    before = qemu.xml(), qemu.xml(saved=True)
    with pytest.raises(TuivirtError, match="Permission denied") as caught:
        qemu.run(attach_disk, DiskRequest(str(forbidden)))
    assert str(forbidden) in caught.value.what
    assert (qemu.xml(), qemu.xml(saved=True)) == before


def test_a_swap_that_fails_half_way_says_that_the_old_medium_is_out(
    qemu: Place, forbidden: Path
) -> None:
    qemu.run(insert_media, "sda", qemu.make_image("old.iso"))
    with pytest.raises(TuivirtError, match="Permission denied") as caught:
        qemu.run(swap_media, "sda", str(forbidden))
    assert "the old medium is out" in caught.value.done
    assert now(qemu, "sda").source == ""
    assert later(qemu, "sda").source == ""


def test_a_name_that_xml_cannot_hold_is_refused(full: Place) -> None:
    request = DiskRequest(full.make_image("plain.img"), serial="bell\x07")
    refused(full, request, "U\\+0007")


def test_paths_with_quotes_and_wide_characters_arrive_as_they_are(full: Place) -> None:
    image = full.make_image('it\'s <a> "磁盘" & more.img')
    full.run(attach_disk, DiskRequest(image))
    assert now(full, full.free).source.endswith('it\'s <a> "磁盘" & more.img')
    full.run(detach_disk, full.free)


def test_an_unknown_domain_is_told_by_its_name(anywhere: Place) -> None:
    with pytest.raises(NotFound, match="no-such-domain"):
        attach_disk(anywhere.host, "no-such-domain", DiskRequest("/tmp/x"))


def test_an_unknown_disk_is_told_with_those_there_are(full: Place) -> None:
    before = full.xml()
    with pytest.raises(BadInput, match="has no disk vdz"):
        full.run(detach_disk, "vdz")
    assert full.xml() == before


def test_a_read_only_connection_changes_nothing(qemu: Place, qemu_uri: str) -> None:
    before = qemu.xml(saved=True)
    host = started(qemu_uri, Heard(), readonly=True)
    try:
        image = qemu.make_image("readonly.img")
        for attempt in (
            lambda: attach_disk(host, qemu.uuid, DiskRequest(image)),
            lambda: detach_disk(host, qemu.uuid, "vda"),
            lambda: eject_media(host, qemu.uuid, "sda"),
            lambda: lifecycle.force_off(host, qemu.uuid),
        ):
            with pytest.raises(ReadOnly, match="read-only"):
                attempt()
    finally:
        host.close()
    assert qemu.running
    assert qemu.xml(saved=True) == before


# A guest that does not let go.


@pytest.fixture(params=["demo", "qemu"])
def deaf(request: pytest.FixtureRequest, images: Path) -> Iterator[tuple[Place, DetachOutcome]]:
    """A guest that never answers, just asked to let go of the disk that it was given."""
    place: Place = request.getfixturevalue(request.param)
    if place.kind == "demo":
        place = replace(place, uuid=place.host.domain("legacy-nt").UUIDString())
        if not place.running:
            place.run(lifecycle.start)
        source = place.make_image(f"stuck-{request.node.name[5:25]}.img")
    else:
        # Without an operating system nobody is there to let go.
        place = replace(place, uuid=request.getfixturevalue("idle_guest").uuid)
        source = str(make_image(images / "stuck.img", "8M"))
    attached = attach_disk(place.host, place.uuid, DiskRequest(source))
    place.free = attached.target
    outcome = detach_disk(place.host, place.uuid, attached.target, timeout_s=0.2)
    yield place, outcome
    settled = threading.Event()
    outcome.on_settled(lambda _end: settled.set())
    if place.running:
        place.run(lifecycle.force_off)
    assert settled.wait(20)


def test_a_guest_that_does_not_let_go_leaves_the_detach_pending(
    deaf: tuple[Place, DetachOutcome],
) -> None:
    place, outcome = deaf
    disk = place.free
    assert outcome.pending
    assert f"has not let go of {disk}" in outcome.text
    assert f"{disk} is gone from" in outcome.text
    assert sides(place).find_live(disk) is not None
    assert sides(place).find_saved(disk) is None
    assert disk in place.host.snapshot.domains[place.uuid].detaching
    with pytest.raises(TuivirtError, match="already been asked"):
        detach_disk(place.host, place.uuid, disk, When.NOW)


def test_forcing_the_guest_off_settles_a_pending_detach(deaf: tuple[Place, DetachOutcome]) -> None:
    place, outcome = deaf
    ended: Queue[str | BaseException] = Queue()
    outcome.on_settled(ended.put)
    assert ended.empty()
    lifecycle.force_off(place.host, place.uuid)
    end = ended.get(timeout=20)
    assert isinstance(end, str)
    assert f"{place.free} is detached" in end
    assert not place.host.snapshot.domains[place.uuid].detaching
