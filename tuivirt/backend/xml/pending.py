"""What differs between a domain's live and saved configuration, and so waits for a shutdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ..model.device import Device, Disk, DomainConfig, Interface
from ..model.domain import Labels
from ..model.twins import differing, paired
from .changed import changes
from .threads import differences
from .tree import number, unit_factor

_LIBVIRT_ADDS = frozenset({"controller"})
"""Kinds that libvirt adds by itself when something else needs them: nobody's wish."""
_SLACK_KIB = 1024
"""Memory that differs by less is the hypervisor's rounding."""

# What has a phrase of its own is not told a second time.
_SOURCE = {"@type", "source"}
_TOLD_OF_DISKS = {
    *("@device", "target/@bus", "serial", "readonly", "shareable", "boot"),
    *("driver/@type", "driver/@cache", "driver/@io", "driver/@discard"),
}
_TOLD_OF_INTERFACES = {"model/@type", "boot"}


def pending(live: DomainConfig, saved: DomainConfig) -> tuple[str, ...]:
    """What the next boot will change, one phrase each, as in ``memory 4 → 8 GiB``.

    Compared is what an operator asked for; what libvirt fills in while a domain runs (aliases,
    addresses, names of taps and terminals, labels) is not.
    """
    return (
        *_system(live, saved),
        *differences(live.threads, saved.threads),
        *_disks(live.disks, saved.disks),
        *_interfaces(live.interfaces, saved.interfaces),
        *_devices(live.devices, saved.devices),
    )


def _system(live: DomainConfig, saved: DomainConfig) -> Iterator[str]:
    if live.title != saved.title:
        yield f"title {saved.title!r}" if saved.title else "no title"
    if live.description != saved.description:
        yield "description"
    yield from _labels(live.labels, saved.labels)
    if live.machine and saved.machine and live.machine != saved.machine:
        yield f"machine {live.machine} → {saved.machine}"
    if live.firmware and saved.firmware and live.firmware != saved.firmware:
        yield f"firmware {live.firmware} → {saved.firmware}"
    if live.vcpus_max != saved.vcpus_max:
        yield f"vCPUs {live.vcpus_max} → {saved.vcpus_max}"
    if live.vcpus != saved.vcpus and (live.vcpus, saved.vcpus) != (
        live.vcpus_max,
        saved.vcpus_max,
    ):
        yield f"vCPUs in use {live.vcpus} → {saved.vcpus}"
    if abs(live.memory_max_kib - saved.memory_max_kib) >= _SLACK_KIB:
        yield f"memory {_amounts(live.memory_max_kib, saved.memory_max_kib)}"
    # A guest that was never shrunk holds all its memory, whatever is saved: until its balloon
    # driver is up, or for ever where it has none. That waits for the guest, not for a boot.
    # Of memory that is more than modules of RAM, the balloon knows nothing.
    whole = (live.memory_max_kib, live.memory_max_kib - _beyond_kib(live.devices))
    ballooned = live.memory_kib not in whole
    if ballooned and abs(live.memory_kib - saved.memory_kib) >= _SLACK_KIB:
        yield f"memory in use {_amounts(live.memory_kib, saved.memory_kib)}"


def _labels(live: Labels, saved: Labels) -> Iterator[str]:
    if live.tags != saved.tags:
        yield "tags " + " ".join(f"#{tag}" for tag in saved.tags) if saved.tags else "no tags"
    if live.group != saved.group:
        yield f"group {saved.group}" if saved.group else "no group"
    if live.note != saved.note:
        yield "note"


def _beyond_kib(devices: Iterable[Device]) -> int:
    """What memory devices hold that are not plain modules."""
    total = 0
    for device in devices:
        said = dict(device.facts) if device.kind == "memory" else {}
        if said and said.get("@model") != "dimm":
            unit = said.get("target/size/@unit", "KiB")
            total += (number(said.get("target/size")) or 0) * unit_factor(unit)
    return total // 1024


def _amounts(before_kib: int, after_kib: int) -> str:
    """``4 → 8 GiB``: both in the largest unit that leaves neither below one."""
    smallest = min(before_kib, after_kib)
    for unit, factor in (("GiB", 1024**2), ("MiB", 1024)):
        if smallest >= factor:
            return f"{before_kib / factor:.4g} → {after_kib / factor:.4g} {unit}"
    return f"{before_kib} → {after_kib} KiB"


