"""How the lab host is made: its kernel, its initramfs, QEMU's arguments."""

from __future__ import annotations

import platform
import shlex
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.initramfs import Boot, archive, build, find_kernel, modules
from tests.support.lab import hardware, mdev
from tests.support.needs import missing, need_programs, need_root

Iommu = Literal["intel", "amd", "none"]
"""Whose IOMMU the host has; ``none``: a board without."""
HOSTS: tuple[Iommu, ...] = ("none", "amd", "intel")
"""In the order in which a run of all cases uses them; the one that most is tried on comes last."""

ROOT = Path(__file__).resolve().parents[3]
REPORT = "tuivirt.report"
"""The port by which the host is asked for cases and reports them."""

_FIRST = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
"""What it takes to see the root."""
_HOST = (*_FIRST, "virtio_console", "vfio_pci", "bochs", "snd_hda_intel", "nvme", "e1000e")
"""What tells a host's kernel from a guest's."""

# Its guests are ours: that interrupts are passed on without remapping is safe enough.
_UNSAFE = "iommu=pt vfio_iommu_type1.allow_unsafe_interrupts=1"
_WORDS: dict[Iommu, str] = {"intel": f"intel_iommu=on {_UNSAFE}", "amd": _UNSAFE, "none": ""}
_DEVICE: dict[Iommu, list[str]] = {
    "intel": ["-device", "intel-iommu,intremap=off,caching-mode=on"],
    "amd": ["-device", "amd-iommu,intremap=off"],
    "none": [],
}

_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /lower /top /new
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
exec >/dev/console 2>&1 </dev/console
set -e
trap 'echo "the lab host has no root"; poweroff -f' EXIT
for module in $(cat /modules/order); do insmod "/modules/$module"; done
# Nothing of it changes but the work tree, of which one state is as good as another.
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /lower
mount -t tmpfs -o mode=755 top /top
mkdir /top/upper /top/work
mount -t overlay -o lowerdir=/lower,upperdir=/top/upper,workdir=/top/work,metacopy=on root /new
umount /proc /sys
mount --move /dev /new/dev
trap - EXIT
exec switch_root /new /bin/sh @SCRIPT@ @PYTHON@
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """All that QEMU needs for one lab host."""

    argv: list[str]
    console: Path
    """The file with all that the host says."""


def guest_boot() -> Boot:
    """What a guest in the lab host boots: a kernel with USB, and few modules, as each is slow."""
    wanted = ("xhci_pci", "virtio_pci", "virtio_scsi")
    return build(cloud=False, wanted=wanted, unpacked=True)


def host_kernel() -> Path:
    """What the lab host boots. Skips where there is none that has all it takes."""
    return find_kernel(
        cloud=False,
        with_modules=_HOST,
        otherwise="no kernel with vfio and 9p for the lab host (package linux-image-amd64)",
    )


def made_ready() -> None:
    """Build, out here, what the lab host would build ten times slower."""
    release = host_kernel().name.removeprefix("vmlinuz-")
    if not mdev.lacking(release):  # Else the cases that need it say so.
        mdev.module(release)


def make(folder: Path, report_fd: int, iommu: Iommu = "intel") -> Machine:
    """A lab host whose files lie in ``folder`` and whose report port is an open socket.

    Skips where the kernel, QEMU or root's rights are missing.
    """
    if platform.machine() != "x86_64":
        missing("the lab host is an x86 machine")
    need_root()  # Its root is this machine's, and root's own files are needed of it.
    need_programs("qemu-system-x86_64", "busybox", "libvirtd", "virtlogd", "setpriv")
    if not Path("/lib/systemd/systemd-udevd").exists():
        missing("no udev for the lab host (package udev)")
    kernel = host_kernel()
    initrd = folder / "initrd"
    initrd.write_bytes(_initrd(kernel.name.removeprefix("vmlinuz-")))
    console = folder / "console.log"
    words = f"console=ttyS0 panic=-1 mitigations=off no_timer_check {_WORDS[iommu]}"
    argv = ["qemu-system-x86_64", "-name", "tuivirt-lab", "-nodefaults", "-no-user-config"]
    argv += ["-display", "none", "-no-reboot", "-accel", "tcg,thread=multi", "-smp", "2"]
    # Without SVM: a guest of KVM boots faster in it, but the emulation of SVM loses the host.
    argv += ["-m", "2560", "-machine", "q35,kernel-irqchip=off", "-cpu", "max,svm=off,la57=off"]
    argv += _DEVICE[iommu]
    argv += ["-kernel", str(kernel), "-initrd", str(initrd), "-append", words]
    argv += ["-chardev", f"file,id=console,path={console}", "-serial", "chardev:console"]
    share = "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
    argv += ["-fsdev", share]
    argv += ["-device", "virtio-9p-pci,fsdev=root,mount_tag=root,bus=pcie.0,addr=5"]
    argv += ["-device", "virtio-serial-pci,bus=pcie.0,addr=4"]
    argv += ["-chardev", f"socket,id=report,fd={report_fd}"]
    argv += ["-device", f"virtserialport,chardev=report,name={REPORT}"]
    argv += hardware.arguments(folder)
    return Machine(argv, console)


def _initrd(release: str) -> bytes:
    """Busybox, the modules that the root needs, and the script that goes over to it."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    files = modules(release, _FIRST)
    script = Path(__file__).with_name("host.sh")
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        missing(f"no {python} for the lab host: script/bootstrap --dev makes it")
    init = _INIT.replace("@SCRIPT@", shlex.quote(str(script)))
    init = init.replace("@PYTHON@", shlex.quote(str(python)))
    program, plain = stat.S_IFREG | 0o755, stat.S_IFREG | 0o644
    return archive(
        [
            ("bin", stat.S_IFDIR | 0o755, b""),
            ("bin/busybox", program, Path(busybox).read_bytes()),
            ("init", program, init.encode()),
            ("modules", stat.S_IFDIR | 0o755, b""),
            ("modules/order", plain, "\n".join(file.name for file in files).encode()),
            *((f"modules/{file.name}", plain, file.read_bytes()) for file in files),
        ]
    )
