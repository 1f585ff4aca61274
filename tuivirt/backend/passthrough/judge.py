"""What speaks against handing a device over: pure judgement of facts that were gathered before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.passthrough import DeviceFacts, Finding, HostFacts, NetUse, Weight
from ..model.resources import NodeDevice
from .group import is_bridge, is_display, is_root_hub

_VFIO_ADVICE = (
    "Install a kernel with it (Debian's cloud kernels lack it: apt install linux-image-amd64)"
    " and boot it"
)


def judge(
    domain: str,
    device: NodeDevice,
    facts: HostFacts,
    active: Mapping[str, bool],
    *,
    given: bool = True,
) -> Iterator[Finding]:
    """What speaks against one device of a plan. ``active``: by domain name, whether it runs.

    ``given``: the guest gets it; else it only leaves its driver, as one of the same group.
    """
    about = facts.devices.get(device.name, DeviceFacts())
    yield from _users(domain, device, active)
    if is_root_hub(device):
        yield Finding(
            Weight.REFUSED,
            f"{called(device)} is a USB bus, not a device on it",
            "Give a device on it, or the USB controller, which is a PCI device",
        )
    if device.capability == "pci":
        yield from _pci(device, facts, about, given)
    for net in about.nets:
        yield from _net(device, net, facts.local)
    for disk in about.disks:
        yield Finding(
            Weight.REFUSED,
            f"{disk.name} of {called(device)} is {disk.use}",
            "Unmount it, switch its swap off, or take it out of what it is part of, first",
        )
    seen = [child for child in about.children if child.startswith("disk ")]
    if device.capability == "scsi" and seen:
        yield Finding(
            Weight.NOTE,
            f"the host goes on seeing {' and '.join(seen)} of {called(device)}",
            "Use it on one side at a time",
        )
    if not facts.local:
        disks = [child for child in about.children if child.startswith("disk ")]
        if disks:
            yield Finding(
                Weight.RISK,
                f"{' and '.join(disks)} of {called(device)} may be in use on the host",
                "What another host does with its disks cannot be seen from here: look there first",
            )


def judge_host(
    facts: HostFacts, devices: tuple[NodeDevice, ...], memory_kib: int
) -> Iterator[Finding]:
    """What speaks against the host as a whole. ``memory_kib``: what the guest may come to."""
    if not any(device.capability == "pci" for device in devices):
        return
    if not facts.iommu:
        yield Finding(
            Weight.REFUSED, "the host has no IOMMU that is switched on", facts.iommu_advice
        )
    if not facts.vfio:
        yield Finding(Weight.REFUSED, "the host's kernel has no vfio-pci", _VFIO_ADVICE)
    limit = facts.locked_memory_kib
    if limit is not None and limit < memory_kib:
        yield Finding(
            Weight.REFUSED,
            f"a guest of this user may lock {limit // 1024} MiB, and needs {memory_kib // 1024}",
            "Raise memlock in /etc/security/limits.conf and log in again, or use qemu:///system",
        )


def called(device: NodeDevice) -> str:
    """What an operator calls a device: its address, and what it is."""
    words = " ".join(word for word in (device.vendor, device.product) if word)
    place = device.address or device.mdev_uuid or device.name
    return f"{place} ({words})" if words else place


def _users(domain: str, device: NodeDevice, active: Mapping[str, bool]) -> Iterator[Finding]:
    for user in device.users:
        if user == domain:
            continue
        if active.get(user):
            yield Finding(
                Weight.REFUSED,
                f"{user} runs with {called(device)}",
                f"Take it from {user} first: tuivirt detach-hostdev {user} {device.name}",
            )
        else:
            yield Finding(
                Weight.RISK,
                f"{user} is defined with {called(device)} too",
                f"{user} cannot start while {domain} runs with it",
            )
    for network in device.networks:
        yield Finding(
            Weight.RISK,
            f"the network {network} hands {called(device)} to the guests on it",
            "One of them cannot start when no other device is left, or has this one already",
        )


def _pci(
    device: NodeDevice, facts: HostFacts, about: DeviceFacts, given: bool
) -> Iterator[Finding]:
    if is_bridge(device):
        yield Finding(
            Weight.REFUSED,
            f"{called(device)} is a bridge: all that is behind it hangs on it",
            "Give the device behind it",
        )
    if facts.iommu and device.iommu_group is None:
        yield Finding(
            Weight.REFUSED,
            f"{called(device)} is in no IOMMU group",
            "Its place on the board may not be behind the IOMMU: try another slot",
        )
    if about.boot_display:
        yield Finding(
            Weight.RISK,
            f"{called(device)} holds the boot display",
            "The host's console goes dark, and comes back with the device at best",
        )
    elif is_display(device) and not facts.local:
        yield Finding(
            Weight.NOTE,
            f"{called(device)} may hold the boot display: from here it cannot be seen",
        )
    if given and not about.can_reset:
        yield Finding(
            Weight.NOTE,
            f"{called(device)} cannot be reset",
            "It may not work again after the guest until the host is booted",
        )
    if device.virtual_functions and about.driver != "vfio-pci":
        yield Finding(
            Weight.RISK,
            f"{called(device)} has {len(device.virtual_functions)} virtual functions",
            "They go when it leaves its driver, and whoever has one loses it",
        )


def _net(device: NodeDevice, net: NetUse, local: bool) -> Iterator[Finding]:
    name = f"{net.name} of {called(device)}"
    if net.this_session:
        yield Finding(
            Weight.REFUSED,
            f"this SSH session comes by {name}",
            "Come by another interface, or by the host's console",
        )
        return
    above = [f"carries {', '.join(net.above)}"] if net.above else []
    route = ["the default route leads over it"] if net.default_route else []
    addresses = [f"it has {', '.join(net.addresses)}"] if net.addresses else []
    uses = [*above, *route, *addresses]
    if uses:
        yield Finding(
            Weight.REFUSED if net.above or net.default_route else Weight.RISK,
            f"{name}: {'; '.join(uses)}",
            f"Take it out of {net.above[0]} first"
            if net.above
            else "Have another interface carry these first",
        )
    elif not local and net.up:
        yield Finding(
            Weight.RISK,
            f"{name} has a link, and may carry the host's connections",
            "What another host does with it cannot be seen from here: look there first",
        )