def _disks(live: tuple[Disk, ...], saved: tuple[Disk, ...]) -> Iterator[str]:
    now, later = {d.target: d for d in live}, {d.target: d for d in saved}
    for target, disk in later.items():
        if target not in now:
            yield f"new {_noun(disk)} {target}"
    for target, disk in now.items():
        if target not in later:
            yield f"{_noun(disk)} {target} goes"
        else:
            yield from _disk(disk, later[target])


def _noun(disk: Disk) -> str:
    return {"cdrom": "CD-ROM", "floppy": "floppy"}.get(disk.device, "disk")


def _disk(now: Disk, later: Disk) -> Iterator[str]:
    name = f"{_noun(now)} {now.target}"
    if now.source != later.source:
        yield f"{name}: {now.source or 'empty'} → {later.source or 'empty'}"
    for word in ("device", "bus", "format", "cache", "io", "discard", "serial"):
        before, after = getattr(now, word), getattr(later, word)
        if before != after and (word != "format" or (before and after)):
            yield f"{name}: {word} {before or 'default'} → {after or 'default'}"
    if now.readonly != later.readonly:
        yield f"{name}: {'read-only' if later.readonly else 'writable'}"
    if now.shareable != later.shareable:
        yield f"{name}: {'shareable' if later.shareable else 'not shareable'}"
    if now.boot_order != later.boot_order:
        yield f"{name}: boot order {now.boot_order or 'none'} → {later.boot_order or 'none'}"
    told = _TOLD_OF_DISKS | (_SOURCE if now.source != later.source else set())
    yield from changes("disk", name, now, later, told)


def _interfaces(live: tuple[Interface, ...], saved: tuple[Interface, ...]) -> Iterator[str]:
    now, later = {i.mac: i for i in live}, {i.mac: i for i in saved}
    yield from (f"new interface {mac}" for mac in later if mac not in now)
    for mac, interface in now.items():
        if mac not in later:
            yield f"interface {mac} goes"
        else:
            yield from _interface(interface, later[mac])


def _interface(now: Interface, later: Interface) -> Iterator[str]:
    name = f"interface {now.mac}"
    # A network that lends PCI functions shows as the function while the domain runs.
    lent = now.type == "hostdev" and later.type == "network"
    if not lent and (now.type, now.source) != (later.type, later.source):
        yield f"{name}: {now.type} {now.source} → {later.type} {later.source}"
    if now.model != later.model and not lent:
        yield f"{name}: model {now.model or 'default'} → {later.model or 'default'}"
    if now.link != later.link:
        yield f"{name}: link {later.link}"
    if now.boot_order != later.boot_order:
        yield f"{name}: boot order {now.boot_order or 'none'} → {later.boot_order or 'none'}"
    if not lent:
        moved = (now.type, now.source) != (later.type, later.source)
        told = _TOLD_OF_INTERFACES | (_SOURCE if moved else set())
        yield from changes("interface", name, now, later, told)


def _devices(live: tuple[Device, ...], saved: tuple[Device, ...]) -> Iterator[str]:
    """New and gone ones by kind and number; host devices by what they are; then what changes."""
    twins, left = paired(live, saved)
    for what, count in Counter(_identities(left)).items():
        yield f"new {_counted(what, count)}"
    gone = [device for device, twin in zip(live, twins, strict=True) if twin is None]
    for what, count in Counter(_identities(gone)).items():
        yield f"{_counted(what, count)} goes"
    numbers: Counter[str] = Counter()
    kinds = Counter(device.kind for device in live)
    for device, twin in zip(live, twins, strict=True):
        numbers[device.kind] += 1
        if twin is not None and differing(device, twin):
            which = f" #{numbers[device.kind]}" if kinds[device.kind] > 1 else ""
            yield from changes(device.kind, f"{{}}{which}", device, twin)


def _identities(devices: Iterable[Device]) -> Iterator[tuple[str, str]]:
    for device in devices:
        if device.kind in _LIBVIRT_ADDS:
            continue
        # A USB device given by identity has an address too while the domain runs.
        yield device.kind, device.vendor_product or device.node_device


def _counted(what: tuple[str, str], count: int) -> str:
    kind, identity = what
    name = "host device" if kind == "hostdev" else kind
    return " ".join([*([str(count)] if count > 1 else []), name, *([identity] if identity else [])])
