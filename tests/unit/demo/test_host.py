"""The host that a demo URI opens: who lives there, what it holds, what it answers."""

from __future__ import annotations

from xml.etree import ElementTree

import libvirt
import pytest

from tests.unit.demo.conftest import Ear
from tuivirt.backend.connection import open_connection
from tuivirt.demo import register
from tuivirt.demo.connection import DemoConnection, open_demo


def test_a_demo_uri_is_opened_like_any_other_once_registered() -> None:
    register()
    connection = open_connection("demo:///", False, lambda _wanted, _opaque: -1)
    assert (connection.getURI(), connection.getType(), connection.isAlive()) == (
        "demo:///", "TEST", 1,
    )  # fmt: skip
    connection.close()
    assert connection.isAlive() == 0


def test_its_guests_are_in_every_state(demo: DemoConnection) -> None:
    states = {domain.state()[0] for domain in demo.listAllDomains()}
    assert states == {
        libvirt.VIR_DOMAIN_RUNNING,
        libvirt.VIR_DOMAIN_PAUSED,
        libvirt.VIR_DOMAIN_SHUTOFF,
        libvirt.VIR_DOMAIN_CRASHED,
        libvirt.VIR_DOMAIN_PMSUSPENDED,
    }
    assert any(d.hasManagedSaveImage() for d in demo.listAllDomains())
    assert any(not d.isPersistent() for d in demo.listAllDomains())


def test_hosts_of_other_names_hold_other_guests() -> None:
    one, two = open_demo("demo:///east?life=0", False), open_demo("demo:///west?life=0", False)
    assert (one.getHostname(), two.getHostname()) == ("demo-east", "demo-west")
    assert one.lookupByName("web-01").UUIDString() != two.lookupByName("web-01").UUIDString()
    one.close()
    two.close()


def test_a_crowd_is_the_same_for_the_same_seed() -> None:
    names = []
    for seed in (3, 3, 4):
        connection = open_demo(f"demo:///big?domains=60&seed={seed}&life=0", False)
        names.append({domain.name() for domain in connection.listAllDomains()})
        assert connection.getInfo()[2] >= 16
        connection.close()
    assert len(names[0]) == 60
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize(
    "uri", ["demo://host/", "demo:///a/b", "demo:///?domains=many", "demo:///?what=1",
            "demo:///?domains=99999"],
)  # fmt: skip
def test_a_uri_that_makes_no_sense_is_refused(uri: str) -> None:
    with pytest.raises(libvirt.libvirtError) as refused:
        open_demo(uri, False)
    assert refused.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


def test_networks_and_pools_are_in_several_states(demo: DemoConnection) -> None:
    networks = {n.name(): n.isActive() for n in demo.listAllNetworks()}
    assert networks == {"default": 1, "storage": 1, "dmz": 1, "lab-old": 0}
    pools = {pool.name(): pool for pool in demo.listAllStoragePools()}
    assert not pools["usb-stick"].isActive()
    _state, capacity, allocation, available = pools["images"].info()
    assert capacity == allocation + available
    assert f">{available}<" in pools["images"].XMLDesc(0)
    assert {v.name() for v in pools["images"].listAllVolumes()} > {"web-01.qcow2"}


def test_a_running_guests_lease_is_its_address(demo: DemoConnection) -> None:
    addresses = demo.lookupByName("web-01").interfaceAddresses(
        libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE
    )
    [nic] = addresses.values()
    [lease] = demo.networkLookupByName("default").DHCPLeases(nic["hwaddr"])
    assert lease["ipaddr"] == nic["addrs"][0]["addr"]


def test_a_gpu_brings_its_sound_along_in_one_iommu_group(demo: DemoConnection) -> None:
    xml = demo.nodeDeviceLookupByName("pci_0000_65_00_0").XMLDesc(0)
    root = ElementTree.fromstring(xml)
    assert root.findtext("driver/name") == "amdgpu"
    assert len(root.findall("capability/iommuGroup/address")) == 2


def test_two_usb_devices_have_the_same_vendor_and_product(demo: DemoConnection) -> None:
    said = []
    for device in demo.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV):
        root = ElementTree.fromstring(device.XMLDesc(0))
        said.append(tuple(root.find(f"capability/{t}").get("id") for t in ("vendor", "product")))  # type: ignore[union-attr]
    assert len(said) == 3
    assert len(set(said)) == 2


def test_a_device_is_taken_from_its_driver_and_given_back(demo: DemoConnection) -> None:
    device = demo.nodeDeviceLookupByName("pci_0000_65_00_0")
    device.detachFlags(None)
    assert "<name>vfio-pci</name>" in device.XMLDesc(0)
    device.reAttach()
    assert "<name>amdgpu</name>" in device.XMLDesc(0)


def test_a_device_that_a_guest_has_is_not_given_back(demo: DemoConnection) -> None:
    device = demo.nodeDeviceLookupByName("pci_0000_04_00_0")
    with pytest.raises(libvirt.libvirtError, match="in use by driver QEMU, domain gpu-train"):
        device.reAttach()
    demo.lookupByName("gpu-train").destroy()
    assert "<name>nvidia</name>" in device.XMLDesc(0)


def test_the_hosts_idle_and_busy_time_grow_and_its_memory_adds_up(demo: DemoConnection) -> None:
    before = demo.getCPUStats(-1)
    demo.lookupByName("gpu-train").destroy()
    after = demo.getCPUStats(-1)
    assert all(after[key] >= before[key] for key in before)
    memory = demo.getMemoryStats(-1)
    assert memory["total"] > memory["free"] + memory["cached"] + memory["buffers"] > 0


def test_a_wrapped_domain_may_be_given_to_any_call_and_is_equal_to_itself(
    demo: DemoConnection,
) -> None:
    domain = demo.lookupByName("web-01")
    assert domain == demo.lookupByUUIDString(domain.UUIDString())
    assert len({domain, demo.lookupByName("web-01")}) == 1
    assert domain.connect() is demo
    [(same, _)] = demo.domainListGetStats([domain])
    assert same == domain
    snapshot = domain.snapshotCreateXML("<domainsnapshot><name>one</name></domainsnapshot>")
    domain.revertToSnapshot(snapshot)


def test_ids_of_callbacks_are_given_back_once(demo: DemoConnection) -> None:
    ear = Ear(demo, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE)
    demo.domainEventDeregisterAny(ear.number)
    with pytest.raises(libvirt.libvirtError):
        demo.domainEventDeregisterAny(ear.number)


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.create(),
        lambda d: d.shutdown(),
        lambda d: d.attachDeviceFlags("<disk/>", 0),
        lambda d: d.setMemoryStatsPeriod(2, 0),
        lambda d: d.setAutostart(1),
        lambda d: d.openConsole(None, d.connect().newStream(1), 0),
    ],
)
def test_a_read_only_connection_denies_what_changes(readonly: DemoConnection, call: object) -> None:
    with pytest.raises(libvirt.libvirtError) as denied:
        call(readonly.lookupByName("web-01"))  # type: ignore[operator]
    assert denied.value.get_error_code() == libvirt.VIR_ERR_OPERATION_DENIED
    assert "read only access prevents" in str(denied.value)


def test_a_read_only_connection_shows_figures(readonly: DemoConnection) -> None:
    assert len(readonly.getAllDomainStats()) == len(readonly.listAllDomains())
