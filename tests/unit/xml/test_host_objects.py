"""What is read of networks, pools, volumes and host interfaces."""

from __future__ import annotations

import pytest

from tests.unit.xml.golden import golden
from tuivirt.backend.model.resources import DhcpRange, NetworkAddress
from tuivirt.backend.xml.errors import MalformedXml
from tuivirt.backend.xml.hostif import parse_interface
from tuivirt.backend.xml.network import parse_network
from tuivirt.backend.xml.plain_volume import read_plain
from tuivirt.backend.xml.pool import parse_pool
from tuivirt.backend.xml.volume import parse_volume


def test_libvirts_default_network_is_a_nat_with_one_range() -> None:
    network = parse_network(
        "h", golden("network_default"), active=False, autostart=True, persistent=True
    )
    assert (network.host, network.name, network.mode) == ("h", "default", "nat")
    assert network.uuid == "1b6d065e-7c78-4d5c-93c8-e1228381e3d4"
    assert network.bridge == "virbr0"
    assert (network.active, network.autostart, network.persistent) == (False, True, True)
    assert network.addresses == (
        NetworkAddress("192.168.122.1/24", (DhcpRange("192.168.122.2", "192.168.122.254"),)),
    )


def test_a_routed_network_has_its_device_both_families_and_all_ranges() -> None:
    network = parse_network(
        "h", golden("network_dual"), active=True, autostart=False, persistent=False
    )
    assert (network.name, network.mode, network.device) == ('lab "网"', "route", "eth1")
    assert [address.cidr for address in network.addresses] == ["10.7.0.1/16", "2001:db8:7::1/64"]
    assert [len(address.ranges) for address in network.addresses] == [2, 0]


def test_a_network_of_virtual_functions_names_their_physical_one() -> None:
    network = parse_network(
        "h", golden("network_sriov"), active=True, autostart=False, persistent=True
    )
    assert (network.mode, network.device, network.bridge) == ("hostdev", "eth3", "")


@pytest.mark.parametrize(
    ("forward", "mode"),
    [("", "isolated"), ("<forward/>", "nat"), ("<forward mode='open'/>", "open")],
)
def test_a_networks_mode_is_told_where_the_xml_is_silent(forward: str, mode: str) -> None:
    xml = f"<network><name>n</name>{forward}</network>"
    assert parse_network("h", xml, active=True, autostart=False, persistent=True).mode == mode


def test_an_address_with_a_senseless_mask_is_shown_without_it() -> None:
    xml = "<network><name>n</name><ip address='10.0.0.1' netmask='255.0.255.0'/></network>"
    network = parse_network("h", xml, active=True, autostart=False, persistent=True)
    assert network.addresses == (NetworkAddress("10.0.0.1"),)


def test_a_directory_pool_has_its_path_and_sizes() -> None:
    pool = parse_pool("h", golden("pool_dir"), active=True, autostart=False, persistent=True)
    assert (pool.name, pool.type, pool.path, pool.state) == (
        "xml-pool",
        "dir",
        "/tmp/xmlg/pool",
        "running",
    )
    sizes = (pool.capacity_bytes, pool.allocation_bytes, pool.available_bytes)
    assert sizes == (270553174016, 25541603328, 245011570688)


def test_an_inactive_pools_sizes_are_unknown_and_not_zero() -> None:
    pool = parse_pool("h", golden("pool_rbd"), active=False, autostart=False, persistent=True)
    assert pool.state == "inactive"
    assert (pool.capacity_bytes, pool.allocation_bytes, pool.available_bytes) == (None, None, None)
    assert pool.source == "mon1:6789,mon2:vms"


def test_a_volume_groups_source_is_its_devices_and_name() -> None:
    pool = parse_pool(
        "h", golden("pool_logical"), active=True, autostart=False, persistent=True, state=3
    )
    assert (pool.source, pool.state) == ("/dev/sdb /dev/sdc vg0", "degraded")


def test_an_overlay_volume_names_its_backing_file() -> None:
    volume = parse_volume("h", "xml-pool", golden("volume_overlay"), users=("a",))
    assert (volume.pool, volume.name, volume.format) == ("xml-pool", "v2.qcow2", "qcow2")
    assert volume.key == volume.path == "/tmp/xmlg/pool/v2.qcow2"
    assert volume.capacity_bytes == 32 * 1024**2
    assert volume.allocation_bytes == 204800
    assert volume.backing == "/tmp/xmlg/pool/v1.qcow2"
    assert volume.users == ("a",)


