"""``tuivirt list``: the objects of every host."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import Domain
from tuivirt.widgets.text import natural, size, size_bytes

from . import records
from .output import DONE, FAILED, complain_of, listing, say, to_json
from .records import Record

T = TypeVar("T")

LOOKUP_S = 30.0

Fail = Callable[[TuivirtError], None]
"""Told of what could not be listed; the rest is."""


@dataclass(frozen=True)
class Kind:
    """One kind of object that can be listed."""

    columns: tuple[tuple[str, str], ...]
    right: tuple[str, ...]
    read: Callable[[Host, Fail], list[Record]]


def _sized(record: Record) -> Record:
    """The record with its sizes as people read them, under the names of the columns."""
    shown = dict(record)
    for key, value in record.items():
        if value is not None and key.endswith("_kib"):
            shown[key] = size(value)
        elif value is not None and key.endswith("_bytes"):
            shown[key] = size_bytes(value)
    if "vendor" in record:
        shown["what"] = " ".join(p for p in (record["vendor"], record["product"]) if p)
    return shown


def _volumes(host: Host, fail: Fail) -> list[Record]:
    """Each pool is asked for itself: one that fails or hangs costs no other its place."""
    from tuivirt.actions.lookups import configs_of, volumes

    due = time.monotonic() + LOOKUP_S
    what = "cannot list the volumes"
    configs = _within(host.lookups.submit(lambda: configs_of(host)), due, what)
    asked = [
        (pool.name, host.lookups.submit(partial(volumes, host, pool.uuid, configs)))
        for pool in host.snapshot.pools.values()
        if pool.active
    ]
    found: list[Record] = []
    for name, answer in asked:
        try:
            listed = _within(answer, due, f"{what} of pool {name}")
        except TuivirtError as error:
            fail(error)
        else:
            found += map(records.volume_record, listed)
    return found


def _labelled_domains(host: Host, fail: Fail) -> list[Record]:
    """With what is written on them: a call for each, as no other tells, all at the same time."""
    from tuivirt.backend.labels import labels_of
    from tuivirt.backend.together import together

    domains = list(host.snapshot.domains.values())

    def labelled(domain: Domain) -> Domain | TuivirtError:
        try:
            return replace(domain, labels=labels_of(host, domain.uuid))
        except TuivirtError as error:
            return error

    def all_of_them() -> list[Domain | TuivirtError]:
        return together([partial(labelled, each) for each in domains], host.conn.getLibVersion)

    what = "cannot read the labels"
    due = time.monotonic() + LOOKUP_S
    try:
        read = _within(host.lookups.submit(all_of_them), due, f"{what} of the domains")
    except TuivirtError as error:
        fail(error)
        return [records.domain_record(each) for each in domains]
    failed = [each for each in read if isinstance(each, TuivirtError)]
    if len(failed) > 1:
        fail(TuivirtError(f"{what} of {len(failed)} domains", f"the first: {failed[0]}"))
    elif failed:
        fail(failed[0])
    shown = [d if isinstance(r, TuivirtError) else r for d, r in zip(domains, read, strict=True)]
    return [records.domain_record(each) for each in shown]


def _devices(host: Host, fail: Fail) -> list[Record]:
    """With the domains that have them, as far as their configurations can be read."""
    from tuivirt.actions.lookups import configs_of, users_of_devices

    found = host.snapshot.devices
    due = time.monotonic() + LOOKUP_S
    users: dict[str, tuple[str, ...]] = {}
    try:
        asked = host.lookups.submit(lambda: users_of_devices(configs_of(host), found))
        users = _within(asked, due, "cannot tell which domains have the devices")
    except TuivirtError as error:
        fail(error)
    return [
        records.device_record(replace(each, users=users.get(name, ())))
        for name, each in found.items()
    ]


def _within(answer: Future[T], due: float, what: str) -> T:
    """What a look-up found. Raises TuivirtError, also when nothing has come until ``due``."""
    try:
        return answer.result(max(0.0, due - time.monotonic()))
    except TimeoutError:
        raise TuivirtError(what, f"no answer within {LOOKUP_S:.0f} s") from None


KINDS: dict[str, Kind] = {
    "domains": Kind(
        (
            ("ID", "id"),
            ("NAME", "name"),
            ("STATE", "state"),
            ("VCPU", "vcpus"),
            ("MEM", "memory_kib"),
            ("AUTOSTART", "autostart"),
            ("HOST", "host"),
        ),
        ("ID", "VCPU", "MEM"),
        lambda h, _: [records.domain_record(d) for d in h.snapshot.domains.values()],
    ),
    "networks": Kind(
        (
            ("NAME", "name"),
            ("STATE", "state"),
            ("MODE", "mode"),
            ("BRIDGE", "bridge"),
            ("ADDRESSES", "addresses"),
            ("AUTOSTART", "autostart"),
            ("HOST", "host"),
        ),
        (),
        lambda h, _: [records.network_record(n) for n in h.snapshot.networks.values()],
    ),
    "pools": Kind(
        (
            ("NAME", "name"),
            ("STATE", "state"),
            ("TYPE", "type"),
            ("SIZE", "capacity_bytes"),
            ("USED", "allocation_bytes"),
            ("FREE", "available_bytes"),
            ("AUTOSTART", "autostart"),
            ("PATH", "path"),
            ("HOST", "host"),
        ),
        ("SIZE", "USED", "FREE"),
        lambda h, _: [records.pool_record(p) for p in h.snapshot.pools.values()],
    ),
    "volumes": Kind(
        (
            ("POOL", "pool"),
            ("NAME", "name"),
            ("FORMAT", "format"),
            ("SIZE", "capacity_bytes"),
            ("USED", "allocation_bytes"),
            ("PATH", "path"),
            ("HOST", "host"),
        ),
        ("SIZE", "USED"),
        _volumes,
    ),
    "devices": Kind(
        (
            ("NAME", "name"),
            ("KIND", "capability"),
            ("ADDRESS", "address"),
            ("WHAT", "what"),
            ("DRIVER", "driver"),
            ("IOMMU", "iommu_group"),
            ("USED BY", "used_by"),
            ("HOST", "host"),
        ),
        ("IOMMU",),
        _devices,
    ),
    "interfaces": Kind(
        (
            ("NAME", "name"),
            ("STATE", "state"),
            ("TYPE", "type"),
            ("MAC", "mac"),
            ("ADDRESSES", "addresses"),
            ("PORTS", "ports"),
            ("HOST", "host"),
        ),
        (),
        lambda h, _: [records.interface_record(i) for i in h.snapshot.interfaces.values()],
    ),
}


_LABELLED = Kind(
    (*KINDS["domains"].columns, ("TAGS", "tags"), ("GROUP", "group")),
    KINDS["domains"].right,
    _labelled_domains,
)


def list_objects(
    what: str,
    hosts: Sequence[Host],
    *,
    as_json: bool,
    tags: Sequence[str] = (),
    group: str | None = None,
) -> int:
    """Print all objects of a kind, by host and name; the exit status.

    Of domains only those with all ``tags`` and, unless it is None, in this ``group`` ('': none).
    """
    wants_labels = what == "domains" and (as_json or tags or group is not None)
    kind = _LABELLED if wants_labels else KINDS[what]
    status = DONE
    found: list[dict[str, Any]] = []
    for host in hosts:
        failed: list[TuivirtError] = []
        try:
            listed = kind.read(host, failed.append)
        except TuivirtError as error:
            failed.append(error)
        else:
            found += sorted(listed, key=lambda record: natural(record["name"]))
        for failure in failed:
            complain_of(failure, host.name)
            status = FAILED
    if tags or group is not None:
        wanted = {tag.lstrip("#").casefold() for tag in tags}
        found = [
            record
            for record in found
            if wanted <= {tag.casefold() for tag in record["tags"]}
            and (group is None or record["group"].casefold() == group.casefold())
        ]
    if as_json:
        say(to_json(found))
    else:
        say(listing([_sized(record) for record in found], kind.columns, kind.right))
    return status
