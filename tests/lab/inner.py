"""The guest in the lab host: started by the first case that needs it, used by all after it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass

import libvirt

from tests.support import guests
from tests.support.guests import Guest
from tests.support.lab.machine import guest_boot
from tests.support.libvirtd import SYSTEM
from tests.support.serial import Serial

NAME = f"{guests.PREFIX}lab"
BOOT_S = 120.0
MEMORY_MIB = 128
_QUICK = "cryptomgr.notests initcall_blacklist=init_kprobe_trace,load_system_certificate_list"
"""What a kernel tests and prepares for others takes it a sixth of the time to its shell."""


@dataclass(frozen=True, slots=True)
class Inner:
    """The guest, and its shell."""

    guest: Guest
    shell: Serial

    def pci(self) -> set[str]:
        """``vendor:product`` of all PCI devices that its kernel sees, as in ``1234:1111``."""
        said = self.shell.run(
            'for d in /sys/bus/pci/devices/*; do echo "$(cat $d/vendor):$(cat $d/device)"; done'
        )
        return {line.replace("0x", "") for line in said.split()}

    def wait_for_pci(self, identity: str, *, there: bool = True) -> None:
        """Wait until its kernel sees such a device, or none any more."""
        vendor, product = (f"0x{half}" for half in identity.split(":"))
        seen = f"grep -l {product} $(grep -l {vendor} /sys/bus/pci/devices/*/vendor /dev/null |"
        seen += " sed s/vendor/device/) /dev/null"
        self.shell.run(f"{'until' if there else 'while'} {seen}; do sleep 0.2; done >/dev/null", 60)


def xml(name: str = NAME) -> str:
    """A q35 guest with free PCIe ports, a bridge for old PCI devices, and USB.

    Emulated inside the emulation: KVM on the emulated SVM booted it in half the time, and then
    once took the whole host with it.
    """
    return guests.domain_xml(
        name,
        memory_mib=MEMORY_MIB,
        serials=2,
        ports=6,
        cmdline=f"mitigations=off no_timer_check random.trust_cpu=on {_QUICK}",
        boots=guest_boot(),
        usb="qemu-xhci",
        extra_devices="<controller type='pci' model='pcie-to-pci-bridge'/>",
    )


def start() -> Guest:
    """The guest, running; started now unless it was. Its system may not be up yet.

    The runner calls it ahead of the first case that needs it.
    """
    with open("/run/lab-guest.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        conn = libvirt.open(SYSTEM)
        try:
            domain = conn.lookupByName(NAME)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            domain = conn.defineXML(xml())
        guest = Guest(SYSTEM, conn, domain, NAME, domain.UUIDString())
        if not guest.active:
            guest.start()
    return guest


def end() -> None:
    """End it and forget it, with all that it was given; the next case that needs it starts anew."""
    conn = libvirt.open(SYSTEM)
    try:
        Guest(SYSTEM, conn, domain := conn.lookupByName(NAME), NAME, domain.UUIDString()).remove()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        conn.close()


@contextlib.contextmanager
def inner_guest() -> Iterator[Inner]:
    """The running guest with a shell on serial1; serial0 is free for the case.

    It goes on after the case, which must leave it without what it gave to it.
    """
    guest = start()
    try:
        with guest.serial("serial1") as shell:
            shell.send("\n")  # For a prompt, if it has said its first before.
            shell.wait_for_shell(BOOT_S)
            yield Inner(guest, shell)
    finally:
        guest.conn.close()