BACKED = golden("volume_overlay")
WITHOUT_BACKING = BACKED[: BACKED.index("  <backingStore>")] + "</volume>\n"
TARGET_END = "    </timestamps>\n  </target>"


@pytest.mark.parametrize(
    ("xml", "by_lines"),
    [
        (BACKED, True),
        (WITHOUT_BACKING, True),
        (BACKED.replace("v2.qcow2", "v 卷 'x'=2"), True),
        (BACKED.replace("</key>\n", "</key>\n  <source>\n  </source>\n"), True),
        (BACKED.replace("      <btime>0</btime>\n", ""), True),
        (BACKED.replace("<physical unit='bytes'>196616</physical>\n", "", 1), False),
        (BACKED.replace("  <physical unit='bytes'>196616</physical>\n", "", 1), True),
        (BACKED.replace("<mtime>1795234457.210127951</mtime>", "<mtime/>"), False),
        (
            BACKED.replace(
                TARGET_END,
                "    </timestamps>\n    <compat>1.1</compat>\n"
                "    <clusterSize unit='B'>65536</clusterSize>\n    <features>\n"
                "      <lazy_refcounts/>\n    </features>\n  </target>",
            ),
            True,
        ),
        (
            BACKED.replace(
                TARGET_END,
                "    </timestamps>\n    <encryption format='luks'>\n"
                "      <secret type='passphrase' uuid='2ec115d7'/>\n    </encryption>\n  </target>",
            ),
            False,
        ),
        (golden("volume_odd_name"), False),
        (BACKED.replace("<name>v2", "<name>a\nb"), False),
        (BACKED.replace("<name>v2", "<name>a&#x41;"), False),
        (BACKED.replace("<name>v2", "<name><![CDATA[<a>]]>"), False),
        (BACKED.replace("unit='bytes'>33554432", "unit='KiB'>33554432"), False),
        (BACKED.replace("<capacity unit='bytes'>33554432", "<capacity unit='bytes'> 7 "), False),
    ],
)
def test_what_is_read_by_its_lines_is_what_the_parser_reads(xml: str, by_lines: bool) -> None:
    """Two spaces where libvirt has one leave it to the parser."""
    assert (read_plain(xml) is not None) == by_lines
    other = xml.replace("<volume ", "<volume  ")
    assert read_plain(other) is None
    assert parse_volume("h", "p", xml, users=("a",)) == parse_volume("h", "p", other, users=("a",))


@pytest.mark.parametrize("bad", ["\x01", "\ud800", "\uffff", "]]>", "&", "<"])
def test_what_is_no_xml_is_refused_by_its_lines_too(bad: str) -> None:
    with pytest.raises(MalformedXml):
        parse_volume("h", "p", BACKED.replace("<name>v2", f"<name>v2{bad}"))


def test_a_volumes_odd_name_is_read_as_it_is() -> None:
    assert parse_volume("h", "p", golden("volume_odd_name")).name == '卷 "1".raw'


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        ("bytes", 3),
        ("K", 3072),
        ("KiB", 3072),
        ("KB", 3000),
        ("G", 3 * 1024**3),
        ("TB", 3 * 10**12),
    ],
)
def test_sizes_are_read_in_libvirts_units(unit: str, size: int) -> None:
    xml = f"<volume><name>v</name><capacity unit='{unit}'>3</capacity></volume>"
    assert parse_volume("h", "p", xml).capacity_bytes == size


def test_an_unknown_unit_is_refused_by_name() -> None:
    with pytest.raises(MalformedXml, match="furlong"):
        parse_volume("h", "p", "<volume><capacity unit='furlong'>3</capacity></volume>")


def test_a_plain_interface_of_the_host_has_its_mac() -> None:
    interface = parse_interface("h", golden("hostif_eth0"), active=True)
    assert (interface.name, interface.type, interface.mac, interface.active) == (
        "eth0",
        "ethernet",
        "02:fc:00:00:00:01",
        True,
    )


def test_a_bridge_of_the_host_lists_its_ports_and_addresses() -> None:
    interface = parse_interface("h", golden("hostif_bridge"), active=True)
    assert interface.ports == ("eth0", "vnet3")
    assert interface.addresses == ("192.0.2.7/24", "2001:db8::7/64")


def test_a_vlan_of_the_host_lies_on_one_port() -> None:
    assert parse_interface("h", golden("hostif_vlan"), active=False).ports == ("eth0",)
