"""What backups are told by: manifests, names, folders and XML, without a guest."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuivirt.backend.backup import folder, manifest, order
from tuivirt.backend.backup.manifest import BackedUp, Manifest
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.model.checkpoint import Checkpoint, below, rows
from tuivirt.backend.xml.backup import Server, new_backup, parse_backup
from tuivirt.backend.xml.checkpoint import new_checkpoint, parse_checkpoint
from tuivirt.backend.xml.restored import restored_domain

FULL = Manifest(
    domain="web",
    uuid="u",
    host="h",
    time="2026-11-21T02:00:00Z",
    generation=0,
    disks=(BackedUp("vda", "/images/web.qcow2", 1 << 20, "web.vda.full.qcow2", "qcow2", 7),),
    left_out={"sda": "a cdrom"},
    xml="<domain/>",
    checkpoint="c0",
    state=manifest.COMPLETE,
)
INC = replace(
    FULL, generation=1, incremental="c0", checkpoint="c1", base="full.json", time="2026-11-22"
)


def put(path: Path, one: Manifest, **changes: Any) -> Path:
    manifest.write(path, one)
    if changes:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def test_a_manifest_is_read_as_it_was_written_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "full.json"
    manifest.write(path, FULL, new=True)
    assert manifest.read(path) == FULL
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TuivirtError, match="exists"):
        manifest.write(path, FULL, new=True)
    manifest.write(path, replace(FULL, state=manifest.DAMAGED))
    assert manifest.read(path).state == "damaged"
    assert [each.name for each in tmp_path.iterdir()] == ["full.json"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": "other"}, "no manifest"),
        ({"version": 2}, "version 2"),
        ({"base": "../../etc/passwd"}, "no file beside it"),
        ({"disks": [{"target": "vda"}]}, "lacks"),
        ({"disks": None}, "lacks"),
        ({"left_out": []}, "lacks"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    path = tmp_path / "x.json"
    put(path, FULL, **changes)
    with pytest.raises(TuivirtError, match=why):
        manifest.read(path)


def test_a_manifest_leads_to_no_file_outside_its_folder(tmp_path: Path) -> None:
    for name in ("/etc/passwd", "../x", "..", ""):
        disk = {**json.loads(put(tmp_path / "x.json", FULL).read_text())["disks"][0], "file": name}
        with pytest.raises(TuivirtError, match="no file beside it"):
            manifest.read(put(tmp_path / "x.json", FULL, disks=[disk]))


def test_a_chain_is_from_the_full_one_to_the_last(tmp_path: Path) -> None:
    full, inc = put(tmp_path / "full.json", FULL), put(tmp_path / "inc.json", INC)
    assert manifest.chain(inc) == [(full, FULL), (inc, INC)]
    (tmp_path / "other.json").write_text("[]")
    assert [path for path, _each in manifest.of_domain(tmp_path, "u")] == [full, inc]
    assert manifest.of_domain(tmp_path, "v") == []


@pytest.mark.parametrize(
    ("full", "inc", "why"),
    [
        ({"state": "running"}, {}, "nobody saw its end"),
        ({"state": "damaged"}, {}, "damaged"),
        ({"uuid": "v"}, {}, "another domain"),
        ({"checkpoint": "c9"}, {}, "goes back to the checkpoint 'c0'"),
        ({"checkpoint": "c0", "incremental": "c0", "base": "full.json"}, {}, "lies on itself"),
        ({}, {"base": ""}, "does not name"),
        ({}, {"base": "gone.json"}, "No such file"),
    ],
)
def test_a_chain_that_is_broken_is_told(
    tmp_path: Path, full: dict[str, Any], inc: dict[str, Any], why: str
) -> None:
    put(tmp_path / "full.json", FULL, **full)
    with pytest.raises(TuivirtError, match=why):
        manifest.chain(put(tmp_path / "inc.json", INC, **inc))


def test_who_may_write_to_a_folder_is_told_by_it_and_those_above_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o001)
    stranger = 64099, 64099
    assert not folder.may_write(inner, *stranger)
    inner.chmod(0o777)
    assert folder.may_write(inner, *stranger)
    inner.parent.chmod(0o700)
    assert not folder.may_write(inner, *stranger)
    assert folder.may_write(inner, 0, 0)


def test_the_hypervisors_user_is_read_from_the_running_domain() -> None:
    label = "<seclabel type='dynamic' model='dac'><label>+64055:+107</label></seclabel>"
    assert folder.hypervisor_user(f"<domain>{label}</domain>") == (64055, 107)
    assert folder.hypervisor_user("<domain><seclabel model='selinux'/></domain>") is None


def test_the_xml_of_a_backup_says_what_was_meant() -> None:
    pushed = parse_backup(new_backup("push", {"vda": "/b/a & b"}, ["sda"], incremental="c"))
    assert (pushed.mode, pushed.incremental) == ("push", "c")
    assert [(disk.target, disk.file) for disk in pushed.disks] == [("vda", "/b/a & b")]
    pulled = parse_backup(new_backup("pull", {"vda": "/s"}, [], server=Server(socket="/r/nbd")))
    assert pulled.server == Server(socket="/r/nbd")
    text = new_backup("pull", {"vda": "/s"}, [], server=Server(host="::1", port=7))
    assert parse_backup(text).server == Server(host="::1", port=7)


def test_the_xml_of_a_checkpoint_says_what_was_meant() -> None:
    made = parse_checkpoint(new_checkpoint("a<b", "why", {"vda": True, "sda": False}))
    assert (made.name, made.description, made.targets) == ("a<b", "why", ("vda",))


def test_checkpoints_are_a_tree() -> None:
    names = [Checkpoint("a"), Checkpoint("b", parent="a"), Checkpoint("c", parent="b")]
    assert [row.depth for _each, row in rows(names)] == [0, 1, 2]
    assert [each.name for each in below(names, "a")] == ["b", "c"]
    assert below(names, "c") == ()


@pytest.mark.parametrize(
    ("words", "server"),
    [
        ("/run/x", Server(socket="/run/x")),
        ("localhost", Server(host="localhost", port=10809)),
        (":7", Server(host="localhost", port=7)),
        ("[::1]:7", Server(host="::1", port=7)),
    ],
)
def test_an_address_is_a_socket_or_a_port(words: str, server: Server) -> None:
    assert order.server_of(words) == server


@pytest.mark.parametrize("words", ["a b", "host:0", "host:99999", "host:x", "::1:7:"])
def test_what_is_no_address_is_refused(words: str) -> None:
    with pytest.raises(BadInput, match="no address"):
        order.server_of(words)


DOMAIN = """<domain type='qemu'><name>web</name><uuid>u</uuid>
<os><type>hvm</type><nvram>/v</nvram></os><devices>
<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/x'/>
<target dev='vda'/></disk>
<disk type='file' device='disk'><source file='/other'/><target dev='vdb'/></disk>
<disk type='file' device='cdrom'><source file='/iso'/><target dev='sda'/><readonly/></disk>
<interface type='user'><mac address='52:54:00:00:00:01'/></interface></devices></domain>"""


def test_a_restored_domain_has_its_own_images_and_none_of_the_others() -> None:
    made = restored_domain(DOMAIN, "again", {"vda": "/new"}, "qcow2", same=False)
    assert made.dropped == ("vdb",)
    for text in ("/dev/x", "/other", "<uuid>", "52:54", "/v<"):
        assert text not in made.xml
    assert '<driver name="qemu" type="qcow2"/><source file="/new"/>' in made.xml
    assert "/iso" in made.xml
    assert "<name>again</name>" in made.xml
    same = restored_domain(DOMAIN, "web", {"vda": "/new"}, "qcow2", same=True)
    for text in ("<uuid>u</uuid>", "52:54", "/v<"):
        assert text in same.xml
