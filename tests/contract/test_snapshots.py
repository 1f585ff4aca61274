"""Snapshots of real guests that write what is known: taken, gone back to, deleted, refused."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.conftest import Place
from tests.support.guests import Define, Disk, Guest, make_image
from tests.support.serial import Serial
from tests.support.writer import Writer, is_whole, overlay
from tuivirt.actions.catalog import listed
from tuivirt.backend import job_call
from tuivirt.backend.block_jobs import commit, control
from tuivirt.backend.errors import Aborted, BadInput, NotFound, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.size import spelled
from tuivirt.backend.model.snapshot import Snapshot
from tuivirt.backend.snapshots import listing, make, records, remove, revert, revert_external
from tuivirt.backend.snapshots.everywhere import snapshots_on
from tuivirt.backend.snapshots.read import snapshots_of
from tuivirt.backend.snapshots.sizes import sizes_of


@pytest.fixture
def two(define: Define, images: Path) -> Iterator[Guest]:
    """A guest with two qcow2 disks, off."""
    disks = [
        Disk(make_image(images / f"{name}.qcow2", "16M", "qcow2"), target, form="qcow2")
        for name, target in (("one", "vda"), ("two", "vdb"))
    ]
    guest = define(disks=disks)
    yield guest
    forget_all(guest)


def forget_all(guest: Guest) -> None:
    for each in guest.domain.listAllSnapshots(0):
        each.delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)


def create(host: Host, guest: Guest, **values: Any) -> str:
    return make.create(host, guest.uuid, values)


def one(host: Host, guest: Guest, name: str) -> Snapshot:
    return next(each for each in snapshots_of(host, guest.uuid) if each.name == name)


def write(shell: Serial, words: Mapping[str, str]) -> None:
    """Each word over and over into the first half MiB of its disk, past the guest's cache."""
    for target, word in words.items():
        shell.run(f"yes {word} | dd of=/dev/{target} bs=512k count=1 iflag=fullblock conv=fsync")


def read(shell: Serial, target: str) -> str:
    shell.run("echo 3 >/proc/sys/vm/drop_caches")
    said = shell.run(f"dd if=/dev/{target} bs=512k count=1 2>/dev/null | sort -u | head -c 40")
    return said.split()[-1] if said.split() else ""


def again(guest: Guest) -> Serial:
    """Its console, opened anew: a guest that went back is another process."""
    for serial in guest.serials:
        serial.close()
    shell = guest.serial()
    shell.send("\n")
    shell.wait_for_shell()
    return shell


def test_a_running_guest_goes_back_with_its_memory_and_both_disks(host: Host, two: Guest) -> None:
    shell = two.boot()
    write(shell, {"vda": "first", "vdb": "second"})
    shell.run("X=before")
    said = create(host, two, name_="before", description="the upgrade")
    assert said == f"{two.name} has the snapshot before: internal, of vda, vdb with its memory"
    taken = one(host, two, "before")
    assert (taken.kind, taken.has_memory, taken.current) == ("internal", True, True)
    assert taken.description == "the upgrade"

    write(shell, {"vda": "spoilt", "vdb": "spoilt"})
    shell.run("X=after")
    with pytest.raises(BadInput, match="what it has in memory now is lost"):
        revert.revert(host, two.uuid, "before")
    assert shell.run("echo $X").split()[-1] == "after"
    said = revert.revert(host, two.uuid, "before", force=True)
    assert said.startswith(f"{two.name} is as it was ")
    assert said.endswith("(before), and running")
    shell = again(two)
    assert shell.run("echo $X").split()[-1] == "before"
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")


