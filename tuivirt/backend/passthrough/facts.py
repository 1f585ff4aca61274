"""What is known of a host's devices: from this machine's sysfs, or from what libvirt tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..model.host import HostSnapshot
from ..model.passthrough import DeviceFacts, HostFacts, NetUse
from ..model.resources import NodeDevice
from .diskuse import disk_uses
from .kernel import text_of
from .netuse import net_uses
from .platform import has_vfio, iommu_advice, locked_memory_kib, remote_iommu_advice


def gather(
    snapshot: HostSnapshot, devices: Iterable[NodeDevice], root: Path = Path("/")
) -> HostFacts:
    """What is known of these devices of a host; of a local one it is read now.

    ``root``: where /sys and /proc of this machine are looked for.
    """
    known = snapshot.devices
    local = snapshot.info is not None and snapshot.info.local
    iommu = any(each.iommu_group is not None for each in known.values())
    session = snapshot.uri.partition("?")[0].rstrip("/").endswith("/session")
    if not local:
        return HostFacts(
            local=False,
            iommu=iommu,
            iommu_advice="" if iommu else remote_iommu_advice(),
            devices={each.name: _told(each, known) for each in devices},
        )
    return HostFacts(
        local=True,
        iommu=iommu,
        iommu_advice="" if iommu else iommu_advice(root),
        vfio=has_vfio(root),
        locked_memory_kib=locked_memory_kib(session),
        devices={each.name: _seen(each, known, root) for each in devices},
    )


def driver_of(device: NodeDevice, root: Path = Path("/")) -> str:
    """What a device of this machine is bound to, now. Source: its driver link in sysfs."""
    link = root / device.path.lstrip("/") / "driver"
    return link.resolve().name if link.exists() else ""


def _seen(device: NodeDevice, known: Mapping[str, NodeDevice], root: Path) -> DeviceFacts:
    """What this machine's kernel says."""
    folder = root / device.path.lstrip("/")
    pci = device.capability == "pci"
    return DeviceFacts(
        driver=driver_of(device, root),
        boot_display=pci and text_of(folder / "boot_vga") == "1",
        can_reset=not pci or (folder / "reset").exists(),
        nets=net_uses(device.path, root),
        disks=disk_uses(device.path, root),
        children=_children(device, known),
    )


def _told(device: NodeDevice, known: Mapping[str, NodeDevice]) -> DeviceFacts:
    """What libvirt says of another machine: what hangs on it, not what it is used for."""
    nets = tuple(
        NetUse(each.net_name, up=each.net_state == "up")
        for each in _below(device, known)
        if each.net_name
    )
    return DeviceFacts(driver=device.driver, nets=nets, children=_children(device, known))


def _children(device: NodeDevice, known: Mapping[str, NodeDevice]) -> tuple[str, ...]:
    found = []
    for each in _below(device, known):
        if each.net_name:
            found.append(f"interface {each.net_name}")
        elif each.block_path:
            found.append(f"disk {each.block_path}")
    return tuple(found)


def _below(device: NodeDevice, known: Mapping[str, NodeDevice]) -> list[NodeDevice]:
    """All that hangs on a device, in the tree of libvirt's node devices."""
    by_parent: dict[str, list[NodeDevice]] = {}
    for each in known.values():
        by_parent.setdefault(each.parent, []).append(each)
    found: list[NodeDevice] = []
    wanted = [device.name]
    while wanted:
        for each in by_parent.get(wanted.pop(), ()):
            found.append(each)
            wanted.append(each.name)
    return found
