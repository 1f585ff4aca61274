"""The XML of a new pool of every type, held against libvirt's own schema and its test driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import libvirt
import pytest
from lxml import etree

from tests.support.needs import missing
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.pool_type import POOL_TYPES
from tuivirt.backend.storage.pools import check, definition
from tuivirt.backend.xml.new_pool import found_sources, offered_types, source_to_find
from tuivirt.backend.xml.pool import parse_pool

SCHEMA = Path("/usr/share/libvirt/schemas/storagepool.rng")
GOLDEN = Path(__file__).with_name("pools.xml")
"""What is written for each of `WELL`, in that order."""
IQN = "iqn.2026-01.org.example:disks"
CHAP = {"auth_username": "u <&>", "secret_usage": "iscsi 'x'"}
WELL: list[tuple[str, dict[str, str]]] = [
    ("dir", {"target": '/srv/it\'s "here" 卷'}),
    ("fs", {"source_dev": "/dev/sdb1", "target": "/srv/x", "source_format": "ext4"}),
    (
        "netfs",
        {
            "source_host": "nas",
            "source_path": "/export",
            "target": "/mnt/x",
            "source_format": "nfs",
        },
    ),
    ("disk", {"source_dev": "/dev/sdb", "source_format": "gpt"}),
    ("logical", {"source_dev": "/dev/sdb,/dev/sdc", "source_name": "vg0"}),
    ("logical", {}),
    ("iscsi", {"source_host": "srv:3260", "source_dev": IQN, **CHAP}),
    (
        "iscsi-direct",
        {"source_host": "[fe80::1]:3260", "source_dev": IQN, "source_initiator": f"{IQN}.me"},
    ),
    ("scsi", {"adapter_name": "scsi_host5"}),
    ("scsi", {"adapter_wwnn": "20000000c9831b4b", "adapter_wwpn": "10000000c9831b4b"}),
    ("mpath", {}),
    (
        "rbd",
        {
            "source_host": "mon1:6789, mon2",
            "source_name": "vms",
            "auth_username": "libvirt",
            "secret_uuid": "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87",
        },
    ),
    ("gluster", {"source_host": "g1", "source_name": "vol", "source_path": "/sub"}),
    ("zfs", {"source_name": "tank", "source_dev": "/dev/sdb"}),
    ("sheepdog", {"source_host": "s1:7000", "source_name": "x"}),
    ("vstorage", {"source_name": "cluster", "target": "/mnt/vs"}),
]
ANY = {
    "source_host": "srv:99",
    "source_path": "/export",
    "source_dev": IQN,
    "source_name": "name",
    "target": "/mnt/x",
    "source_initiator": f"{IQN}.me",
    "source_protocol_ver": "4.1",
    "adapter_name": "scsi_host5",
    "adapter_wwnn": "20000000c9831b4b",
    "adapter_wwpn": "10000000c9831b4b",
    "adapter_parent": "scsi_host3",
    "auth_username": "user",
    "secret_usage": "of a secret",
    "secret_uuid": "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87",
}
"""A value for each field; those of `_ALONE` stand in another's place."""
_ALONE = frozenset(("adapter_name", "secret_uuid"))


def _fullest() -> list[tuple[str, dict[str, str]]]:
    """Each type with all that it may have, and with each format that it may be of."""
    made = []
    for kind in POOL_TYPES.values():
        fields = {*kind.needs, *kind.may} & ANY.keys()
        form = {"source_format": "nfs"} if "source_protocol_ver" in fields else {}
        whole = {field: ANY[field] for field in sorted(fields - _ALONE)} | form
        made.append((kind.name, whole))
        for field in sorted(fields & _ALONE):
            kin = field.partition("_")[0]
            rest = {each: ANY[each] for each in whole.keys() & ANY.keys()}
            rest = {each: rest[each] for each in rest if not each.startswith(kin)}
            user = {"auth_username": "user"} if kin == "secret" else {}
            made.append((kind.name, {**rest, **user, field: ANY[field]}))
        needed = {field: ANY[field] for field in kind.needs}
        made += [(kind.name, {**needed, "source_format": each}) for each in kind.formats]
    return made


FULLEST = _fullest()


def made(kind: str, **values: Any) -> str:
    given = {"pool": "a pool", "type": kind, **values}
    check(given)
    return definition(given)


def test_every_type_is_tried() -> None:
    assert {kind for kind, _values in WELL} == POOL_TYPES.keys()


def test_every_field_that_a_type_may_have_is_tried() -> None:
    tried: dict[str, set[str]] = {}
    for kind, values in FULLEST:
        tried.setdefault(kind, {"auth_type"}).update(values)
    for kind, what in POOL_TYPES.items():
        assert {*what.needs, *what.may} <= tried[kind]


def test_it_is_written_as_it_always_was() -> None:
    golden = [canonical(each) for each in etree.parse(str(GOLDEN)).getroot()]
    assert [canonical(etree.fromstring(made(kind, **values))) for kind, values in WELL] == golden


