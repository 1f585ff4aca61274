"""The devices of the hosts as a tree, and one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.widgets.columns import Column
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.tab_line import TabLine
from tuivirt.widgets.text import natural, size_bytes
from tuivirt.widgets.tones import Cell, Toned
from tuivirt.widgets.tree_rows import tree_rows

from .empty import why_empty
from .handing import HandsOver
from .words import for_hosts

KIND_WORDS = {
    "pci": "PCI",
    "usb_device": "USB",
    "usb": "USB interface",
    "net": "net",
    "80203": "wireless",
    "80211": "wireless",
    "scsi_host": "SCSI host",
    "scsi_target": "SCSI target",
    "scsi": "SCSI",
    "scsi_generic": "SCSI generic",
    "storage": "storage",
    "mdev": "mediated",
    "mdev_types": "mediated",
    "drm": "graphics",
    "system": "system",
    "ccw": "CCW",
    "css": "CSS",
    "ap_queue": "crypto",
}


_COMPANY = re.compile(
    r",? (corporation|corp|incorporated|inc|co|company|ltd|limited|gmbh|technologies|semiconductor"
    r"|electronics|systems|international)\b.*$",
    re.IGNORECASE,
)
"""What a list leaves out of a vendor's name; the detail has it in full."""


@dataclass(frozen=True, slots=True)
class Group:
    """What a digit shows."""

    word: str
    holds: Callable[[NodeDevice], bool]


GROUPS = (
    Group("all", lambda d: True),
    Group("PCI", lambda d: d.capability == "pci"),
    Group("GPU", lambda d: d.capability == "pci" and d.pci_class.startswith("03")),
    Group("USB", lambda d: d.capability == "usb_device"),
    Group("net", lambda d: d.capability == "net"),
    Group("storage", lambda d: d.capability == "storage" or d.pci_class.startswith("0108")),
    Group("SCSI", lambda d: d.capability.startswith("scsi")),
    Group("mdev", lambda d: d.capability == "mdev" or bool(d.mdev_types)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A device and the branch it hangs on."""

    device: NodeDevice
    branch: str


def short_name(device: NodeDevice) -> str:
    """What an operator calls it: interface, block device, address, else libvirt's name."""
    uuid = device.mdev_uuid
    return device.net_name or device.block_path or device.address or uuid or device.name


def what_it_is(device: NodeDevice) -> str:
    """Vendor and product in words, or what else tells it from others."""
    vendor = _COMPANY.sub("", device.vendor)
    words = " ".join(x for x in (vendor, device.product) if x)
    if not words and device.vendor_id:
        words = f"{device.vendor_id}:{device.product_id}"  # Nobody has named it yet.
    more = [words]
    if device.capability == "net":
        more += [device.net_mac, device.net_state]
    if device.size_bytes:
        more.append(size_bytes(device.size_bytes))
    if device.mdev_type:
        more.append(device.mdev_type)
    if device.mdev_types:
        more.append("can make mediated devices")
    if device.virtual_functions:
        more.append(f"{len(device.virtual_functions)} virtual functions")
    if device.physical_function:
        more.append(f"of {device.physical_function}")
    if not device.active:
        more.insert(0, "not active")
    text = "  ".join(x for x in more if x)
    return text or (device.name if device.name != short_name(device) else "")


def _name(row: Row) -> Cell:
    return (Toned(row.branch, "dim"), Toned(short_name(row.device)))


def _users(row: Row) -> Cell:
    return Toned(" ".join(row.device.used_by), "accent")


def number_of(value: int | None) -> str:
    return "" if value is None else str(value)


_COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "DEVICE", _name, width=22, max_width=34),
    Column(
        "kind",
        "KIND",
        lambda r: KIND_WORDS.get(r.device.capability, r.device.capability),
        width=8,
        max_width=13,
        priority=3,
    ),
    Column("what", "WHAT IT IS", lambda r: what_it_is(r.device), width=27, max_width=80),
    Column("driver", "DRIVER", lambda r: r.device.driver, width=9, max_width=14, priority=2),
    Column(
        "iommu",
        "IOMMU",
        lambda r: number_of(r.device.iommu_group),
        width=5,
        align="right",
        priority=1,
    ),
    Column(
        "numa",
        "NUMA",
        lambda r: number_of(r.device.numa_node),
        width=4,
        align="right",
        priority=4,
    ),
    Column("users", "USED BY", _users, width=9, max_width=30),
    Column(
        "ids",
        "VENDOR:ID",
        lambda r: f"{r.device.vendor_id}:{r.device.product_id}" if r.device.vendor_id else "",
        width=9,
        priority=5,
    ),
    Column("host", "HOST", lambda r: r.device.host, width=8, max_width=20, priority=6),
)


