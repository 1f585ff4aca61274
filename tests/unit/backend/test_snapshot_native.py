"""What libvirt does to images where it deletes external snapshots itself, and who needs them."""

from __future__ import annotations

from typing import Any

from tests.unit.backend.snapshot_fakes import Guest, place, record
from tests.unit.owners.fakes import Domain, PoolHandle, disk
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.snapshots import remove

A, B = record("a", "/p/base", "/p/base.a"), record("b", "/p/base.a", "/p/base.b", "a")


def on(image: str, current: str, *beside: Domain, records: tuple[str, ...] = (A, B)) -> Any:
    """A host with such a domain on that image, and a pool in which all images are."""
    host = place(Guest(image, current, *records), *beside)
    below = {"/p/base.a": "/p/base", "/p/base.b": "/p/base.a", "/p/base.back": "/p/base"}
    paths = dict.fromkeys((image, "/p/base", "/p/base.a", "/p/base.b"))
    volumes = {path: (path, below.get(path, "")) for path in paths}
    host.conn.pools = (PoolHandle("p", "dir", "/p", volumes),)
    return host


def plan(host: Any, name: str, **values: Any) -> tuple[list[str], list[tuple[Weight, str]]]:
    """What is done with images, and what speaks against it."""
    found = remove.plan_for(host, f"uuid of {host.guest.name()}", {"snapshotname": name, **values})
    steps = [each.strip() for each in found.steps]
    done = [each for each in steps if "deleted" in each or "written into" in each]
    weighed = [e for e in found.findings if "go together" not in e.text]
    return done, [(each.weight, each.text) for each in weighed]


def test_of_a_leaf_what_it_kept_is_deleted_and_else_what_came_after_is_written_into_it() -> None:
    # The domain went back past b.
    back = on("/p/base.back", "a")
    assert plan(back, "b") == (["vda: /p/base.a, which b keeps, is deleted"], [])
    grown = on("/p/base.b", "b")
    into = ["vda: /p/base.b is written into /p/base.a, and then deleted"]
    assert plan(grown, "b") == (into, [])
    both = [*into, "vda: /p/base.a is written into /p/base, and then deleted"]
    assert plan(grown, "a", children=True) == (both, [])
    assert plan(grown, "a") == (both[1:], [])
    past = on("/p/other", "")
    assert plan(past, "a", children=True) == (
        [
            "vda: /p/base.a, which b keeps, is deleted",
            "vda: /p/base, which a keeps, is deleted",
        ],
        [],
    )


def test_whoever_else_needs_an_image_has_it_refused() -> None:
    for other, phrase in (
        (Domain("db", disk("/p/base.a", "qcow2")), "vda of db, which is off"),
        (Domain("db", snapshots=(record("s", "/p/base.a", "/q"),)), "what snapshot s of db keeps"),
    ):
        refused = f"/p/base.a would be {{}}, and is needed by {phrase}"
        back = on("/p/base.back", "a", other)
        assert plan(back, "b")[1] == [(Weight.REFUSED, refused.format("deleted"))]
        assert plan(back, "b", metadata=True)[1][0][0] is Weight.NOTE
        grown = on("/p/base.b", "b", other)
        assert plan(grown, "b")[1] == [(Weight.REFUSED, refused.format("written to"))]
        # It is merged away.
        assert (Weight.REFUSED, refused.format("deleted")) in plan(grown, "a")[1]


def test_so_do_the_domain_itself_and_its_other_snapshots() -> None:
    # No snapshot is the current one: libvirt takes b for one that was gone back past.
    lost = on("/p/base.a", "")
    assert plan(lost, "b")[1] == [
        (
            Weight.REFUSED,
            "/p/base.a would be deleted, and is needed by vda of web, which is off",
        )
    ]
    twin = record("c", "/p/base", "/p/base.c")
    spoilt = "/p/base would be written to, and is needed by what snapshot c of web keeps"
    assert (Weight.REFUSED, spoilt) in plan(on("/p/base.a", "a", records=(A, twin)), "a")[1]


def test_an_image_that_nobody_has_is_asked_about() -> None:
    back = on("/p/base.back", "a")
    (pool,) = back.conn.pools
    pool.volumes["clone"] = ("/p/clone", "/p/base.a")
    risk = "/p/base.a would be deleted, and is needed by the image /p/clone"
    assert plan(back, "b")[1] == [(Weight.RISK, risk)]
