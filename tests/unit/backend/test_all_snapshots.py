"""The snapshots of all domains of a host: what they cost, and whose trouble they tell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from tests.unit.owners.fakes import gone
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.snapshots.everywhere import snapshots_on

MANY = 8


def refuse(code: int) -> Callable[..., Any]:
    def refused(*_args: object) -> Any:
        raise gone(code)

    return refused


def domain(name: str, xml: Callable[[int], str], **more: Any) -> Any:
    one = SimpleNamespace(getXMLDesc=xml, getName=lambda: "one")
    calls = {
        "listAllSnapshots": lambda _flags: [one],
        "hasCurrentSnapshot": lambda _flags: 1,
        "snapshotCurrent": lambda _flags: one,
    }
    return SimpleNamespace(name=lambda: name, UUIDString=lambda: f"u{name}", **(calls | more))


def xml(_flags: int) -> str:
    return "<domainsnapshot><name>one</name></domainsnapshot>"


def of(*domains: Any, sorts: bool = True, alive: int = 1) -> Host:
    def listed(flags: int) -> list[Any]:
        if flags and not sorts:
            raise gone(libvirt.VIR_ERR_INVALID_ARG)
        return list(domains)

    conn = SimpleNamespace(
        listAllDomains=listed, getLibVersion=lambda: 9000000, isAlive=lambda: alive
    )
    return cast(Host, SimpleNamespace(name="srv1", conn=conn))


def test_those_of_many_domains_are_asked_for_at_the_same_time() -> None:
    listing, reading = threading.Barrier(MANY), threading.Barrier(MANY)

    def met(barrier: threading.Barrier, answer: Callable[[int], Any]) -> Callable[[int], Any]:
        def asked(flags: int) -> Any:
            barrier.wait(20)  # BrokenBarrierError where they come one after the other.
            return answer(flags)

        return asked

    domains = []
    for number in range(MANY):
        each = domain(f"d{number}", met(reading, xml))
        each.listAllSnapshots = met(listing, each.listAllSnapshots)
        domains.append(each)
    found = snapshots_on(of(*reversed(domains)))
    assert [each.name for each in found] == [f"d{number}" for number in range(MANY)]
    assert all(each.known[0].current for each in found)


def test_a_host_that_cannot_tell_which_domains_have_any_is_asked_for_all() -> None:
    none = domain("b", xml, listAllSnapshots=lambda _flags: [], hasCurrentSnapshot=lambda _f: 0)
    assert [each.name for each in snapshots_on(of(domain("a", xml), none, sorts=False))] == ["a"]


def test_the_trouble_of_one_domain_is_told_beside_the_others() -> None:
    bad = refuse(libvirt.VIR_ERR_INTERNAL_ERROR)
    found = snapshots_on(
        of(
            domain("a", bad),
            domain("b", xml),
            domain("c", xml, listAllSnapshots=bad),
            domain("d", xml, listAllSnapshots=refuse(libvirt.VIR_ERR_NO_DOMAIN)),
            domain("e", refuse(libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT)),
            domain("f", xml, listAllSnapshots=refuse(libvirt.VIR_ERR_NO_SUPPORT)),
            domain("g", lambda _flags: "<domainsnapshot"),
        )
    )
    assert [(each.name, len(each.known)) for each in found] == [
        ("a", 0), ("b", 1), ("c", 0), ("g", 0)
    ]  # fmt: skip
    wrong = {each.name: each.wrong for each in found}
    assert all(wrong[name].startswith(f"cannot read the snapshots of {name}: ") for name in "acg")
    assert not wrong["b"]


def test_a_line_that_broke_is_the_hosts_trouble() -> None:
    broken = domain("a", refuse(libvirt.VIR_ERR_INTERNAL_ERROR))
    with pytest.raises(TuivirtError, match="cannot read the snapshots on srv1"):
        snapshots_on(of(broken, alive=0))
