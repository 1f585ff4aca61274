"""Real QEMU guests for tests: one with a shell, one without an operating system, a hundred."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import string
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import libvirt

from tests.support import initramfs, libvirtd
from tests.support.serial import Serial, SerialTimeout

PREFIX = "tuivirt-test-"
"""All test guests are called this and something, so that they are told from an operator's."""

UNDEFINE = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)

# cli; program the timer for a count that never comes; mask both interrupt controllers; hlt;
# again. Without it the firmware's prompt eats 1 % of a core for each idle guest.
_SLEEPER = bytes.fromhex("fa b0 30 e6 43 b0 ff e6 21 e6 a1 f4 eb fd")

_numbers = itertools.count(1)
_DIGITS = string.digits + string.ascii_lowercase


def unique_name(what: str = "") -> str:
    """A domain name that no other test or run has.

    Process and number are written in base 36: with ``what`` of six letters no name has more
    than the 28 characters that the list shows at 80 columns, so that a test which looks for a
    whole name on the screen does not hang on how many processes this machine has seen.
    """
    return f"{PREFIX}{what}{'-' if what else ''}{_base36(os.getpid())}-{_base36(next(_numbers))}"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"


def make_image(path: Path, size: str = "64M", form: str = "raw") -> Path:
    """An empty disk image; sizes as qemu-img takes them."""
    argv = ["qemu-img", "create", "-q", "-f", form, str(path), size]
    subprocess.run(argv, check=True, capture_output=True, text=True)
    path.chmod(0o666)
    return path


def make_sleeper(path: Path) -> Path:
    """A 1 MiB disk whose boot sector stops the processor for good: a guest without a system."""
    sector = _SLEEPER.ljust(510, b"\0") + b"\x55\xaa"
    path.write_bytes(sector.ljust(1 << 20, b"\0"))
    path.chmod(0o666)
    return path


