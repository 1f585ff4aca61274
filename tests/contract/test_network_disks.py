"""Disks on storage servers, attached as those of the host itself are; NBD served by qemu-nbd."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.conftest import Place
from tests.support.guests import Guest, image_folder, make_image
from tests.support.storage import free_port, greeter, http_server, nbd_server
from tuivirt.backend import lifecycle
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.hotplug import DiskRequest, attach_disk, detach_disk
from tuivirt.backend.lookups import domain_detail
from tuivirt.backend.model.device import Disk
from tuivirt.backend.model.secret import Secret
from tuivirt.backend.model.when import When
from tuivirt.backend.secrets import secrets
from tuivirt.backend.sides import Sides, read_sides
from tuivirt.backend.xml.disk_uri import parse_uri
from tuivirt.backend.xml.netdisk import network_of

UNIT = "iscsi://192.0.2.1/iqn.2026-01.org.example:disks/1"
URIS = (
    UNIT,
    "nbd://192.0.2.1/vda",
    "nbd+unix:///vda?socket=/run/nbd.sock",
    "rbd:vms/web-01",
    "rbd://192.0.2.1:6789,192.0.2.2/vms/web-01@before?conf=/etc/ceph/two.conf",
    "gluster://192.0.2.1/vms/web-01.img",
    "nfs://192.0.2.1/srv/web-01.img",
    "ssh://192.0.2.1/srv/web-01.img",
    "http://192.0.2.1:8080/images/a.iso",
    "https://192.0.2.1/images/a.iso?a=1&b",
    "ftp://192.0.2.1/a.iso",
    "ftps://192.0.2.1/a.iso",
)


def sides(place: Place) -> Sides:
    return read_sides(place.host.domain(place.uuid), "cannot look")


def saved(place: Place, target: str) -> Disk:
    disk = sides(place).find_saved(target)
    assert disk is not None, f"no {target} in the saved configuration"
    return disk


def refused(place: Place, request: DiskRequest, words: str, when: str = When.AUTO) -> TuivirtError:
    before = place.xml(), place.xml(saved=True)
    with pytest.raises(TuivirtError, match=words) as caught:
        place.run(attach_disk, request, when)
    assert (place.xml(), place.xml(saved=True)) == before
    return caught.value


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with image_folder() as path:
        yield path


@pytest.fixture(scope="module")
def export(folder: Path) -> Iterator[str]:
    """The URI of an image that qemu-nbd exports over TCP."""
    with nbd_server(make_image(folder / "tcp.img", "8M"), "vda") as uri:
        yield uri


@pytest.fixture(scope="module")
def at_socket(folder: Path) -> Iterator[str]:
    """The URI of an image that qemu-nbd exports at a Unix socket."""
    image = make_image(folder / "unix.img", "12M")
    with nbd_server(image, "data", folder / "nbd.sock") as uri:
        yield uri


def test_an_export_is_seen_in_the_guest_and_after_its_detach_no_more(
    full: Place, export: str
) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    text = full.run(attach_disk, DiskRequest(export))
    assert text == f"{export} is {full.free} of {full.name}, now and from the next boot on"
    # The demo makes up how large an image is.
    size = "8192" if full.kind == "qemu" else r"\d+"
    talk.run_until("cat /proc/partitions", rf"{size} {full.free}\n")
    assert not any(full.free in said for said in domain_detail(full.host, full.uuid).pending)
    disk = saved(full, full.free)
    assert (disk.source_type, disk.format, disk.source) == ("network", "raw", export)
    assert network_of(disk.xml).items() >= parse_uri(export).items()

    assert "already attached" in str(refused(full, DiskRequest(export), "already attached"))
    assert f"{full.free} is detached" in full.run(detach_disk, full.free)
    assert full.free not in talk.run("cat /proc/partitions")
    assert sides(full).find_live(full.free) is None
    assert sides(full).find_saved(full.free) is None


def test_an_export_at_a_socket_is_there_now_and_after_the_next_boot(
    qemu: Place, at_socket: str
) -> None:
    qemu.run(attach_disk, DiskRequest(at_socket), When.NOW)
    qemu.run(attach_disk, DiskRequest(at_socket), When.NEXT_BOOT)
    qemu.run(lifecycle.force_off)
    qemu.run(lifecycle.start)
    talk = qemu.talk("serial1").open()
    talk.expect(qemu.prompt)
    talk.run_until("cat /proc/partitions", r"12288 vda\n")
    qemu.run(detach_disk, "vda")
    assert "vda" not in talk.run("cat /proc/partitions")
    talk.close()


def test_an_export_of_another_running_domain_is_refused_unless_both_share_or_read(
    qemu: Place, idle_guest: Guest, export: str
) -> None:
    mine = DiskRequest(export, target="vdz", readonly=True)
    attach_disk(qemu.host, idle_guest.uuid, mine, When.NOW)
    refused(qemu, DiskRequest(export), f"in use by {idle_guest.name}")
    qemu.run(attach_disk, DiskRequest(export, readonly=True), When.NOW)
    qemu.run(detach_disk, "vda")


def test_a_server_that_is_not_there_is_told_before_the_running_guest_would_wait_for_it(
    qemu: Place,
) -> None:
    uri = f"nbd://127.0.0.1:{free_port()}/vda"
    error = refused(qemu, DiskRequest(uri), "does not answer: Connection refused")
    assert "next boot" in error.advice
    refused(qemu, DiskRequest("nbd+unix:///vda?socket=/nowhere.sock"), "No such file")
    refused(qemu, DiskRequest("nbd://a..b/vda"), "no server of that name|not known")
    qemu.run(attach_disk, DiskRequest(uri), When.NEXT_BOOT)
    qemu.run(detach_disk, "vda", When.NEXT_BOOT)


def test_a_server_of_something_else_is_told_as_no_nbd_server(qemu: Place) -> None:
    with greeter(b"SSH-2.0-Nobody") as port:
        refused(qemu, DiskRequest(f"nbd://127.0.0.1:{port}/vda"), "it is no NBD server")


def test_an_export_that_the_server_lacks_is_told_with_libvirts_error_and_where_to_look(
    qemu: Place, export: str
) -> None:
    error = refused(qemu, DiskRequest(export.replace("/vda", "/other")), "not (present|available)")
    assert error.code is not None
    assert "qemu-nbd -L" in error.advice


def qemu_has(protocol: str) -> bool:
    """Whether QEMU's own tools, of the same packages, speak a protocol."""
    asked = subprocess.run(["qemu-img", "--help"], capture_output=True, text=True, check=True)
    return protocol in asked.stdout.partition("Supported formats:")[2].split()


