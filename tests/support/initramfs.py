"""A guest's operating system in 3 MB: Debian's kernel, busybox and the virtio modules.

Under software emulation it has a shell on its serial console 2 to 3 s after its start. It powers
off when the ACPI button is pressed (unless its kernel's command line holds ``deaf``), asks for
an address on each network interface it boots with, and sees disks that are plugged in later.
"""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import re
import shutil
import stat
import struct
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import missing

MODULES = (
    "virtio_pci",
    "virtio_blk",
    "virtio_net",
    "virtio_balloon",
    "virtio_scsi",
    "virtio_console",
    "sd_mod",
    "sr_mod",
    "isofs",
    "evdev",
    "button",
    "ahci",
    "e1000e",
    "xhci_pci",
    "usb_storage",
)
"""Loaded in this order where the kernel has them as modules."""

MODULES_OF = Path("/lib/modules")

PROMPT = "guest# "

_INIT = f"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root /etc/acpi/PWRF /usr/share/udhcpc
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
exec >/dev/console 2>&1 </dev/console
for module in $(cat /modules/order); do insmod "/modules/$module" 2>/dev/null; done
read line </proc/cmdline
case " $line " in
    *" deaf "*) ;;
    *)
        printf '#!/bin/sh\\npoweroff -f\\n' >/etc/acpi/PWRF/00000080
        chmod +x /etc/acpi/PWRF/00000080
        acpid -c /etc/acpi -l /tmp/acpid.log -p /run/acpid.pid
        ;;
esac
for card in /sys/class/net/*; do
    card=${{card##*/}}
    ip link set "$card" up
    [ "$card" = lo ] || udhcpc -i "$card" -s /dhcp -b >/tmp/dhcp-"$card".log 2>&1
done
export PS1='{PROMPT}' HOME=/root PATH=/bin TERM=vt100
cd /root
shell() {{
    # A size at once, or the shell asks the terminal for it with an escape sequence.
    stty -F "/dev/$1" rows 24 cols 80
    while :; do setsid sh -c "exec sh </dev/$1 >/dev/$1 2>&1" & wait $!; done
}}
grep -q 'uart:16550A port:000002F8' /proc/tty/driver/serial && shell ttyS1 &
[ -e /dev/hvc0 ] && shell hvc0 &
stty -F /dev/ttyS0 rows 24 cols 80
while :; do setsid cttyhack sh; done
"""

_DHCP = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ifconfig "$interface" "$ip" netmask "$subnet"
"""


@dataclass(frozen=True, slots=True)
class Boot:
    """What a domain boots: paths that the hypervisor's user can read."""

    kernel: Path
    initrd: Path
    release: str
    """As ``uname -r`` says in the guest."""


def archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """A newc archive of (path, mode, content); /dev/console is put in, as the kernel wants it."""
    parts: list[bytes] = []

    def put(number: int, path: str, mode: int, content: bytes, device: tuple[int, int]) -> None:
        name = path.encode() + b"\0"
        numbers = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        head = b"070701" + b"".join(b"%08x" % n for n in numbers) + name
        parts.append(head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4))

    put(1, "dev", stat.S_IFDIR | 0o755, b"", (0, 0))
    put(2, "dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))
    for number, (path, mode, content) in enumerate(entries, start=3):
        put(number, path, mode, content, (0, 0))
    put(0, "TRAILER!!!", 0, b"", (0, 0))
    return b"".join(parts)


def modules(release: str, names: Iterable[str]) -> list[Path]:
    """The files to insert, dependencies before their users; what is built in needs none."""
    root = MODULES_OF / release
    needs: dict[str, tuple[Path, list[Path]]] = {}
    for line in (root / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        needs[_module_name(file)] = (root / file, [root / other for other in others.split()])
    files: dict[Path, None] = {}
    for name in names:
        if name in needs:
            module, first = needs[name]
            # depmod lists a module's needs nearest first.
            files.update(dict.fromkeys([*reversed(first), module]))
    return list(files)


def _module_name(file: str) -> str:
    return Path(file).name.partition(".")[0].replace("-", "_")


def _has(release: str, names: Iterable[str]) -> bool:
    """Whether a kernel has all of these, as modules or built in."""
    there: set[str] = set()
    for listing in ("modules.dep", "modules.builtin"):
        with contextlib.suppress(FileNotFoundError):
            lines = (MODULES_OF / release / listing).read_text().splitlines()
            there |= {_module_name(line.partition(":")[0]) for line in lines}
    return there.issuperset(names)


def find_kernel(
    *, cloud: bool, with_modules: Iterable[str] = (), otherwise: str, boot: Path = Path("/boot")
) -> Path:
    """The newest kernel of this machine that we can read; of the wanted flavour if there is one.

    Guests boot the cloud flavour fastest; it lacks what a host with hardware needs. Skips with
    ``otherwise`` where no kernel has ``with_modules``.
    """
    wanted = tuple(with_modules)

    def rank(kernel: Path) -> tuple[bool, list[int]]:
        return ("cloud" in kernel.name) is cloud, [int(n) for n in re.findall(r"\d+", kernel.name)]

    for kernel in sorted(boot.glob("vmlinuz-*"), key=rank, reverse=True):
        release = kernel.name.removeprefix("vmlinuz-")
        there = (MODULES_OF / release / "modules.dep").exists()
        if os.access(kernel, os.R_OK) and there and _has(release, wanted):
            return kernel
    return missing(otherwise)


def elf_of(image: bytes) -> bytes:
    """The ELF file in a bzImage, which QEMU starts by its PVH note; the image if it is not XZ's.

    Offsets: Documentation/x86/boot.rst.
    """
    start, size = struct.unpack_from("<II", image, 0x248)
    start += (image[0x1F1] + 1) * 512
    if not image[start:].startswith(b"\xfd7zXZ\0"):
        return image
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(image[start : start + size])


def cache_folder() -> Path:
    """A folder of this user's that the hypervisor's user may enter, kept between runs."""
    folder = Path("/var/tmp") / f"tuivirt-tests-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{folder} belongs to somebody else")
    return folder


def build(*, cloud: bool = True, wanted: tuple[str, ...] = MODULES, unpacked: bool = False) -> Boot:
    """Kernel and initramfs, made once for each combination of kernel, busybox and script.

    The cloud kernel boots fastest; one that is not knows USB as well, and real hardware. A
    kernel that need not unpack itself saves a slow machine half of the time to its shell.
    The kernel is copied: libvirt changes the owner of what a domain boots.
    """
    busybox = shutil.which("busybox")
    if busybox is None:
        missing("no busybox for a guest to run")
    kernel = find_kernel(
        cloud=cloud, otherwise="no readable kernel with modules in /boot for a guest to boot"
    )
    release = kernel.name.removeprefix("vmlinuz-")
    files = modules(release, wanted)
    tools = Path(busybox).read_bytes()
    digest = hashlib.sha256(tools)
    for text in (
        _INIT,
        _DHCP,
        release,
        str(unpacked),
        str(kernel.stat().st_mtime_ns),
        *map(str, files),
    ):
        digest.update(text.encode())
    folder = cache_folder() / f"boot-{digest.hexdigest()[:16]}"
    boot = Boot(folder / "vmlinuz", folder / "initrd", release)
    if folder.exists():
        return boot
    program, plain = stat.S_IFREG | 0o755, stat.S_IFREG | 0o644
    order = "\n".join(module.name for module in files)
    entries = [
        ("bin", stat.S_IFDIR | 0o755, b""),
        ("bin/busybox", program, tools),
        ("init", program, _INIT.encode()),
        ("dhcp", program, _DHCP.encode()),
        ("modules", stat.S_IFDIR | 0o755, b""),
        ("modules/order", plain, order.encode()),
        *((f"modules/{module.name}", plain, module.read_bytes()) for module in files),
    ]
    # Made aside and moved in whole: another run may want it at the same time.
    aside = Path(tempfile.mkdtemp(dir=cache_folder()))
    aside.chmod(0o755)
    image = kernel.read_bytes()
    (aside / "vmlinuz").write_bytes(elf_of(image) if unpacked else image)
    (aside / "initrd").write_bytes(archive(entries))
    try:
        aside.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(aside)
    return boot
