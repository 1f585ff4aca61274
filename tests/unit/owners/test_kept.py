"""What only a snapshot's record keeps is somebody's all the same."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.owners.fakes import Domain, PoolHandle, disk, overlay, owners, pool, record
from tuivirt.backend.block_jobs.images import users_of
from tuivirt.backend.errors import BadInput
from tuivirt.backend.images.judge import against_writing
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.host import Link
from tuivirt.backend.owners import Finder, against_overwriting
from tuivirt.backend.owners.attaching import Wish, refuse_using
from tuivirt.backend.owners.lately import kept_lately
from tuivirt.backend.owners.resizing import against_resizing
from tuivirt.backend.owners.within import domains_within
from tuivirt.backend.storage.judge import derived


def test_what_a_domain_went_back_past_is_its_snapshots(hosts: Any) -> None:
    snapshots = (record("s1", "/p/base", "/p/base.s1"), record("s2", "/p/base.s1", "/p/base.s2"))
    web = Domain("web-01", disk("/p/base.s1-2", "qcow2"), snapshots=snapshots)
    other = Domain("db", disk("/p/db"))
    one = hosts("a", web, other)
    assert owners(one, "/p/base") == ("what snapshot s1 of web-01 keeps",)
    assert owners(one, "/p/base.s2") == ("what snapshot s2 of web-01 keeps",)
    usage = Finder(one, overlays=False).of("/p/base.s1")
    assert usage.form == "qcow2"
    refused, *_ = derived(usage).findings(Weight.REFUSED, "base.s1")
    assert refused.text == "base.s1 is in use by snapshot s2 of web-01, snapshot s1 of web-01"
    (refused, *_) = derived(Finder(one, overlays=False).of("/p/base")).findings(
        Weight.REFUSED, "base"
    )
    assert refused.text == "base is in use by snapshot s1 of web-01, which keeps it"
    assert (
        refused.advice == "a snapshot lets go of it by tuivirt snapshot-delete web-01 s1 --metadata"
    )
    (finding, *_) = against_overwriting(one, "/p/base.s1")
    assert finding.weight is Weight.REFUSED
    assert not other.listed, "it has none, and need not be asked"


def test_of_many_snapshots_some_are_named(hosts: Any) -> None:
    snapshots = tuple(record(f"n{n:02}", "/p/a", f"/p/a.{n}") for n in range(30))
    usage = Finder(hosts("a", Domain("web", snapshots=snapshots)), overlays=False).of("/p/a")
    (refused,) = derived(usage).findings(Weight.REFUSED, "a")
    assert refused.text.startswith("a is in use by snapshot n00 of web, snapshot n01 of web, ")
    assert refused.text.endswith("snapshot n04 of web, 25 more like these")
    (risk,) = against_writing(usage, content=True)
    assert "snapshot n04 of web, 25 more like these keep /p/a" in risk.text


def test_a_volume_that_many_snapshots_keep_is_looked_up_once(hosts: Any) -> None:
    kept = record("N", "x", "/p/over").replace("file='x'", "pool='p' volume='a'")
    kept = kept.replace("disk type='file'><driver", "disk type='volume'><driver")
    snapshots = tuple(kept.replace("<name>N", f"<name>n{n:02}") for n in range(30))
    one = hosts("a", Domain("web", snapshots=snapshots), local=True)
    asked = []

    def look_up(name: str) -> Any:
        asked.append(name)
        volume = SimpleNamespace(path=lambda: "/p/a")
        return SimpleNamespace(storageVolLookupByName=lambda _name: volume)

    one.conn.storagePoolLookupByName = look_up
    assert len(Finder(one, overlays=False).of("/p/a").domains) == 30
    assert asked == ["p"]


def test_memory_in_a_file_is_the_snapshots(hosts: Any) -> None:
    one = hosts("a", Domain("web", snapshots=(record("s1", "/p/a", "/p/a.s1", "/p/memory"),)))
    (finding,) = against_overwriting(one, "/p/memory")
    assert finding.text == "/p/memory is what snapshot s1 of web keeps"


def test_of_its_own_images_only_what_nobody_may_write_to_is_told(hosts: Any) -> None:
    snapshots = (record("s1", "/p/a", "/p/a.s1"), record("in", "/p/a.s1"))
    one = hosts("a", Domain("web", disk("/p/a.s1", "qcow2"), snapshots=snapshots))
    assert owners(one, "/p/a.s1") == ("vda of web, which is off",)
    assert owners(one, "/p/a") == ("what snapshot s1 of web keeps",)
    alone = hosts("b", Domain("web", disk("/p/new"), snapshots=snapshots[1:]))
    assert owners(alone, "/p/a.s1") == ("what snapshot in of web keeps",)


def test_what_a_domain_is_on_since_it_went_back_is_the_snapshots(hosts: Any) -> None:
    since = record("s1", "/p/a", "/p/a.s1").replace(
        "<domain>",
        "<revertDisks><disk name='vda' snapshot='external' type='file'><driver type='qcow2'/>"
        "<source file='/p/a.back'/></disk><disk name='vdb' snapshot='no'/></revertDisks><domain>",
    )
    # Of a domain that is on another image now, as where its disk was taken away.
    one = hosts("a", Domain("web", disk("/p/new"), snapshots=(since,)))
    assert owners(one, "/p/a.back") == ("what snapshot s1 of web keeps",)
    (refused,) = against_overwriting(one, "/p/a.back")
    assert refused.weight is Weight.REFUSED
    # What the domain itself has is its disk's, and told once.
    on = hosts("b", Domain("web", disk("/p/a.back", "qcow2"), snapshots=(since,)))
    assert owners(on, "/p/a.back") == ("vda of web, which is off",)


def test_for_lists_it_is_read_once_for_all_pools_and_anew_for_one_that_asks_again(
    hosts: Any,
) -> None:
    web = Domain("web", disk("/p/x"), snapshots=(record("s1", "/p/a", "/p/a.s1"),))
    alone = Domain("db", disk("/p/db"))
    one = hosts("a", web, alone)
    for pool_key in ("one", "two", "three"):
        assert {each.path for each in kept_lately(one, pool_key)} == {"/p/a", "/p/a.s1"}
    assert (web.listed, alone.listed) == (1, 0)
    web.snapshots = ()
    assert kept_lately(one, "two") == []
    assert kept_lately(one, "one") == []


def test_what_lies_below_a_kept_image_is_kept_as_well(hosts: Any, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.touch()
    kept = overlay(tmp_path / "kept", "base")
    web = Domain("web", disk("/p/x"), snapshots=(record("s1", str(kept), "/p/over"),))
    (use,) = Finder(hosts("a", web, local=True), overlays=False).of(str(base)).domains
    assert (use.who, use.below) == ("snapshot s1 of web", True)
    # A guest may have written what its raw image looks like.
    raw = Domain("web", disk("/p/x"), snapshots=(record("s1", str(kept), "/p/over", form="raw"),))
    assert Finder(hosts("b", raw, local=True), overlays=False).of(str(base)).domains == ()
    lies = "<backingStore type='file'><source file='/p/low'/><backingStore/></backingStore>"
    far = Domain("web", snapshots=(record("s1", "/p/mid", "/p/over", more=lies),))
    assert owners(hosts("c", far), "/p/low") == ("what snapshot s1 of web keeps",)


def test_it_is_asked_before_it_is_changed_and_refused_where_it_is_made_smaller(hosts: Any) -> None:
    one = hosts("a", Domain("web", snapshots=(record("s1", "/p/a", "/p/a.s1"),)))
    usage = Finder(one, overlays=False).of("/p/a")
    assert against_writing(usage, content=False) == []
    for found in (
        against_writing(usage, content=True),
        against_resizing(usage, "/p/a", shrinks=False),
    ):
        (risk,) = found
        assert risk.weight is Weight.RISK
        assert risk.text.startswith("snapshot s1 of web keeps /p/a, and there is no going back")
        assert risk.advice == "let go of it first: tuivirt snapshot-delete web s1 --metadata"
    (refused,) = against_resizing(usage, "a", shrinks=True)
    assert refused.weight is Weight.REFUSED
    assert refused.text.startswith("a is in use by snapshot s1 of web")


def test_no_domain_gets_it_to_write_to(hosts: Any) -> None:
    one = hosts("a", Domain("web", snapshots=(record("s1", "/p/a", "/p/a.s1"),)))
    with pytest.raises(BadInput, match="snapshot s1 of web keeps /p/a: once it is") as refused:
        refuse_using(one, Wish("uuid of db", "/p/a"), "cannot attach /p/a to db", force=True)
    assert "tuivirt snapshot-delete web s1 --metadata lets go of it" in refused.value.advice
    # A disk that was taken away may be given back: what was written since the snapshot.
    refuse_using(one, Wish("uuid of web", "/p/a.s1"), "cannot attach /p/a.s1 to web")


def test_a_domain_gets_what_its_own_snapshot_keeps_by_name(hosts: Any) -> None:
    one = hosts("a", Domain("web", snapshots=(record("s1", "/p/a", "/p/a.s1"),)))
    with pytest.raises(BadInput, match="snapshot s1 of web keeps /p/a: once it is") as asked:
        refuse_using(one, Wish("uuid of web", "/p/a"), "cannot attach /p/a to web")
    assert asked.value.advice.endswith("--force takes the risk")
    refuse_using(one, Wish("uuid of web", "/p/a"), "cannot attach /p/a to web", force=True)


def test_no_domain_gets_what_a_snapshot_on_another_host_keeps(hosts: Any) -> None:
    web = Domain("web", snapshots=(record("s1", "/srv/a", "/srv/a.s1"),))
    there = hosts("b", web, known=(pool("netfs", "/srv"),))
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput, match="snapshot s1 of web on host b keeps /srv/a"):
        refuse_using(one, Wish("uuid of db", "/srv/a"), "cannot attach /srv/a to db", force=True)
    there.snapshot.link = Link.LOST
    with pytest.raises(BadInput, match="host b is not connected: whether its domains have"):
        refuse_using(one, Wish("uuid of db", "/srv/a"), "cannot attach /srv/a to db")
    refuse_using(one, Wish("uuid of db", "/srv/a"), "cannot attach /srv/a to db", force=True)


def test_a_block_job_of_the_domain_knows_its_own_snapshots_from_those_of_others(hosts: Any) -> None:
    snapshots = (record("s1", "/p/a", "/p/a.s1"),)
    one = hosts("a", Domain("web", snapshots=snapshots), Domain("db", snapshots=snapshots))
    found = users_of(one, "uuid of web", ["/p/a"])
    assert found.domains == {"/p/a": ("snapshot s1 of db",)}
    assert found.kept == {"/p/a": ("snapshot s1 of web",)}


def test_a_pool_with_what_a_snapshot_keeps_is_in_use(hosts: Any) -> None:
    handle = PoolHandle("p", "dir", "/p", {})
    web = Domain("web", disk("/q/x"), snapshots=(record("s1", "/p/a", "/q/a.s1"),))
    found = domains_within(hosts("a", web, pools=(handle,)), handle)
    assert found.domains == ("web (its snapshot s1)",)
