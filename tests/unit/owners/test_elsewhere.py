"""Who has an image on other hosts, as far as they share its storage and answer."""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.owners.fakes import Domain, PoolHandle, disk, owners, pool, record
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.model.host import Link
from tuivirt.backend.owners import Finder, against_overwriting, survey
from tuivirt.backend.owners.shared import Shared
from tuivirt.backend.owners.within import domains_within


def test_a_guest_on_another_host_has_an_image_where_the_storage_is_shared(hosts: Any) -> None:
    path = "/srv/vms/web.img"
    there = hosts("b", Domain("web-01", live=disk(path)), known=(pool("netfs", "/srv/vms"),))
    one = hosts("a")
    one.beside = (there,)
    assert owners(one, path) == ("vda of web-01 on host b, which runs",)
    (finding,) = against_overwriting(one, path)
    assert finding.weight is Weight.REFUSED
    there.snapshot.pools = {}
    there.conn.waits = threading.Event()  # Asked without need it would hang.
    assert owners(one, path) == ()


@pytest.mark.parametrize("own", ["netfs", "iscsi", "dir"])
def test_what_is_shared_is_told_by_the_own_pools_as_well(hosts: Any, own: str) -> None:
    path = "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-1" if own == "iscsi" else "/p/a"
    there = hosts("b", Domain("web", disk(path, kind="block" if own == "iscsi" else "file")))
    folder = os.path.dirname(path)
    one = hosts("a", pools=(PoolHandle("p", own, folder, {}),))
    one.beside = (there,)
    said = () if own == "dir" else ("vda of web on host b, which is off",)
    assert owners(one, path) == said


def test_one_folder_of_a_server_under_two_paths_is_one(hosts: Any) -> None:
    source = "<host name='nas'/><dir path='/export'/>"
    there = hosts("b", Domain("web", disk("/mnt/x.img")))
    there.snapshot.pools = {"p": pool("netfs", "/mnt", "nas:/export")}
    one = hosts("a", pools=(PoolHandle("p", "netfs", "/srv", {}, source),))
    one.beside = (there,)
    assert owners(one, "/srv/x.img") == ("vda of web on host b, which is off",)
    assert owners(one, "/srv/y.img") == ()


@pytest.mark.parametrize("here", [True, False])
def test_a_folder_of_a_server_at_the_path_of_an_own_one_is_another(hosts: Any, here: bool) -> None:
    there = hosts("b", Domain("web", disk("/p/a.img")))
    there.snapshot.pools = {"q": pool("netfs", "/p", "nas:/export")}
    handle = PoolHandle("p", "dir", "/p", {})
    one = hosts("a", pools=(handle,), local=here)
    one.beside = (there,)
    found, usage = domains_within(one, handle), Finder(one, overlays=False).of("/p/a.img")
    assert (found.domains, usage.domains) == ((), ())
    # It may be mounted on another machine, whose mounts nobody knows.
    said = ("vda of web on host b has /p/a.img of nas:/export, which may be the same",)
    assert found.unsure == usage.away == (() if here else said)
    # The server may be this machine itself.
    there.snapshot.pools = {"q": pool("netfs", "/p", "nas:/p")}
    assert domains_within(one, handle).domains == ("web on host b",)
    assert owners(one, "/p/a.img") == ("vda of web on host b, which is off",)


def test_an_image_on_a_server_is_the_same_by_its_name_and_server(hosts: Any) -> None:
    def domain(name: str, server: str) -> Domain:
        xml = f"<source protocol='rbd' name='vms/web'><host name='{server}'/></source>"
        return Domain(name, f"<disk type='network'>{xml}<target dev='vda'/></disk>")

    there = hosts("b", domain("web", "mon1"), domain("far", "other"))
    source = "<host name='mon1' port='6789'/><name>vms</name>"
    handle = PoolHandle("ceph", "rbd", "", {"web": ("vms/web", "")}, source)
    one = hosts("a", pools=(handle,))
    one.beside = (there,)
    usage = Finder(one).of("vms/web", pool="ceph", volume="web")
    assert [use.said for use in usage.domains] == ["vda of web on host b"]
    (unsure,) = usage.unsure
    assert unsure.startswith("vda of far on host b is vms/web of other")


def test_what_lies_on_shared_storage_from_another_hosts_own_is_found(hosts: Any) -> None:
    volumes = {"top": ("/local/top.qcow2", "/srv/base.img")}
    there = hosts(
        "b",
        Domain("web", disk("/local/top.qcow2", "qcow2")),
        pools=(PoolHandle("own", "dir", "/local", volumes),),
        known=(pool("netfs", "/srv"),),
    )
    one = hosts("a")
    one.beside = (there,)
    usage = Finder(one).of("/srv/base.img")
    assert [(use.said, use.below) for use in usage.domains] == [("vda of web on host b", True)]
    assert usage.overlays == ("/local/top.qcow2 on host b",)