def test_an_image_of_a_web_server_is_read_only_or_its_driver_is_told_as_missing(
    qemu: Place, folder: Path
) -> None:
    make_image(folder / "web.img", "8M")
    with http_server(folder) as url:
        request = DiskRequest(f"{url}/web.img")
        if qemu_has("http"):
            assert "read-only, as nothing can be written over http" in qemu.run(
                attach_disk, request, When.NEXT_BOOT
            )
            assert saved(qemu, "vda").readonly
            qemu.run(detach_disk, "vda", When.NEXT_BOOT)
        else:
            error = refused(qemu, request, "http", When.NOW)
            assert error.code is not None
            assert "qemu-block-extra" in error.advice


@pytest.mark.parametrize("uri", URIS)
def test_every_protocol_is_taken_for_the_next_boot_and_read_again_as_it_was_said(
    full: Place, uri: str
) -> None:
    assert uri in full.run(attach_disk, DiskRequest(uri), When.NEXT_BOOT)
    disk = saved(full, full.free)
    said = network_of(disk.xml)
    assert {name: said[name] for name in parse_uri(uri)} == parse_uri(uri)
    assert disk.readonly is (uri.partition(":")[0] in ("http", "https", "ftp", "ftps"))
    full.run(detach_disk, full.free, When.NEXT_BOOT)


