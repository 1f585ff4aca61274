"""The plan of handing a device to a domain: what goes along, in which steps, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..disks import check_scsi_room
from ..model.device import DomainConfig
from ..model.host import HostSnapshot
from ..model.passthrough import DeviceFacts, Finding, HostFacts, Plan, Step, Task, Weight
from ..model.resources import NodeDevice
from ..sides import Sides
from ..xml.errors import BusFull
from ..xml.targets import free_pci_places
from .bound import VFIO
from .facts import gather
from .group import choose
from .judge import called, judge, judge_host

_SPARE_KIB = 1024 * 1024
"""What a hypervisor locks beside its guest's memory, at most."""


def make_plan(
    snapshot: HostSnapshot,
    sides: Sides,
    device: NodeDevice,
    *,
    live: bool,
    saved: bool,
    alone: bool = False,
    by_identity: bool = False,
    root: Path = Path("/"),
) -> Plan:
    """How ``device`` is handed to the domain of ``sides``; nothing is changed.

    ``live`` and ``saved``: which of its configurations get it. ``by_identity``: a USB device is
    named by vendor and product. ``root`` as in `gather`.
    """
    given, held = choose(device, snapshot.devices, alone=alone)
    everything = (*given, *held)
    facts = gather(snapshot, everything, root)
    active = {domain.name: domain.active for domain in snapshot.domains.values()}
    findings: list[Finding] = list(_has_already(sides, device, live, saved))
    findings += _is_there(device, live)
    findings += judge_host(facts, everything, sides.current.memory_max_kib + _SPARE_KIB)
    for each in given:
        findings += judge(sides.name, each, facts, active)
        findings += _functions_in_use(each, snapshot.devices.values(), active)
    for each in held:
        mate = next((g for g in given if g.iommu_group == each.iommu_group), device)
        findings += _held(sides.name, each, mate, facts, active)
    if live and sides.live is not None:
        findings += _room(sides.live, given)
    if device.capability == "usb_device":
        findings.append(_replugging(device, by_identity))
    return Plan(
        domain=sides.name,
        given=given,
        held=held,
        live=live,
        saved=saved,
        steps=_steps(sides.name, given, held, facts, live, saved),
        findings=tuple(dict.fromkeys(findings)),
        lost=tuple(_lost(everything, facts)),
    )


def _has_already(sides: Sides, device: NodeDevice, live: bool, saved: bool) -> list[Finding]:
    found = []
    for config, asked, word in (
        (sides.live, live, "the running domain"),
        (sides.saved, saved, "the saved configuration"),
    ):
        if asked and config is not None and has(config, device):
            found.append(
                Finding(Weight.REFUSED, f"{word} of {sides.name} has {called(device)} already")
            )
    return found


def _is_there(device: NodeDevice, live: bool) -> list[Finding]:
    """A mediated device may be defined alone."""
    if device.active:
        return []
    return [
        Finding(
            Weight.REFUSED if live else Weight.NOTE,
            f"{called(device)} is defined, and not started",
            f"Start it first: tuivirt start-mdev {device.name}"
            if live
            else "The domain does not start until it is: tuivirt autostart-mdev sees to that",
        )
    ]


def _functions_in_use(
    device: NodeDevice, known: Iterable[NodeDevice], active: Mapping[str, bool]
) -> Iterator[Finding]:
    """A device that leaves its driver takes its virtual functions with it."""
    for each in known:
        if each.physical_function and each.physical_function == device.address:
            for user in each.users:
                if active.get(user):
                    yield Finding(
                        Weight.REFUSED,
                        f"{user} runs with {called(each)}, a virtual function of {device.address}",
                        f"Take it from {user} first: tuivirt detach-hostdev {user} {each.name}",
                    )


def _held(
    domain: str,
    device: NodeDevice,
    mate: NodeDevice,
    facts: HostFacts,
    active: Mapping[str, bool],
) -> Iterator[Finding]:
    """What speaks against taking a neighbour from its driver, and why that has to be."""
    why = f"{called(device)} shares IOMMU group {device.iommu_group} with {mate.address}"
    against = list(judge(domain, device, facts, active, given=False))
    for each in against:
        yield replace(each, text=f"{each.text}, and {why}")
    yield Finding(Weight.NOTE, f"{why}: nobody can use it meanwhile")


def has(config: DomainConfig, device: NodeDevice) -> bool:
    """Whether a configuration has this very device."""
    place = device.mdev_uuid or device.address
    identity = f"{device.vendor_id}:{device.product_id}"
    for each in config.devices:
        if each.kind != "hostdev":
            continue
        if each.node_device:
            if each.node_device == place:
                return True
        elif device.capability == "usb_device" and each.vendor_product == identity:
            return True
    return any(
        each.type == "hostdev" and bool(place) and each.source == place
        for each in config.interfaces
    )


def _room(running: DomainConfig, given: tuple[NodeDevice, ...]) -> list[Finding]:
    if any(each.capability == "scsi" for each in given):
        try:
            check_scsi_room(running, "scsi")
        except BusFull as error:
            return [
                Finding(
                    Weight.REFUSED,
                    f"a SCSI device needs a SCSI controller: {error}",
                    "Add one first (attach-controller --type scsi), or hand it over for the next"
                    " boot",
                )
            ]
    wanted = sum(each.capability in ("pci", "mdev") for each in given)
    free = free_pci_places(running) if wanted else None
    if free is None or free >= wanted:
        return []
    return [
        Finding(
            Weight.REFUSED,
            f"the running machine has {free or 'no'} free PCI slot{'s' * (free != 1)}, and"
            f" {wanted} {'are' if wanted > 1 else 'is'} needed",
            "Hand it over for the next boot: ports are added then",
        )
    ]


def _replugging(device: NodeDevice, by_identity: bool) -> Finding:
    if by_identity:
        return Finding(
            Weight.NOTE,
            f"{called(device)} is given by vendor and product, whichever port it is in",
            "Unplugged and plugged in again it comes back to the guest at its next boot",
        )
    return Finding(
        Weight.NOTE,
        f"{called(device)} is given by its place on the bus",
        "Unplugged and plugged in again it has another number: hand it over again then",
    )


def _steps(
    name: str,
    given: tuple[NodeDevice, ...],
    held: tuple[NodeDevice, ...],
    facts: HostFacts,
    live: bool,
    saved: bool,
) -> tuple[Step, ...]:
    steps = []
    if live:
        for device in (*held, *given):
            driver = facts.devices.get(device.name, DeviceFacts()).driver
            if device.capability != "pci" or driver == VFIO:
                continue
            taken = f"take {called(device)} from {driver}" if driver else f"take {called(device)}"
            steps.append(Step(Task.UNBIND, device, f"{taken} and bind it to {VFIO}"))
    when = {
        (True, True): "now and for each boot",
        (True, False): "now",
        (False, True): "for the next boot (it leaves its driver then)",
    }[live, saved]
    steps += [
        Step(Task.HAND_OVER, device, f"add {called(device)} to {name}, {when}") for device in given
    ]
    return tuple(steps)


def _lost(everything: tuple[NodeDevice, ...], facts: HostFacts) -> list[str]:
    lost = []
    for device in everything:
        about = facts.devices.get(device.name, DeviceFacts())
        if about.driver == VFIO:
            continue  # It was given up before.
        with_it = f", with {', '.join(about.children)}" if about.children else ""
        lost.append(f"{called(device)}{with_it}")
    return lost
