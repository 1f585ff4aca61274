"""Disks on storage servers: written as a URI and read again, looked through, told apart."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xml.pairs import pairs
from tuivirt.backend.xml.disk import DISK
from tuivirt.backend.xml.disk_uri import SAID, is_uri, parse_uri, uri_of
from tuivirt.backend.xml.disksource import NAMES, PORTS, SECRETS
from tuivirt.backend.xml.errors import BadValue
from tuivirt.backend.xml.field import Value
from tuivirt.backend.xml.netdisk import asked_network, is_same_source, network_of

URIS: dict[str, dict[str, Value]] = {
    "nbd://10.0.0.5:10809/vda": {
        "protocol": "nbd",
        "server": "10.0.0.5",
        "port": 10809,
        "source": "vda",
    },
    "nbd://10.0.0.5": {"protocol": "nbd", "server": "10.0.0.5"},
    "nbds://[2001:db8::1]:1/a%20b": {
        "protocol": "nbd",
        "tls": True,
        "server": "2001:db8::1",
        "port": 1,
        "source": "a b",
    },
    "nbd+unix:///vda?socket=/run/nbd.sock": {
        "protocol": "nbd",
        "transport": "unix",
        "socket": "/run/nbd.sock",
        "source": "vda",
    },
    "iscsi://san:3260/iqn.2026-01.org.example:disks/1": {
        "protocol": "iscsi",
        "server": "san",
        "port": 3260,
        "source": "iqn.2026-01.org.example:disks/1",
    },
    "rbd:vms/web-01": {"protocol": "rbd", "source": "vms/web-01"},
    "rbd:vms/web-01@before:conf=/etc/ceph/two.conf": {
        "protocol": "rbd",
        "source": "vms/web-01",
        "snapshot": "before",
        "config_file": "/etc/ceph/two.conf",
    },
    "rbd://mon1:6789,mon2/vms/web-01@before?conf=/etc/ceph/two.conf": {
        "protocol": "rbd",
        "server": "mon1, mon2",
        "port": 6789,
        "source": "vms/web-01",
        "snapshot": "before",
        "config_file": "/etc/ceph/two.conf",
    },
    "https://www.example.org/images/a.iso?a=1&b": {
        "protocol": "https",
        "server": "www.example.org",
        "source": "images/a.iso",
        "query": "a=1&b",
    },
    "ftp://h/a": {"protocol": "ftp", "server": "h", "source": "a"},
    "ssh://h/srv/a.img": {"protocol": "ssh", "server": "h", "source": "/srv/a.img"},
    "nfs://h/srv/a.img": {"protocol": "nfs", "server": "h", "source": "/srv/a.img"},
    "gluster+rdma://g1,g2/vms/a.img": {
        "protocol": "gluster",
        "transport": "rdma",
        "server": "g1, g2",
        "source": "vms/a.img",
    },
    "gluster+unix:///vms/a.img?socket=/run/g.sock": {
        "protocol": "gluster",
        "transport": "unix",
        "socket": "/run/g.sock",
        "source": "vms/a.img",
    },
}


@pytest.mark.parametrize("uri", URIS)
def test_a_uri_is_read_as_the_declared_fields_and_written_from_them(uri: str) -> None:
    assert is_uri(uri)
    assert parse_uri(uri) == URIS[uri]
    assert uri_of(URIS[uri]) == uri
    assert asked_network(uri, {}) == URIS[uri]


@pytest.mark.parametrize("text", ["/dev/sdb", "default/a.qcow2", "/srv/rbd:x", "c:/a", ""])
def test_a_path_and_a_volume_are_no_uris(text: str) -> None:
    assert not is_uri(text)
    assert asked_network(text, {}) is None


def test_every_protocol_that_is_declared_has_a_name_a_uri_and_its_port() -> None:
    protocols = set(DISK["protocol"].choices)
    assert NAMES.keys() == protocols == PORTS.keys() | {"rbd"}
    for protocol in protocols:
        assert parse_uri(f"{protocol}://h/a")["protocol"] == protocol


NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12)
HOST = st.sampled_from(["h", "nbd.example.org", "10.0.0.5", "2001:db8::1", "fe80::1%eth0"])
WAYS = {"nbd": ("", "tcp", "unix"), "gluster": ("", "tcp", "unix", "rdma")}


@st.composite
def sources(draw: st.DrawFn) -> dict[str, Value]:
    """What a URI can say of a source, of any protocol."""
    protocol = draw(st.sampled_from(sorted(DISK["protocol"].choices)))
    name = draw(NAME)
    said: dict[str, Any] = {"protocol": protocol}
    said["source"] = f"/{name}" if protocol in ("nfs", "ssh") else name
    said["transport"] = draw(st.sampled_from(WAYS.get(protocol, ("",))))
    if said["transport"] == "unix":
        said["socket"] = "/" + draw(NAME)
    elif protocol != "rbd" or draw(st.booleans()):
        said["server"] = ", ".join(draw(st.lists(HOST, min_size=1, max_size=3)))
        said["port"] = draw(st.none() | st.integers(1, 65535))
    if protocol == "rbd":
        said["snapshot"] = draw(st.just("") | NAME)
        said["config_file"] = draw(st.just("") | NAME.map("/".__add__))
    if protocol in ("http", "https"):
        said["query"] = draw(st.sampled_from(["", "a=1&b=%20", "?"]))
    if protocol == "nbd":
        said["tls"] = draw(st.booleans()) or None
    return {name: value for name, value in said.items() if value not in ("", None)}


@given(sources())
def test_whatever_a_source_is_its_uri_says_all_of_it(source: dict[str, Value]) -> None:
    assert source.keys() <= set(SAID)
    assert parse_uri(uri_of(source)) == source


@given(st.text(max_size=30), st.sampled_from(["nbd://", "rbd:", "iscsi://", "http://", "smb://"]))
def test_whatever_follows_a_scheme_is_understood_or_refused_with_a_reason(
    text: str, scheme: str
) -> None:
    with contextlib.suppress(BadValue):
        assert parse_uri(scheme + text)["protocol"] in NAMES


PASSWORDS = (
    "http://me:hunter2@h/a.iso",
    "http://me:hun/ter2@h/a.iso",
    "iscsi://me%hunter2@san/iqn.2026-01.org.example:disks/1",
    "rbd:vms/a:id=me:key=hunter2",
    "rbd://mon/vms/a?key=hunter2",
    "nbd://:hunter2@h/a",
    "ftp://me:@h/a",
)


@pytest.mark.parametrize("uri", PASSWORDS)
def test_a_password_in_a_uri_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(BadValue, match="a password has no place in a URI") as caught:
        asked_network(uri, {})
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("smb://h/a", {}, "smb:// is no way to a disk"),
        ("file:///a.img", {}, "give the path alone"),
        ("nbd:///vda", {}, "server: is missing"),
        ("nbd+unix:///vda", {}, "socket: give its path"),
        ("nbd+unix://h/vda?socket=/s", {}, "server: makes no sense while transport is unix"),
        ("nbd://h/vda?sockt=/s", {}, "'sockt' in the URI is not understood"),
        ("nbd://h h/vda", {}, "'h h' is neither a name nor an address"),
        ("nbd://a,b/vda", {}, "nbd has one server only"),
        ("nbd://h:99999/vda", {}, "port: .*65535"),
        (f"nbd://h:{'9' * 5000}/vda", {}, "neither a name nor an address"),
        ("nbd://h/a%00b", {}, "U\\+0000"),
        ("nbd://h/a\udcff", {}, "U\\+DCFF"),
        ("rbd://a,b:77/p/i", {}, "only the first one's port"),
        ("rbd:image", {}, "as rbd has it, it is pool/image"),
        ("iscsi://h/disk", {}, "an iSCSI unit is"),
        ("http://h", {}, "its path is missing"),
        ("http://h/%ff", {}, "is no text"),
        ("/a.img", {"port": 1}, "makes no sense for a disk of the host"),
        ("nbd://h/a", {"port": "x"}, "port: "),
        ("nbd://h:1/a", {"port": 2}, "port: 2 is not what the URI says"),
        ("nbd://h/a", {"query": "a"}, "makes no sense while protocol is nbd"),
        ("nbd://h/a", {"user": "me", "secret_usage": "x"}, "makes no sense while protocol is nbd"),
        ("http://me@h/a", {}, "needs a secret"),
        ("http://h/a", {"secret_usage": "x"}, "whose it is"),
        ("http://me@h/a", {"secret_usage": "x", "secret_uuid": "y"}, "not by both"),
        ("http://me@h/a", {"secret_uuid": "y"}, "'y' is no UUID"),
        ("rbd:p/i", {"user": "a", "secret_usage": "x", "secret_type": "iscsi"}, "for rbd it is"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    source: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(BadValue, match=words):
        asked_network(source, options)


def test_a_network_disk_needs_a_protocol() -> None:
    with pytest.raises(BadValue, match="protocol: a network disk needs one"):
        asked_network("vda", {}, network=True)


def test_options_say_what_a_uri_says() -> None:
    options = {"protocol": "nbd", "server": "10.0.0.5:10809"}
    assert asked_network("vda", options) == asked_network("nbd://10.0.0.5:10809/vda", {})
    v6 = asked_network("vda", {"protocol": "nbd", "server": "2001:db8::1"})
    assert v6 == asked_network("nbd://[2001:db8::1]/vda", {})


@pytest.mark.parametrize("protocol", SECRETS)
def test_the_kind_of_secret_follows_from_the_protocol(protocol: str) -> None:
    name = "iqn.2026-01.org.example:disks/1" if protocol == "iscsi" else "/p/i"
    uri = uri_of({"protocol": protocol, "server": "h", "source": name.lstrip("/")})
    asked = asked_network(uri, {"user": "me", "secret_usage": "x"})
    assert asked is not None
    assert asked["secret_type"] == SECRETS[protocol]


@pytest.mark.parametrize(
    "pair",
    [pair for pair in pairs() if pair.values.get("source_type") == "network"],
    ids=str,
)
def test_what_a_disk_says_of_its_source_is_the_same_source(pair: Any) -> None:
    assert is_same_source(network_of(pair.xml), network_of(pair.xml))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("nbd://h/a", "nbd://H:10809/a", True),
        ("nbd://localhost/a", "nbd://127.0.0.1/a", True),
        ("nbd://h/a", "nbd://h/b", False),
        ("nbd://h/a", "nbd://h:1/a", False),
        ("nbd://h/a", "nbd://g/a", False),
        ("nbd+unix:///a?socket=/s", "nbd+unix:///a?socket=/s", True),
        ("nbd+unix:///a?socket=/s", "nbd+unix:///a?socket=/t", False),
        ("rbd:p/i", "rbd://mon1,mon2/p/i", True),
        ("rbd://mon1:6789/p/i", "rbd://mon2,mon1/p/i", True),
        ("rbd://mon1/p/i", "rbd://mon2/p/i", False),
        ("rbd:p/i", "rbd:p/i@before", False),
        ("http://h/a?x=1", "http://h/a?x=2", False),
        ("http://h/a", "https://h/a", False),
    ],
)
def test_two_sources_are_one_when_their_names_lead_to_the_same(
    one: str, other: str, same: bool
) -> None:
    assert is_same_source(parse_uri(one), parse_uri(other)) is same
    assert is_same_source(parse_uri(other), parse_uri(one)) is same
