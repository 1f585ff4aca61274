"""Every field that is declared is written, read back, and understood by libvirt itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from tuivirt.backend.xml import edit
from tuivirt.backend.xml.declare import Declaration, FieldType
from tuivirt.backend.xml.disk import DISK
from tuivirt.backend.xml.interface import INTERFACE
from tuivirt.backend.xml.tree import parse

DECLARATIONS = {"disk": DISK, "interface": INTERFACE}

BASE: dict[str, dict[str, object]] = {
    "disk": {"source_type": "file", "source": "/img", "target": "vda", "bus": "virtio"},
    "interface": {"type": "network", "source": "default", "mac": "52:54:00:00:00:01"},
}
RBD: dict[str, object] = {
    "source_type": "network",
    "protocol": "rbd",
    "source": "pool/image",
    "server": "mon1",
}
SECRET: dict[str, object] = {**RBD, "user": "u", "secret_type": "ceph"}
UUID = "c2177883-f1bb-47f0-914d-32a22e3a8804"

EXAMPLES: dict[str, dict[str, tuple[object, dict[str, object], str]]] = {
    "disk": {
        "source_type": ("block", {"source": "/dev/sdz"}, '<disk type="block"'),
        "device": ("cdrom", {"bus": "sata", "target": "sda"}, 'device="cdrom"'),
        "driver": ("qemu", {}, '<driver name="qemu"/>'),
        "format": ("qcow2", {"driver": "qemu"}, '<driver name="qemu" type="qcow2"/>'),
        "cache": ("none", {}, '<driver cache="none"/>'),
        "io": ("native", {"cache": "none"}, 'io="native"'),
        "discard": ("unmap", {}, '<driver discard="unmap"/>'),
        "detect_zeroes": ("unmap", {}, 'detect_zeroes="unmap"'),
        "error_policy": ("stop", {}, '<driver error_policy="stop"/>'),
        "iothread": (1, {}, '<driver iothread="1"/>'),
        "queues": (4, {}, '<driver queues="4"/>'),
        "user": ("admin", {**SECRET, "secret_uuid": UUID}, '<auth username="admin">'),
        "secret_type": ("ceph", {**SECRET, "secret_uuid": UUID}, '<secret type="ceph"'),
        "secret_uuid": (UUID, SECRET, f'uuid="{UUID}"'),
        "secret_usage": ("key", SECRET, 'usage="key"'),
        "source": ("/a \"b\" 'c' <d> & 木.img", {}, "木.img"),
        "pool": ("p", {"source_type": "volume", "source": "", "volume": "v"}, 'pool="p"'),
        "volume": ("v", {"source_type": "volume", "source": "", "pool": "p"}, 'volume="v"'),
        "protocol": ("nbd", {**RBD, "port": 10809}, 'protocol="nbd"'),
        "query": ("a=b&c", {**RBD, "protocol": "https"}, 'query="a=b&amp;c"'),
        "tls": (True, {**RBD, "protocol": "nbd"}, 'tls="yes"'),
        "server": ("mon2", RBD, '<host name="mon2"/>'),
        "port": (6789, RBD, 'port="6789"'),
        "transport": (
            "unix",
            {**RBD, "protocol": "nbd", "server": "", "socket": "/s"},
            'transport="unix"',
        ),
        "socket": (
            "/run/nbd.sock",
            {**RBD, "protocol": "nbd", "server": "", "transport": "unix"},
            'socket="/run/nbd.sock"',
        ),
        "startup_policy": (
            "optional",
            {"device": "cdrom", "bus": "sata", "target": "sda"},
            'startupPolicy="optional"',
        ),
        "target": ("vdz", {}, '<target dev="vdz"'),
        "bus": ("scsi", {"target": "sda"}, 'bus="scsi"'),
        "tray": ("open", {"device": "cdrom", "bus": "sata", "target": "sda"}, 'tray="open"'),
        "removable": (True, {"bus": "usb", "target": "sda"}, 'removable="on"'),
        "rotation_rate": (7200, {"bus": "scsi", "target": "sda"}, 'rotation_rate="7200"'),
        "total_bytes_sec": (10**6, {}, "<iotune><total_bytes_sec>1000000</total_bytes_sec>"),
        "read_bytes_sec": (1, {}, "<read_bytes_sec>1<"),
        "write_bytes_sec": (2, {}, "<write_bytes_sec>2<"),
        "total_iops_sec": (3, {}, "<total_iops_sec>3<"),
        "read_iops_sec": (4, {}, "<read_iops_sec>4<"),
        "write_iops_sec": (5, {}, "<write_iops_sec>5<"),
        "serial": ("S-1 x", {}, "<serial>S-1 x</serial>"),
        "wwn": ("5000c50015ea71ad", {}, "<wwn>5000c50015ea71ad</wwn>"),
        "vendor": ("ACME", {"bus": "scsi", "target": "sda"}, "<vendor>ACME</vendor>"),
        "product": ("DISK", {"bus": "scsi", "target": "sda"}, "<product>DISK</product>"),
        "readonly": (True, {}, "<readonly/>"),
        "shareable": (True, {}, "<shareable/>"),
        "transient": (True, {}, "<transient/>"),
        "boot_order": (1, {}, '<boot order="1"/>'),
    },
    "interface": {
        "type": ("bridge", {"source": "br0"}, '<interface type="bridge"'),
        "mac": ("52:54:00:00:00:02", {}, '<mac address="52:54:00:00:00:02"/>'),
        "source": ("lab", {}, '<source network="lab"/>'),
        "mode": ("private", {"type": "direct", "source": "eth0"}, 'mode="private"'),
        "portgroup": ("pg", {}, 'portgroup="pg"'),
        "virtualport": (
            "openvswitch",
            {"type": "bridge", "source": "ovs0"},
            '<virtualport type="openvswitch"/>',
        ),
        "vlan": (
            42,
            {"type": "bridge", "source": "ovs0", "virtualport": "openvswitch"},
            '<vlan><tag id="42"/></vlan>',
        ),
        "target": ("tap7", {}, '<target dev="tap7"/>'),
        "model": ("virtio", {}, '<model type="virtio"/>'),
        "queues": (2, {"model": "virtio"}, '<driver queues="2"/>'),
        "filter": ("clean-traffic", {}, '<filterref filter="clean-traffic"/>'),
        "link": ("down", {}, '<link state="down"/>'),
        "mtu": (9000, {}, '<mtu size="9000"/>'),
        "inbound": (1024, {}, '<inbound average="1024"/>'),
        "outbound": (512, {}, '<outbound average="512"/>'),
        "boot_order": (2, {}, '<boot order="2"/>'),
    },
}

CASES = [(tag, name) for tag, fields in EXAMPLES.items() for name in fields]


def needed(tag: str, name: str) -> bool:
    """Whether the device, or another of its fields, cannot be without this one."""
    others = DECLARATIONS[tag].fields
    return DECLARATIONS[tag][name].required or any(
        name in (other.by, other.only[0] if other.only else "") for other in others
    )


ALONE = [case for case in CASES if not needed(*case)]

DOMAIN = """<domain type='test'><name>declared</name><memory>65536</memory>
<os><type>hvm</type></os><devices/></domain>"""


@pytest.fixture(scope="module")
def conn() -> Iterator[Any]:
    conn = libvirt.open("test:///default")
    yield conn
    conn.close()


def example(tag: str, name: str) -> tuple[Declaration, dict[str, object], object, str]:
    value, beside, written = EXAMPLES[tag][name]
    return DECLARATIONS[tag], {**BASE[tag], **beside, name: value}, value, written


@pytest.mark.parametrize("tag", DECLARATIONS)
def test_every_declared_field_has_an_example_here(tag: str) -> None:
    assert {field.name for field in DECLARATIONS[tag].fields} == set(EXAMPLES[tag])


@pytest.mark.parametrize("tag", DECLARATIONS)
def test_every_field_tells_a_form_what_it_is(tag: str) -> None:
    for field in DECLARATIONS[tag].fields:
        assert field.label, field.name
        assert field.help.endswith("."), field.name
        assert "\n" not in field.help, field.name
        if field.choices:
            assert field.type is FieldType.TEXT, field.name
            assert field.default is None or field.default in field.choices, field.name


@pytest.mark.parametrize(("tag", "name"), CASES)
def test_a_field_is_built_and_read_back(tag: str, name: str) -> None:
    declaration, values, value, written = example(tag, name)
    xml = declaration.build(values)
    assert written in xml
    assert declaration.parse(parse(xml))[name] == value


@pytest.mark.parametrize(("tag", "name"), ALONE)
def test_setting_a_field_and_taking_it_out_changes_only_that(tag: str, name: str) -> None:
    declaration, values, value, _written = example(tag, name)
    without = {key: given for key, given in values.items() if key != name}
    plain = parse(declaration.build(without))
    before = declaration.parse(plain)
    declaration.apply(plain, {name: value})
    assert declaration.parse(plain) == {**before, name: value}
    declaration.apply(plain, {name: None})
    assert declaration.parse(plain) == before


@pytest.mark.parametrize(("tag", "name"), CASES)
def test_libvirt_understands_what_is_built(conn: Any, tag: str, name: str) -> None:
    declaration, values, value, _written = example(tag, name)
    xml = edit.add_device(DOMAIN, declaration.build(values))
    domain = conn.defineXML(xml)
    try:
        element = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)).find(f"devices/{tag}")
        assert declaration.parse(element)[name] == value
    finally:
        domain.undefine()
