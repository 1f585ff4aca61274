"""What passthrough needs of a machine: an IOMMU that is switched on, vfio, memory to lock."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from .kernel import text_of


def iommu_advice(root: Path = Path("/")) -> str:
    """What is missing for an IOMMU on this machine, ready to copy; '' when it has one.

    Source: /sys/class/iommu, the ACPI tables DMAR (Intel) and IVRS (AMD), /proc/cmdline.
    """
    folder = root / "sys/class/iommu"
    if folder.is_dir() and any(folder.iterdir()):
        return ""
    cpu = text_of(root / "proc/cpuinfo")
    tables = root / "sys/firmware/acpi/tables"
    if "AuthenticAMD" in cpu:
        if not (tables / "IVRS").exists():
            return (
                "Switch on the IOMMU (AMD-Vi, also called SVM with IOMMU) in the firmware's setup"
            )
        return "Take amd_iommu=off out of the kernel's command line, add iommu=pt, and boot again"
    if "GenuineIntel" in cpu or (tables / "DMAR").exists():
        missing = []
        if not (tables / "DMAR").exists():
            missing.append("switch on VT-d in the firmware's setup")
        if "intel_iommu=on" not in text_of(root / "proc/cmdline").split():
            missing.append(
                "add to the kernel's command line: intel_iommu=on iommu=pt (GRUB:"
                " GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub), and boot again"
            )
        text = "; ".join(missing)
        return text[:1].upper() + text[1:]
    return "Switch on the IOMMU in the firmware's setup and in the kernel's command line"


def remote_iommu_advice() -> str:
    """The same for a host that cannot be looked at."""
    return (
        "Intel: VT-d in the firmware's setup, intel_iommu=on iommu=pt in the kernel's command"
        " line; AMD: the IOMMU in the firmware's setup, iommu=pt"
    )


def has_vfio(root: Path = Path("/")) -> bool:
    """Whether this kernel has vfio-pci, loaded, built in or as a module."""
    if (root / "sys/bus/pci/drivers/vfio-pci").exists():
        return True
    modules = root / "lib/modules" / os.uname().release
    return any(
        "/vfio-pci.ko" in text_of(modules / name) for name in ("modules.dep", "modules.builtin")
    )


def locked_memory_kib(session: bool) -> int | None:
    """How much a guest of this user's own daemon may lock; None: no limit.

    The system's daemon raises the limit for each guest by itself.
    """
    if not session:
        return None
    _soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if hard == resource.RLIM_INFINITY else hard // 1024
