"""A domain's disks, interfaces and devices as rows: live and saved side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tuivirt.backend.model.device import Device, Disk, DomainConfig, DomainDetail, Interface
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.stats import DiskStats, DomainStats
from tuivirt.backend.model.twins import differing, paired
from tuivirt.widgets.columns import Column
from tuivirt.widgets.text import NONE, natural, size_bytes
from tuivirt.widgets.tones import Cell, Toned

from .words import place

D = TypeVar("D")

NEXT_BOOT = "next boot"
UNTIL_SHUTDOWN = "until shutdown"
CHANGES = "changes at boot"
DETACHING = "detaching …"


@dataclass(frozen=True, slots=True)
class Row(Generic[D]):
    """A device, and when it holds; '' when it is the same now and at the next boot."""

    device: D
    when: str
    figures: DiskStats | None = None


def _merged(
    live: Iterable[D],
    saved: Iterable[D],
    both: bool,
    identity: Callable[[D], Hashable],
    same: Callable[[D, D], bool],
    detaching: Callable[[D], bool],
) -> dict[Hashable, Row[D]]:
    """Rows by identity, the live ones first; ``both``: there are two configurations to compare."""
    later = {identity(device): device for device in saved}
    rows: dict[Hashable, Row[D]] = {}
    for device in live:
        key = identity(device)
        other = later.pop(key, None)
        when = ""
        if detaching(device):
            when = DETACHING
        elif both and other is None:
            when = UNTIL_SHUTDOWN
        elif both and other is not None and not same(device, other):
            when = CHANGES
        rows[key] = Row(device, when)
    for key, device in later.items():
        rows[key] = Row(device, NEXT_BOOT if both else "")
    return rows


def _parts(
    detail: DomainDetail, of: Callable[[DomainConfig], tuple[D, ...]]
) -> tuple[tuple[D, ...], tuple[D, ...], bool]:
    live = of(detail.live) if detail.live is not None else ()
    saved = of(detail.saved) if detail.saved is not None else ()
    return live, saved, detail.live is not None and detail.saved is not None


def disk_rows(
    domain: Domain, detail: DomainDetail, stats: DomainStats | None
) -> dict[Any, Row[Disk]]:
    """By target."""
    figures = {disk.name: disk for disk in stats.disks} if stats is not None else {}
    rows = _merged(
        *_parts(detail, lambda config: config.disks),
        identity=lambda disk: disk.target,
        same=lambda a, b: (
            (a.source, a.format, a.bus, a.device, a.readonly)
            == (b.source, b.format, b.bus, b.device, b.readonly)
            and not differing(a, b)
        ),
        detaching=lambda disk: disk.target in domain.detaching or disk.alias in domain.leaving,
    )
    return {
        ("disk", key): Row(row.device, row.when, figures.get(row.device.target))
        for key, row in rows.items()
    }


def interface_rows(domain: Domain, detail: DomainDetail) -> dict[Any, Row[Interface]]:
    """By MAC address."""
    rows = _merged(
        *_parts(detail, lambda config: config.interfaces),
        identity=lambda nic: nic.mac,
        same=_same_interface,
        detaching=lambda nic: nic.mac in domain.detaching or nic.alias in domain.leaving,
    )
    return {("nic", key): row for key, row in rows.items()}


def _same_interface(live: Interface, saved: Interface) -> bool:
    # A network that lends PCI functions shows as the function while the domain runs.
    if live.type == "hostdev" and saved.type == "network":
        return live.link == saved.link
    now, later = ((each.type, each.source, each.model, each.link) for each in (live, saved))
    return now == later and not differing(live, saved)


def device_rows(domain: Domain, detail: DomainDetail) -> dict[Any, Row[Device]]:
    """The live devices, then those that only the saved configuration has.

    By alias, and for the others by address or number: a mark stays with its device when others
    come and go.
    """
    live, saved, both = _parts(detail, lambda config: config.devices)
    twins, left = paired(live, saved)
    rows: dict[Any, Row[Device]] = {}
    for number, (device, twin) in enumerate(zip(live, twins, strict=True)):
        when = ""
        if device.alias and device.alias in domain.leaving:
            when = DETACHING
        elif both and twin is None:
            when = UNTIL_SHUTDOWN
        elif twin is not None and differing(device, twin):
            when = CHANGES
        rows[("device", device.alias or number)] = Row(device, when)
    for number, device in enumerate(left):
        key = ("saved device", device.kind, device.address or number)
        rows[key if key not in rows else (*key, number)] = Row(device, NEXT_BOOT if both else "")
    return rows


def _when(row: Row[Any]) -> Cell:
    return Toned(f"↯ {row.when}", "warn") if row.when else ""


def _flags(disk: Disk) -> str:
    words = [disk.device if disk.device != "disk" else ""]
    words += ["read-only" if disk.readonly else "", "shared" if disk.shareable else ""]
    words += [f"boot {disk.boot_order}" if disk.boot_order is not None else ""]
    words += [f"cache {disk.cache}" if disk.cache else "", f"io {disk.io}" if disk.io else ""]
    words += [f"discard {disk.discard}" if disk.discard else ""]
    words += [f"serial {disk.serial}" if disk.serial else ""]
    return ", ".join(word for word in words if word)


def _disk_size(row: Row[Disk]) -> str:
    figures = row.figures
    return (
        NONE
        if figures is None or not figures.capacity_bytes
        else size_bytes(figures.capacity_bytes)
    )


def _source(row: Row[Disk]) -> Cell:
    disk = row.device
    if not disk.source:
        return Toned("empty", "dim")
    return place(disk.source)


def columns_for(
    columns: tuple[Column[Row[D]], ...], rows: Iterable[Row[D]]
) -> tuple[Column[Row[D]], ...]:
    """Without the column of when a device holds, where all hold now and later."""
    if any(row.when for row in rows):
        return columns
    return tuple(column for column in columns if column.id != "when")


DISK_COLUMNS: tuple[Column[Row[Disk]], ...] = (
    Column(
        "target",
        "TARGET",
        lambda r: r.device.target,
        width=6,
        max_width=8,
        sort_key=lambda r: natural(r.device.target),
        sort_letter="T",
    ),
    Column("bus", "BUS", lambda r: r.device.bus, width=6, max_width=8),
    Column("format", "FORMAT", lambda r: r.device.format or NONE, width=6, priority=1),
    Column("size", "SIZE", _disk_size, width=6, align="right", priority=1),
    Column("source", "SOURCE", _source, width=28, max_width=80),
    Column("when", "", _when, width=17),
    Column("flags", "FLAGS", lambda r: _flags(r.device), width=10, max_width=60, priority=2),
    Column("address", "ADDRESS", lambda r: r.device.address, width=14, max_width=24, priority=3),
)

INTERFACE_COLUMNS: tuple[Column[Row[Interface]], ...] = (
    Column("mac", "MAC", lambda r: r.device.mac, width=17),
    Column(
        "source",
        "CONNECTED TO",
        lambda r: f"{r.device.type} {r.device.source}".strip(),
        width=16,
        max_width=40,
    ),
    Column("model", "MODEL", lambda r: r.device.model or NONE, width=7, max_width=12),
    Column("link", "LINK", lambda r: _link(r.device), width=4),
    Column("target", "ON HOST", lambda r: r.device.target or NONE, width=8, max_width=15),
    Column("when", "", _when, width=17),
    Column("address", "ADDRESS", lambda r: r.device.address, width=14, max_width=24, priority=3),
    Column(
        "boot",
        "BOOT",
        lambda r: str(r.device.boot_order) if r.device.boot_order is not None else "",
        width=4,
        priority=4,
    ),
)

DEVICE_COLUMNS: tuple[Column[Row[Device]], ...] = (
    Column(
        "kind",
        "KIND",
        lambda r: r.device.kind,
        width=12,
        max_width=14,
        sort_key=lambda r: r.device.kind,
        sort_letter="S",
    ),
    Column("summary", "WHAT IT IS", lambda r: r.device.summary, width=24, max_width=80),
    Column("when", "", _when, width=17),
    Column("address", "ADDRESS", lambda r: r.device.address, width=12, max_width=30, priority=1),
    Column("alias", "ALIAS", lambda r: r.device.alias, width=10, max_width=20, priority=2),
)


def _link(nic: Interface) -> Cell:
    return Toned("down", "warn") if nic.link == "down" else "up"
