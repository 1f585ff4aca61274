"""A libvirt that goes back itself, and a domain of which its records do not tell where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.backend.snapshot_fakes import Guest, place, record
from tests.unit.owners.fakes import Domain, PoolHandle, disk
from tuivirt.backend.model.finding import Plan, Weight
from tuivirt.backend.snapshots import astray, bitmaps, remove, revert, revert_external
from tuivirt.backend.snapshots.read import snapshots_of
from tuivirt.backend.xml.snapshot import gone_back, parse_snapshot, written_since

GOLDEN = Path(__file__).with_name("went_back_by_hand")
"""As libvirt 9.0 tells of a domain that tuivirt took back to ``a``, out of which ``b`` grew."""
FOLDER = "/var/tmp/images"
A, B = ((GOLDEN / f"{name}.xml").read_text() for name in ("a", "b"))


@pytest.fixture(autouse=True)
def _without_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bitmaps, "_known", lambda *_: ())
    monkeypatch.setattr(revert_external, "left_of", lambda *_: ())


class Golden(Guest):
    """The domain, off."""

    def XMLDesc(self, _flags: int) -> str:
        return (GOLDEN / "domain.xml").read_text()


def upgraded(guest: Guest, *images: str, version: str = "10.0.0", folder: str = FOLDER) -> Any:
    """A host with that domain, and one pool in which the images are."""
    host = place(guest, version=version)
    pool = PoolHandle("p", "dir", folder, {each: (each, "") for each in images})
    host.conn.pools = (pool,)
    host.conn.storagePoolLookupByTargetPath = lambda _folder: pool
    return host


def by_hand(*records: str, current: str = "a", version: str = "10.0.0") -> Any:
    paths = [f"{FOLDER}/web.{each}" for each in ("qcow2", "a", "b", "a-2")]
    return upgraded(Golden("", current, *records), *paths, version=version)


def planned(host: Any, name: str, of: Any = revert) -> Plan:
    plan: Plan = of.plan_for(host, f"uuid of {host.guest.name()}", {"snapshotname": name})
    return plan


def said(plan: Plan) -> str:
    return "\n".join(plan.lines)


@pytest.mark.parametrize("name", ["a", "b"])
def test_what_libvirt_would_delete_is_told_and_going_back_is_done_from_here(name: str) -> None:
    plan = planned(by_hand(A, B), name)
    assert plan.of(Weight.REFUSED) == ()
    (note,) = (each.text for each in plan.of(Weight.NOTE) if "libvirt" in each.text)
    assert note == (
        f"libvirt is not asked to go back: it would delete {FOLDER}/web.a, which is needed by what "
        "snapshot b of web keeps. It is done from here, and no image is deleted"
    )
    kept, made = {"a": ("web.qcow2", "web.a-3"), "b": ("web.a", "web.b-2")}[name]
    assert f"vda: {FOLDER}/{made} is made on {FOLDER}/{kept}, and written to" in said(plan)
    assert f"what was written since stays in {FOLDER}/web.a-2" in said(plan)
    assert "is lost" not in said(plan)


def test_what_was_written_after_it_and_nobody_keeps_is_not_deleted_either() -> None:
    text = said(planned(by_hand(A), "a"))
    assert f"it would delete {FOLDER}/web.a, though web is on {FOLDER}/web.a-2" in text


def test_where_it_cannot_be_done_from_here_the_way_out_is_told() -> None:
    host = by_hand(A, B)
    host.guest.isPersistent = lambda: False
    refused = planned(host, "b").of(Weight.REFUSED)
    (why,) = (each for each in refused if "libvirt" in each.text)
    assert why.text.startswith(f"libvirt is not to go back: it would delete {FOLDER}/web.a, which")
    assert why.advice.startswith("take an external snapshot of it as it is now")


def test_without_a_current_snapshot_libvirt_is_not_asked() -> None:
    assert "it knows of no current snapshot" in said(planned(by_hand(A, B, current=""), "a"))


def test_what_another_domain_has_libvirt_is_not_to_delete() -> None:
    one, over = record("s", "/p/base", "/p/base.s"), "/p/base.s"
    other = Domain("db", disk(over, "qcow2"))
    host = place(Guest(over, "s", one), other)
    why, _unsure = astray.why_not(host, "uuid of web", snapshots_of(host, "uuid of web"))
    assert why == f"would delete {over}, which is needed by vda of db, which is off"


def test_libvirt_goes_back_where_its_record_is_right() -> None:
    a, b = record("a", "/p/base", "/p/base.a"), record("b", "/p/base.a", "/p/base.b", "a")
    back = record("a", "/p/base", "/p/base.a", reverted="/p/base.back")
    images = ("/p/base", "/p/base.a", "/p/base.b", "/p/base.back")
    for on, current, first in (("/p/base.b", "b", a), ("/p/base.back", "a", back)):
        plan = planned(upgraded(Guest(on, current, first, b), *images, folder="/p"), "a")
        assert "What was written since is lost, of vda." in plan.steps
        assert plan.of(Weight.REFUSED) == plan.of(Weight.RISK) == ()
    # A snapshot was taken there and deleted: libvirt has dropped the <revertDisks> by then.
    spoilt = planned(upgraded(Guest("/p/base.back", "a", a, b), *images, folder="/p"), "b")
    assert "it would delete /p/base.a, which is needed by what snapshot b of web" in said(spoilt)


def test_an_older_libvirt_deletes_nothing_and_nothing_is_said() -> None:
    plan = planned(by_hand(A, B, version="9.0.0"), "b")
    assert "is made on" in said(plan)
    assert "libvirt is not" not in said(plan)


def test_deleting_what_libvirt_does_not_find_below_the_disk_is_refused() -> None:
    plan = planned(by_hand(A), "a", remove)
    (refused,) = plan.of(Weight.REFUSED)
    assert refused.text == (
        f"vda is on {FOLDER}/web.a-2 since the domain went back: libvirt would merge "
        f"{FOLDER}/web.a, begun after a, and does not find it there"
    )
    assert "--metadata" in refused.advice


def test_going_back_by_hand_tells_libvirt_where_the_domain_is() -> None:
    new = {"vda": (f"{FOLDER}/web.a-3", "qcow2")}
    grown = gone_back(A, new, leaf=False)
    assert written_since(grown).left == {f"{FOLDER}/web.a-3"}
    assert parse_snapshot(grown) == parse_snapshot(A), "all else is as it was"
    assert written_since(gone_back(grown, {"vda": ("/x", "qcow2")}, leaf=False)).left == {"/x"}
    # Of a leaf libvirt itself has it in the place of what it deletes.
    leaf = gone_back(grown, new, leaf=True)
    assert written_since(leaf).reverted == frozenset()
    (vda,) = (each for each in parse_snapshot(leaf).disks if each.target == "vda")
    assert (vda.overlay, vda.kept) == (f"{FOLDER}/web.a-3", f"{FOLDER}/web.qcow2")
