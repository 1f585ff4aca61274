"""Debian's installer as a guest: somebody else's full-screen program on a serial console."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import libvirt

from tests.support import guests
from tests.support.initramfs import Boot, cache_folder, elf_of
from tests.support.needs import missing

_PACKAGE = "debian-installer-12-netboot-amd64"
_IMAGES = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
_MEMORY_MIB = 832
"""With less than 780 it spares itself the first dialog."""


def find() -> Boot:
    """Its kernel and initrd where the hypervisor's user can read them; skips without them."""
    kernel, initrd = _IMAGES / "linux", _IMAGES / "initrd.gz"
    if not initrd.exists():
        missing(f"no {_PACKAGE}, which only Debian 12 has")
    folder = cache_folder() / f"installer-{initrd.stat().st_mtime_ns}"
    if not folder.exists():
        # Made aside and moved in whole: another run may want it at the same time.
        aside = Path(tempfile.mkdtemp(dir=cache_folder()))
        aside.chmod(0o755)
        (aside / "vmlinuz").write_bytes(elf_of(kernel.read_bytes()))
        shutil.copyfile(initrd, aside / "initrd")
        try:
            aside.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(aside)
    return Boot(folder / "vmlinuz", folder / "initrd", "")


def define(uri: str) -> guests.Guest:
    """The guest, off."""
    name = guests.unique_name("debian")
    return guests.Guest.define(
        uri, guests.domain_xml(name, memory_mib=_MEMORY_MIB, boots=find(), ports=0)
    )


def boot(guest: guests.Guest) -> None:
    """Start it and wait for its first dialog (20 s of emulation); its console is free then."""
    guest.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    with guest.serial() as serial:
        guest.domain.resume()
        serial.expect("Select a language.*activates buttons", 180)
