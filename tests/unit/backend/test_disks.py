"""Buses of new disks, and sources that another running domain has."""

from __future__ import annotations

import pytest

from tuivirt.backend.disks import DiskRequest, Source, check_scsi_room, choose_bus, refuse_used
from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.known import Known
from tuivirt.backend.model.device import DomainConfig
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.errors import BusFull


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


PCI = "<controller type='pci' index='{}' model='{}'/>"
PCIE = PCI.format(0, "pcie-root") + PCI.format(1, "pcie-root-port")


def test_the_first_scsi_disk_of_a_running_machine_needs_a_conventional_pci_slot() -> None:
    with pytest.raises(BusFull, match="conventional PCI slot"):
        check_scsi_room(config(PCIE), "scsi")
    check_scsi_room(config(PCIE), "usb")
    check_scsi_room(config(PCIE + SCSI), "scsi")
    check_scsi_room(config(PCIE + PCI.format(2, "pcie-to-pci-bridge")), "scsi")
    check_scsi_room(config(PCI.format(0, "pci-root"), machine="pc-i440fx-7.2"), "scsi")


def test_an_old_pc_has_its_drives_on_ide() -> None:
    assert (
        choose_bus([config(machine="pc-i440fx-7.2")], DiskRequest(device="cdrom"), live=False)
        == "ide"
    )


class Running:
    """A running domain of libvirt's, and how often its XML was read."""

    def __init__(self, name: str, disk: str) -> None:
        self.name, self.disk, self.read = name, disk, 0

    def UUIDString(self) -> str:
        return f"uuid-{self.name}"

    def ID(self) -> int:
        return 7

    def XMLDesc(self, _flags: int) -> str:
        self.read += 1
        return (
            f"<domain type='kvm'><name>{self.name}</name><os><type>hvm</type></os>"
            f"<devices>{self.disk}</devices></domain>"
        )


class Connection:
    def __init__(self, *domains: Running) -> None:
        self.domains = domains

    def listAllDomains(self, _flags: int) -> list[Running]:
        return list(self.domains)


def disk_on(path: str, inside: str = "", below: str = "") -> str:
    if below:
        below = f"<backingStore type='file'><source file='{below}'/></backingStore>"
    return (
        f"<disk type='file' device='disk'><source file='{path}'/>{below}"
        f"<target dev='vda' bus='virtio'/>{inside}</disk>"
    )


def host_of(*domains: Running, known: bool = False) -> Host:
    host = Host("t", "test:///default", publish=lambda _event: None)
    host.adopt(Connection(*domains))
    if known:
        read = {d.UUIDString(): Known(7, True, parse_domain(d.XMLDesc(0))) for d in domains}
        host.configs.known = lambda: read  # type: ignore[method-assign]
        for domain in domains:
            domain.read = 0
    return host


IMAGE = Source(source="/images/a.img", path="/images/a.img")


def test_the_disk_of_another_running_domain_is_refused_but_for_both_sharing_it() -> None:
    host = host_of(Running("db", disk_on("/images/a.img")))
    with pytest.raises(BadInput, match="in use by db"):
        refuse_used(host, "uuid-web", IMAGE, DiskRequest())
    with pytest.raises(BadInput, match="in use by db"):
        refuse_used(host, "uuid-web", IMAGE, DiskRequest(shareable=True))
    refuse_used(host, "uuid-db", IMAGE, DiskRequest())
    sharing = host_of(Running("db", disk_on("/images/a.img", "<shareable/>")))
    refuse_used(sharing, "uuid-web", IMAGE, DiskRequest(shareable=True))


def test_what_another_disk_lies_on_may_be_read_but_not_written() -> None:
    host = host_of(Running("db", disk_on("/images/top.img", below="/images/a.img")))
    with pytest.raises(BadInput, match="in use by db") as caught:
        refuse_used(host, "uuid-web", IMAGE, DiskRequest())
    assert "vda lies on it" in caught.value.why
    refuse_used(host, "uuid-web", IMAGE, DiskRequest(readonly=True))


def test_domains_whose_configuration_is_known_are_not_asked_for_it_again() -> None:
    others = [Running(f"web{number}", disk_on(f"/images/{number}.img")) for number in range(3)]
    refuse_used(host_of(*others, known=True), "uuid-x", IMAGE, DiskRequest())
    assert [domain.read for domain in others] == [0, 0, 0]
    refuse_used(host_of(*others), "uuid-x", IMAGE, DiskRequest())
    assert [domain.read for domain in others] == [1, 1, 1]


def test_a_domain_that_is_known_to_have_the_source_is_read_again_before_it_is_believed() -> None:
    other = Running("db", disk_on("/images/a.img"))
    host = host_of(other, known=True)
    other.disk = ""
    refuse_used(host, "uuid-web", IMAGE, DiskRequest())
    assert other.read == 1
