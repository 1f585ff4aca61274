"""What of a declared field's choices a host offers to a machine, and why it lacks the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from ..model.device import Device, DomainConfig
from ..model.machine import Capabilities, Machine
from ..model.record import record
from .tree import parse

if TYPE_CHECKING:
    from .field import Field, Value

_FAMILIES = {
    **dict.fromkeys(("i686", "x86_64"), "x86"),
    **dict.fromkeys(("aarch64", "armv7l", "armv6l"), "arm"),
    **dict.fromkeys(("ppc64", "ppc64le"), "ppc"),
    **dict.fromkeys(("s390", "s390x"), "s390"),
}
_WORDS = {
    "x86": "an x86 machine",
    "arm": "an Arm machine",
    "ppc": "a POWER machine",
    "s390": "an IBM Z machine",
    "q35": "a q35 machine",
    "i440fx": "an i440fx machine",
    "virt": "a virt machine",
    "usb": "a USB controller in the domain",
    "xen": "Xen",
    "lxc": "a container",
    "vz": "Virtuozzo",
    "vmware": "VMware",
    "vbox": "VirtualBox",
    "bhyve": "bhyve",
}


@record(frozen=True, slots=True)
class Offer:
    """Of a field: where a host tells what it offers of its choices, and what it cannot tell."""

    told: str = ""
    """The list in the domain capabilities: element and name, as in ``disk/bus``."""
    untold: tuple[str, ...] = ()
    """Choices that such a list leaves out though they can be had."""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By choice: the traits of a machine of which it needs one."""
    since: Mapping[str, str] = field(default_factory=dict)
    """By choice: the libvirt that has it first, where that is younger than 9.0."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """By choice: what a host lacks that does not tell it, as in ``swtpm (package swtpm)``. One
    that begins with ``QEMU 4.2`` is of an older one; a younger was built without it."""
    best: Mapping[str, str] = field(default_factory=dict)
    """By trait: what a new device gets on such a machine, in place of the field's ``initial``."""
    beside: tuple[str, Mapping[str, tuple[str, ...]]] | None = None
    """A field declared before, and what of the choices suits each of its values."""
    starts: tuple[str, Mapping[str, str]] | None = None
    """A field declared before, and what a new device gets beside each of its values."""
    usual: tuple[str, ...] = ()
    """Of a text: what a form offers, though there are others."""
    on: tuple[str, ...] = ()
    """The traits of which a machine needs one for the field to make sense at all."""


_QEMU = re.compile(r"QEMU [\d.]+")

ALL = Offer()
"""Of a field whose choices are to be had everywhere."""


def machine_of(
    config: DomainConfig,
    capabilities: Capabilities | None = None,
    *,
    libvirt: str = "",
    hypervisor: str = "",
) -> Machine:
    """What decides which devices suit a domain with this configuration."""
    kind = config.type.lower()
    traits = {"qemu" if kind in ("kvm", "hvf") else kind, config.arch}
    traits.add(_FAMILIES.get(config.arch, ""))
    name = config.machine
    if "q35" in name:
        traits.add("q35")
    elif name == "pc" or "i440fx" in name:
        traits.add("i440fx")
    elif name.startswith("virt"):
        traits.add("virt")
    if not any(_is_no_usb(device) for device in config.devices):
        traits.add("usb")
    if config.shared_memory:
        traits.add("shared")
    return Machine(frozenset(traits - {""}), libvirt, hypervisor, capabilities)


def _is_no_usb(device: Device) -> bool:
    """Whether it is the controller that says that there is no USB bus."""
    return device.kind == "controller" and all(
        word in device.xml for word in ('type="usb"', 'model="none"')
    )


