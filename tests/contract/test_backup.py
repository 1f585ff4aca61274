"""Backups of real guests that write what is known: pushed, pulled, aborted, killed, restored."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import ROOT, tuivirt
from tests.contract.conftest import Heard, started
from tests.contract.pool import TestPool
from tests.support import guests
from tests.support.guests import Define, Disk, Guest, make_image
from tests.support.libvirtd import PrivateLibvirtd, until
from tests.support.serial import Serial
from tuivirt.actions.catalog import listed
from tuivirt.backend.backup import (
    before,
    begin,
    checkpoints,
    job,
    known,
    manifest,
    pull,
    restore,
)
from tuivirt.backend.cut_off import begun_folder
from tuivirt.backend.errors import Aborted, BadInput, NotFound, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.images import beside
from tuivirt.backend.marks import marks_in
from tuivirt.backend.model.checkpoint import BackupJob, Backups
from tuivirt.backend.model.finding import Plan, Weight


@dataclass
class Writer:
    """A booted guest with two qcow2 disks, and its shell."""

    guest: Guest
    shell: Serial
    images: Path

    @property
    def uuid(self) -> str:
        return self.guest.uuid

    def write(self, target: str, word: str, at: int, blocks: int = 4) -> None:
        """``blocks`` of 64 KiB full of a word; no word: zeros."""
        source = f"yes {word} |" if word else "</dev/zero"
        self.shell.run(
            f"{source} dd of=/dev/{target} bs=64k count={blocks} seek={at} "
            "iflag=fullblock conv=fsync 2>/dev/null"
        )

    def digest(self, target: str) -> str:
        """SHA-256 of what the guest sees."""
        said = self.shell.run(f"echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/{target}")
        found = re.search(r"\b[0-9a-f]{64}\b", said)
        assert found, said
        return found[0]

    def digests(self) -> dict[str, str]:
        return {target: self.digest(target) for target in ("vda", "vdb")}


@pytest.fixture(scope="module")
def writer(qemu_uri: str) -> Iterator[Writer]:
    with guests.image_folder() as folder:
        disks = [
            Disk(make_image(folder / f"{name}.qcow2", "8M", "qcow2"), target, form="qcow2")
            for name, target in (("one", "vda"), ("two", "vdb"))
        ]
        xml = guests.domain_xml(guests.unique_name("backup"), disks=disks)
        with Guest.define(qemu_uri, xml) as guest:
            yield Writer(guest, guest.boot(), folder)


@pytest.fixture
def clean(host: Host, writer: Writer) -> Iterator[None]:
    """No checkpoint is left to the next test."""
    yield
    for each in reversed(checkpoints.checkpoints_of(host, writer.uuid)):
        writer.guest.domain.checkpointLookupByName(each.name, 0).delete(0)


def back_up(host: Host, uuid: str, place: Path, **values: Any) -> Path:
    """Push one; its manifest."""
    was = set(place.glob("*.json"))
    begin.begin(host, uuid, {"to": str(place), **values})
    (new,) = set(place.glob("*.json")) - was
    return new


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_whole(path: Path) -> bool:
    argv = ["qemu-img", "check", "-U", str(path)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def restored(host: Host, path: Path, to: Path) -> dict[str, str]:
    """Restore to raw images; the SHA-256 of each, by target."""
    to.mkdir()
    restore.restore(host, {"manifest": str(path), "to": str(to), "format_": "raw"})
    return {image.name.rsplit(".", 2)[1]: sha(image) for image in to.iterdir()}


def refused(plan: Plan) -> list[str]:
    return [finding.text for finding in plan.of(Weight.REFUSED)]


@pytest.fixture
def big(define: Define, images: Path) -> Guest:
    """A running guest whose disk takes a while to copy."""
    image = images / "big.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=full"]
    subprocess.run([*argv, str(image), "384M"], check=True)
    image.chmod(0o666)
    guest = define(disks=[Disk(image, form="qcow2")], memory_mib=32, kernel=False)
    guest.start()
    return guest


def test_a_full_backup_and_two_increments_are_restored_to_what_the_disks_were(
    host: Host, writer: Writer, place: Path, images: Path, clean: None
) -> None:
    writer.write("vda", "first", 0, 16)
    writer.write("vdb", "second", 4)
    moments = [writer.digests()]
    paths = [back_up(host, writer.uuid, place, checkpoint="c0")]
    # Over what was there, zeros over what was there, and where nothing was.
    writer.write("vda", "again", 2)
    writer.write("vda", "", 8, 3)
    writer.write("vdb", "far", 100)
    moments.append(writer.digests())
    paths.append(
        back_up(host, writer.uuid, place, incremental="last", checkpoint="c1", leave_out="")
    )
    writer.write("vda", "third", 3, 7)
    writer.write("vdb", "", 4, 2)
    moments.append(writer.digests())
    paths.append(back_up(host, writer.uuid, place, incremental="c1", checkpoint="c2"))
    writer.write("vda", "later", 0, 16)

    files = {path: sha(path) for path in place.iterdir()}
    assert len(files) == 9
    for number, (path, moment) in enumerate(zip(paths, moments, strict=True)):
        assert restored(host, path, images / f"again{number}") == moment
    assert {path: sha(path) for path in place.iterdir()} == files
    said = [manifest.read(path) for path in paths]
    assert [(each.kind, each.state, each.checkpoint) for each in said] == [
        ("full", "complete", "c0"),
        ("inc1", "complete", "c1"),
        ("inc2", "complete", "c2"),
    ]
    assert said[2].base == paths[1].name
    assert f"<name>{writer.guest.name}</name>" in said[0].xml
    by_hand(place / said[2].disks[0].file, images / "by-hand")
    raw = images / "vda.raw"
    made = images / "by-hand" / "vda.qcow2"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(made), str(raw)], check=True)
    assert sha(raw) == moments[2]["vda"]
    # An increment holds what was written, not the disk.
    assert said[1].disks[1].size_bytes < said[0].disks[0].size_bytes


def by_hand(newest: Path, work: Path) -> None:
    """Restore as the documentation says that it is done with qemu-img alone."""
    text = (ROOT / "docs" / "backup.md").read_text()
    block = re.search(r"```sh\n(newest=.*?)```", text, re.DOTALL)
    assert block
    commands = re.sub(r"(?m)^newest=.*$", f"newest={newest}", block[1])
    commands = re.sub(r"(?m)^work=.*$", f"work={work}", commands)
    subprocess.run(["sh", "-eu", "-c", commands], check=True, capture_output=True)


def test_what_cannot_be_is_refused_with_the_reason_before_anything_is_done(
    host: Host, writer: Writer, define: Define, images: Path, place: Path, clean: None
) -> None:
    raw = define(disks=[Disk(guests.make_sleeper(images / "raw.img"))], memory_mib=32, kernel=False)

    def why(uuid: str, **values: Any) -> str:
        with pytest.raises(BadInput) as caught:
            begin.begin(host, uuid, values)
        return str(caught.value)

    assert "it is off" in why(raw.uuid, to=str(place))
    raw.start()
    assert "vda is raw" in why(raw.uuid, to=str(place), checkpoint="c")
    with pytest.raises(BadInput, match="vda is raw"):
        checkpoints.create(host, raw.uuid, {})
    assert "is not there" in why(writer.uuid, to=str(place / "none"))
    assert "no disk vdz" in why(writer.uuid, to=str(place), leave_out="vdz")
    assert "no backup of it" in why(writer.uuid, to=str(place), incremental="last")
    assert "no checkpoint x" in why(writer.uuid, to=str(place), incremental="x")
    assert "where the backup goes" in why(writer.uuid)
    assert "cannot be raw" in why(writer.uuid, to="/x", incremental="c", format_="raw")
    assert "about a backup that is pulled" in why(writer.uuid, to="/x", listen="localhost")
    assert "no address" in why(writer.uuid, pull=True, listen="a:b:c")
    checkpoints.create(host, writer.uuid, {"name_": "alone"})
    assert "cannot be restored" in why(writer.uuid, to=str(place), incremental="alone")
    with pytest.raises(BadInput, match="already"):
        checkpoints.create(host, writer.uuid, {"name_": "alone"})
    with pytest.raises(NotFound, match="no checkpoint 'x'"):
        checkpoints.delete(host, writer.uuid, "x")
    assert list(place.iterdir()) == []
    # What was refused by us works where nothing speaks against it.
    back_up(host, raw.uuid, place)


def test_a_folder_that_qemu_may_not_write_to_is_told_with_its_user(
    host: Host, writer: Writer, images: Path
) -> None:
    closed = images / "closed"
    closed.mkdir(mode=0o700)
    if re.search(r"<label>\+0:", writer.guest.domain.XMLDesc()):
        pytest.skip("QEMU runs as root here")
    plan = begin.plan_for(host, writer.uuid, {"to": str(closed)})
    assert any("may not write" in text for text in refused(plan))
    assert list(closed.iterdir()) == []


def test_one_is_written_to_a_pool_by_its_name_and_is_seen_there(
    host: Host, writer: Writer, place: Path, clean: None
) -> None:
    pool = TestPool(host, place)
    try:
        said = begin.begin(host, writer.uuid, {"pool": pool.name, "leave_out": "vdb"})
        assert said.endswith(f"; it is in pool {pool.name}")
        names = pool.names()
        assert [name.rpartition(".")[2] for name in names] == ["json", "qcow2"]
        assert sorted(each.name for each in place.iterdir()) == names
        with pytest.raises(BadInput, match="said twice"):
            begin.begin(host, writer.uuid, {"pool": pool.name, "to": str(place)})
    finally:
        pool.close()
    with pytest.raises(TuivirtError, match=pool.name):
        begin.begin(host, writer.uuid, {"pool": pool.name})


def test_checkpoints_are_a_tree_and_are_deleted_alone_or_with_what_came_after(
    host: Host, writer: Writer, clean: None
) -> None:
    chosen: dict[str, Any] = {}
    for name in ("a", "b", "c"):
        values = {"name_": name, "leave_out": "vdb"}
        said = checkpoints.create(host, writer.uuid, values, chose=chosen.update)
        assert said == f"{writer.guest.name} has the checkpoint {name}, of vda"
    # virsh takes all where none is named, and else the named ones alone.
    virsh = listed()["checkpoint-create"].equivalent(writer.guest.name, chosen)
    assert virsh.endswith(" c --diskspec vda,checkpoint=bitmap")
    writer.write("vda", "new", 0, 2)
    lines = checkpoints.as_text(host, writer.uuid).splitlines()
    assert [line.split("  20")[0].rstrip() for line in lines] == ["a", "└─ b", "   └─ c"]
    assert lines[2].endswith("vda 128 KiB")
    with pytest.raises(BadInput, match="2 checkpoints go together"):
        checkpoints.delete(host, writer.uuid, "b", children=True)
    checkpoints.delete(host, writer.uuid, "b", children=True, force=True)
    assert [each.name for each in checkpoints.checkpoints_of(host, writer.uuid)] == ["a"]
    assert checkpoints.delete(host, writer.uuid, "a").endswith("this is deleted: a")


def test_what_the_screen_tells_is_how_far_one_is_and_what_its_checkpoint_says_of_it(
    host: Host, big: Guest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "EVERY_S", 0.02)
    seen: list[BackupJob] = []

    def look(_text: str, _fraction: float | None) -> None:
        running = known.backups_of(host, big.uuid).running
        if running is not None:
            seen.append(running)

    begin.begin(host, big.uuid, {"to": str(place), "checkpoint": "c"}, progress=look)
    assert seen
    assert {(each.mode, each.incremental, each.offered) for each in seen} == {("push", "", "")}
    ((target, file),) = seen[0].files
    assert (target, Path(file).parent) == ("vda", place)
    assert any(each.total_bytes == 384 << 20 for each in seen)
    assert all(each.done_bytes <= each.total_bytes for each in seen)
    found = known.backups_of(host, big.uuid)
    assert found.running is None
    (made,) = found.checkpoints
    assert (made.of_backup, made.folder) == (True, str(place))
    assert known.sizes_of(host, big.uuid) == {"c": {"vda": 0}}
    big.domain.checkpointLookupByName("c", 0).delete(0)
    assert known.backups_of(host, big.uuid) == Backups()


def test_an_abort_leaves_the_guest_as_it_was_and_nothing_of_the_backup(
    host: Host, big: Guest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "EVERY_S", 0.02)
    aborted = threading.Event()
    aborted.set()
    values = {"to": str(place), "checkpoint": "c"}
    with pytest.raises(Aborted, match="it goes on; what it wrote is removed"):
        begin.begin(host, big.uuid, values, aborted=aborted)
    assert list(place.iterdir()) == []
    assert checkpoints.checkpoints_of(host, big.uuid) == ()
    assert big.active
    assert before.under_way(host, big.uuid) is None


def test_a_guest_that_stops_meanwhile_is_told_with_what_is_left(
    host: Host, big: Guest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "EVERY_S", 0.02)

    def progress(_text: str, _far: float | None) -> None:
        big.destroy()

    values = {"to": str(place), "checkpoint": "c"}
    with pytest.raises(TuivirtError, match="the guest stopped meanwhile") as caught:
        begin.begin(host, big.uuid, values, progress=progress)
    assert f"tuivirt checkpoint-delete {big.name} c, once it runs" in str(caught.value)
    assert list(place.iterdir()) == []
    big.start()
    checkpoints.delete(host, big.uuid, "c")


def test_what_is_pulled_is_what_was_there_at_that_moment(
    host: Host, writer: Writer, images: Path, clean: None
) -> None:
    writer.write("vda", "kept", 0, 8)
    moment = writer.digest("vda")
    values = {"pull": True, "detached": True, "scratch": "", "leave_out": "vdb"}
    said = begin.begin(host, writer.uuid, values)
    (address,) = re.findall(r"nbd\+unix://\S+(?=\. )", said)
    writer.write("vda", "later", 0, 8)
    assert address in pull.info(host, writer.uuid)
    offered = known.backups_of(host, writer.uuid).running
    assert offered is not None
    assert (offered.mode, offered.offered, offered.total_bytes) == ("pull", address, 0)
    plan = begin.plan_for(host, writer.uuid, {"to": str(images)})
    assert any("is under way (pull)" in text for text in refused(plan))
    copy = images / "pulled.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", address, str(copy)], check=True)
    assert sha(copy) == moment
    assert "offered no more; its scratch files are removed" in pull.end(host, writer.uuid)
    socket = Path(address.partition("socket=")[2])
    assert not socket.parent.exists()
    assert list(writer.images.glob("*.scratch")) == []
    assert writer.digest("vda") != moment
    assert pull.info(host, writer.uuid) == f"no backup of {writer.guest.name} is under way"
    with pytest.raises(TuivirtError, match="no backup"):
        pull.end(host, writer.uuid)


def test_what_is_offered_ends_with_its_task(host: Host, writer: Writer) -> None:
    aborted = threading.Event()
    told: list[str] = []

    def progress(text: str, _far: float | None) -> None:
        told.append(text)
        aborted.set()

    values = {"pull": True, "listen": "localhost:10877", "leave_out": "vdb"}
    said = begin.begin(host, writer.uuid, values, aborted=aborted, progress=progress)
    assert told[0] == "offered at nbd://localhost:10877/vda"
    assert said.endswith("are offered no more; its scratch files are removed")
    assert before.under_way(host, writer.uuid) is None


def test_a_restore_writes_over_nothing_and_an_abort_leaves_nothing(
    host: Host, writer: Writer, images: Path, place: Path, clean: None
) -> None:
    path = back_up(host, writer.uuid, place, leave_out="vdb", format_="raw")
    assert restored(host, path, images / "same") == {"vda": writer.digest("vda")}
    to = images / "to"
    to.mkdir()
    values = {"manifest": str(path), "to": str(to)}
    aborted = threading.Event()
    aborted.set()
    with pytest.raises(Aborted, match="nothing is written"):
        restore.restore(host, values, aborted=aborted)
    assert list(to.iterdir()) == []
    there = to / f"{writer.guest.name}.vda.qcow2"
    there.write_text("mine")
    with pytest.raises(BadInput, match="already, and what it holds would be lost"):
        restore.restore(host, values)
    assert there.read_text() == "mine"
    restore.restore(host, values, force=True)
    assert is_whole(there)
    file = place / manifest.read(path).disks[0].file
    file.rename(file.with_suffix(".away"))
    with pytest.raises(BadInput, match="is missing"):
        restore.restore(host, values, force=True)
    assert is_whole(there)


KILLED = """
import os, signal, sys
from tests.contract.conftest import Heard, started
from tuivirt.backend.backup import restore
values = {"manifest": sys.argv[2], "to": sys.argv[3]}
end = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
restore.restore(started(sys.argv[1], Heard()), values, progress=end)
"""


def test_a_restore_that_is_killed_is_told_of_and_a_file_that_came_meanwhile_is_left_alone(
    host: Host, writer: Writer, images: Path, place: Path, qemu_uri: str, clean: None
) -> None:
    path = back_up(host, writer.uuid, place, leave_out="vdb")
    to = images / "to"
    to.mkdir()
    argv = [sys.executable, "-c", KILLED, qemu_uri, str(path), str(to)]
    ran = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=60)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    values = {"manifest": str(path), "to": str(to)}
    there = to / f"{writer.guest.name}.vda.qcow2"
    (note,) = restore.plan_for(host, "", values).of(Weight.NOTE)
    (left,) = beside.leftovers(str(there))
    assert note.text.startswith(f"an unfinished restore of {path} into {there} lies there")
    assert left.file in note.text

    def progress(_text: str, _far: float | None) -> None:
        there.write_text("mine")

    with pytest.raises(TuivirtError, match=r"is there by now: what was written is whole, in") as e:
        restore.restore(host, values, progress=progress)
    assert there.read_text() == "mine"
    (whole,) = [each.file for each in beside.leftovers(str(there)) if each.whole]
    assert whole in str(e.value)
    assert is_whole(Path(whole))
    restore.restore(host, values, force=True)
    assert is_whole(there)


def test_the_verbs_do_it_and_the_restored_domain_boots_what_it_had(
    writer: Writer, images: Path, place: Path, qemu_uri: str, clean: None
) -> None:
    name = writer.guest.name
    dry = tuivirt("-c", qemu_uri, "backup-begin", name, "--to", str(place), "--dry-run")
    assert dry.status == 0
    assert f"vda ({writer.images / 'one.qcow2'}, 8 MiB): to {place}" in dry.out
    assert list(place.iterdir()) == []
    done = tuivirt(
        "-c", qemu_uri, "backup-begin", name, "--to", str(place), "--checkpoint", "c", "-o", "json"
    )
    assert done.status == 0, done.err
    assert "is backed up fully, checkpoint c: " in done.json["text"]
    (path,) = place.glob("*.json")
    again = guests.unique_name("again")
    words = ("backup-restore", str(path), "--to", str(images))
    ran = tuivirt("-c", qemu_uri, *words, "--define-as", again)
    assert ran.status == 0, ran.err
    conn = libvirt.open(qemu_uri)
    try:
        domain = conn.lookupByName(again)
        xml = domain.XMLDesc()
        assert str(images / f"{name}.vda.qcow2") in xml
        assert str(writer.images) not in xml
        domain.create()
        domain.destroy()
        domain.undefine()
    finally:
        conn.close()


def test_a_killed_program_leaves_the_guest_running_and_the_next_one_knows(
    host: Host, big: Guest, place: Path, qemu_uri: str
) -> None:
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "backup-begin", big.name]
    argv += ["--to", str(place), "--checkpoint", "c"]
    child = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: before.under_way(host, big.uuid) is not None, "it begins", pause=0.005)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    until(lambda: before.under_way(host, big.uuid) is None, "libvirt's job ends")
    heard = Heard()
    start = Host("local", qemu_uri, publish=heard, interval=0.5)
    start.start()
    try:
        said = heard.notice(f"{big.name}: of the backup that was begun at")
        (own,) = place.glob("*.json")
        assert "libvirt says of its last backup: completed" in said
        assert f"remove {own}, " in said
        assert "and the checkpoint c, and begin anew; or check its files" in said
    finally:
        start.close()
    listed = tuivirt("-c", qemu_uri, "list", "pools")
    assert "of the backup that was begun" in " ".join(listed.err.split())
    plan = begin.plan_for(host, big.uuid, {"to": str(place)})
    (note,) = [each for each in plan.of(Weight.NOTE) if "nobody saw the end" in each.text]
    assert "and the checkpoint c" in note.advice
    assert big.active
    assert is_whole(Path(big.domain.XMLDesc().partition("source file='")[2].partition("'")[0]))
    (path,) = place.glob("*.json")
    with pytest.raises(TuivirtError, match="is running: nobody saw its end"):
        manifest.chain(path)
    path.unlink()
    assert "the backup that was begun" not in tuivirt("-c", qemu_uri, "list", "pools").err
    assert marks_in(begun_folder()) == []


def test_a_killed_daemon_is_waited_for_and_what_is_told_then_is_true(
    private_libvirtd: PrivateLibvirtd, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuivirt.backend.info.is_local", lambda _uri: True)
    monkeypatch.setattr(job, "EVERY_S", 0.02)
    image = images / "big.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=full"]
    subprocess.run([*argv, str(image), "384M"], check=True)
    xml = guests.domain_xml(
        "killed", disks=[Disk(image, form="qcow2")], memory_mib=32, kernel=False
    )
    guest = Guest.define(private_libvirtd.uri, xml)
    guest.start()
    host = started(private_libvirtd.uri, Heard())
    told: list[str] = []
    errors: list[BaseException] = []
    under_way = threading.Event()

    def progress(text: str, _far: float | None) -> None:
        told.append(text)
        under_way.set()

    def work() -> None:
        try:
            told.append(begin.begin(host, guest.uuid, {"to": str(images)}, progress=progress))
        except TuivirtError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert under_way.wait(20)
        private_libvirtd.restart()
        thread.join(60)
        assert not thread.is_alive()
        guest.reconnect()
        assert guest.active
        manifests = list(images.glob("*.json"))
        if errors and "nobody saw how" in str(errors[0]):
            assert [manifest.read(path).state for path in manifests] == [manifest.RUNNING]
        elif errors:
            assert "is removed" in str(errors[0]) or "nothing is left" in str(errors[0])
            assert [path.name for path in images.iterdir()] == [image.name]
        else:
            assert [manifest.read(path).state for path in manifests] == [manifest.COMPLETE]
            assert is_whole(images / manifest.read(manifests[0]).disks[0].file)
        assert is_whole(image)
    finally:
        host.close()
        with contextlib.suppress(libvirt.libvirtError):
            guest.remove()
