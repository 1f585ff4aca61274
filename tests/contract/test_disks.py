"""Disks come and go under a running guest, and the guest agrees that they did."""

from __future__ import annotations

import threading
from pathlib import Path

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


def test_a_medium_is_inserted_swapped_and_ejected(qemu: Place) -> None:
    first, second = qemu.make_image("first.iso"), qemu.make_image("second.iso")
    qemu.run(insert_media, "sda", first)
    assert now(qemu, "sda").source == first
    assert later(qemu, "sda").source == first
    with pytest.raises(BadInput, match="is not empty"):
        qemu.run(insert_media, "sda", second)
    qemu.run(swap_media, "sda", second)
    assert now(qemu, "sda").source == second
    assert later(qemu, "sda").source == second
    assert second in qemu.run(eject_media, "sda")
    assert now(qemu, "sda").source == ""
    assert later(qemu, "sda").source == ""
    with pytest.raises(BadInput, match="is empty"):
        qemu.run(eject_media, "sda")


def test_a_medium_that_is_not_there_leaves_the_old_one_in(qemu: Place) -> None:
    first = qemu.make_image("kept.iso")
    qemu.run(insert_media, "sda", first)
    before = qemu.xml(), qemu.xml(saved=True)
    with pytest.raises(BadInput, match="does not exist"):
        qemu.run(swap_media, "sda", "/no/such.iso")
    assert (qemu.xml(), qemu.xml(saved=True)) == before
    qemu.run(eject_media, "sda")


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


@pytest.fixture
def deaf(qemu: Place, idle_guest: Guest, images: Path) -> tuple[Place, DetachOutcome]:
    """A guest without an operating system that has been asked to let go of vdb."""
    place = Place("qemu", qemu.host, idle_guest.uuid, qemu.heard)
    place.run(attach_disk, DiskRequest(str(make_image(images / "stuck.img", "8M"))))
    return place, detach_disk(place.host, place.uuid, "vdb", timeout_s=0.2)


def test_a_guest_that_does_not_let_go_leaves_the_detach_pending(
    deaf: tuple[Place, DetachOutcome],
) -> None:
    place, outcome = deaf
    assert outcome.pending
    assert "has not let go of vdb" in outcome.text
    assert "vdb is gone from" in outcome.text
    assert sides(place).find_live("vdb") is not None
    assert sides(place).find_saved("vdb") is None
    assert "vdb" in place.host.snapshot.domains[place.uuid].detaching
    with pytest.raises(TuivirtError, match="already been asked"):
        detach_disk(place.host, place.uuid, "vdb", When.NOW)


def test_forcing_the_guest_off_settles_a_pending_detach(deaf: tuple[Place, DetachOutcome]) -> None:
    place, outcome = deaf
    ended: list[str | BaseException] = []
    settled = threading.Event()

    def note(end: str | BaseException) -> None:
        ended.append(end)
        settled.set()

    outcome.on_settled(note)
    assert not ended
    lifecycle.force_off(place.host, place.uuid)
    assert settled.wait(20)
    assert isinstance(ended[0], str)
    assert "vdb is detached" in ended[0]
    assert not place.host.snapshot.domains[place.uuid].detaching