def parse_capabilities(xml: str) -> Capabilities:
    """Read ``<domainCapabilities>``. Raises MalformedXml."""
    root = parse(xml, "domainCapabilities")
    offered: dict[str, Mapping[str, tuple[str, ...]] | None] = {}
    for each in (*root.iterfind("devices/*"), *root.iterfind("memoryBacking")):
        offered[str(each.tag)] = (
            {
                enum.get("name", ""): tuple(value.text or "" for value in enum.iterfind("value"))
                for enum in each.iterfind("enum")
            }
            if each.get("supported") == "yes"
            else None
        )
    most = root.find("vcpu")
    told = most.get("max", "") if most is not None else ""
    # One too long for a number is nothing told.
    return Capabilities(
        offered, int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None
    )


def choices(field: Field, machine: Machine, beside: Mapping[str, Value]) -> tuple[str, ...]:
    """What may be chosen on this machine beside these values of other fields."""
    offer = field.offer
    suiting: tuple[str, ...] | None = None
    if offer.beside is not None:
        suiting = offer.beside[1].get(str(beside.get(offer.beside[0])))
    return tuple(
        choice
        for choice in field.choices
        if (suiting is None or choice in suiting) and not refusal(field, choice, machine)
    )


def refusal(field: Field, choice: str, machine: Machine) -> str:
    """Why this machine cannot have that choice, a clause; '' when it can, as far as is known."""
    offer = field.offer
    needs = offer.needs.get(choice)
    if needs and machine.traits and machine.traits.isdisjoint((*needs, "test")):
        return f"needs {' or '.join(_WORDS.get(each, each) for each in needs)}"
    since = offer.since.get(choice, "")
    if since and machine.libvirt and _version(machine.libvirt) < _version(since):
        return f"needs libvirt {since} (the host has {machine.libvirt})"
    if not offer.told or machine.capabilities is None or choice in offer.untold:
        return ""
    element, _, name = offer.told.partition("/")
    lists = machine.capabilities.offered.get(element, {})
    if lists is None:
        return f"is not in {machine.hypervisor or 'what the host offers'}"
    if choice in lists.get(name, (choice,)):
        return ""
    lacks, has = offer.lacks.get(choice, ""), machine.hypervisor
    if not lacks:
        return f"is not in {has or 'what the host offers'}"
    youngest = _QEMU.match(lacks)
    if youngest and _QEMU.match(has) and _version(has) >= _version(youngest[0]):
        return f"is something that {has} was built without"
    return f"needs {lacks}"


def makes_sense(field: Field, machine: Machine) -> bool:
    """Whether the field means anything to a machine of this kind."""
    on = field.offer.on
    return not on or not machine.traits or not machine.traits.isdisjoint((*on, "test"))


def initial(field: Field, machine: Machine, beside: Mapping[str, Value]) -> Value:
    """What a new device gets where nothing is said: the best that the machine can have.

    ``beside``: the values of fields declared before.
    """
    if field.offer.starts is not None:
        by, values = field.offer.starts
        value = values.get(str(beside.get(by)))
        if value is None or value not in field.choices:
            return field.initial if value is None else value
        can = choices(field, machine, beside)
        return value if value in can else next(iter(can), None)
    for trait, value in field.offer.best.items():
        if trait in machine.traits and not refusal(field, value, machine):
            return value
    wanted = field.initial
    if wanted is None or not field.choices or not refusal(field, str(wanted), machine):
        return wanted
    # The choices stand in the order in which they are to be preferred.
    return next((c for c in field.choices if not refusal(field, c, machine)), wanted)


def lacking(fields: tuple[Field, ...], machine: Machine) -> str:
    """Why the host offers no device with these fields at all; '' when it does."""
    for field_ in fields:
        if not (field_.required and field_.choices):
            continue
        refusals = [refusal(field_, choice, machine) for choice in field_.choices]
        if all(refusals):
            # Of the one that is preferred, what is lacking is worth the most.
            return refusals[0]
    return ""


def _version(text: str) -> tuple[int, ...]:
    """The numbers of ``9.0.0``, or of ``QEMU 7.2.22``."""
    return tuple(int(part) for part in text.rpartition(" ")[2].split(".") if part.isdigit())