def test_what_this_libvirt_does_not_know_is_told_as_dropped(full: Place) -> None:
    request = DiskRequest("nbd+tcp://192.0.2.1/vda", network={"reconnect_delay": 10})
    text = full.run(attach_disk, request, When.NEXT_BOOT)
    kept = network_of(saved(full, full.free).xml)["reconnect_delay"] == 10
    assert kept is ("has dropped it" not in text)
    assert kept or "knows nothing of Reconnect within, and" in text
    full.run(detach_disk, full.free, When.NEXT_BOOT)


def test_a_name_that_tells_of_a_format_is_not_taken_as_raw_by_itself(full: Place) -> None:
    uri = "https://192.0.2.1/debian.qcow2"
    error = refused(full, DiskRequest(uri), "called like an image in qcow2", When.NEXT_BOOT)
    assert "--subdriver qcow2" in error.advice
    full.run(attach_disk, DiskRequest(uri, format="qcow2"), When.NEXT_BOOT)
    assert saved(full, full.free).format == "qcow2"
    full.run(detach_disk, full.free, When.NEXT_BOOT)


@pytest.fixture
def secret(qemu: Place) -> Iterator[Any]:
    """A secret of the host's for iSCSI, with a password in it."""
    usage = f"tuivirt-test-{uuid.uuid4()}"
    xml = (
        "<secret ephemeral='yes' private='yes'>"
        f"<usage type='iscsi'><target>{usage}</target></usage></secret>"
    )
    made = qemu.host.conn.secretDefineXML(xml, 0)
    made.setValue(b"hunter2", 0)
    yield made
    made.undefine()


def test_who_logs_in_is_named_with_a_secret_and_the_password_stays_in_it(
    qemu: Place, secret: Any
) -> None:
    assert Secret(secret.UUIDString(), "iscsi", secret.usageID()) in secrets(qemu.host)
    for name, said in (("usage", secret.usageID()), ("uuid", secret.UUIDString())):
        login = {"user": "me", f"secret_{name}": said}
        qemu.run(attach_disk, DiskRequest(UNIT, network=login), When.NEXT_BOOT)
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        xml = qemu.host.domain(qemu.uuid).XMLDesc(flags)
        assert f"<secret type='iscsi' {name}='{said}'/>" in xml
        assert "hunter2" not in xml
        qemu.run(detach_disk, "vda", When.NEXT_BOOT)


def test_a_secret_that_the_host_lacks_is_refused_with_those_that_it_has(
    qemu: Place, secret: Any
) -> None:
    login = {"user": "me", "secret_usage": "nobody's"}
    error = refused(qemu, DiskRequest(UNIT, network=login), "no iscsi secret nobody's")
    assert f"{secret.usageID()} (iscsi)" in error.why
    rbd = {"user": "me", "secret_uuid": secret.UUIDString()}
    refused(qemu, DiskRequest("rbd:vms/a", network=rbd), "has no ceph secret")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (DiskRequest("http://me:hunter2@192.0.2.1/a.iso"), "a password has no place"),
        (DiskRequest("nbd:///vda"), "Server: is missing"),
        (DiskRequest("vda", kind="network"), "Protocol: a network disk needs one"),
        (DiskRequest("vda", network={"port": 1}), "makes no sense"),
    ],
)
def test_a_source_that_cannot_be_is_refused(full: Place, request_: DiskRequest, words: str) -> None:
    error = refused(full, request_, words)
    assert isinstance(error, BadInput)
    assert "hunter2" not in f"{error} {error.advice}"


def test_a_kind_that_the_source_is_not_is_refused(qemu: Place) -> None:
    image = qemu.make_image("kind.img")
    refused(qemu, DiskRequest(image, kind="block"), "is a file: a block device was meant")
