"""What is read of a domain, from what libvirt 9.0 wrote of real ones."""

from __future__ import annotations

import pytest

from tests.unit.xml.golden import golden
from tuivirt.backend.model.device import Device, DomainConfig
from tuivirt.backend.xml.devices import read_device
from tuivirt.backend.xml.domain import parse_domain
from tuivirt.backend.xml.tree import parse


@pytest.fixture(scope="module")
def config() -> DomainConfig:
    return parse_domain(golden("domain_every_device"))


@pytest.fixture(scope="module")
def running() -> DomainConfig:
    return parse_domain(golden("domain_running"))


def summaries(config: DomainConfig, kind: str) -> list[str]:
    return [device.summary for device in config.devices if device.kind == kind]


def device(xml: str) -> Device:
    return read_device(parse(xml))


def test_names_title_and_sizes_are_read(config: DomainConfig) -> None:
    assert (config.name, config.title) == ("xml-golden", 'A "golden" guest <黄金>')
    assert config.description == "line one\nline two & more"
    assert config.uuid == "6f3c7b1e-9d0a-4a54-8f0e-5f6a0c1d2e3f"
    assert (config.type, config.arch, config.machine) == ("qemu", "x86_64", "pc-q35-7.2")
    assert (config.vcpus, config.vcpus_max) == (1, 2)
    assert (config.memory_kib, config.memory_max_kib) == (96 * 1024, 128 * 1024)


def test_disks_are_read_with_their_place(config: DomainConfig) -> None:
    assert [(d.target, d.bus, d.device, d.source, d.format) for d in config.disks] == [
        ("vda", "virtio", "disk", "/tmp/xmlg/over.qcow2", "qcow2"),
        ("vdb", "virtio", "disk", "/tmp/xmlg/we \"ird' 磁盘.raw", "raw"),
        ("sda", "sata", "cdrom", "/tmp/xmlg/cd.iso", "raw"),
        ("sdb", "sata", "disk", "xml-pool/v2.qcow2", "qcow2"),
        ("sdc", "sata", "cdrom", "", "raw"),
        ("sdd", "scsi", "disk", "/tmp/xmlg/cd2.iso", "raw"),
    ]
    first, second = config.disks[:2]
    assert (first.serial, first.cache, first.io, first.discard) == (
        "S-1",
        "none",
        "native",
        "unmap",
    )
    assert (first.boot_order, first.address) == (1, "pci 0000:08:00.0")
    assert (second.readonly, second.shareable) == (True, True)


def test_a_running_domains_disks_have_aliases_and_backing_files(running: DomainConfig) -> None:
    assert running.disks[0].alias == "virtio-disk0"
    assert running.disks[0].backing == ("/tmp/xmlg/base.qcow2",)
    assert running.disks[3].backing == ("/tmp/xmlg/pool/v1.qcow2",)


def test_interfaces_are_read(config: DomainConfig) -> None:
    assert [(i.mac, i.type, i.model, i.link, i.boot_order) for i in config.interfaces] == [
        ("52:54:00:0a:0b:0c", "user", "virtio", "down", None),
        ("52:54:00:0a:0b:0d", "user", "e1000e", "up", 2),
    ]


def test_an_interface_that_a_network_put_on_a_bridge_belongs_to_the_network() -> None:
    config = parse_domain(
        "<domain><devices><interface type='bridge'><mac address='52:54:00:00:00:01'/>"
        "<source network='lan' portid='x' bridge='br0'/></interface></devices></domain>"
    )
    assert (config.interfaces[0].type, config.interfaces[0].source) == ("network", "lan")


def test_an_interface_on_a_pci_function_names_it() -> None:
    config = parse_domain(
        "<domain><devices><interface type='hostdev' managed='yes'><source>"
        "<address type='pci' domain='0x0000' bus='0x03' slot='0x10' function='0x1'/>"
        "</source></interface></devices></domain>"
    )
    assert (config.interfaces[0].type, config.interfaces[0].source) == ("hostdev", "0000:03:10.1")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "serial",
            [
                "pty → isa-serial",
                "file /tmp/xmlg/s.log → isa-serial",
                "tcp bind 127.0.0.1:40555 → isa-serial",
            ],
        ),
        ("parallel", ["null"]),
        ("console", ["pty → serial", "pty → virtio"]),
        ("channel", ["unix → virtio org.qemu.guest_agent.0"]),
        ("input", ["tablet usb", "mouse ps2", "keyboard ps2"]),
        ("graphics", ["vnc 127.0.0.1 port chosen at start"]),
        ("video", ["vga 16 MiB"]),
        ("sound", ["ich9"]),
        ("audio", ["none 1"]),
        ("tpm", ["tpm-crb emulator 2.0"]),
        ("rng", ["virtio /dev/urandom"]),
        ("watchdog", ["i6300esb reset"]),
        ("memballoon", ["virtio"]),
        ("panic", ["isa"]),
        ("vsock", ["virtio CID 4242"]),
        ("redirdev", ["usb tcp"]),
        ("filesystem", ["mount /tmp/xmlg/pool → share read-only"]),
        ("iommu", ["intel"]),
        ("shmem", ["shm0 ivshmem-plain 4 MiB"]),
        ("smartcard", ["host-certificates"]),
        ("hub", ["usb"]),
        (
            "hostdev",
            [
                "usb 1234:beef",
                "pci 0000:04:00.0",
                "scsi 1:0:2:3",
                "mdev c2177883-f1bb-47f0-914d-32a22e3a8804",
            ],
        ),
    ],
)
def test_every_other_device_says_in_a_line_what_it_is(
    config: DomainConfig, kind: str, expected: list[str]
) -> None:
    assert summaries(config, kind) == expected


