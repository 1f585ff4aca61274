"""The disk that an action means, chosen among those that the domain has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.device import Disk, DomainConfig, DomainDetail
from tuivirt.widgets.form import Field
from tuivirt.widgets.text import natural, size_bytes

from .domain_rows import NEXT_BOOT, Row, disk_rows
from .offers import Asked, Offer

DRIVES = ("cdrom", "floppy")
"""Kinds of disks whose medium can be changed."""


@dataclass(frozen=True, slots=True)
class DiskChoice:
    """Offers a domain's disks for ``parameter``: all of them, the drives alone, or none of those.

    ``resized``: those of the running guest that can be made larger.
    """

    parameter: str
    drives: bool = False
    resized: bool = False

    @property
    def waits(self) -> str:
        """Nothing: a target can be typed as well."""
        return ""

    def look_up(self, host: Any, key: str) -> tuple[DomainDetail, dict[str, int]]:
        detail = lookups.domain_detail(host, key)
        return detail, lookups.disk_sizes(host, key, detail)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain: an action on a disk is for one at a time."""
        ((asked, (detail, sizes)),) = answers
        rows = [
            row
            for row in disk_rows(asked.thing, detail, asked.stats).values()
            if self._applies(row)
        ]
        if not rows:
            what = "CD-ROM or floppy drive" if self.drives else "disk"
            what += " that can be made larger" if self.resized else ""
            return Offer((), blocked=f"{asked.name} has no {what}.")
        rows.sort(key=lambda row: natural(row.device.target))
        boot = boot_disks(detail)
        return Offer(
            tuple(
                self._choice(field, asked, rows, boot, sizes)
                if field.name == self.parameter
                else field
                for field in fields
            )
        )

    def _applies(self, row: Row[Disk]) -> bool:
        if self.resized:
            disk = row.device
            return disk.device not in DRIVES and not disk.readonly and row.when != NEXT_BOOT
        return not self.drives or row.device.device in DRIVES

    def _choice(
        self,
        field: Field,
        asked: Asked,
        rows: Sequence[Row[Disk]],
        boot: set[str],
        sizes: Mapping[str, int],
    ) -> Field:
        targets = [row.device.target for row in rows]
        value = str(field.value)
        stays = self.drives or self.resized
        if not value and stays and len(targets) == 1:
            value = targets[0]
        none = [] if value in targets else [""]
        labels = [_label(row, sizes.get(row.device.target)) for row in rows]
        warnings = ["" if stays else _warning(asked, row, boot) for row in rows]
        return replace(
            field,
            kind="choice",
            value=value if value in targets else "",
            choices=(*none, *targets),
            labels=(*none, *labels),
            warnings=(*none, *warnings),
            helps=(*none, *(row.device.source for row in rows)),
            unset="choose with ← → or its name",
        )


def _label(row: Row[Disk], size_of_one_off: int | None) -> str:
    """``vda  virtio  40 G  web-01.qcow2``."""
    disk, figures = row.device, row.figures
    capacity = figures.capacity_bytes if figures is not None else size_of_one_off
    kind = "" if disk.device == "disk" else disk.device
    source = disk.source.rpartition("/")[2] if disk.source else "empty"
    size = size_bytes(capacity) if capacity else ""
    parts = (disk.target, disk.bus, kind, size, source, row.when)
    return "  ".join(part for part in parts if part)


def _warning(asked: Asked, row: Row[Disk], boot: set[str]) -> str:
    if row.device.target not in boot:
        return ""
    if asked.thing.active:
        return f"⚠ {asked.name} boots from it: the guest may lose its system."
    return f"⚠ {asked.name} boots from it: without it, it may not start."


def boot_disks(detail: DomainDetail) -> set[str]:
    """The targets that the domain boots from, live or saved: first in order, else first at all."""
    configs = (config for config in (detail.live, detail.saved) if config is not None)
    return {target for config in configs if (target := _boots_from(config))}


def _boots_from(config: DomainConfig) -> str:
    disks = [disk for disk in config.disks if disk.device not in DRIVES]
    ordered = [(disk.boot_order, disk.target) for disk in disks if disk.boot_order is not None]
    if ordered:
        return min(ordered)[1]
    return disks[0].target if disks else ""
