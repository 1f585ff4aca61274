"""Names and buses of new disks, chosen as the domain's other disks suggest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.backend.disks import DiskRequest, choose_bus, choose_target, letters
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.device import Disk, DomainConfig
from tuivirt.backend.xml.domain import parse_domain


@pytest.mark.parametrize(
    ("number", "word"), [(0, "a"), (25, "z"), (26, "aa"), (51, "az"), (52, "ba"), (701, "zz")]
)
def test_disks_are_counted_in_letters(number: int, word: str) -> None:
    assert letters(number) == word


@given(st.sets(st.integers(0, 60)))
def test_the_next_name_is_the_first_that_is_free(taken: set[int]) -> None:
    others = [Disk("vd" + letters(number), "virtio") for number in taken]
    first = next(number for number in range(100) if number not in taken)
    assert choose_target(others, "virtio", "") == "vd" + letters(first)


@pytest.mark.parametrize(("bus", "prefix", "room"), [("ide", "hd", 4), ("fdc", "fd", 2)])
def test_a_bus_of_fixed_size_is_full_at_its_last_place(bus: str, prefix: str, room: int) -> None:
    others = [Disk(prefix + letters(number), bus) for number in range(room)]
    with pytest.raises(BadInput, match=f"the {bus} bus is full"):
        choose_target(others, bus, "")
    assert choose_target(others[:-1], bus, "") == prefix + letters(room - 1)


@pytest.mark.parametrize("name", ["../x", "vd", "VDA", "vda1", "sda; rm", "\x1b[31m", ""])
def test_a_name_that_no_disk_can_have_is_refused(name: str) -> None:
    if not name:
        assert choose_target([], "virtio", name) == "vda"
        return
    with pytest.raises(BadInput, match="cannot be called"):
        choose_target([], "virtio", name)


def config(devices: str = "", machine: str = "pc-q35-7.2") -> DomainConfig:
    return parse_domain(
        f"<domain type='kvm'><name>x</name><os><type machine='{machine}'>hvm</type></os>"
        f"<devices>{devices}</devices></domain>"
    )


SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>"
VIRTIO = "<disk type='file' device='disk'><target dev='vda' bus='virtio'/></disk>"
SATA = "<disk type='file' device='disk'><target dev='sda' bus='sata'/></disk>"


@pytest.mark.parametrize(
    ("devices", "request_", "live", "bus"),
    [
        ("", DiskRequest(), True, "virtio"),
        (VIRTIO + SCSI, DiskRequest(), True, "virtio"),
        (SCSI, DiskRequest(), True, "scsi"),
        (SATA, DiskRequest(), True, "virtio"),
        (SATA, DiskRequest(), False, "sata"),
        ("", DiskRequest(target="vdb"), True, "virtio"),
        (SCSI, DiskRequest(target="sdb"), False, "scsi"),
        ("", DiskRequest(target="sdb"), False, "sata"),
        ("", DiskRequest(target="fda"), False, "fdc"),
        ("", DiskRequest(device="cdrom"), False, "sata"),
        (SCSI, DiskRequest(device="cdrom"), True, "scsi"),
        ("", DiskRequest(device="floppy"), False, "fdc"),
        ("", DiskRequest(device="lun"), False, "scsi"),
    ],
)
def test_the_bus_is_what_suits_the_domain(
    devices: str, request_: DiskRequest, live: bool, bus: str
) -> None:
    assert choose_bus([config(devices)], request_, live=live) == bus


def test_an_old_pc_has_its_drives_on_ide() -> None:
    assert (
        choose_bus([config(machine="pc-i440fx-7.2")], DiskRequest(device="cdrom"), live=False)
        == "ide"
    )
