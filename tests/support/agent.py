"""A real qemu-guest-agent for a guest, on a disk of its own with the libraries that it needs.

The guest boots busybox from memory: what it is to freeze is that disk's file system.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support import initramfs
from tests.support.needs import missing, need_programs
from tests.support.serial import Serial

CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
LOG, HOOKED, PID = "/tmp/ga.log", "/tmp/hooked", "/tmp/ga.pid"
"""In the guest: what the agent was asked, when its hook was called, and its process."""

_START = (
    "mkdir -p /data && mount -t ext4 /dev/vda /data",
    f"printf '#!/bin/sh\\necho \"$1\" >>{HOOKED}\\n' >/tmp/hook; chmod +x /tmp/hook",
    "port=$(grep -l org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name | cut -d/ -f5)",
    "alias ga='/data/lib/ld.so --library-path /data/lib /data/qemu-ga'",
    f"ga -d -v -m virtio-serial -p /dev/$port -l {LOG} -f {PID} -t /tmp -F/tmp/hook",
)


def boots() -> initramfs.Boot:
    """A system that knows ext4."""
    return initramfs.build(wanted=(*initramfs.MODULES, "crc32c_generic", "ext4"))


def agent_disk(path: Path) -> Path:
    """An image with the agent of this machine. Skips where it has none."""
    agent = shutil.which("qemu-ga", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if agent is None:
        missing("no qemu-ga for a guest to run")
    need_programs("mkfs.ext4", "debugfs")
    folder = path.with_suffix(".d")
    (folder / "lib").mkdir(parents=True)
    shutil.copy(agent, folder / "qemu-ga")
    told = subprocess.run(["ldd", agent], check=True, capture_output=True, text=True).stdout
    for word in told.split():
        if word.startswith("/"):
            is_loader = Path(word).name.startswith("ld-")
            shutil.copy(word, folder / "lib" / ("ld.so" if is_loader else Path(word).name))
    argv = ["mkfs.ext4", "-q", "-F", "-d", str(folder), str(path), "48M"]
    subprocess.run(argv, check=True, capture_output=True)
    shutil.rmtree(folder)
    path.chmod(0o666)
    return path


def start(shell: Serial) -> None:
    """Have the agent run in the guest, with the disk mounted on /data."""
    for line in _START:
        shell.run(line)
