"""What is asked for only when somebody looks, asked of libvirt's own test driver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.unit.owners.fakes import gone
from tuivirt.backend import lookups
from tuivirt.backend.errors import NotFound, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.device import Device, Disk, DomainConfig, Interface
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.resources import NodeDevice, Volume
from tuivirt.backend.owners.named import Named
from tuivirt.backend.storage.listing import as_text
from tuivirt.backend.uses import networks_of_devices, users_of_devices, users_of_networks
from tuivirt.backend.xml.network import parse_network

NODE = """<node>
  <domain type='test'><name>web</name><uuid>11111111-0000-4000-8000-000000000001</uuid>
    <memory>65536</memory><os><type>hvm</type></os>
    <devices><disk type='volume'><source pool='pool' volume='base.img'/><target dev='vda'/></disk>
    </devices></domain>
  <network><name>net</name><uuid>11111111-0000-4000-8000-000000000002</uuid>
    <bridge name='virbr9'/><ip address='10.9.0.1' netmask='255.255.255.0'/></network>
  <pool type='dir'><name>pool</name><uuid>11111111-0000-4000-8000-000000000003</uuid>
    <target><path>/pool</path></target>
    <volume><name>base.img</name><capacity>1048576</capacity>
      <target><path>/pool/base.img</path><format type='raw'/></target></volume>
    <volume><name>alone.img</name><capacity>1048576</capacity>
      <target><path>/pool/alone.img</path><format type='raw'/></target></volume>
  </pool>
  <device><name>computer</name><capability type='system'>
    <hardware><uuid>11111111-0000-4000-8000-000000000004</uuid></hardware></capability></device>
