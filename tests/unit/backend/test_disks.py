"""Names and buses of new disks, chosen as the domain's other disks suggest."""

from __future__ import annotations

import pytest

from tuivirt.backend.disks import DiskRequest, choose_bus
from tuivirt.backend.model.device import DomainConfig
from tuivirt.backend.xml.domain import parse_domain


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