def test_a_domain_that_is_off_goes_back_and_may_be_started_from_there(
    host: Host, two: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = two.boot()
    write(shell, {"vda": "first", "vdb": "second"})
    two.destroy()
    create(host, two, name_="off")
    assert one(host, two, "off").state == "shutoff"
    shell = two.boot()
    write(shell, {"vda": "spoilt", "vdb": "spoilt"})
    revert.revert(host, two.uuid, "off", force=True)
    assert not two.active
    shell = two.boot()
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")
    plan = revert.plan_for(host, two.uuid, {"snapshotname": "off", "running": True})
    assert any("its hypervisor is started anew" in line for line in plan.lines)
    # A saved memory would be taken up on the images of another time.
    two.domain.managedSave(0)
    with pytest.raises(BadInput, match="it has a managed save"):
        revert.revert(host, two.uuid, "off", force=True)
    # As libvirt sees it: a risk, which is explained and can be forced.
    monkeypatch.setattr(revert_external, "against_save", lambda _domain: [])
    with pytest.raises(TuivirtError, match="managed save") as caught:
        revert.revert(host, two.uuid, "off")
    assert "--force does it all the same" in caught.value.advice
    assert revert.revert(host, two.uuid, "off", force=True).endswith("(off), and shutoff")


def test_external_ones_leave_the_image_as_it_was_and_what_is_written_goes_beside_it(
    host: Host, two: Guest, images: Path
) -> None:
    shell = two.boot()
    write(shell, {"vda": "first", "vdb": "second"})
    before = digest(images / "one.qcow2")
    values = {"name_": "disks", "leave_out": "vdb", "quiesce": False}
    chosen: dict[str, Any] = {}
    said = make.create(host, two.uuid, {**values, "kind": "external"}, chose=chosen.update)
    assert said == f"{two.name} has the snapshot disks: external, of vda"
    taking = listed()["snapshot-create"]
    # As virsh has it, and virsh --print-xml takes it.
    virsh = taking.equivalent(two.name, {**values, **chosen})
    wanted = "--atomic --name disks --disk-only --diskspec vdb,snapshot=no"
    assert virsh == f"virsh snapshot-create-as {two.name} {wanted}"
    argv = [*shlex.split(virsh)[:1], "-c", host.uri, *shlex.split(virsh)[1:], "--print-xml"]
    printed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "<disk name='vdb' snapshot='no'/>" in printed
    write(shell, {"vda": "later", "vdb": "later"})
    assert digest(images / "one.qcow2") == before
    taken = one(host, two, "disks")
    assert [(d.target, d.kind, d.overlay) for d in taken.disks] == [
        ("vda", "external", str(images / "one.disks")),
        ("vdb", "no", ""),
    ]
    assert read(shell, "vda") == "later"


def test_three_generations_of_two_disks_are_merged_under_load_and_nothing_is_lost(
    host: Host, two: Guest, images: Path
) -> None:
    shell = two.boot()
    writers = [Writer(shell, target) for target in ("vda", "vdb")]
    for name in ("a", "b", "c"):
        create(host, two, name_=name, kind="external")
    told: list[str] = []
    # The one in the middle, then what is left in one go.
    said = remove.delete(host, two.uuid, "b", progress=lambda text, _: told.append(text))
    assert said == f"of {two.name}, this is deleted: b"
    assert any(text.startswith("merging vda into ") for text in told)
    assert [each.name for each in snapshots_of(host, two.uuid)] == ["a", "c"]
    # What c kept was in an image that is gone now.
    kept = [(disk.kept, disk.overlay) for disk in one(host, two, "c").disks]
    assert kept == [(str(images / f"{n}.a"), str(images / f"{n}.c")) for n in ("one", "two")]
    assert "!" not in listing.as_text(host, two.uuid)
    said = remove.delete(host, two.uuid, "a", children=True, force=True)
    assert said == f"of {two.name}, these are deleted: a, c"
    assert snapshots_of(host, two.uuid) == ()
    assert [writer.stop() > 0 for writer in writers] == [True, True]
    assert sorted(path.name for path in images.iterdir()) == ["one.qcow2", "two.qcow2"]
    two.destroy()
    for name in ("one", "two"):
        assert str(images / f"{name}.qcow2") in two.domain.XMLDesc()
        assert is_whole(images / f"{name}.qcow2")


def test_a_merging_that_fails_half_way_says_which_disk_is_merged_and_goes_on_when_asked_again(
    host: Host, two: Guest, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = two.boot()
    create(host, two, name_="a", kind="external")
    write(shell, {"vda": "first", "vdb": "second"})
    merged, real = [], commit.merge

    def fails(host: Host, domain: Any, run: Any, *args: Any, **options: Any) -> bool:
        merged.append(run.chain.target)
        if len(merged) == 2:
            raise TuivirtError("the other disk", "its storage is away")
        return bool(real(host, domain, run, *args, **options))

    monkeypatch.setattr(commit, "merge", fails)
    with pytest.raises(TuivirtError, match="not merged: vdb; no snapshot is deleted yet") as error:
        remove.delete(host, two.uuid, "a")
    assert error.value.done == "vda is merged"
    assert [each.name for each in snapshots_of(host, two.uuid)] == ["a"]
    assert "vda is on" in listing.as_text(host, two.uuid)
    monkeypatch.undo()
    assert remove.delete(host, two.uuid, "a") == f"of {two.name}, this is deleted: a"
    assert sorted(path.name for path in images.iterdir()) == ["one.qcow2", "two.qcow2"]
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")


def test_an_abort_of_a_merging_deletes_nothing_and_the_guest_goes_on(
    host: Host, two: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = two.boot()
    create(host, two, name_="a", kind="external")
    write(shell, {"vda": "first", "vdb": "second"})
    shell.run("dd if=/dev/urandom of=/dev/vda bs=1M seek=2 count=8 conv=fsync")
    monkeypatch.setattr(commit, "merge", partial(commit.merge, mib_per_s=1))
    aborted = threading.Event()
    with pytest.raises(Aborted, match=r"its chain is whole.*no snapshot is deleted yet"):
        remove.delete(host, two.uuid, "a", aborted=aborted, progress=lambda *_: aborted.set())
    monkeypatch.undo()
    assert [each.name for each in snapshots_of(host, two.uuid)] == ["a"]
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")
    assert "was broken off" in listing.as_text(host, two.uuid)
    remove.delete(host, two.uuid, "a")
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")
    assert control.report(host, two.uuid) == f"no block job runs on {two.name}"


def test_those_of_a_domain_that_is_off_are_merged_by_a_hypervisor_that_runs_nothing(
    host: Host, two: Guest, images: Path
) -> None:
    for number, name in enumerate(("a", "b", "c")):
        create(host, two, name_=name, kind="external")
        pattern = f"write -P {number + 1} {number}M 2M"
        argv = ["qemu-io", "-f", "qcow2", "-c", pattern, str(images / f"one.{name}")]
        subprocess.run(argv, check=True, capture_output=True)
    before = contents(images / "one.c")
    plan = remove.plan_for(host, two.uuid, {"snapshotname": "b"})
    assert "it is started for this, runs nothing, and is forced off" in plan.lines[0]
    assert remove.delete(host, two.uuid, "b") == f"of {two.name}, this is deleted: b"
    assert not two.active
    assert contents(images / "one.c") == before
    remove.delete(host, two.uuid, "a", children=True, force=True)
    assert not two.active
    assert sorted(path.name for path in images.iterdir()) == ["one.qcow2", "two.qcow2"]
    assert contents(images / "one.qcow2") == before
    assert str(images / "one.qcow2") in two.domain.XMLDesc()


def contents(image: Path) -> str:
    """The checksum of what a guest would read."""
    argv = ["qemu-img", "convert", "-O", "raw", str(image), str(image.with_name("raw"))]
    subprocess.run(argv, check=True)
    found = digest(image.with_name("raw"))
    image.with_name("raw").unlink()
    return found


def test_nothing_is_merged_into_what_another_domain_lies_on(
    host: Host, two: Guest, define: Define, images: Path
) -> None:
    two.boot()
    create(host, two, name_="a", kind="external")
    other = define(disks=[Disk(overlay(images / "o", images / "one.qcow2"), form="qcow2")])
    plan = remove.plan_for(host, two.uuid, {"snapshotname": "a"})
    assert f"and {other.name} lies on it" in plan.lines[0]
    with pytest.raises(BadInput, match=f"and {other.name} lies on it"):
        remove.delete(host, two.uuid, "a", force=True)
    assert [each.name for each in snapshots_of(host, two.uuid)] == ["a"]


def test_records_without_files_and_files_without_a_record_are_told_with_the_ways_out(
    host: Host, two: Guest, images: Path
) -> None:
    two.boot()
    create(host, two, name_="a", kind="external", memory=True, leave_out="vdb")
    assert "!" not in listing.as_text(host, two.uuid)
    memory = Path(one(host, two, "a").memory_file)
    memory.unlink()
    said = listing.as_text(host, two.uuid)
    assert f"! a: its memory's file {memory} is gone" in said
    forget_all(two)
    said = listing.as_text(host, two.uuid)
    assert f"! vda lies on {images}/one.a, and that on {images}/one.qcow2, as after a" in said
    assert f"tuivirt blockcommit {two.name} vda --shallow --pivot" in said
    two.destroy()
    assert "libvirt has no record of one" in listing.as_text(host, two.uuid)
    create(host, two, name_="b", kind="external")
    (images / "one.a").unlink()
    assert f"! b: what it kept of vda, {images}/one.a, is gone" in listing.as_text(host, two.uuid)


def test_an_external_one_with_memory_keeps_that_in_a_file_and_the_guest_goes_on(
    host: Host, two: Guest, images: Path
) -> None:
    shell = two.boot()
    shell.run("X=kept")
    said = create(host, two, name_="all", kind="external", memory=True, live=True)
    file = images / f"{two.name}.all.memory"
    assert said.endswith(f"external, of vda, vdb with its memory in {file}")
    assert file.stat().st_size > 1 << 20
    create(host, two, name_="within", kind="internal")
    sizes = sizes_of(host, snapshots_of(host, two.uuid))
    kept = [images / name for name in ("one.qcow2", "two.qcow2", file.name)]
    assert sizes["all"] == sum(path.stat().st_blocks * 512 for path in kept)
    assert sizes["within"] > 1 << 20  # Its memory; of its disks nobody can tell.
    assert f"internal, vda, vdb, memory, running, {spelled(sizes['within'])}" in (
        listing.as_text(host, two.uuid)
    )
    assert shell.run("echo $X").split()[-1] == "kept"
    assert one(host, two, "all").memory_file == str(file)


def test_an_abort_while_the_memory_is_written_changes_nothing(
    host: Host, define: Define, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_call, "EVERY_S", 0.02)
    image = make_image(images / "big.qcow2", "16M", "qcow2")
    guest = define(memory_mib=1024, disks=[Disk(image, form="qcow2")])
    shell = guest.boot()
    # Memory that is not empty takes seconds to write.
    shell.run("dd if=/dev/urandom of=/r bs=1M count=8; for i in $(seq 40); do cat /r; done >/x")
    aborted = threading.Event()
    aborted.set()
    with pytest.raises(Aborted, match="it goes on; nothing was changed"):
        make.create(host, guest.uuid, {"name_": "x", "memory": True}, aborted=aborted)
    assert snapshots_of(host, guest.uuid) == ()
    assert str(image) in guest.domain.XMLDesc()
    assert "still here" in shell.run("echo still here")


def test_they_are_a_tree_and_are_deleted_alone_or_with_what_grew_out_of_them(
    host: Host, two: Guest
) -> None:
    for name in ("a", "b", "c"):
        create(host, two, name_=name)
    revert.revert(host, two.uuid, "a")
    create(host, two, name_="d")
    text = listing.as_text(host, two.uuid)
    assert [line[:8].rstrip() for line in text.splitlines()] == [
        "  a",
        "  ├─ b",
        "  │  └─",
        "* └─ d",
    ]
    (mine,) = [each for each in snapshots_on(host) if each.ref.key == two.uuid]
    assert (mine.name, mine.known) == (two.name, snapshots_of(host, two.uuid))
    plan = remove.plan_for(host, two.uuid, {"snapshotname": "b", "children": True})
    assert plan.of(Weight.RISK)[0].text == "2 snapshots go together"
    with pytest.raises(BadInput, match="2 snapshots go together"):
        remove.delete(host, two.uuid, "b", children=True)
    remove.delete(host, two.uuid, "b", children=True, force=True)
    assert [each.name for each in snapshots_of(host, two.uuid)] == ["a", "d"]
    assert remove.delete(host, two.uuid, "a") == f"of {two.name}, this is deleted: a"
    assert [(e.name, e.parent) for e in snapshots_of(host, two.uuid)] == [("d", "")]


def test_what_cannot_be_is_refused_with_the_reason_before_anything_is_done(
    host: Host, define: Define, images: Path
) -> None:
    raw = make_image(images / "raw.img", "1M")
    guest = define(disks=[Disk(raw)], memory_mib=32)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"kind": "internal"}, "vda is raw: an image of that format holds no snapshots"),
        ({"memory": True}, "it is off: there is no memory"),
        ({"quiesce": True}, "it is off: nobody holds"),
        ({"leave_out": "vda"}, "there is no disk that could be taken"),
        ({"leave_out": "vdz"}, "has no disk vdz"),
        ({"name_": "a/b"}, "no slash"),
        ({"name_": "-a"}, "does not begin with a dash"),
        ({"kind": "internal", "live": True}, "live"),
    ]
    before = guest.domain.XMLDesc()
    for values, why in refused:
        with pytest.raises(BadInput, match=why):
            create(host, guest, **values)
    assert snapshots_of(host, guest.uuid) == ()
    assert guest.domain.XMLDesc() == before
    with pytest.raises(NotFound, match="no snapshot 'x'"):
        revert.revert(host, guest.uuid, "x")
    with pytest.raises(NotFound, match="no snapshot 'x'"):
        remove.delete(host, guest.uuid, "x")


