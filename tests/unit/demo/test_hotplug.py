"""Devices that come and go on a demo guest, with the errors of libvirt's QEMU driver."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import libvirt
import pytest

from tests.unit.demo.conftest import Ear, disk
from tuivirt.demo.connection import DemoConnection

LIVE, SAVED = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
REMOVED = libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED


def targets(domain: Any, flags: int = 0) -> set[str]:
    found = ElementTree.fromstring(domain.XMLDesc(flags)).findall("devices/disk/target")
    return {target.get("dev", "") for target in found}


def saved(domain: Any) -> set[str]:
    return targets(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)


def test_a_disk_attached_now_has_an_alias_and_an_address_and_is_not_saved(
    demo: DemoConnection,
) -> None:
    domain = demo.lookupByName("web-01")
    ear = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, domain)
    domain.attachDeviceFlags(disk("vdb"), LIVE)
    assert ear.wait() == (domain, "virtio-disk1", "opaque")
    [made] = [
        d for d in ElementTree.fromstring(domain.XMLDesc(0)).findall("devices/disk")
        if d.find("target[@dev='vdb']") is not None
    ]  # fmt: skip
    assert made.find("alias[@name='virtio-disk1']") is not None
    assert made.find("address[@type='pci']") is not None
    assert "vdb" not in saved(domain)
    assert any("vdb" in r.values() for _, r in demo.domainListGetStats([domain]))


def test_a_disk_saved_is_there_at_the_next_boot_only(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    domain.attachDeviceFlags(disk("vdb"), SAVED)
    assert "vdb" in saved(domain) - targets(domain)
    domain.destroy()
    domain.create()
    assert "vdb" in targets(domain)


def test_saving_a_device_tells_no_event_of_a_new_definition(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    ear = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, domain)
    domain.attachDeviceFlags(disk("vdb"), SAVED)
    domain.suspend()
    ear.wait(lambda heard: heard[1] == libvirt.VIR_DOMAIN_EVENT_SUSPENDED)
    assert [heard[1] for heard in ear.heard] == [libvirt.VIR_DOMAIN_EVENT_SUSPENDED]


def test_without_flags_a_running_guest_is_changed_now_and_one_that_is_off_as_saved(
    demo: DemoConnection,
) -> None:
    running, off = demo.lookupByName("web-01"), demo.lookupByName("template-deb12")
    running.attachDeviceFlags(disk("vdb"), 0)
    off.attachDeviceFlags(disk("vdb"), 0)
    assert "vdb" in targets(running) - saved(running)
    assert "vdb" in saved(off)


def test_a_disk_is_there_until_the_guest_lets_go_and_tells_so(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    domain.attachDeviceFlags(disk("vdb"), LIVE | SAVED)
    ear = Ear(demo, REMOVED)
    domain.detachDeviceFlags(disk("vdb"), LIVE | SAVED)
    assert "vdb" in targets(domain) - saved(domain)
    assert ear.wait()[1] == "virtio-disk1"
    assert "vdb" not in targets(domain)


def test_a_paused_guest_lets_go_when_it_goes_on(demo: DemoConnection) -> None:
    domain = demo.lookupByName("db-01")
    ear, other = Ear(demo, REMOVED, domain), demo.lookupByName("web-01")
    domain.suspend()
    domain.detachDeviceFlags(disk("vdb"), LIVE)
    other.attachDeviceFlags(disk("vdb"), LIVE)
    other.detachDeviceAlias("virtio-disk1", LIVE)
    Ear(demo, REMOVED, other).wait()
    assert "vdb" in targets(domain)
    domain.resume()
    ear.wait()
    assert "vdb" not in targets(domain)


def test_one_guest_never_lets_go_until_it_is_forced_off(demo: DemoConnection) -> None:
    domain, other = demo.lookupByName("legacy-nt"), demo.lookupByName("db-01")
    ear = Ear(demo, REMOVED)
    domain.detachDeviceFlags(disk("vdb"), LIVE)
    other.detachDeviceFlags(disk("vdb"), LIVE)
    assert ear.wait()[0] == other
    assert "vdb" in targets(domain)
    assert domain.guest.detaching == {"virtio-disk1"}
    domain.destroy()
    assert not domain.guest.detaching


def test_one_guest_refuses_and_tells_so(demo: DemoConnection) -> None:
    domain = demo.lookupByName("win11")
    domain.resume()
    domain.attachDeviceFlags(disk("vdb"), LIVE)
    ear = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED)
    domain.detachDeviceFlags(disk("vdb"), LIVE)
    assert ear.wait()[1] == "virtio-disk1"
    assert "vdb" in targets(domain)


def test_a_guest_without_a_free_port_takes_no_more_devices(demo: DemoConnection) -> None:
    with pytest.raises(libvirt.libvirtError, match="No more available PCI slots") as full:
        demo.lookupByName("gpu-train").attachDeviceFlags(disk("vdc"), LIVE)
    assert full.value.get_error_code() == libvirt.VIR_ERR_INTERNAL_ERROR


def test_if_the_live_half_fails_nothing_is_saved(demo: DemoConnection) -> None:
    domain = demo.lookupByName("gpu-train")
    with pytest.raises(libvirt.libvirtError):
        domain.attachDeviceFlags(disk("vdc"), LIVE | SAVED)
    assert "vdc" not in saved(domain)


@pytest.mark.parametrize(
    ("xml", "flags", "code", "text"),
    [
        (disk("vda"), LIVE, libvirt.VIR_ERR_XML_ERROR, "target 'vda' duplicated"),
        (disk("vda"), SAVED, libvirt.VIR_ERR_OPERATION_INVALID, "target vda already exists"),
        (disk("vdb", "/nope"), LIVE, libvirt.VIR_ERR_SYSTEM_ERROR,
         "Cannot access storage file '/nope'"),
        (disk("vdb", "/var/lib/libvirt/images/db-01.qcow2"), LIVE,
         libvirt.VIR_ERR_INTERNAL_ERROR, 'Failed to get "write" lock'),
        (disk("sdb").replace("'virtio'", "'sata'"), LIVE, libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
         "cannot be hotplugged"),
        ("<disk", LIVE, libvirt.VIR_ERR_XML_DETAIL, "device_definition"),
        ("<zork/>", LIVE, libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "unknown device type 'zork'"),
        ("<disk type='file'><source file='/x'/></disk>", LIVE, libvirt.VIR_ERR_NO_TARGET, "/x"),
        (disk("vdb"), 1 << 9, libvirt.VIR_ERR_INVALID_ARG, "unsupported flags"),
    ],
)  # fmt: skip
def test_what_cannot_be_attached_is_refused_and_nothing_changes(
    demo: DemoConnection, xml: str, flags: int, code: int, text: str
) -> None:
    domain = demo.lookupByName("web-01")
    before = domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    with pytest.raises(libvirt.libvirtError) as refused:
        domain.attachDeviceFlags(xml, flags)
    assert refused.value.get_error_code() == code
    assert text in str(refused.value)
    assert (domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)) == before


def test_a_guest_that_is_off_takes_nothing_now_and_a_transient_one_saves_nothing(
    demo: DemoConnection,
) -> None:
    for name, flags in (("template-deb12", LIVE), ("scratch-7f", SAVED)):
        with pytest.raises(libvirt.libvirtError) as refused:
            demo.lookupByName(name).attachDeviceFlags(disk("vdb"), flags)
        assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID


@pytest.mark.parametrize("flags", [LIVE, SAVED])
def test_what_is_not_there_cannot_be_detached(demo: DemoConnection, flags: int) -> None:
    with pytest.raises(libvirt.libvirtError) as refused:
        demo.lookupByName("web-01").detachDeviceFlags(disk("vdz"), flags)
    assert refused.value.get_error_code() == libvirt.VIR_ERR_DEVICE_MISSING


def test_of_several_devices_of_a_kind_the_one_that_says_the_same_goes(
    demo: DemoConnection,
) -> None:
    domain = demo.lookupByName("web-01")
    one, other = (
        f"<rng model='virtio'><rate bytes='{rate}'/><backend model='random'>{path}</backend></rng>"
        for rate, path in ((1024, "/dev/urandom"), (2048, "/dev/random"))
    )
    for xml in (one, other):
        domain.attachDeviceFlags(xml, SAVED)
    domain.detachDeviceFlags(other, SAVED)
    left = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    assert [rate.get("bytes") for rate in left.findall("devices/rng/rate")] == ["1024"]


def test_only_removable_drives_change_their_medium(demo: DemoConnection) -> None:
    domain = demo.lookupByName("web-01")
    medium = (
        "<disk type='file' device='cdrom'><source file='/var/lib/libvirt/iso/memtest86.iso'/>"
        "<target dev='sda' bus='sata'/><readonly/></disk>"
    )
    domain.updateDeviceFlags(medium, LIVE)
    assert "memtest86.iso" in domain.XMLDesc(0)
    assert "memtest86.iso" not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    with pytest.raises(libvirt.libvirtError, match="only in removable drives"):
        domain.updateDeviceFlags(disk("vda"), LIVE)


def test_a_host_device_is_bound_to_the_guest_and_given_back(demo: DemoConnection) -> None:
    domain, gpu = demo.lookupByName("web-01"), demo.nodeDeviceLookupByName("pci_0000_65_00_0")
    xml = (
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        "<address domain='0' bus='0x65' slot='0' function='0'/></source></hostdev>"
    )
    domain.attachDeviceFlags(xml, LIVE)
    assert "<name>vfio-pci</name>" in gpu.XMLDesc(0)
    with pytest.raises(libvirt.libvirtError, match="in use by driver QEMU, domain web-01"):
        demo.lookupByName("db-01").attachDeviceFlags(xml, LIVE)
    ear = Ear(demo, REMOVED)
    domain.detachDeviceFlags(xml, LIVE)
    ear.wait()
    assert "<name>amdgpu</name>" in gpu.XMLDesc(0)