def test_no_device_is_left_out(config: DomainConfig) -> None:
    elements = parse(golden("domain_every_device")).find("devices")
    count = sum(child.tag != "emulator" for child in elements)
    assert len(config.disks) + len(config.interfaces) + len(config.devices) == count


def test_host_devices_are_named_as_the_hosts_list_names_them(config: DomainConfig) -> None:
    assert [(d.node_device, d.vendor_product) for d in config.devices if d.kind == "hostdev"] == [
        ("", "1234:beef"),
        ("0000:04:00.0", ""),
        ("1:0:2:3", ""),
        ("c2177883-f1bb-47f0-914d-32a22e3a8804", ""),
    ]


def test_a_running_domains_usb_device_has_identity_and_place() -> None:
    usb = device(
        "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0403'/><product id='0x6001'/>"
        "<address bus='2' device='9'/></source><alias name='hostdev0'/></hostdev>"
    )
    assert (usb.node_device, usb.vendor_product, usb.alias) == ("002:009", "0403:6001", "hostdev0")
    assert usb.summary == "usb 0403:6001 at 002:009"


@pytest.mark.parametrize(
    ("xml", "summary"),
    [
        ("<graphics type='vnc' port='5901' listen='0.0.0.0'/>", "vnc 0.0.0.0:5901"),
        (
            "<graphics type='spice' tlsPort='5902'><listen address='::1'/></graphics>",
            "spice ::1:5902",
        ),
        ("<graphics type='vnc' socket='/s'/>", "vnc /s"),
        ("<graphics type='sdl'/>", "sdl"),
        (
            "<memory model='dimm'><target><size unit='GiB'>2</size></target></memory>",
            "dimm 2048 MiB",
        ),
        ("<vsock model='virtio'><cid auto='yes'/></vsock>", "virtio CID chosen at start"),
        (
            "<hostdev type='misc'><source><char>/dev/x</char></source></hostdev>",
            "misc /dev/x",
        ),
        (
            "<hostdev type='pci'><source><address bus='1' slot='2'/></source></hostdev>",
            "pci 0000:01:02.0 unmanaged",
        ),
        ("<lease><lockspace>l</lockspace><key>k</key></lease>", "l k"),
        ("<crypto model='virtio' type='qemu'/>", "virtio qemu"),
        (
            "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
            "passthrough /dev/tpm0",
        ),
        ("<video/>", ""),
        ("<iommu model='intel'><driver intremap='on'/></iommu>", "intel interrupt remapping"),
    ],
)
def test_less_common_devices_say_what_they_are(xml: str, summary: str) -> None:
    assert device(xml).summary == summary


@pytest.mark.parametrize(
    ("os", "firmware"),
    [
        ("<os><type>hvm</type></os>", "BIOS"),
        ("<os firmware='efi'><type>hvm</type></os>", "UEFI"),
        ("<os><type>hvm</type><loader type='pflash'>/x</loader></os>", "UEFI"),
        ("", ""),
    ],
)
def test_the_firmware_is_told(os: str, firmware: str) -> None:
    assert parse_domain(f"<domain>{os}</domain>").firmware == firmware


def test_a_domain_with_next_to_nothing_is_read() -> None:
    config = parse_domain("<domain><name>n</name></domain>")
    assert (config.name, config.vcpus, config.memory_kib, config.devices) == ("n", 1, 0, ())


def test_a_devices_xml_is_without_the_roots_namespaces(config: DomainConfig) -> None:
    assert "xmlns" not in config.disks[0].xml
    assert config.disks[0].xml.startswith("<disk ")
    assert config.disks[0].xml.endswith("</disk>")
