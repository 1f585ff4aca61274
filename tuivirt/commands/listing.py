"""``tuivirt list``: the objects of every host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.resources import Volume
from tuivirt.widgets.text import natural, size, size_bytes

from . import records
from .output import DONE, FAILED, complain_of, listing, say, to_json
from .records import Record

LOOKUP_S = 30.0


@dataclass(frozen=True)
class Kind:
    """One kind of object that can be listed."""

    columns: tuple[tuple[str, str], ...]
    right: tuple[str, ...]
    read: Callable[[Host], list[Record]]


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


def _volumes(host: Host) -> list[Record]:
    from tuivirt.actions.lookups import configs_of, volumes

    def read() -> list[Volume]:
        configs = configs_of(host)
        pools = host.snapshot.pools.values()
        return [v for p in pools if p.active for v in volumes(host, p.uuid, configs)]

    try:
        found = host.lookups.submit(read).result(LOOKUP_S)
    except TimeoutError:
        raise TuivirtError(
            "cannot list the volumes", f"no answer within {LOOKUP_S:.0f} s"
        ) from None
    return [records.volume_record(volume) for volume in found]


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
        lambda h: [records.domain_record(d) for d in h.snapshot.domains.values()],
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
        lambda h: [records.network_record(n) for n in h.snapshot.networks.values()],
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
        lambda h: [records.pool_record(p) for p in h.snapshot.pools.values()],
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
            ("HOST", "host"),
        ),
        ("IOMMU",),
        lambda h: [records.device_record(d) for d in h.snapshot.devices.values()],
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
        lambda h: [records.interface_record(i) for i in h.snapshot.interfaces.values()],
    ),
}


def list_objects(what: str, hosts: Sequence[Host], *, as_json: bool) -> int:
    """Print all objects of a kind, by host and name; the exit status."""
    kind = KINDS[what]
    status = DONE
    found: list[dict[str, Any]] = []
    for host in hosts:
        try:
            found += sorted(kind.read(host), key=lambda record: natural(record["name"]))
        except TuivirtError as error:
            complain_of(error, host.name)
            status = FAILED
    if as_json:
        say(to_json(found))
    else:
        say(listing([_sized(record) for record in found], kind.columns, kind.right))
    return status