def _search(row: Row) -> str:
    d = row.device
    group = "" if d.iommu_group is None else f"iommu={d.iommu_group}"
    return (
        f"{d.name} {short_name(d)} {what_it_is(d)} {d.address} {d.driver} {group} "
        f"{KIND_WORDS.get(d.capability, d.capability)} {d.vendor_id}:{d.product_id} "
        f"{' '.join(d.used_by)} @{d.host}"
    )


def _tree(devices: Mapping[str, NodeDevice], group: Group) -> dict[Any, Row]:
    """The devices of a group as rows of a tree."""
    kept = [name for name, device in devices.items() if group.holds(device)]
    parents = {name: device.parent or None for name, device in devices.items()}
    order = tree_rows(parents, kept, lambda name: by_place(devices[name]))
    return {devices[name].ref: Row(devices[name], branch) for name, branch in order}


class DevicesScreen(HandsOver):
    """All devices of all hosts."""

    HELP = (
        "The devices of the host, each below the one it hangs on. The digits show one kind only. "
        "Devices with the same IOMMU number can only be given to one guest together; USED BY names "
        "the domain that has the device, or will have it at its next boot. + hands a device to a "
        "domain, - takes it back; what would be done is shown first. Of a device whose driver can, "
        "a makes mediated devices."
    )
    KIND = Kind.DEVICE
    OF_ALL_HOSTS = True
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("1…8", "kind"),
        ("/", "filter"),
        ("+", "give"),
        ("-", "take"),
        ("⏎", "open"),
        ("a", "actions"),
        ("y", "XML"),
        (":", "go to"),
        ("?", "help"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n + 1), f"group({n})", f"Show {g.word}", show=False, id=f"devices.{g.word}")
            for n, g in enumerate(GROUPS)
        ),
        Binding("tab,right", "turn(1)", "Next kind", show=False, id="devices.next"),
        Binding("shift+tab,left", "turn(-1)", "Kind before", show=False, id="devices.previous"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._group = 0
        self._only_host: str | None = None
        self._tabs = TabLine(id="tabs")
        self._table: LiveTable[Row] = LiveTable(
            _COLUMNS, caption="Devices", search=_search, id="table"
        )
        self._known: list[Any] = []

    def compose_body(self) -> ComposeResult:
        yield self._tabs
        yield self._table

    def show_fleet(self, fleet: Fleet) -> None:
        hosts = [h for h in fleet.hosts.values() if self._only_host in (None, h.name)]
        # Devices seldom change, and their tree is dear: an unchanged mapping is the same object.
        known: list[Any] = [self._group, self._only_host, *(h.devices for h in hosts)]
        same = len(known) == len(self._known) and all(
            a is b for a, b in zip(known, self._known, strict=True)
        )
        if same and self._table.rows.all:
            return
        self._known = known
        devices = [d for host in hosts for d in host.devices.values()]
        counts = [sum(map(group.holds, devices)) for group in GROUPS]
        labels = [f"{g.word} {n}" for g, n in zip(GROUPS, counts, strict=True)]
        self._tabs.show_tabs(labels, self._group)
        rows: dict[Any, Row] = {}
        for host in hosts:
            rows |= _tree(host.devices, GROUPS[self._group])
        if not rows:
            word = GROUPS[self._group].word
            what = "devices" if self._group == 0 else f"{word} devices"
            advice = "1 shows all devices." if devices else "Its driver may not list them."
            self._table.set_empty(why_empty(fleet, what, advice))
        self._table.use_columns(for_hosts(_COLUMNS, len(fleet.in_use)))
        self._table.update(rows)

    def only_host(self, host: str | None) -> None:
        """Show the devices of one host, or of all."""
        self._only_host = host
        self.show_fleet(self.fleet)

    def action_group(self, index: int) -> None:
        self._group = index
        self.show_fleet(self.fleet)

    def action_turn(self, step: int) -> None:
        self.action_group((self._group + step) % len(GROUPS))

    def on_tab_line_picked(self, event: TabLine.Picked) -> None:
        self.action_group(event.index)


def by_place(device: NodeDevice) -> Any:
    """PCI devices first, by address (hexadecimal: its text sorts right), then the rest by name."""
    return device.capability != "pci", device.address, natural(short_name(device))
