"""Names for new disks, and buses that are full."""

from __future__ import annotations

import re

import pytest

from tests.unit.xml.golden import golden
from tuivirt.backend.model.device import Device, Disk, DomainConfig
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.errors import BadValue, BusFull
from tuivirt.backend.xml.targets import free_pci_places, next_target, target_name


def config(bus: str, *targets: str, devices: tuple[Device, ...] = ()) -> DomainConfig:
    disks = tuple(Disk(target, bus) for target in targets)
    return DomainConfig("n", "u", disks=disks, devices=devices)


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "vda"), (25, "vdz"), (26, "vdaa"), (51, "vdaz"), (701, "vdzz"), (702, "vdaaa")],
)
def test_names_go_on_after_z(index: int, name: str) -> None:
    assert target_name("virtio", index) == name


def test_the_first_gap_is_taken() -> None:
    assert next_target(config("virtio", "vda", "vdc"), "virtio") == "vdb"


def test_buses_with_one_prefix_share_its_names() -> None:
    assert next_target(config("sata", "sda", "sdb"), "usb") == "sdc"


def test_a_name_taken_in_the_saved_configuration_is_not_free() -> None:
    assert next_target(config("virtio", "vda"), "virtio", also=[config("virtio", "vdb")]) == "vdc"


def test_the_ide_bus_is_full_with_four() -> None:
    assert next_target(config("ide", "hda", "hdb", "hdc"), "ide") == "hdd"
    with pytest.raises(BusFull, match="ide bus is full: 4"):
        next_target(config("ide", "hda", "hdb", "hdc", "hdd"), "ide")


def test_the_floppy_bus_is_full_with_two() -> None:
    with pytest.raises(BusFull, match="fdc bus is full: 2"):
        next_target(config("fdc", "fda", "fdb"), "fdc")


def test_a_bus_whose_names_are_taken_in_the_other_configuration_has_none_left() -> None:
    with pytest.raises(BusFull, match="no free name"):
        next_target(config("fdc", "fda"), "fdc", also=[config("fdc", "fdb")])


def test_an_unknown_bus_is_refused() -> None:
    with pytest.raises(BadValue, match="bus: 'floppy' is not one of"):
        next_target(config("ide"), "floppy")


def test_a_running_domains_sata_ports_are_counted_and_the_next_boots_are_not() -> None:
    full = config("sata", *(f"sd{letter}" for letter in "abcdef"))
    with pytest.raises(BusFull, match="all 6 SATA ports are taken"):
        next_target(full, "sata", live=True)
    assert next_target(full, "sata") == "sdg"
    two = config(
        "sata",
        *(f"sd{letter}" for letter in "abcdef"),
        devices=tuple(
            Device("controller", xml=f"<controller type='sata' index='{n}'/>") for n in (0, 1)
        ),
    )
    assert next_target(two, "sata", live=True) == "sdg"


def test_free_pcie_ports_are_counted_on_a_real_q35_guest() -> None:
    running = parse_domain(golden("domain_running"))
    assert free_pci_places(running) == 1
    assert next_target(running, "virtio", live=True) == "vdc"


def test_a_running_domain_without_a_free_pcie_port_says_so() -> None:
    xml = golden("domain_running")
    ports = re.findall(r"bus='(0x0\w)' slot='0x00'", xml)
    last = max(int(port, 16) for port in ports) + 1
    without = re.sub(rf"<controller type='pci' index='{last}'.*?</controller>", "", xml, flags=re.S)
    full = parse_domain(without)
    assert free_pci_places(full) == 0
    with pytest.raises(BusFull, match="no unused PCIe port"):
        next_target(full, "virtio", live=True)
    assert next_target(full, "virtio") == "vdc"
    assert next_target(full, "scsi", live=True) == "sde"


def test_a_conventional_bus_has_thirty_one_slots() -> None:
    root = Device("controller", xml="<controller type='pci' index='0' model='pci-root'/>")
    used = tuple(Device("x", address=f"pci 0000:00:{slot:02x}.0") for slot in range(1, 31))
    assert free_pci_places(config("virtio", devices=(root, *used))) == 1
    assert free_pci_places(config("virtio", devices=(root, *used, used[0]))) == 1


def test_a_machine_without_pci_is_not_judged() -> None:
    assert free_pci_places(config("virtio")) is None
    assert next_target(config("virtio"), "virtio", live=True) == "vda"
