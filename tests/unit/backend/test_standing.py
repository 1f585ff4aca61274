"""What is said of a guest that stands still over a disk, whatever its hypervisor tells of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tuivirt.backend import standing
from tuivirt.backend.errors import NotConnected, NotFound
from tuivirt.backend.events import DomainEvent, NetworkEvent

XML = (
    "<domain><devices><disk><source file='/images/a'/><target dev='vda'/></disk>"
    "<disk><source file='/images/b'/><target dev='vdb'/></disk></devices></domain>"
)
FULL, FAILED = libvirt.VIR_DOMAIN_DISK_ERROR_NO_SPACE, libvirt.VIR_DOMAIN_DISK_ERROR_UNSPEC


def domain(errors: dict[str, int]) -> Any:
    return SimpleNamespace(
        name=lambda: "web", diskErrors=lambda: errors, XMLDesc=lambda _flags: XML
    )


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ({"vda": FULL}, "no room is left for /images/a (vda). Make room there, then resume it"),
        ({"vda": FULL, "vdb": FULL}, "no room is left for /images/a (vda), /images/b (vdb)."),
        ({"vdb": FAILED}, "/images/b (vdb) could not be read or written. See to its storage"),
        ({"vda": FULL, "vdb": FAILED}, "/images/b (vdb), /images/a (vda) could not be read"),
        ({"sda": FAILED}, "web stands still: sda could not be read or written."),
        ({}, "web stands still: a disk could not be read or written."),
    ],
)
def test_the_disk_and_the_way_out_are_said(errors: dict[str, int], said: str) -> None:
    assert said in standing.said(domain(errors))


def place(found: Any) -> tuple[Any, list[Any]]:
    """A host that has this domain, or raises this; and what it is told."""

    def look_up(_uuid: str) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    told: list[Any] = []
    lookups = SimpleNamespace(submit=lambda call: call())
    return SimpleNamespace(name="srv1", domain=look_up, tell=told.append, lookups=lookups), told


@pytest.mark.parametrize(
    ("found", "count"), [(domain({}), 1), (NotFound("it is gone"), 0), (NotConnected("away"), 1)]
)
def test_one_that_is_gone_is_not_told_of_and_one_that_cannot_be_asked_is(
    found: Any, count: int
) -> None:
    host, told = place(found)
    standing.tell(host, "uuid")
    assert len(told) == count


def test_only_a_domain_that_stops_over_an_error_is_looked_at() -> None:
    host, told = place(domain({}))
    stopped = {"event": libvirt.VIR_DOMAIN_EVENT_SUSPENDED, "detail": 2}
    common: dict[str, Any] = {"host": "srv1", "what": "", "name": "web", "key": "u"}
    for kind, family, detail in (
        (NetworkEvent, "lifecycle", stopped),
        (DomainEvent, "io-error", stopped),
        (DomainEvent, "lifecycle", {**stopped, "detail": 0}),
    ):
        standing.heed(host, kind(**common, family=family, detail=detail))
    assert told == []
    standing.heed(host, DomainEvent(**common, family="lifecycle", detail=stopped))
    assert len(told) == 1
