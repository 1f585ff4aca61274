"""The host device that an operator means."""

from __future__ import annotations

import pytest

from tests.unit.passthrough.things import HOST, by_name, pci, usb
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.passthrough.find import find_device

MDEV = NodeDevice(
    HOST, "mdev_1", capability="mdev", mdev_uuid="c1b4e7a0-0000-4000-8000-00000000000a"
)
DEVICES = by_name(
    pci("0000:04:00.0"),
    pci("0000:04:00.1"),
    usb("001:004"),
    usb("001:005"),
    usb("002:003", "1050", "0407"),
    MDEV,
    NodeDevice(HOST, "net_eth0", parent="pci_0000_04_00_0", capability="net"),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("pci_0000_04_00_1", "pci_0000_04_00_1"),
        ("0000:04:00.0", "pci_0000_04_00_0"),
        ("04:00.0", "pci_0000_04_00_0"),
        (" 4:0.1 ", "pci_0000_04_00_1"),
        ("001:004", "usb_001_004"),
        ("1.5", "usb_001_005"),
        ("1050:0407", "usb_002_003"),
        ("0x1050:0x0407", "usb_002_003"),
        ("C1B4E7A0-0000-4000-8000-00000000000A", "mdev_1"),
    ],
)
def test_a_device_is_known_by_all_its_names(wanted: str, found: str) -> None:
    assert find_device(DEVICES, wanted).name == found


def test_of_two_equal_devices_none_is_guessed() -> None:
    with pytest.raises(BadInput) as caught:
        find_device(DEVICES, "0403:6001")
    assert "001:004, 001:005" in str(caught.value)


@pytest.mark.parametrize("wanted", ["05:00.0", "usb_9_9", "dead:beef", "", "'; rm -rf /"])
def test_what_is_not_there_is_told_with_what_would_be_right(wanted: str) -> None:
    with pytest.raises(BadInput) as caught:
        find_device(DEVICES, wanted)
    assert "list devices" in caught.value.advice


def test_what_no_domain_can_have_names_what_it_hangs_on() -> None:
    with pytest.raises(BadInput) as caught:
        find_device(DEVICES, "net_eth0")
    assert "pci_0000_04_00_0" in caught.value.advice
