"""What is read of the host's devices."""

from __future__ import annotations

from tests.unit.xml.golden import golden
from tuivirt.backend.model.resources import MdevType, NodeDevice
from tuivirt.backend.xml.nodedev import parse_node_device


def read(name: str) -> NodeDevice:
    return parse_node_device("h", golden(f"nodedev_{name}"))


def test_a_pci_device_has_address_class_driver_and_identity() -> None:
    assert read("pci_virtio") == NodeDevice(
        host="h",
        name="pci_0000_00_01_0",
        parent="computer",
        capability="pci",
        vendor="Red Hat, Inc.",
        product="Virtio 1.0 memory balloon",
        vendor_id="1af4",
        product_id="1045",
        address="0000:00:01.0",
        pci_class="ffff00",
        driver="virtio-pci",
        path="/sys/devices/pci0000:00/0000:00:01.0",
    )


def test_a_gpu_has_its_group_numa_node_functions_and_mediated_types() -> None:
    gpu = read("gpu_pf")
    assert (gpu.address, gpu.pci_class, gpu.driver) == ("0000:81:00.0", "030200", "nvidia")
    assert (gpu.iommu_group, gpu.numa_node) == (42, 1)
    assert gpu.iommu_siblings == ("0000:81:00.0", "0000:81:00.1")
    assert gpu.virtual_functions == ("0000:81:00.4", "0000:81:00.5", "0000:81:01.0")
    assert gpu.virtual_most == 16
    assert gpu.physical_function == ""
    assert gpu.mdev_types == (
        MdevType("nvidia-474", "GRID A100-1-5C", "vfio-pci", 7),
        MdevType("nvidia-475", "GRID A100-2-10C", "vfio-pci", 3),
    )
    assert gpu.link == "2.5 GT/s ×16, of 16 GT/s ×16"


def test_a_virtual_function_names_its_physical_one_and_no_numa_node_is_none() -> None:
    function = read("vf")
    assert function.physical_function == "0000:03:00.1"
    assert (function.address, function.iommu_group, function.numa_node) == ("0000:03:10.1", 7, None)


def test_a_usb_device_has_bus_and_number_identity_and_nodes() -> None:
    device = read("usb")
    assert (device.address, device.vendor_id, device.product_id) == ("002:009", "0403", "6001")
    assert device.devnodes == ("/dev/bus/usb/002/009", "/dev/serial/by-id/x")


def test_a_mediated_device_has_type_uuid_and_group() -> None:
    device = read("mdev")
    assert (device.mdev_type, device.iommu_group) == ("nvidia-474", 51)
    assert device.mdev_uuid == "c2177883-f1bb-47f0-914d-32a22e3a8804"


def test_a_scsi_device_has_its_four_numbers() -> None:
    assert read("scsi").address == "1:0:2:3"


def test_a_disk_of_the_host_has_path_and_size() -> None:
    disk = read("block")
    assert (disk.capability, disk.block_path, disk.size_bytes) == (
        "storage",
        "/dev/vda",
        274877906944,
    )
    assert (disk.vendor, disk.vendor_id) == ("", "1af4")


def test_a_drives_size_is_its_mediums() -> None:
    drive = read("cdrom")
    assert (drive.vendor, drive.product, drive.size_bytes) == ("QEMU", "QEMU_DVD-ROM", 629145600)


def test_a_network_card_has_name_mac_and_link() -> None:
    card = read("net")
    assert (card.net_name, card.net_mac, card.net_state) == ("eth0", "02:fc:00:00:00:01", "up")


def test_a_drm_card_has_its_node() -> None:
    card = read("drm")
    assert (card.capability, card.product, card.devnodes) == ("drm", "primary", ("/dev/dri/card0",))


def test_the_machine_itself_has_no_parent() -> None:
    machine = read("computer")
    assert (machine.name, machine.capability, machine.parent) == ("computer", "system", "")


def test_a_capability_that_is_not_known_is_still_named() -> None:
    xml = "<device><name>x</name><capability type='from_the_future'><y/></capability></device>"
    assert parse_node_device("h", xml, active=False) == NodeDevice(
        "h", "x", capability="from_the_future", active=False
    )
