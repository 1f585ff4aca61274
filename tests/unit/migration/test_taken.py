"""Whose an image on the target is, before another is copied over it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tuivirt.backend.host import Host
from tuivirt.backend.migration.taken import with_users
from tuivirt.backend.model.migration import Place, Stamp

from .things import PATH, disk

OWN = "11111111-1111-4111-8111-111111111111"


class Domain:
    """A domain of the target with one disk."""

    def __init__(self, name: str, number: int, disk: str, *, live: str = "") -> None:
        self._name, self._uuid = name, f"{number}" * 8 + OWN[8:]
        self._disks = {False: live or disk, True: disk}
        self._live = bool(live)
        self.read = 0

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return self._uuid

    def isActive(self) -> int:
        return int(self._live)

    def isPersistent(self) -> int:
        return 1

    def XMLDesc(self, flags: int) -> str:
        self.read += 1
        return (
            f"<domain type='qemu'><name>{self._name}</name><uuid>{self._uuid}</uuid><devices>"
            f"{self._disks[bool(flags)]}</devices></domain>"
        )


def xml(kind: str, source: str, below: str = "") -> str:
    return f"<disk type='{kind}'><source {source}/>{below}<target dev='vda'/></disk>"


FILE = xml("file", f"file='{PATH}'")
VOLUME = xml("volume", "pool='images' volume='web-01.img'")
ABOVE = xml(
    "file",
    "file='/srv/images/above.img'",
    f"<backingStore type='file'><format type='raw'/><source file='{PATH}'/></backingStore>",
)
NONE = xml("file", "file='/srv/images/other.img'")
THERE = Place("images", "", Stamp(5, 5, 1 << 30))


def users(*domains: Domain, there: Place = THERE) -> tuple[str, ...]:
    conn = SimpleNamespace(listAllDomains=lambda _flags: list(domains))
    snapshot = SimpleNamespace(domains={})
    target = SimpleNamespace(name="srv2", conn=conn, sampling=False, snapshot=snapshot)
    (seen,) = with_users(cast(Host, cast(Any, target)), OWN, (disk(there=there),))
    return seen.users_there


@pytest.mark.parametrize("there", [THERE, Place()], ids=["in a pool", "no pool"])
@pytest.mark.parametrize(
    ("domain", "has"),
    [
        (Domain("db", 2, FILE), True),
        (Domain("db", 2, NONE, live=FILE), True),
        (Domain("db", 2, NONE, live=ABOVE), True),
        (Domain("db", 2, NONE), False),
        (Domain("web-01", 1, FILE), False),
    ],
    ids=["saved", "live", "below", "another", "itself"],
)
def test_an_image_is_a_domains_by_either_configuration(
    domain: Domain, has: bool, there: Place
) -> None:
    assert users(domain, there=there) == (("db",) if has else ())


def test_an_image_is_a_domains_by_its_pool_and_name() -> None:
    assert users(Domain("b", 2, VOLUME), Domain("a", 3, FILE)) == ("a", "b")


def test_a_host_that_has_not_read_all_of_them_yet_is_asked_for_the_rest() -> None:
    known, missing = Domain("known", 2, NONE), Domain("missing", 3, FILE)
    conn = SimpleNamespace(listAllDomains=lambda _flags: [known, missing])
    listed = {known.UUIDString(): SimpleNamespace(name="known")}
    target = SimpleNamespace(
        name="srv2",
        conn=conn,
        sampling=True,
        snapshot=SimpleNamespace(domains=listed),
        configs=SimpleNamespace(known=lambda: {known.UUIDString(): SimpleNamespace(configs=())}),
    )
    (seen,) = with_users(cast(Host, cast(Any, target)), OWN, (disk(there=THERE),))
    assert seen.users_there == ("missing",)
    assert known.read == 0
