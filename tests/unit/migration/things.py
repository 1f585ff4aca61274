"""A domain on one host, another host, and what is changed of them for a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuivirt.backend.migration.plan import plan_of
from tuivirt.backend.model.migration import (
    DiskFacts,
    MigrationPlan,
    Place,
    SourceFacts,
    Stamp,
    TargetFacts,
)

HERE = SourceFacts(
    host="srv1",
    name="web-01",
    uuid="u",
    active=True,
    persistent=True,
    memory_kib=4 << 20,
    hypervisor="QEMU",
    hypervisor_version="7.2.0",
    libvirt_version="9.0.0",
    reaches="10.0.0.1",
    interfaces=(("network", "default"),),
)
THERE = TargetFacts(
    name="srv2",
    hypervisor="QEMU",
    hypervisor_version="7.2.0",
    libvirt_version="9.0.0",
    memory_free_kib=64 << 20,
    networks={"default": True},
    links=frozenset({"eth0", "br0"}),
    reaches="10.0.0.2",
    hostname="srv2.lan",
)
PATH = "/srv/images/web-01.img"
FIRST, LATER = Stamp(1000, 1000, 1 << 30), Stamp(2000, 2000, 1 << 30)
POOL = Place(pool="images")


def disk(**changes: Any) -> DiskFacts:
    """A raw disk that the target's pool does not have."""
    known = DiskFacts(
        target="vda",
        source_type="file",
        path=PATH,
        format="raw",
        capacity_bytes=1 << 30,
        size_bytes=1 << 30,
        here=Place("images", "", FIRST),
        here_after=Place("images", "", FIRST),
        there=POOL,
    )
    return replace(known, **changes)


def shared() -> DiskFacts:
    """One that the target sees as well."""
    return disk(there=Place("images", "", FIRST))


def plan(
    here: dict[str, Any] | None = None, there: dict[str, Any] | None = None, **values: Any
) -> MigrationPlan:
    """The plan when this is changed of the two hosts, with these options."""
    return plan_of(replace(HERE, **(here or {})), replace(THERE, **(there or {})), values)