@contextlib.contextmanager
def image_folder() -> Iterator[Path]:
    """A new folder for images that the hypervisor's user may enter (pytest's own it may not)."""
    folder = Path(tempfile.mkdtemp(prefix="images-", dir=initramfs.cache_folder()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of a guest."""

    source: Path
    target: str = "vda"
    bus: str = "virtio"
    form: str = "raw"
    device: str = "disk"
    serial: str = ""

    def xml(self) -> str:
        """Its element."""
        tag = f"<serial>{escape(self.serial)}</serial>" if self.serial else ""
        return (
            f"<disk type='file' device='{self.device}'><driver name='qemu' type='{self.form}'/>"
            f"<source file={quoteattr(str(self.source))}/>"
            f"<target dev='{self.target}' bus='{self.bus}'/>{tag}</disk>"
        )


VIRTIO_CONSOLE = "<console type='pty'><target type='virtio'/></console>"
"""A console that is no serial port, hvc0 in the guest; it has a shell too. After a serial port it
is console1."""

USER_NETWORK = "<interface type='user'><model type='virtio'/></interface>"
"""A network card that needs nothing of the host."""


def network_card(network: str = "default") -> str:
    """A card in one of libvirt's networks."""
    source = f"<source network={quoteattr(network)}/>"
    return f"<interface type='network'>{source}<model type='virtio'/></interface>"


def domain_xml(
    name: str,
    *,
    memory_mib: int = 192,
    vcpus: int = 1,
    disks: Sequence[Disk] = (),
    interfaces: Sequence[str] = (),
    kernel: bool = True,
    boots: initramfs.Boot | None = None,
    cmdline: str = "",
    serial: bool = True,
    serials: int = 1,
    ports: int = 4,
    usb: str = "none",
    extra_devices: str = "",
    extra_memory: str = "",
) -> str:
    """A domain under software emulation on q35, with ``ports`` free PCIe ports to plug into.

    With ``kernel`` it boots the busybox system, else its first disk. ``cmdline`` is added to
    the kernel's: ``deaf`` makes it ignore the power button. A second serial port has a shell
    too, so that a test can look into the guest while the first port is under test. ``usb`` is
    the model of its USB controller; the modern one, qemu-xhci, takes a port of its own.
    ``boots``: another kernel than the cloud's, which sees no USB.
    """
    boot = "<boot dev='hd'/>"
    if kernel:
        files = boots or initramfs.build()
        words = f"console=ttyS0 quiet panic=1 {cmdline}".strip()
        boot = (
            f"<kernel>{files.kernel}</kernel><initrd>{files.initrd}</initrd>"
            f"<cmdline>{escape(words)}</cmdline>"
        )
    # What is there from the start takes a port each, the balloon too.
    taken = 1 + len(interfaces) + sum(disk.bus == "virtio" for disk in disks) + (usb != "none")
    roots = "<controller type='pci' index='0' model='pcie-root'/>" + (
        "<controller type='pci' model='pcie-root-port'/>" * (ports + taken)
    )
    lines = "".join(
        f"<serial type='pty'><target port='{port}'/></serial>"
        for port in range(serials if serial else 0)
    )
    return f"""<domain type='qemu'>
  <name>{escape(name)}</name>
  <memory unit='MiB'>{memory_mib}</memory>{extra_memory}
  <vcpu>{vcpus}</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type>{boot}</os>
  <features><acpi/><apic/></features>
  <on_crash>destroy</on_crash>
  <devices>
    <controller type='usb' model='{usb}'/>
    {"".join(disk.xml() for disk in disks)}
    {"".join(interfaces)}
    {roots}{lines}
    <memballoon model='virtio'/>
    {extra_devices}
  </devices>
</domain>"""


_there: list[Guest] = []
"""Those that were not removed yet."""


def survive() -> None:
    """Go on after a crash of the machine's own daemon: its guests are still there."""
    if libvirtd.revive():
        for guest in _there:
            if guest.uri == libvirtd.SYSTEM:
                guest.reconnect()


@dataclass(slots=True, eq=False)
class Guest:
    """A defined domain; ``remove`` leaves nothing of it."""

    uri: str
    conn: Any
    domain: Any
    name: str
    uuid: str
    serials: list[Serial] = field(default_factory=list)
    """The consoles opened so far, oldest first."""

    @classmethod
    def define(cls, uri: str, xml: str) -> Guest:
        """Define it on a connection of its own; it is off."""
        conn = libvirt.open(uri)
        domain = conn.defineXML(xml)
        guest = cls(uri, conn, domain, domain.name(), domain.UUIDString())
        _there.append(guest)
        return guest

    @property
    def active(self) -> bool:
        """Whether it runs (or is paused)."""
        return bool(self.domain.isActive())

    def start(self) -> None:
        """Start it, without waiting for what is in it."""
        self.domain.create()

    def serial(self, devname: str | None = None) -> Serial:
        """Open its console; closed with the guest at the latest."""
        serial = Serial(self.uri, self.uuid, devname)
        self.serials.append(serial)
        return serial

    def boot(self, devname: str | None = None, timeout: float = 120) -> Serial:
        """Start it and wait for its shell's prompt; the console is handed over open.

        An emulated guest that hangs while it boots (seen once in some thousand) is started once
        more, and the suite's summary tells of it.
        """
        try:
            return self._boot(devname, timeout / 2)
        except SerialTimeout as error:
            warnings.warn(f"{self.name} hung at its first boot: {error}", stacklevel=2)
        self.serials.pop().close()
        self.destroy()
        return self._boot(devname, timeout)

    def _boot(self, devname: str | None, timeout: float) -> Serial:
        # Paused until the console is open, so that nothing that it says is lost.
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        serial = self.serial(devname)
        self.domain.resume()
        serial.wait_for_shell(timeout)
        return serial

    def destroy(self) -> None:
        """Pull its plug, if it runs."""
        with contextlib.suppress(libvirt.libvirtError):  # It may end by itself meanwhile.
            self.domain.destroy()

    def reconnect(self) -> None:
        """Open its connection anew, after its daemon was killed and started again."""
        self.conn = libvirt.open(self.uri)
        self.domain = self.conn.lookupByUUIDString(self.uuid)

    def remove(self) -> None:
        """Close its consoles, end it and undefine it."""
        for serial in self.serials:
            serial.close()
        survive()
        with contextlib.suppress(ValueError):
            _there.remove(self)
        try:
            self.destroy()
            self.domain.undefineFlags(UNDEFINE)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
        finally:
            self.conn.close()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.remove()


Define = Callable[..., Guest]
"""What defines guests for a test: given `domain_xml`'s arguments."""


def idle_guest(uri: str, folder: Path, name: str = "", *, start: bool = True) -> Guest:
    """A guest without an operating system: a detach from it stays pending for ever."""
    name = name or unique_name("idle")
    disk = Disk(make_sleeper(folder / f"{name}.img"), "vda")
    guest = Guest.define(uri, domain_xml(name, memory_mib=32, disks=[disk], kernel=False))
    if start:
        guest.start()
    return guest


@contextlib.contextmanager
def farm(
    count: int,
    uri: str = "qemu:///system",
    say: Callable[[str], None] = lambda _text: None,
    remove: bool = True,
) -> Iterator[list[str]]:
    """``count`` running domains of 24 MiB that use no processor; their names.

    One disk and one network card each, so that all groups of figures have something to say.
    Starting 100 takes about a minute on two cores, removing them three: without ``remove`` they
    are left to a private daemon's end.
    """
    names = [f"{PREFIX}farm-{os.getpid()}-{number:03}" for number in range(1, count + 1)]
    guests: list[Guest] = []
    lock = threading.Lock()

    with image_folder() as folder, ThreadPoolExecutor(4) as pool:

        def make(name: str) -> None:
            disk = Disk(make_sleeper(folder / f"{name}.img"), "vda")
            guest = Guest.define(
                uri,
                domain_xml(
                    name,
                    memory_mib=24,
                    disks=[disk],
                    interfaces=[USER_NETWORK],
                    kernel=False,
                    ports=0,
                ),
            )
            with lock:
                guests.append(guest)
                say(f"starting {len(guests)} of {count}")
            guest.start()

        try:
            list(pool.map(make, names))
            yield names
        finally:
            if remove:
                say(f"removing {len(guests)}")
                list(pool.map(Guest.remove, guests))


def sweep(uri: str = "qemu:///system") -> list[str]:
    """Remove what a run that was killed left behind, other runs' guests too; their names."""
    conn = libvirt.open(uri)
    names = [d.name() for d in conn.listAllDomains() if d.name().startswith(PREFIX)]
    for name in names:
        domain = conn.lookupByName(name)
        Guest(uri, libvirt.open(uri), domain, name, domain.UUIDString()).remove()
    conn.close()
    return names