def canonical(pool: Any) -> str:
    return str(etree.canonicalize(etree.tostring(pool, encoding="unicode"), strip_text=True))


@pytest.mark.parametrize(("kind", "values"), FULLEST, ids=[kind for kind, _ in FULLEST])
def test_libvirt_and_its_schema_take_all_that_a_type_may_have(
    kind: str, values: dict[str, str]
) -> None:
    if not SCHEMA.exists():
        missing("no schemas of libvirt here")
    xml = made(kind, **values)
    etree.RelaxNG(file=str(SCHEMA)).assertValid(etree.fromstring(xml))
    conn = libvirt.open("test:///default")
    try:
        told = etree.fromstring(conn.storagePoolDefineXML(xml, 0).XMLDesc(0))
    finally:
        conn.close()
    # A value that libvirt does not know it drops without a word.
    lost = {
        each
        for each in values.values()
        if each.partition(":")[0] not in etree.tostring(told).decode()
    }
    assert lost <= {"auto", "unknown"}


@pytest.mark.parametrize(("kind", "values"), WELL, ids=[kind for kind, _ in WELL])
def test_it_is_as_libvirts_schema_wants_it(kind: str, values: dict[str, str]) -> None:
    if not SCHEMA.exists():
        missing("no schemas of libvirt here")
    schema = etree.RelaxNG(file=str(SCHEMA))
    schema.assertValid(etree.fromstring(made(kind, **values)))


@pytest.mark.parametrize(("kind", "values"), WELL, ids=[kind for kind, _ in WELL])
def test_libvirt_takes_it_and_tells_it_again(kind: str, values: dict[str, str]) -> None:
    conn = libvirt.open("test:///default")
    try:
        xml = conn.storagePoolDefineXML(made(kind, **values), 0).XMLDesc(0)
    finally:
        conn.close()
    pool = parse_pool("h", xml, active=False, autostart=False, persistent=True)
    assert (pool.name, pool.type) == ("a pool", kind)
    root = etree.fromstring(xml)
    places = {
        "source_dev": "source/device/@path",
        "source_path": "source/dir/@path",
        "source_name": "source/name/text()",
        "target": "target/path/text()",
        "auth_username": "source/auth/@username",
        "adapter_wwpn": "source/adapter/@wwpn",
        "source_initiator": "source/initiator/iqn/@name",
    }
    for field, path in places.items():
        if field in values:
            assert (
                ",".join(str(each) for each in cast(list[Any], root.xpath(path))) == values[field]
            )
    hosts = [(e.get("name"), e.get("port")) for e in root.iterfind("source/host")]
    wanted = {"rbd": [("mon1", "6789"), ("mon2", None)], "iscsi-direct": [("fe80::1", "3260")]}
    assert hosts == wanted.get(kind, hosts)


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("dir", {}, "needs --target"),
        ("dir", {"target": "here"}, "does not begin with /"),
        ("dir", {"target": "/x", "source_dev": "/dev/sdb"}, "has no --source-dev"),
        ("netfs", {"target": "/x"}, "needs --source-host, --source-path"),
        ("fs", {"source_dev": "/dev/x", "target": "/x", "source_format": "nfs"}, "formats auto"),
        ("scsi", {}, "needs --adapter-name"),
        ("rbd", {"source_host": "m", "source_name": "p", "auth_type": "ceph"}, "user and a secret"),
        ("dir", {"target": "/x", "overwrite": True}, "--build"),
        (
            "dir",
            {"target": "/x", "build": True, "overwrite": True, "no_overwrite": True},
            "exclude",
        ),
    ],
)
def test_what_does_not_fit_is_told_by_its_option(
    kind: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput) as told:
        made(kind, **values)
    assert said in f"{told.value} {told.value.advice}"


@pytest.mark.parametrize("name", ["", "a/b", "a\nb"])
def test_a_pool_has_a_name(name: str) -> None:
    with pytest.raises(BadInput, match="a pool's name"):
        check({"pool": name})


def test_what_a_host_offers_is_read() -> None:
    xml = """<storagepoolCapabilities>
      <pool type='dir' supported='yes'><volOptions><defaultFormat type='raw'/>
        <enum name='targetFormatType'><value>raw</value><value>qcow2</value></enum></volOptions>
      </pool><pool type='rbd' supported='no'/></storagepoolCapabilities>"""
    assert offered_types(xml) == {"dir": ("raw", "qcow2")}


def test_what_was_found_is_told_by_virshs_options() -> None:
    xml = """<sources><source><host name='nas'/><dir path='/export/a b'/><format type='nfs'/>
      </source><source><device path='/dev/sdb'/><name>vg0</name></source></sources>"""
    assert found_sources(xml) == [
        {"source_host": "nas", "source_path": "/export/a b", "source_format": "nfs"},
        {"source_dev": "/dev/sdb", "source_name": "vg0"},
    ]
    assert source_to_find() == ""
    assert source_to_find("nas", "3260") == ('<source><host name="nas" port="3260"/></source>')
