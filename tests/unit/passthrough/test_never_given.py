"""What no guest can ever have is said before a guest is asked for."""

from __future__ import annotations

import pytest

from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.passthrough.find import find_device, givable, never_given
from tuivirt.backend.passthrough.hand_over import device_xml
from tuivirt.backend.passthrough.plan import has
from tuivirt.backend.uses import users_of_devices
from tuivirt.backend.xml.domain import parse_domain


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (NodeDevice("h", "computer", capability="system"), "no guest can have it"),
        (NodeDevice("h", "net_eth0", capability="net"), "no guest can have it"),
        (
            NodeDevice("h", "b", capability="pci", address="0000:00:1c.0", pci_class="060400"),
            "is a bridge",
        ),
        (NodeDevice("h", "usb_usb1", capability="usb_device", address="001:001"), "is a USB bus"),
    ],
)
def test_what_no_guest_can_have_is_not_offered_and_says_why(device: NodeDevice, said: str) -> None:
    assert said in never_given(device)
    assert givable({device.name: device}) == ()


def test_what_a_guest_can_have_is_offered() -> None:
    gpu = NodeDevice("h", "g", capability="pci", address="0000:04:00.0", pci_class="030000")
    assert never_given(gpu) == ""
    assert givable({gpu.name: gpu}) == (gpu,)


def test_a_scsi_device_is_meant_by_its_address_and_given_by_its_adapter() -> None:
    disk = NodeDevice("h", "scsi_1_0_2_3", capability="scsi", address="1:0:2:3")
    assert find_device({disk.name: disk}, "1:0:2:3") is disk
    xml = device_xml(disk)
    assert 'type="scsi"' in xml.replace("'", '"')
    assert "scsi_host1" in xml
    config = parse_domain(f"<domain><name>web</name><devices>{xml}</devices></domain>")
    assert has(config, disk)
    assert not has(config, NodeDevice("h", "o", capability="scsi", address="1:0:2:4"))


def test_a_scsi_device_and_the_disk_in_it_are_used_by_the_same_domains() -> None:
    disk = NodeDevice("h", "scsi_1_0_2_3", capability="scsi", address="1:0:2:3")
    block = NodeDevice(
        "h", "block_sdb", parent=disk.name, capability="storage", block_path="/dev/sdb"
    )
    devices = {disk.name: disk, block.name: block}
    as_block = "<disk type='block' device='disk'><source dev='/dev/sdb'/><target dev='vdb'/></disk>"
    for name, xml in (("block", as_block), ("hostdev", device_xml(disk))):
        config = parse_domain(f"<domain><name>x</name><devices>{xml}</devices></domain>")
        users = users_of_devices({name: (config,)}, devices)
        assert users == {disk.name: (name,), block.name: (name,)}
