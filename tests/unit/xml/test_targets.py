"""Names for new disks, and buses that are full."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xml.golden import golden
from tuivirt.backend.model.device import Device, Disk, DomainConfig
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.errors import BadValue, BusFull
from tuivirt.backend.xml.targets import (
    check_room,
    choose_target,
    free_pci_places,
    target_name,
)


def disks(bus: str, *targets: str) -> tuple[Disk, ...]:
    return tuple(Disk(target, bus) for target in targets)


def config(bus: str, *targets: str, devices: tuple[Device, ...] = ()) -> DomainConfig:
    return DomainConfig("n", "u", disks=disks(bus, *targets), devices=devices)


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "vda"), (25, "vdz"), (26, "vdaa"), (51, "vdaz"), (701, "vdzz"), (702, "vdaaa")],
)
def test_names_go_on_after_z(index: int, name: str) -> None:
    assert target_name("virtio", index) == name


@given(st.sets(st.integers(0, 60)))
def test_the_next_name_is_the_first_that_is_free(taken: set[int]) -> None:
    others = disks("virtio", *(target_name("virtio", number) for number in taken))
    first = next(number for number in range(100) if number not in taken)
    assert choose_target(others, "virtio") == target_name("virtio", first)


def test_buses_with_one_prefix_share_its_names() -> None:
    assert choose_target(disks("sata", "sda", "sdb"), "usb") == "sdc"


@pytest.mark.parametrize(("bus", "prefix", "room"), [("ide", "hd", 4), ("fdc", "fd", 2)])
def test_a_bus_of_fixed_size_is_full_at_its_last_place(bus: str, prefix: str, room: int) -> None:
    others = disks(bus, *(prefix + letter for letter in "abcd"[:room]))
    with pytest.raises(BusFull, match=f"the {bus} bus is full: it has {room} places"):
        choose_target(others, bus)
    assert choose_target(others[:-1], bus) == others[-1].target


def test_a_bus_whose_names_are_taken_on_other_buses_has_none_left() -> None:
    with pytest.raises(BusFull, match="none of its 2 names is free"):
        choose_target(disks("usb", "fda", "fdb"), "fdc")


def test_an_unknown_bus_is_refused() -> None:
    with pytest.raises(BadValue, match="bus: 'floppy' is not one of"):
        choose_target((), "floppy")


@pytest.mark.parametrize("name", ["../x", "vd", "VDA", "vda1", "sda; rm", "\x1b[31m"])
def test_a_name_that_no_disk_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadValue, match="cannot be called"):
        choose_target((), "virtio", name)


def test_a_name_that_is_taken_is_refused_and_whose_it_is_told() -> None:
    with pytest.raises(BadValue, match=r"vda is taken by /a\.img"):
        choose_target((Disk("vda", "virtio", source="/a.img"),), "virtio", "vda")
    assert choose_target(disks("virtio", "vda"), "virtio", "vdc") == "vdc"


def test_a_running_domains_sata_ports_are_counted() -> None:
    six = tuple(f"sd{letter}" for letter in "abcdef")
    with pytest.raises(BusFull, match="all 6 SATA ports are taken"):
        check_room(config("sata", *six), "sata")
    two = tuple(Device("controller", xml=f"<controller type='sata' index='{n}'/>") for n in (0, 1))
    check_room(config("sata", *six, devices=two), "sata")


def test_free_pcie_ports_are_counted_on_a_real_q35_guest() -> None:
    running = parse_domain(golden("domain_running"))
    assert free_pci_places(running) == 1
    check_room(running, "virtio")


def test_a_running_domain_without_a_free_pcie_port_says_so() -> None:
    xml = golden("domain_running")
    ports = re.findall(r"bus='(0x0\w)' slot='0x00'", xml)
    last = max(int(port, 16) for port in ports) + 1
    without = re.sub(rf"<controller type='pci' index='{last}'.*?</controller>", "", xml, flags=re.S)
    full = parse_domain(without)
    assert free_pci_places(full) == 0
    with pytest.raises(BusFull, match="no free PCI slot") as caught:
        check_room(full, "virtio")
    assert "next boot" in caught.value.advice
    check_room(full, "scsi")


def test_a_conventional_bus_has_thirty_one_slots() -> None:
    root = Device("controller", xml="<controller type='pci' index='0' model='pci-root'/>")
    used = tuple(Device("x", address=f"pci 0000:00:{slot:02x}.0") for slot in range(1, 31))
    assert free_pci_places(config("virtio", devices=(root, *used))) == 1
    assert free_pci_places(config("virtio", devices=(root, *used, used[0]))) == 1


def test_a_machine_without_pci_is_not_judged() -> None:
    assert free_pci_places(config("virtio")) is None
    check_room(config("virtio"), "virtio")
