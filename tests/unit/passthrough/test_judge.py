"""What speaks against handing a device over."""

from __future__ import annotations

import pytest

from tests.unit.passthrough.things import pci
from tuivirt.backend.model.passthrough import (
    DeviceFacts,
    DiskUse,
    Finding,
    HostFacts,
    NetUse,
    Weight,
)
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.passthrough.find import givable
from tuivirt.backend.passthrough.judge import judge, judge_host

GPU = pci("0000:04:00.0", vendor="ACME", product="Painter")


def findings(
    about: DeviceFacts, device: NodeDevice = GPU, *, local: bool = True, **users: bool
) -> list[Finding]:
    """What is found of one device for the domain ``web``; ``users``: others, and who runs."""
    facts = HostFacts(local, devices={device.name: about})
    return list(judge("web", device, facts, users))


@pytest.mark.parametrize(
    ("about", "weight", "words"),
    [
        (DeviceFacts(disks=(DiskUse("sda1", "mounted at /"),)), Weight.REFUSED, "mounted at /"),
        (DeviceFacts(disks=(DiskUse("sda2", "swap"),)), Weight.REFUSED, "swap"),
        (DeviceFacts(nets=(NetUse("eth0", this_session=True),)), Weight.REFUSED, "SSH session"),
        (DeviceFacts(nets=(NetUse("eth0", above=("br0",)),)), Weight.REFUSED, "br0"),
        (DeviceFacts(nets=(NetUse("eth0", default_route=True),)), Weight.REFUSED, "default route"),
        (DeviceFacts(nets=(NetUse("eth0", ("192.0.2.7",)),)), Weight.RISK, "192.0.2.7"),
        (DeviceFacts(boot_display=True), Weight.RISK, "boot display"),
        (DeviceFacts(can_reset=False), Weight.NOTE, "cannot be reset"),
    ],
)
def test_what_the_host_does_with_a_device_weighs(
    about: DeviceFacts, weight: Weight, words: str
) -> None:
    (finding,) = findings(about)
    assert finding.weight is weight
    assert words in finding.text
    assert finding.advice


def test_a_device_that_nobody_needs_has_nothing_against_it() -> None:
    assert findings(DeviceFacts(nets=(NetUse("eth0", up=True),))) == []


def test_a_device_in_a_running_domain_is_refused_and_in_one_that_is_off_a_risk() -> None:
    device = pci("0000:04:00.0", users=("db", "old", "web"))
    running, off = findings(DeviceFacts(), device, db=True, old=False, web=True)
    assert (running.weight, off.weight) == (Weight.REFUSED, Weight.RISK)
    assert "db runs" in running.text
    assert "detach-hostdev db" in running.advice
    assert "old" in off.text


def test_a_scsi_disk_is_noted_as_one_that_the_host_goes_on_seeing() -> None:
    disk = NodeDevice("lab", "scsi_1_0_0_0", capability="scsi", address="1:0:0:0")
    (finding,) = findings(DeviceFacts(children=("disk /dev/sdb",)), disk)
    assert finding.weight is Weight.NOTE
    assert "goes on seeing disk /dev/sdb" in finding.text


def test_a_device_that_a_network_hands_to_its_guests_is_a_risk_that_names_it() -> None:
    (finding,) = findings(DeviceFacts(), pci("0000:04:00.0", networks=("sriov",)))
    assert finding.weight is Weight.RISK
    assert "the network sriov hands" in finding.text


@pytest.mark.parametrize("more", [{"pci_class": "060400"}, {"group": None}])
def test_a_bridge_and_what_is_in_no_group_are_refused(more: dict[str, object]) -> None:
    (finding,) = findings(DeviceFacts(), pci("0000:00:1c.0", **more))  # type: ignore[arg-type]
    assert finding.weight is Weight.REFUSED


def test_a_usb_bus_is_not_one_of_its_devices() -> None:
    hub = NodeDevice("lab", "usb_usb1", capability="usb_device", address="001:001")
    (finding,) = findings(DeviceFacts(), hub)
    assert finding.weight is Weight.REFUSED
    assert givable({hub.name: hub, GPU.name: GPU}) == (GPU,)


def test_of_a_remote_host_what_cannot_be_seen_is_a_risk() -> None:
    about = DeviceFacts(nets=(NetUse("eno1", up=True),), children=("disk /dev/sdb",))
    found = findings(about, pci("0000:05:00.0", pci_class="020000"), local=False)
    assert [each.weight for each in found] == [Weight.RISK, Weight.RISK]
    assert all("cannot be seen from here" in each.advice for each in found)


def test_virtual_functions_go_with_their_parent() -> None:
    card = pci("0000:05:00.0", pci_class="020000", virtual_functions=("0000:05:10.0",))
    (finding,) = findings(DeviceFacts(driver="ixgbe"), card)
    assert finding.weight is Weight.RISK


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (HostFacts(True, iommu=False, iommu_advice="Switch it on"), "IOMMU"),
        (HostFacts(True, vfio=False), "vfio-pci"),
        (HostFacts(True, locked_memory_kib=65536), "64 MiB"),
    ],
)
def test_a_host_that_cannot_is_told_what_it_lacks(facts: HostFacts, words: str) -> None:
    (finding,) = judge_host(facts, (GPU,), 4 << 20)
    assert finding.weight is Weight.REFUSED
    assert words in finding.text
    assert finding.advice


def test_a_usb_device_needs_no_iommu() -> None:
    stick = NodeDevice("lab", "usb_1_2", capability="usb_device", address="001:002")
    assert list(judge_host(HostFacts(True, iommu=False), (stick,), 4 << 20)) == []
