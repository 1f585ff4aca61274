"""A running guest's disk is made larger, and the guest sees it."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Place
from tests.contract.test_disks import now
from tuivirt.backend.errors import BadInput
from tuivirt.backend.hotplug import DiskRequest, attach_disk, detach_disk
from tuivirt.backend.resizing import resize_disk
from tuivirt.backend.sides import read_sides


def silent(_text: str, _share: float | None) -> None:
    """Nobody watches."""


def test_a_larger_disk_is_larger_in_the_guest_too(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    full.run(attach_disk, DiskRequest(full.make_image("small.img")))
    disk = now(full, full.free)
    domain = full.host.domain(full.uuid)
    before = domain.blockInfo(full.free)[0]
    # QEMU tells no driver that is not ready yet, and between its asking for the size and that there
    # is a moment: a guest that has the disk in its list is past it.
    talk.run_until("cat /proc/partitions", rf"{before >> 10} {full.free}\n")
    wanted = before + (64 << 20)
    text = full.run(resize_disk, full.free, f"{wanted >> 20}MiB", silent)
    assert text.startswith(f"{full.free} of ")
    assert domain.blockInfo(full.free)[0] == wanted
    talk.run_until("cat /proc/partitions", rf"{wanted >> 10} {full.free}\n")

    again = full.run(resize_disk, full.free, str(wanted >> 10), silent)
    assert "already; QEMU was asked" in again

    for size, said in (
        ("1MiB", "is smaller"),
        ("40Q", "no size of a disk"),
        ("0", "no size of a disk"),
        ("", "no size of a disk"),
        ("999999999.3", "multiple of 512"),
    ):
        with pytest.raises(BadInput, match=said):
            full.run(resize_disk, full.free, size, silent)
    with pytest.raises(BadInput, match="it has "):
        full.run(resize_disk, "vdz", "1TiB", silent)
    assert domain.blockInfo(full.free)[0] == wanted
    assert now(full, full.free) == disk
    full.run(detach_disk, full.free)


def test_the_medium_of_a_drive_has_the_size_that_it_has(full: Place) -> None:
    uuid, drive = next(
        (domain.uuid, disk.target)
        for domain in full.host.snapshot.domains.values()
        if domain.active
        for disk in read_sides(full.host.domain(domain.uuid), "cannot look").disks()
        if disk.device == "cdrom"
    )
    with pytest.raises(BadInput) as refused:
        resize_disk(full.host, uuid, drive, "1TiB", silent)
    assert "whose medium" in refused.value.why
