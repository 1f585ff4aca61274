"""What the host's devices are told as."""

from __future__ import annotations

from typing import Any

from tests.lab import sysfs
from tests.lab.case import case
from tests.lab.forked import tuivirt
from tests.support.lab import hardware


def _listed() -> list[dict[str, Any]]:
    """As a script has them."""
    ran = tuivirt("-c", "qemu:///system", "list", "devices", "-o", "json")
    assert ran.status == 0, ran.err
    listed: list[dict[str, Any]] = ran.json
    return listed


def _at(address: str) -> dict[str, Any]:
    (found,) = (each for each in _listed() if each["address"] == address)
    return found


@case(on=("intel", "amd"), early=True)
def a_gpu_and_its_sound_share_a_slot_and_a_group() -> None:
    listed = {each["address"]: each for each in _listed() if each["capability"] == "pci"}
    gpu, sound = (listed[sysfs.behind(hardware.GPU, function)] for function in (0, 1))
    assert gpu["pci_class"] == "038000"
    assert sound["pci_class"] == "040300"
    assert (gpu["driver"], sound["driver"]) == ("bochs-drm", "snd_hda_intel")
    assert (gpu["vendor_id"], gpu["product_id"]) == ("1234", "1111")
    assert (sound["vendor"], sound["product_id"]) == ("Intel Corporation", "2668")
    assert gpu["iommu_group"] == sound["iommu_group"] == sysfs.group(gpu["address"])
    assert set(gpu["iommu_siblings"]) == set(sysfs.group_members(gpu["address"]))
    assert set(gpu["iommu_siblings"]) >= {gpu["address"], sound["address"]}


@case(early=True)
def everything_to_give_away_has_a_group_of_its_own() -> None:
    ports = (hardware.GPU, hardware.NVME, hardware.SPARE_CARD, hardware.UPLINK, hardware.USB)
    groups = [sysfs.group_members(sysfs.behind(port)) for port in ports]
    assert [len(members) for members in groups] == [2, 1, 1, 1, 1]


@case(early=True)
def two_equal_usb_devices_are_told_apart_by_their_address() -> None:
    twins = [each for each in _listed() if each["capability"] == "usb_device"]
    twins = [
        each for each in twins if f"{each['vendor_id']}:{each['product_id']}" == hardware.TWIN_ID
    ]
    ports = [sysfs.usb_device(port) for port in hardware.TWINS]
    expected = {
        f"{int((port / 'busnum').read_text()):03}:{int((port / 'devnum').read_text()):03}"
        for port in ports
    }
    assert len(twins) == 2
    assert {each["address"] for each in twins} == expected
    assert {each["path"] for each in twins} == {str(port.resolve()) for port in ports}


@case(on=("none",))
def a_board_without_an_iommu_has_no_groups() -> None:
    gpu = _at(sysfs.behind(hardware.GPU))
    assert (gpu["iommu_group"], gpu["iommu_siblings"]) == (None, [])
