"""Checkpoints and snapshots of one guest; backups whose beginning or end is not what it seems."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.test_backup import back_up, refused
from tests.contract.test_snapshots import create, forget_all
from tests.support.guests import Define, Disk, Guest, make_sleeper
from tests.support.libvirtd import until
from tests.support.writer import is_whole, overlay
from tuivirt.actions.catalog import listed
from tuivirt.backend.backup import before, begin, checkpoints
from tuivirt.backend.block_jobs.read import chains_of
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.snapshots import make, revert
from tuivirt.backend.xml.snapshot import with_images


@pytest.fixture
def guest(define: Define, images: Path) -> Iterator[Guest]:
    """A running guest without a system, with a disk that holds snapshots and bitmaps."""
    image = make_sleeper(images / "boot.img")
    argv = ["qemu-img", "convert", "-O", "qcow2", str(image), str(images / "one.qcow2")]
    subprocess.run(argv, check=True)
    (images / "one.qcow2").chmod(0o666)
    disk = Disk(images / "one.qcow2", form="qcow2")
    one = define(disks=[disk], memory_mib=32, kernel=False)
    one.start()
    yield one
    forget_all(one)


def test_an_internal_snapshot_is_not_gone_back_to_over_bitmaps_and_then_it_is(
    host: Host, guest: Guest
) -> None:
    chosen: dict[str, Any] = {}
    checkpoints.create(host, guest.uuid, {"name_": "c0"}, chose=chosen.update)
    virsh = listed()["checkpoint-create"].equivalent(guest.name, chosen)
    assert virsh == f"virsh checkpoint-create-as {guest.name} c0"
    assert "<name>c0</name>" in checkpoints.xml_of(host, guest.uuid, "c0")
    create(host, guest, name_="s")
    with pytest.raises(BadInput, match="hold the bitmaps of the checkpoint c0") as caught:
        revert.revert(host, guest.uuid, "s", force=True)
    assert f"tuivirt checkpoint-delete {guest.name} c0 --children" in caught.value.advice
    assert guest.active
    checkpoints.delete(host, guest.uuid, "c0", children=True, force=True)
    assert revert.revert(host, guest.uuid, "s", force=True).endswith("and running")


def test_after_an_external_one_no_increment_is_taken_that_would_be_wrong(
    host: Host, guest: Guest, place: Path
) -> None:
    back_up(host, guest.uuid, place, checkpoint="c0")
    create(host, guest, name_="a", kind="external")
    checkpoints.create(host, guest.uuid, {"name_": "c1"})
    plan = revert.plan_for(host, guest.uuid, {"snapshotname": "a"})
    assert any("the checkpoints c0, c1 know nothing" in line for line in plan.lines)
    assert any("libvirt forgets the checkpoints c0, c1" in step for step in plan.steps)
    said = revert.revert(host, guest.uuid, "a", running=True, force=True)
    assert said.endswith(", and running; the checkpoints c0, c1 are forgotten: take a full backup")
    assert checkpoints.checkpoints_of(host, guest.uuid) == ()
    for since in ("last", "c0"):
        with pytest.raises(BadInput, match="libvirt knows no checkpoint c0") as caught:
            begin.begin(host, guest.uuid, {"to": str(place), "incremental": since}, force=True)
        assert "take a full backup" in caught.value.advice
    back_up(host, guest.uuid, place, checkpoint="c0")
    back_up(host, guest.uuid, place, incremental="last", checkpoint="c1")


def test_bitmaps_that_others_have_broken_are_seen_before_a_backup_is_begun(
    host: Host, guest: Guest, images: Path, place: Path
) -> None:
    back_up(host, guest.uuid, place, checkpoint="c0")
    guest.destroy()
    other = overlay(images / "other.qcow2", images / "one.qcow2")
    guest.conn.defineXML(with_images(guest.domain.XMLDesc(), {"vda": (str(other), "qcow2")}))
    guest.start()
    assert chains_of(guest.domain)["vda"].source == str(other)
    values = {"to": str(place), "incremental": "last"}
    said = refused(begin.plan_for(host, guest.uuid, values))
    assert any("the checkpoint c0 has noted of vda is not whole" in text for text in said)
    checkpoints.delete(host, guest.uuid, "c0")
    back_up(host, guest.uuid, place, checkpoint="c0")


def test_of_a_domain_that_is_off_and_has_checkpoints_no_snapshot_is_begun(
    host: Host, guest: Guest
) -> None:
    checkpoints.create(host, guest.uuid, {"name_": "c0"})
    guest.destroy()
    for kind in ("internal", "external"):
        with pytest.raises(BadInput, match="it is off and has the checkpoint c0"):
            make.create(host, guest.uuid, {"kind": kind})
    guest.start()
    checkpoints.delete(host, guest.uuid, "c0")


def test_what_qemu_still_writes_after_the_call_broke_is_not_removed(
    host: Host, define: Define, images: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = images / "big.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=full"]
    subprocess.run([*argv, str(image), "384M"], check=True)
    image.chmod(0o666)
    guest = define(disks=[Disk(image, form="qcow2")], memory_mib=32, kernel=False)
    guest.start()
    real = libvirt.virDomain.backupBegin

    def broke(*args: Any) -> Any:
        """The connection broke and is there again; what was asked for was done."""
        real(*args)
        raise libvirt.libvirtError("Cannot recv data: Connection reset by peer")

    monkeypatch.setattr(libvirt.virDomain, "backupBegin", broke)
    with pytest.raises(TuivirtError, match="goes on: nothing is removed") as caught:
        begin.begin(host, guest.uuid, {"to": str(place)})
    assert f"tuivirt backup-info {guest.name}" in str(caught.value)
    until(lambda: before.under_way(host, guest.uuid) is None, "the backup ends")
    (written,) = place.glob("*.qcow2")
    until(lambda: is_whole(written), "QEMU lets go of it")
    assert len(list(place.glob("*.json"))) == 1
