"""What a new volume can be told, and what is told of one, held against qemu-img's own account."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.pool import TestPool
from tests.support.guests import Define, Disk
from tests.support.libvirtd import until
from tuivirt.actions.volume_choice import volumes_to_choose
from tuivirt.backend.errors import BadInput
from tuivirt.backend.storage import create, listing
from tuivirt.backend.storage.find import human
from tuivirt.backend.storage.offers import formats_in
from tuivirt.backend.xml.plain_volume import read_plain

MIB = 1 << 20


def qemu_img(*argv: str) -> str:
    done = subprocess.run(["qemu-img", *argv], check=True, capture_output=True, text=True)
    return done.stdout


def info_of(image: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(qemu_img("info", "-U", "--output=json", str(image)))
    return found


def test_its_clusters_and_what_is_taken_ahead_are_as_asked(pool: TestPool) -> None:
    plain = info_of(pool.make("a.qcow2", "64M", format="qcow2"))
    tables = info_of(pool.make("b.qcow2", "64M", prealloc_metadata=True, cluster_size="128K"))
    whole = info_of(pool.make("c.qcow2", "64M", prealloc_falloc=True))
    assert [each["format"] for each in (plain, tables, whole)] == ["qcow2"] * 3
    clusters = [each["cluster-size"] for each in (plain, tables, whole)]
    assert clusters == [64 << 10, 128 << 10, 64 << 10]
    # With its tables made the file is as long as the disk, and takes next to nothing of it.
    lengths = [(pool.folder / name).stat().st_size for name in ("a.qcow2", "b.qcow2", "c.qcow2")]
    assert lengths[0] < MIB < 64 * MIB <= min(lengths[1:])
    assert max(plain["actual-size"], tables["actual-size"]) < MIB
    assert whole["actual-size"] >= 64 * MIB


def test_a_copys_tables_are_made_ahead_and_not_its_datas_place(pool: TestPool) -> None:
    """Of a file that its snapshot makes larger than the disk is libvirt would take it all."""
    image = pool.make("a.qcow2", "32M", format="qcow2")
    for argv in (
        ("qemu-io", "-f", "qcow2", "-c", "write 0 30M", str(image)),
        ("qemu-img", "snapshot", "-c", "before", str(image)),
        ("qemu-io", "-f", "qcow2", "-c", "discard 0 30M", "-c", "write 0 4M", str(image)),
    ):
        subprocess.run(argv, check=True, capture_output=True)
    pool.handle.refresh(0)
    assert info_of(image)["actual-size"] > 32 * MIB
    values = {"vol": "a.qcow2", "newname": "b.qcow2", "prealloc_metadata": True}
    plan = create.plan_clone(pool.host, pool.key, values)
    assert any("its tables are made at once" in line for line in plan.lines)
    create.clone(pool.host, pool.key, values)
    copy = pool.folder / "b.qcow2"
    assert copy.stat().st_size > 32 * MIB, "its tables are there"
    assert info_of(copy)["actual-size"] < 6 * MIB
    qemu_img("compare", "-f", "qcow2", "-F", "qcow2", str(image), str(copy))


def test_a_copys_tables_are_not_made_where_there_are_none_or_it_lies_on_another(
    pool: TestPool,
) -> None:
    pool.make("raw.img", "1M")
    pool.make("base.qcow2", "1M", format="qcow2")
    pool.make("top.qcow2", "1M", backing_vol="base.qcow2", backing_vol_format="qcow2")
    for name, why in (("raw.img", "is raw"), ("top.qcow2", "lies on .*base.qcow2")):
        values = {"vol": name, "newname": "copy", "prealloc_metadata": True}
        with pytest.raises(BadInput, match=f"{name} {why}") as refused:
            create.clone(pool.host, pool.key, values, force=True)
        assert "without --prealloc-metadata" in refused.value.advice
    assert "copy" not in pool.names()


def test_the_formats_that_libvirt_tells_are_made_and_no_others(pool: TestPool) -> None:
    offered = formats_in(pool.host, pool.key)
    assert {"raw", "qcow2", "vmdk"} <= {*offered}
    for form in ("vmdk", "vdi"):
        assert info_of(pool.make(f"a.{form}", "1M", format=form))["format"] == form
    with pytest.raises(BadInput, match="makes no iso in a pool of the type dir") as told:
        pool.make("a.iso", "1M", format="iso")
    assert "qcow2" in told.value.advice
    assert pool.names() == ["a.vdi", "a.vmdk"]


def test_what_libvirt_tells_of_a_volume_is_read_by_its_lines(pool: TestPool) -> None:
    """Where it is not, a list of 10,000 takes twice as long."""
    pool.make("a.img", "1M")
    pool.make("b.qcow2", "1M", format="qcow2")
    pool.make("c.qcow2", "1M", backing_vol="a.img")
    pool.handle.refresh(0)
    for volume in pool.handle.listAllVolumes(0):
        assert read_plain(volume.XMLDesc(0)) is not None, volume.XMLDesc(0)


def test_all_of_a_hosts_can_be_chosen_from_and_of_many_the_names_are_told(
    pool: TestPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.qcow2", "b.qcow2"):
        pool.make(name, "1M", format="qcow2")

    def mine() -> list[tuple[str, str]]:
        until(lambda: pool.key in pool.host.snapshot.pools, "the pool, told by an event")
        found, _problems = volumes_to_choose(pool.host)
        return [(each.name, each.format) for each in found if each.pool == pool.name]

    assert mine() == [("a.qcow2", "qcow2"), ("b.qcow2", "qcow2")]
    monkeypatch.setattr("tuivirt.actions.volume_choice.MANY", 2)
    assert sorted(mine()) == [("a.qcow2", ""), ("b.qcow2", "")]


def test_the_snapshots_in_an_image_are_told_with_their_time_and_what_they_hold(
    pool: TestPool, define: Define
) -> None:
    image = pool.make("a.qcow2", "8M", format="qcow2")
    assert "snapshots" not in listing.details(pool.host, pool.key, "a.qcow2")
    qemu_img("snapshot", "-c", "of the disk", str(image))
    guest = define(memory_mib=32, kernel=False, disks=[Disk(image, form="qcow2")])
    guest.start()
    guest.domain.snapshotCreateXML("<domainsnapshot><name>whole</name></domainsnapshot>", 0)
    lines = listing.details(pool.host, pool.key, "a.qcow2").splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("snapshots  of the disk, 2"))
    assert lines[first].endswith(", no memory")
    told = re.fullmatch(r" {11}whole, [-0-9]+ [:0-9]+, (\S+) (KiB|MiB) of memory", lines[first + 1])
    assert told is not None
    (known,) = [e for e in info_of(image)["snapshots"] if e["name"] == "whole"]
    assert human(known["vm-state-size"]) == f"{told[1]} {told[2]}"
