"""Several devices of one domain taken away at once: what is asked for each of them.

What is known of one that cannot go while the guest runs is said beforehand: it is then taken
for the next boot, or left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuivirt.backend.model.device import Device, Disk, DomainConfig, DomainDetail, Interface
from tuivirt.backend.model.when import When
from tuivirt.backend.xml.catalog import Kind, kinds
from tuivirt.backend.xml.found import Found, found, pairs


@dataclass(frozen=True, slots=True)
class Removal:
    """One device that is to go."""

    what: str
    """As in ``random number generator rng0``."""
    action: str = ""
    """The action that takes it away; '' where none can."""
    values: Mapping[str, Any] | None = None
    remark: str = ""
    """Why it goes with the next boot only, or why it cannot go."""


def removals(
    detail: DomainDetail, chosen: Sequence[Disk | Interface | Device], hypervisor: str
) -> list[Removal]:
    """For each device of ``detail``; ``hypervisor`` is its version, as in ``7.2.0``.

    The last of those that are told by their number come first, so that no number is another's by
    the time it is asked for.
    """
    asked = [_removal(detail, device, hypervisor) for device in chosen]
    return sorted(asked, key=lambda one: _number((one.values or {}).get("which", "")), reverse=True)


def _number(which: str) -> int:
    return int(which[1:]) if which.startswith("#") else 0


def _removal(detail: DomainDetail, device: Disk | Interface | Device, hypervisor: str) -> Removal:
    name = {Disk: "disk", Interface: "interface"}.get(type(device), getattr(device, "kind", ""))
    kind = kinds().get(name)
    if kind is None:
        return Removal(name, remark=f"nobody can take away a {name}")
    live = _here(detail.live, kind, device)
    saved = _here(detail.saved, kind, device)
    if live is None and saved is None:
        return Removal(kind.noun, remark="it is gone already")
    if live is not None and detail.saved is not None:
        twins = pairs(found(detail.live, kind), found(detail.saved, kind))
        saved = twins[live.number]
    one = live or saved
    assert one is not None
    what = kind.called(one.identity or one.alias or one.label)
    when, remark = When.AUTO if live is not None else When.NEXT_BOOT, ""
    if detail.live is None:
        when = When.AUTO
    why = kind.leave_refusal(live.values, hypervisor) if live is not None else ""
    if why and saved is None:
        return Removal(what, remark=why)
    if why:
        when, remark = When.NEXT_BOOT, why
    action, values = _asked(kind, device, one)
    return Removal(what, action, {**values, "when": when}, remark)


def _here(config: DomainConfig | None, kind: Kind, device: Any) -> Found | None:
    """The device, if it is this configuration's: two may say the same, but with other aliases."""
    here = found(config, kind)
    if config is None:
        return None
    mine: Sequence[Any] = config.devices
    if kind.name in ("disk", "interface"):
        mine = config.disks if kind.name == "disk" else config.interfaces
    else:
        mine = [each for each in mine if each.kind == kind.name]
    number = next((n for n, each in enumerate(mine) if each is device), None)
    return None if number is None or number >= len(here) else here[number]


def _asked(kind: Kind, device: Disk | Interface | Device, one: Found) -> tuple[str, dict[str, Any]]:
    if isinstance(device, Disk):
        return "detach-disk", {"target": device.target}
    if isinstance(device, Device) and (place := device.node_device or device.vendor_product):
        return "detach-hostdev", {"device": place}
    # Its label is what the form offers; a number may be another's by the time it is asked for.
    which = one.alias if one.alias and one.label.startswith("#") else one.label
    return f"detach-{kind.name}", {"which": which}