def test_a_name_is_taken_once_and_may_hold_what_names_hold(host: Host, two: Guest) -> None:
    name = 'vor dem "Update" <&> 更新'
    create(host, two, name_=name)
    assert one(host, two, name).kind == "internal"
    with pytest.raises(BadInput, match=r"there is a snapshot .* already"):
        create(host, two, name_=name)
    revert.revert(host, two.uuid, name)
    remove.delete(host, two.uuid, name)
    assert snapshots_of(host, two.uuid) == ()


def test_a_record_is_shown_described_renamed_and_given_back(
    host: Host, two: Guest, images: Path
) -> None:
    create(host, two, name_="a", description="first")
    for name in ("b", "c"):
        create(host, two, name_=name, kind="external")
    files = sorted(images.iterdir())
    said = records.edit(host, two.uuid, "b", {"description": "vor <&> 更新"})
    assert said == f"of {two.name}, the snapshot b is described"
    assert one(host, two, "b").description == "vor <&> 更新"
    records.edit(host, two.uuid, "a", {"no_description": True})
    # The current one stays so: it is defined anew without being made it.
    records.edit(host, two.uuid, "c", {"description": "last"})
    assert one(host, two, "c").current
    assert one(host, two, "a").description == ""
    refused = [("a", "x", "it is internal"), ("b", "c", "there is a snapshot c already")]
    for name, rename, why in refused:
        with pytest.raises(BadInput, match=why):
            records.edit(host, two.uuid, name, {"rename": rename})
    disks = one(host, two, "b").disks
    assert records.edit(host, two.uuid, "b", {"rename": "bb"}).endswith("is called bb by now")
    known = snapshots_of(host, two.uuid)
    assert [(e.name, e.parent, e.current) for e in known] == [
        ("a", "", False),
        ("bb", "a", False),
        ("c", "bb", True),
    ]
    assert (one(host, two, "bb").disks, one(host, two, "bb").description) == (disks, "vor <&> 更新")
    assert "!" not in listing.as_text(host, two.uuid)

    written = {}
    for each in known:
        written[each.name] = str(images / f"{each.name}.xml")
        Path(written[each.name]).write_text(records.xml_of(host, two.uuid, each.name))
    with pytest.raises(NotFound, match="no snapshot 'x'"):
        records.xml_of(host, two.uuid, "x")
    forget_all(two)
    with pytest.raises(BadInput, match="grew out of bb, which libvirt does not know"):
        records.redefine(host, two.uuid, written["c"])
    for name in ("a", "bb", "c"):
        records.redefine(host, two.uuid, written[name], current=name == "c")
    assert snapshots_of(host, two.uuid) == known
    with pytest.raises(BadInput, match="knows the snapshot c already"):
        records.redefine(host, two.uuid, written["c"])
    records.redefine(host, two.uuid, written["c"], force=True)
    assert snapshots_of(host, two.uuid) == known
    for wrong in (str(images / "one.qcow2"), str(images / "none.xml")):
        with pytest.raises(BadInput, match="holds no record of a snapshot"):
            records.redefine(host, two.uuid, wrong)
    with pytest.raises(BadInput, match="nothing is to be changed"):
        records.edit(host, two.uuid, "c", {})
    assert {*files} == {*images.iterdir()} - {Path(path) for path in written.values()}


