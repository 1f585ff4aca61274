"""The host device that an action means, chosen among those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuivirt.actions import lookups
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.widgets.form import Field

from .devices import short_name, what_it_is
from .offers import Asked, Offer


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """Offers what a domain could be given, or (``taken``) what it has."""

    taken: bool = False

    @property
    def waits(self) -> str:
        """Nothing: an address can be typed as well."""
        return ""

    def look_up(self, host: Any, key: str) -> Sequence[NodeDevice]:
        return lookups.devices_of(host, key) if self.taken else lookups.givable(host)

    def offer(self, fields: Sequence[Field], answers: Sequence[tuple[Asked, Any]]) -> Offer:
        """For one domain: a device can be had by one only."""
        ((asked, devices),) = answers
        if not devices:
            if self.taken:
                return Offer((), blocked=f"{asked.name} has no device of the host.")
            return Offer((), blocked=f"Host {asked.ref.host} tells of no device to hand over.")
        return Offer(
            tuple(
                self._choice(field, devices) if field.name == "device" else field
                for field in fields
            )
        )

    def _choice(self, field: Field, devices: Sequence[NodeDevice]) -> Field:
        names = [device.name for device in devices]
        none = [] if field.value in names else [""]
        return replace(
            field,
            kind="choice",
            choices=(*none, *names),
            labels=(*none, *(f"{short_name(d)}  {what_it_is(d)}" for d in devices)),
            warnings=(*none, *("" if self.taken else _warning(device) for device in devices)),
            unset="which one?",
        )


def _warning(device: NodeDevice) -> str:
    if device.capability == "pci" and device.iommu_group is None:
        return "It is in no IOMMU group."
    return f"{', '.join(device.users)} has it." if device.users else ""
