"""What is told of others that have an image, before a domain gets it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.owners.fakes import Domain, disk, pool, record
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.host import Link
from tuivirt.backend.owners.attaching import Wish, refuse_using

WISH = Wish("uuid of db", "/srv/a")
WHAT = "cannot attach /srv/a to db"
SHARED = (pool("netfs", "/srv"),)


@pytest.mark.parametrize("force", [False, True])
def test_what_a_running_domain_on_another_host_has_is_refused(hosts: Any, force: bool) -> None:
    there = hosts("b", Domain("web", live=disk("/srv/a")), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput) as refused:
        refuse_using(one, WISH, WHAT, force=force)
    assert str(refused.value) == f"{WHAT}: /srv/a is in use by vda of web on host b, which runs"
    assert "(--mode shareable)" in refused.value.advice
    with pytest.raises(BadInput):
        refuse_using(one, replace(WISH, reads_only=True), WHAT, force=force)


def test_a_domain_of_the_same_name_on_another_host_is_another(hosts: Any) -> None:
    there = hosts("b", Domain("db", live=disk("/srv/a")), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput, match="in use by vda of db on host b"):
        refuse_using(one, WISH, WHAT)


def test_what_one_that_is_off_there_has_takes_force(hosts: Any) -> None:
    there = hosts("b", Domain("web", disk("/srv/a")), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput, match="/srv/a is vda of web on host b, which is off") as asked:
        refuse_using(one, WISH, WHAT)
    assert asked.value.advice.endswith("--force takes the risk")
    refuse_using(one, WISH, WHAT, force=True)
    # On this machine QEMU's own lock keeps the two apart.
    refuse_using(hosts("c", Domain("web", disk("/srv/a"))), WISH, WHAT)


def test_what_one_that_is_off_here_lies_on_takes_force(hosts: Any) -> None:
    """No lock of QEMU's tells of it, and one write spoils it."""
    below = "<backingStore type='file'><source file='/srv/a'/><backingStore/></backingStore>"
    one = hosts("c", Domain("web", disk("/srv/top", "qcow2", below)))
    with pytest.raises(BadInput, match="/srv/a lies below vda of web, which is off"):
        refuse_using(one, WISH, WHAT)
    refuse_using(one, WISH, WHAT, force=True)


def test_what_a_domain_left_on_the_host_that_it_came_from_does_not_hold_it_up(hosts: Any) -> None:
    there = hosts("b", Domain("db", disk("/srv/a")), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    refuse_using(one, WISH, WHAT)


def test_what_a_disk_there_lies_on_is_not_written_to_and_may_be_read(hosts: Any) -> None:
    below = "<backingStore type='file'><source file='/srv/a'/><backingStore/></backingStore>"
    there = hosts("b", Domain("web", live=disk("/srv/top", "qcow2", below)), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput, match="/srv/a lies below vda of web on host b") as refused:
        refuse_using(one, WISH, WHAT, force=True)
    assert "(--mode readonly)" in refused.value.advice
    refuse_using(one, replace(WISH, reads_only=True), WHAT)


@pytest.mark.parametrize(
    ("word", "agreeing"),
    [("shareable", replace(WISH, shareable=True)), ("readonly", replace(WISH, reads_only=True))],
)
def test_two_that_agree_have_it_both(hosts: Any, word: str, agreeing: Wish) -> None:
    there = hosts("b", Domain("web", live=disk("/srv/a", more=f"<{word}/>")), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    refuse_using(one, agreeing, WHAT)
    with pytest.raises(BadInput, match="in use by vda of web on host b"):
        refuse_using(one, WISH, WHAT, force=True)


def test_a_host_that_is_away_holds_up_who_writes_and_not_who_reads(hosts: Any) -> None:
    one = hosts("a", Domain("db"))
    one.beside = (hosts("b", known=SHARED, link=Link.LOST),)
    with pytest.raises(BadInput, match="host b is not connected: whether its domains have"):
        refuse_using(one, WISH, WHAT)
    refuse_using(one, WISH, WHAT, force=True)
    refuse_using(one, replace(WISH, reads_only=True), WHAT)


def test_a_lun_of_a_server_is_the_same_on_each_host_without_a_pool(hosts: Any) -> None:
    lun = "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-1"
    there = hosts("b", Domain("web", live=disk(lun, kind="block")))
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput, match="in use by vda of web on host b"):
        refuse_using(one, Wish("uuid of db", lun), WHAT)
    local = "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"
    there.conn.domains = (Domain("web", live=disk(local, kind="block")),)
    refuse_using(one, Wish("uuid of db", local), WHAT)


def test_a_snapshot_is_told_beside_who_has_it_now(hosts: Any) -> None:
    snapshots = (record("s1", "/srv/a", "/srv/a.s1"),)
    there = hosts("b", Domain("web", live=disk("/srv/a"), snapshots=snapshots), known=SHARED)
    one = hosts("a", Domain("db"))
    one.beside = (there,)
    with pytest.raises(BadInput, match="in use by vda of web on host b, which runs; snapshot s1"):
        refuse_using(one, WISH, WHAT)