def test_the_demo_takes_them_too(demo: Place) -> None:
    demo.run(make.create, {"name_": "one"})
    assert [s.name for s in snapshots_of(demo.host, demo.uuid)] == ["one"]
    assert [each.ref.key for each in snapshots_on(demo.host)] == [demo.uuid]
    assert "<name>one</name>" in records.xml_of(demo.host, demo.uuid, "one")
    demo.run(revert.revert, "one", force=True)
    assert DomainState(demo.host.domain(demo.uuid).state(0)[0]) is DomainState.RUNNING
    demo.run(remove.delete, "one")
    assert snapshots_of(demo.host, demo.uuid) == ()


def test_images_are_whole_afterwards(host: Host, two: Guest, images: Path) -> None:
    for name in ("a", "b"):
        create(host, two, name_=name)
    remove.delete(host, two.uuid, "a")
    revert.revert(host, two.uuid, "b")
    for name in ("one", "two"):
        argv = ["qemu-img", "check", str(images / f"{name}.qcow2")]
        assert subprocess.run(argv, capture_output=True, check=False).returncode == 0


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_domain_goes_back_to_an_external_one_and_that_is_not_written_to(
    host: Host, two: Guest, images: Path
) -> None:
    shell = two.boot()
    write(shell, {"vda": "first", "vdb": "second"})
    create(host, two, name_="a", kind="external")
    write(shell, {"vda": "later", "vdb": "later"})
    kept = [digest(images / f"{name}.qcow2") for name in ("one", "two")]
    plan = revert.plan_for(host, two.uuid, {"snapshotname": "a"})
    assert any(f"what was written since stays in {images}/one.a" in line for line in plan.lines)
    with pytest.raises(BadInput, match="what it has in memory now is lost"):
        revert.revert(host, two.uuid, "a")
    said = revert.revert(host, two.uuid, "a", running=True, force=True)
    assert said.endswith("and running")
    shell = again(two)
    assert (read(shell, "vda"), read(shell, "vdb")) == ("first", "second")
    write(shell, {"vda": "other", "vdb": "other"})
    assert one(host, two, "a").current
    assert "!" not in listing.as_text(host, two.uuid)
    two.destroy()
    assert [digest(images / f"{name}.qcow2") for name in ("one", "two")] == kept
    assert (images / "one.a").exists()
