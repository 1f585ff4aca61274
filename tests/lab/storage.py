"""What storage pools are made of in the lab host, and who takes a volume of one."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import libvirt

from tests.support import guests
from tests.support.guests import Disk, Guest, domain_xml, make_sleeper
from tests.support.libvirtd import SYSTEM

PLACE = Path("/run/lab storage")
"""In memory, and in a folder whose name has a space."""
MIB = 1 << 20
_ADAPTER = "0000:00:03.0/virtio*/host*"


def output(*argv: str) -> str:
    """What a program of the host says. Raises with what it said when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout.strip()


@contextlib.contextmanager
def forgotten(*pools: str) -> Iterator[None]:
    """No pool of these names is left, whatever fails; the first is stopped last."""
    PLACE.mkdir(exist_ok=True)
    try:
        yield
    finally:
        conn = libvirt.open(SYSTEM)
        there = {each.name(): each for each in conn.listAllStoragePools()}
        for name in reversed(pools):
            if name in there:
                if there[name].isActive():
                    there[name].destroy()
                there[name].undefine()
        conn.close()


@contextlib.contextmanager
def loop(name: str, size_mib: int) -> Iterator[str]:
    """A block device in memory."""
    PLACE.mkdir(exist_ok=True)
    backing = PLACE / name
    with backing.open("wb") as out:
        out.truncate(size_mib * MIB)
    output("modprobe", "loop")
    device = output("losetup", "--find", "--show", str(backing))
    try:
        yield device
    finally:
        output("losetup", "--detach", device)
        backing.unlink()


def scsi_adapter() -> str:
    """What libvirt calls the host's bus adapter, as in scsi_host2."""
    (found,) = Path("/sys/devices/pci0000:00").glob(_ADAPTER)
    return f"scsi_{found.name}"


def scsi_disk() -> str:
    """The device of the one disk behind it, which is 32 MiB large."""
    (found,) = Path("/sys/devices/pci0000:00").glob(f"{_ADAPTER}/target*/*/block/*")
    return f"/dev/{found.name}"


@contextlib.contextmanager
def a_guest_with(device: str) -> Iterator[str]:
    """The name of one that has a block device; paused, as this host's time is dear."""
    name = f"{guests.PREFIX}pools"
    boot = Disk(make_sleeper(Path("/run/lab-sleeper.img")))
    given = (
        f"<disk type='block'><driver name='qemu' type='raw'/><source dev='{device}'/>"
        "<target dev='vdb' bus='virtio'/></disk>"
    )
    xml = domain_xml(name, memory_mib=32, disks=[boot], kernel=False, extra_devices=given)
    with Guest.define(SYSTEM, xml) as guest:
        guest.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        yield guest.name


def pattern(name: str, size: int) -> Path:
    """A file in which no two places are alike."""
    PLACE.mkdir(exist_ok=True)
    file = PLACE / name
    line = len(f"{name} 00000000\n")
    file.write_bytes("".join(f"{name} {at:08}\n" for at in range(size // line + 1)).encode()[:size])
    return file


def begins_with(device: Path, wanted: Path) -> bool:
    """Whether a device, or a file, holds at its beginning what the other file does."""
    content = wanted.read_bytes()
    with device.open("rb") as file:
        return file.read(len(content)) == content