@pytest.mark.parametrize("local", [True, False])
def test_a_host_that_hangs_is_told_and_holds_up_nobody(
    hosts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    monkeypatch.setattr(survey, "ANSWER_S", 0.2)
    (tmp_path / "web.img").touch()
    there = hosts("b", local=local, known=(pool("netfs", str(tmp_path)),))
    there.conn.waits = threading.Event()
    one = hosts("a", local=local)
    one.beside = (there,)
    began = time.monotonic()
    (finding,) = against_overwriting(one, str(tmp_path / "web.img"))
    assert time.monotonic() - began < 5
    assert finding.weight is Weight.RISK
    assert finding.text.startswith("host b has not answered within 0.2 s: whether its domains")


def test_many_that_hang_are_waited_for_together(
    hosts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "ANSWER_S", 0.3)
    far = [hosts(name, known=(pool("netfs", "/srv"),)) for name in "bcdefghij"]
    for each in far:
        each.conn.waits = threading.Event()
    one = hosts("a")
    one.beside = tuple(far)
    began = time.monotonic()
    usage = Finder(one, overlays=False).of("/srv/web.img")
    assert time.monotonic() - began < 1.5
    assert [each[:6] for each in usage.away] == [f"host {each.name}" for each in far]


def telling_of_snapshots(host: Any, number: int, read: Callable[[], object]) -> Any:
    """A host on which each of the records of so many snapshots is read by ``read``."""

    def told(number: int) -> str:
        read()
        return record(f"s{number:04}", "/srv/web.img", "/srv/over")

    web = Domain("web", snapshots=("some",))
    web.listAllSnapshots = lambda _flags: [  # type: ignore[method-assign]
        SimpleNamespace(getXMLDesc=lambda _f, number=number: told(number))
        for number in range(number)
    ]
    host.conn.domains = (web,)
    return host


def test_records_of_a_far_host_are_read_many_at_once(hosts: Any) -> None:
    all_at_once = threading.Barrier(40, timeout=10)
    there = hosts("b", known=(pool("netfs", "/srv"),))
    one = hosts("a")
    one.beside = (telling_of_snapshots(there, 80, all_at_once.wait),)
    usage = Finder(one, overlays=False).of("/srv/web.img")
    assert usage.away == ()
    assert len(usage.domains) == 80


def test_a_host_that_tells_one_snapshot_after_the_other_is_waited_for(
    hosts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "ANSWER_S", 0.3)
    line = threading.Event()  # It takes so long, and nobody sets it.
    there = hosts("b", known=(pool("netfs", "/srv"),))
    one = hosts("a")
    one.beside = (telling_of_snapshots(there, 800, lambda: line.wait(0.04)),)
    usage = Finder(one, overlays=False).of("/srv/web.img")
    assert usage.away == ()
    assert len(usage.domains) == 800


def test_a_host_that_has_told_a_part_only_has_told_nothing(
    hosts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "ANSWER_S", 0.3)
    ended, turns = threading.Event(), itertools.count()
    there = hosts("b", known=(pool("netfs", "/srv"),))
    one = hosts("a")
    hangs = telling_of_snapshots(there, 60, lambda: next(turns) < 50 or ended.wait(30))
    one.beside = (hangs,)
    (finding,) = against_overwriting(one, "/srv/other.img")
    ended.set()
    assert finding.weight is Weight.RISK
    assert re.match(r"host b has not told all within \d+ s: whether its domains", finding.text)


@pytest.mark.parametrize("own", [True, False])
def test_who_has_something_in_a_pool_is_asked_of_all_that_share_it_and_the_silent_are_told(
    hosts: Any, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    monkeypatch.setattr(survey, "ANSWER_S", 0.3)
    source = "<host name='nas'/><dir path='/export'/>"
    handle = PoolHandle("p", "netfs" if not own else "dir", "/srv", {}, source)
    handle.active = False
    there = hosts("b", Domain("web", disk("/mnt/x.img")), local=own)
    there.snapshot.pools = {"q": pool("netfs", "/mnt", "nas:/export")}
    silent = hosts("c", local=own, known=(pool("netfs", "/srv"),))
    silent.conn.waits = threading.Event()
    one = hosts("a", pools=(handle,), local=own)
    one.beside = (there, silent)
    one.ended = {"d": {"p": pool("netfs", "/srv")}}
    found = domains_within(one, handle)
    assert found.domains == (() if own else ("web on host b",))
    rest = "whether its domains have what is in pool p is not known"
    assert found.unsure == (
        f"host c has not answered within 0.3 s: {rest}",
        f"host d is disconnected: {rest}",
    )


@pytest.mark.parametrize("link", [Link.LOST, Link.STALLED, Link.FAILED])
def test_a_host_that_is_away_and_shares_the_storage_is_told(hosts: Any, link: Link) -> None:
    there = hosts("b", link=link, known=(pool("netfs", "/srv"),))
    one = hosts("a")
    one.beside = (there,)
    (finding,) = against_overwriting(one, "/srv/web.img")
    assert (finding.weight, finding.text[:6]) == (Weight.RISK, "host b")
    assert against_overwriting(one, "/elsewhere/web.img") == []
    one.beside, one.ended = (), {"c": {"p": pool("netfs", "/srv")}}
    (finding,) = against_overwriting(one, "/srv/web.img")
    assert finding.text.startswith("host c is disconnected")


def test_a_mount_from_a_server_is_shared_and_a_disk_is_not(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /srv/a\\040b rw - nfs4 nas:/x rw\n"
        "3 1 0:41 / /mnt rw - fuse.glusterfs g:/v rw\n"
        "4 3 8:2 / /mnt/own rw - xfs /dev/sdb rw\n"
    )
    shared = Shared((), here=True, root=tmp_path)
    found = [shared.has(path) for path in ("/srv/a b/x", "/mnt/x", "/mnt/own/x", "/srv/x")]
    assert found == [True, True, False, False]


def test_a_lun_that_a_domain_reaches_itself_is_the_device_of_the_machine(hosts: Any) -> None:
    source = "<source protocol='iscsi' name='iqn.x/1'><host name='10.0.0.1'/></source>"
    one = hosts("a", Domain("web", f"<disk type='network'>{source}<target dev='vda'/></disk>"))
    name = "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-{}"
    assert owners(one, name.format(1)) == ("vda of web, which is off",)
    assert owners(one, name.format(2)) == ()
