"""What waits for the next boot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.xml.golden import golden
from tuivirt.backend.model.device import Device, Disk, DomainConfig, Interface
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.pending import pending

VDA = Disk("vda", "virtio", source="/a", format="qcow2")
CD = Disk("sda", "sata", device="cdrom", source="/old.iso")
NIC = Interface("52:54:00:00:00:01", source="default", model="virtio")
BASE = DomainConfig(
    "n",
    "u",
    vcpus=2,
    vcpus_max=4,
    memory_kib=4 * 1024**2,
    memory_max_kib=4 * 1024**2,
    disks=(VDA, CD),
    interfaces=(NIC,),
    devices=(Device("serial"), Device("hostdev", node_device="0000:04:00.0")),
)


def test_a_domain_just_started_waits_for_nothing() -> None:
    live = parse_domain(golden("domain_running"))
    saved = parse_domain(golden("domain_saved"))
    assert live != saved
    assert pending(live, saved) == ()


@pytest.mark.parametrize(
    ("changes", "phrases"),
    [
        ({}, ()),
        ({"title": "t"}, ("title 't'",)),
        ({"description": "d"}, ("description",)),
        ({"vcpus_max": 8}, ("vCPUs 4 → 8",)),
        ({"vcpus": 3}, ("vCPUs in use 2 → 3",)),
        (
            {"memory_max_kib": 8 * 1024**2, "memory_kib": 8 * 1024**2},
            ("memory 4 → 8 GiB",),
        ),
        ({"disks": (VDA, CD, Disk("vdb"))}, ("new disk vdb",)),
        ({"disks": (CD,)}, ("disk vda goes",)),
        ({"disks": (VDA,)}, ("CD-ROM sda goes",)),
        ({"disks": (VDA, replace(CD, source=""))}, ("CD-ROM sda: /old.iso → empty",)),
        ({"disks": (replace(VDA, cache="none"), CD)}, ("disk vda: cache default → none",)),
        ({"disks": (replace(VDA, readonly=True), CD)}, ("disk vda: read-only",)),
        ({"disks": (replace(VDA, shareable=True), CD)}, ("disk vda: shareable",)),
        ({"disks": (replace(VDA, boot_order=1), CD)}, ("disk vda: boot order none → 1",)),
        ({"disks": (replace(VDA, alias="a", address="b", xml="c"), CD)}, ()),
        ({"interfaces": ()}, ("interface 52:54:00:00:00:01 goes",)),
        (
            {"interfaces": (NIC, Interface("52:54:00:00:00:02"))},
            ("new interface 52:54:00:00:00:02",),
        ),
        (
            {"interfaces": (replace(NIC, source="lab"),)},
            ("interface 52:54:00:00:00:01: network default → network lab",),
        ),
        (
            {"interfaces": (replace(NIC, model="e1000e"),)},
            ("interface 52:54:00:00:00:01: model virtio → e1000e",),
        ),
        ({"interfaces": (replace(NIC, link="down"),)}, ("interface 52:54:00:00:00:01: link down",)),
        ({"interfaces": (replace(NIC, target="vnet3", alias="net0"),)}, ()),
        (
            {"devices": (*BASE.devices, Device("tpm"), Device("rng"), Device("rng"))},
            ("new tpm", "new 2 rng"),
        ),
        ({"devices": BASE.devices[1:]}, ("serial goes",)),
        (
            {"devices": (Device("serial"), Device("hostdev", node_device="0000:05:00.0"))},
            ("new host device 0000:05:00.0", "host device 0000:04:00.0 goes"),
        ),
        ({"devices": (*BASE.devices, Device("controller"))}, ()),
    ],
)
def test_what_the_saved_configuration_changes_is_told_in_a_phrase(
    changes: dict[str, object], phrases: tuple[str, ...]
) -> None:
    assert pending(BASE, replace(BASE, **changes)) == phrases  # type: ignore[arg-type]


def test_a_guest_whose_balloon_was_blown_up_gets_its_memory_back() -> None:
    live = replace(BASE, memory_kib=2 * 1024**2)
    assert pending(live, BASE) == ("memory in use 2 → 4 GiB",)


def test_a_guest_without_a_balloon_driver_waits_for_nothing() -> None:
    assert pending(BASE, replace(BASE, memory_kib=2 * 1024**2)) == ()


def test_small_memory_is_told_in_its_unit_and_rounding_not_at_all() -> None:
    live = replace(BASE, memory_max_kib=512 * 1024, memory_kib=512 * 1024)
    saved = replace(live, memory_max_kib=1024**2, memory_kib=1024**2)
    assert pending(live, saved) == ("memory 512 → 1024 MiB",)
    assert pending(live, replace(live, memory_max_kib=512 * 1024 + 4)) == ()


def test_a_usb_device_given_by_identity_is_the_same_when_it_runs() -> None:
    saved = replace(BASE, devices=(Device("hostdev", vendor_product="0403:6001"),))
    live = replace(
        BASE, devices=(Device("hostdev", vendor_product="0403:6001", node_device="002:009"),)
    )
    assert pending(live, saved) == ()


def test_a_network_that_lends_pci_functions_is_no_difference() -> None:
    lent = Interface("52:54:00:00:00:01", "hostdev", "0000:03:10.1")
    assert pending(replace(BASE, interfaces=(lent,)), BASE) == ()