</node>
"""
DOMAIN = "11111111-0000-4000-8000-000000000001"
NETWORK = "11111111-0000-4000-8000-000000000002"
POOL = "11111111-0000-4000-8000-000000000003"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    node = tmp_path / "node.xml"
    node.write_text(NODE)
    host = Host("t", f"test://{node}", publish=lambda _event: None, sampling=False)
    host.start()
    host.wait_filled(10)
    yield host
    host.close()


def test_a_running_domains_detail_has_both_configurations(host: Host) -> None:
    detail = lookups.domain_detail(host, DOMAIN)
    assert detail.live is not None
    assert detail.saved is not None
    assert detail.live.name == detail.current.name == "web"
    assert "<domain" in detail.live_xml
    assert detail.pending == ()


def test_a_domain_that_is_off_has_no_live_configuration(host: Host) -> None:
    host.domain(DOMAIN).destroy()
    detail = lookups.domain_detail(host, DOMAIN)
    assert (detail.live, detail.live_xml, detail.pending) == (None, "", ())
    assert detail.current is detail.saved


def test_what_waits_for_the_next_boot_is_in_the_detail(host: Host) -> None:
    domain = host.domain(DOMAIN)
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_TITLE, "new", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG
    )
    assert lookups.domain_detail(host, DOMAIN).pending == ("title 'new'",)


def test_an_unknown_domain_is_said_to_be_unknown(host: Host) -> None:
    with pytest.raises(NotFound):
        lookups.domain_detail(host, "11111111-0000-4000-8000-00000000ffff")


def test_volumes_come_by_name_with_who_uses_them(host: Host) -> None:
    found = lookups.volumes(host, POOL)
    assert [(volume.name, volume.users) for volume in found] == [
        ("alone.img", ()),
        ("base.img", ("web",)),
    ]
    assert found[0].host == "t"
    assert found[0].pool == "pool"


def test_a_volume_that_only_a_snapshot_keeps_is_not_nobodys(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = Named(
        "web",
        DOMAIN,
        "snapshot s1",
        "/pool/alone.img",
        active=False,
        live=False,
        snapshot="s1",
        frozen=True,
    )
    monkeypatch.setattr(lookups, "kept_lately", lambda *_: [named])
    alone, _base = lookups.volumes(host, POOL)
    assert (alone.users, alone.unsure) == (("snapshot s1 of web",), "")
    assert as_text(host, POOL).splitlines()[0].endswith("used by snapshot s1 of web")

    def refused(*_: object) -> None:
        raise gone(libvirt.VIR_ERR_ACCESS_DENIED)

    monkeypatch.setattr(lookups, "kept_lately", refused)
    alone, base = lookups.volumes(host, POOL)
    assert (alone.users, base.users) == ((), ("web",))
    assert alone.unsure == "what snapshots keep cannot be read: gone"
    assert as_text(host, POOL).splitlines()[0].endswith(alone.unsure)


def test_an_inactive_pool_has_no_volumes_to_show(host: Host) -> None:
    host.pool(POOL).destroy()
    assert lookups.volumes(host, POOL) == ()


def test_a_network_without_ranges_has_no_leases(host: Host) -> None:
    assert lookups.leases(host, NETWORK) == ()


@pytest.mark.parametrize(
    ("kind", "key", "element"),
    [
        (Kind.DOMAIN, DOMAIN, "<domain"),
        (Kind.NETWORK, NETWORK, "<network"),
        (Kind.POOL, POOL, "<pool"),
        (Kind.VOLUME, "/pool/base.img", "<volume"),
        (Kind.DEVICE, "computer", "<device"),
        (Kind.HOST, "t", "<capabilities"),
    ],
)
def test_every_kind_of_object_shows_its_xml(host: Host, kind: Kind, key: str, element: str) -> None:
    assert element in lookups.xml_of(host, Ref("t", kind, key))
    assert element in lookups.xml_of(host, Ref("t", kind, key), saved=True)


def test_the_xml_of_what_is_gone_is_an_error_with_its_name(host: Host) -> None:
    with pytest.raises(TuivirtError, match="device nothing_here"):
        lookups.xml_of(host, Ref("t", Kind.DEVICE, "nothing_here"))


# -- who uses what, from the configurations alone -------------------------------------------------


def config(*parts: Disk | Interface | Device) -> tuple[DomainConfig, ...]:
    return (
        DomainConfig(
            "n",
            "u",
            disks=tuple(p for p in parts if isinstance(p, Disk)),
            interfaces=tuple(p for p in parts if isinstance(p, Interface)),
            devices=tuple(p for p in parts if isinstance(p, Device)),
        ),
    )


def volume(name: str, backing: str = "", pool: str = "p") -> Volume:
    return Volume("h", pool, name, f"/p/{name}", f"/p/{name}", backing=backing)


def test_a_volume_is_used_by_path_by_name_and_from_below() -> None:
    users = lookups.users_of_volumes(
        {
            "by-path": config(Disk("vda", source="/p/a")),
            "by-name": config(
                Disk("vda", source_type="volume", source="p/a", pool="p", volume="a")
            ),
            "from-above": config(Disk("vda", source="/elsewhere", backing=("/p/a",))),
            "other-pool": config(Disk("vda", source_type="volume", pool="q", volume="a")),
            "empty": config(Disk("sda", device="cdrom")),
        },
        [volume("a"), volume("b"), volume("over", backing="/p/b")],
    )
    assert users == {
        "/p/a": ("by-name", "by-path", "from-above"),
        "/p/b": ("volume over",),
    }


def test_a_network_is_used_by_each_domain_with_an_interface_on_it() -> None:
    net = Interface("m", "network", "lan")
    assert users_of_networks({"b": config(net), "a": config(net, net)}) == {"lan": ("a", "b")}


@pytest.mark.parametrize(
    ("part", "device"),
    [
        (
            Device("hostdev", node_device="0000:04:00.0"),
            NodeDevice("h", "d", capability="pci", address="0000:04:00.0"),
        ),
        (
            Device("hostdev", node_device="002:009"),
            NodeDevice("h", "d", capability="usb_device", address="002:009"),
        ),
        (
            Device("hostdev", vendor_product="0403:6001"),
            NodeDevice("h", "d", capability="usb_device", vendor_id="0403", product_id="6001"),
        ),
        (
            Device("hostdev", node_device="1:0:2:3"),
            NodeDevice("h", "d", capability="scsi", address="1:0:2:3"),
        ),
        (
            Device("hostdev", node_device="c2177883-f1bb-47f0-914d-32a22e3a8804"),
            NodeDevice("h", "d", mdev_uuid="c2177883-f1bb-47f0-914d-32a22e3a8804"),
        ),
        (
            Disk("vda", source_type="block", source="/dev/sdz"),
            NodeDevice("h", "d", capability="storage", block_path="/dev/sdz"),
        ),
        (
            Disk("vda", source_type="block", source="/dev/disk/by-id/z"),
            NodeDevice("h", "d", block_path="/dev/sdz", devnodes=("/dev/sdz", "/dev/disk/by-id/z")),
        ),
        (
            Interface("m", "hostdev", "0000:03:10.1"),
            NodeDevice("h", "d", capability="pci", address="0000:03:10.1"),
        ),
        (Interface("m", "direct", "eth1"), NodeDevice("h", "d", net_name="eth1")),
    ],
)
def test_a_host_device_is_used_by_the_domain_that_names_it_in_any_way(
    part: Disk | Interface | Device, device: NodeDevice
) -> None:
    other = NodeDevice("h", "other", capability="pci", address="0000:09:00.0")
    found = users_of_devices({"web": config(part)}, {"d": device, "other": other})
    assert found == {"d": ("web",)}


CARD = NodeDevice(
    "h", "pf", capability="pci", address="0000:03:00.0",
    virtual_functions=("0000:03:10.0", "0000:03:10.2"),
)  # fmt: skip
LENT = {
    device.name: device
    for device in (
        CARD,
        NodeDevice("h", "net", parent="pf", capability="net", net_name="eth3"),
        NodeDevice("h", "vf0", capability="pci", address="0000:03:10.0"),
        NodeDevice("h", "vf1", capability="pci", address="0000:03:10.2"),
        NodeDevice("h", "nvme", capability="pci", address="0000:05:00.0"),
    )
}


@pytest.mark.parametrize(
    ("forward", "lent"),
    [
        ("<forward mode='hostdev'><pf dev='eth3'/></forward>", {"vf0", "vf1"}),
        (
            (
                "<forward mode='hostdev'><address type='pci' domain='0' bus='3' slot='0x10'"
                " function='2'/></forward>"
            ),
            {"vf1"},
        ),
        ("<forward mode='passthrough'><interface dev='eth3'/></forward>", {"net", "pf"}),
        ("<forward mode='nat' dev='eth3'><interface dev='eth3'/></forward>", set()),
        ("", set()),
    ],
    ids=["functions of a card", "an address", "a card for macvtap", "nat", "isolated"],
)
def test_a_network_that_hands_out_devices_is_told_with_each_of_them(
    forward: str, lent: set[str]
) -> None:
    xml = f"<network><name>sriov</name>{forward}</network>"
    network = parse_network("h", xml, active=True, autostart=False, persistent=True)
    found = networks_of_devices([network], LENT)
    assert found == dict.fromkeys(lent, ("sriov",))
