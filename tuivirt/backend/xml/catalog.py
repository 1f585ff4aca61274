"""Every kind of device: how it is declared, what can be done to it while the guest runs.

What QEMU can do live is libvirt's list of what its QEMU driver supports (version 9.0):
https://libvirt.org/formatdomain.html says so for some kinds, libvirt's refusals for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ..model.record import record
from .controller import CONTROLLER
from .declare import Declaration
from .disk import DISK
from .field import Value
from .filesystem import FILESYSTEM
from .graphics import GRAPHICS
from .hostdev import HOSTDEV
from .interface import INTERFACE
from .memory import MEMBALLOON, MEMORY, SHMEM
from .peripherals import INPUT, REDIRDEV, SMARTCARD
from .platform import IOMMU, PANIC, RNG, TPM, VSOCK, WATCHDOG
from .ports import CHANNEL, CONSOLE, PARALLEL, SERIAL
from .sound import AUDIO, SOUND
from .video import VIDEO


@record(frozen=True, slots=True)
class Kind:
    """A kind of device, as the catalogue has it."""

    declaration: Declaration
    noun: str
    """As in a sentence: ``random number generator``."""
    plug: bool = False
    """It can be added to a running guest, and taken from it."""
    plug_only: tuple[str, tuple[str, ...]] | None = None
    """Only where this field has one of these values; the first of them is what to choose."""
    stays: tuple[str, Mapping[str, str]] | None = None
    """Where this field has one of these values it can be added to a running guest, but not taken
    from it; before that version of the hypervisor, or (empty) at all."""
    update: tuple[str, ...] = ()
    """The fields that can be changed in a running guest."""
    several: bool = True
    """There may be more than one."""
    identity: tuple[str, ...] = ()
    """The fields by which an operator tells one from others, beside its alias and its address."""

    @property
    def name(self) -> str:
        """The element's name."""
        return self.declaration.tag

    @property
    def one(self) -> str:
        """As in ``cannot add a sound card``."""
        return f"{'an' if self.noun[0] in 'aeiouI' else 'a'} {self.noun}"

    def called(self, label: str) -> str:
        """One of them, as in ``serial port 0``; where there can be no other, what it is."""
        return f"{self.noun} {label}".rstrip() if self.several else self.noun

    def leave_refusal(self, values: Mapping[str, Value], hypervisor: str) -> str:
        """Why a device with these values cannot be taken from a running guest.

        ``hypervisor`` is its version, as in ``7.2.0``; '' when it is not known.
        """
        if self.stays is not None and values[self.stays[0]] in self.stays[1]:
            value = str(values[self.stays[0]])
            since = self.stays[1][value]
            if not since or (hypervisor and _numbers(hypervisor) < _numbers(since)):
                label = self.declaration[self.stays[0]].label.lower()
                before = f" before version {since} of its hypervisor" if since else ""
                return (
                    f"{self.one} whose {label} is {value} cannot be taken from a running guest"
                    f"{before}"
                )
        return self.live_refusal(values)

    def live_refusal(self, values: Mapping[str, Value]) -> str:
        """Why a device with these values cannot be added to a running guest."""
        if not self.plug:
            return f"{self.one} cannot be plugged into a running guest, nor out of it"
        if self.plug_only is None:
            return ""
        name, can = self.plug_only
        if values[name] in can:
            return ""
        label = self.declaration[name].label.lower()
        return (
            f"only {self.one} whose {label} is {' or '.join(can)} can be plugged into a"
            " running guest, or out of it"
        )

    def update_refusal(self, changes: Mapping[str, object]) -> str:
        """Why these fields cannot be changed in a running guest; '' when they can."""
        fixed = sorted(name for name in changes if name not in self.update)
        if not fixed:
            return ""
        if not self.update:
            return f"{self.one} cannot be changed while the guest runs"
        labels = [self.declaration[name].label for name in fixed]
        # MTU and TLS stay as they are written.
        said = ", ".join(a if a[1:2].isupper() else a[:1].lower() + a[1:] for a in labels)
        return f"{said} of {self.one} cannot be changed while the guest runs"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _kinds() -> tuple[Kind, ...]:
    limits = tuple(f.name for f in DISK.fields if str(f.path).startswith("iotune/"))
    return (
        Kind(DISK, "disk", plug=True, update=limits, identity=("target",)),
        Kind(
            INTERFACE,
            "network interface",
            plug=True,
            update=(
                *("source", "portgroup", "link", "filter", "filter_ip", "vlan", "trunk"),
                *("inbound", "inbound_peak", "inbound_burst", "type", "mode", "virtualport"),
                *("outbound", "outbound_peak", "outbound_burst", "isolated", "port_profile"),
                "port_id",
            ),
            identity=("mac",),
        ),
        Kind(HOSTDEV, "host device", plug=True, identity=("pci", "mdev", "vendor", "product")),
        Kind(
            SERIAL,
            "serial port",
            plug=True,
            plug_only=("target_type", ("usb-serial", "pci-serial")),
            identity=("port",),
        ),
        Kind(PARALLEL, "parallel port", identity=("port",)),
        Kind(
            CONSOLE,
            "console",
            plug=True,
            plug_only=("target_type", ("virtio",)),
            identity=("target_type",),  # Its port is counted anew when the domain starts.
        ),
        Kind(CHANNEL, "channel", plug=True, identity=("target_name",)),
        Kind(
            CONTROLLER,
            "controller",
            plug=True,
            plug_only=("type", ("scsi",)),
            identity=("type", "index"),
        ),
        Kind(
            FILESYSTEM,
            "shared file system",
            plug=True,
            plug_only=("driver", ("virtiofs",)),
            identity=("target",),
        ),
        Kind(
            GRAPHICS,
            "graphics device",
            update=("password", "password_until", "connected"),
            identity=("type",),
        ),
        Kind(VIDEO, "video card"),
        Kind(SOUND, "sound card"),
        Kind(AUDIO, "audio device", identity=("id",)),
        Kind(
            INPUT,
            "input device",
            plug=True,
            plug_only=("bus", ("usb", "virtio")),
            identity=("type", "bus"),
        ),
        Kind(TPM, "TPM", several=False),
        Kind(RNG, "random number generator", plug=True),
        Kind(
            WATCHDOG,
            "watchdog",
            plug=True,
            plug_only=("model", ("i6300esb",)),
            identity=("model",),
        ),
        Kind(MEMBALLOON, "memory balloon", several=False),
        Kind(
            MEMORY,
            "memory device",
            plug=True,
            plug_only=("model", ("dimm", "nvdimm", "virtio-mem", "virtio-pmem")),
            stays=("model", {"nvdimm": "", "virtio-pmem": "", "virtio-mem": "8.2"}),
            update=("requested",),
        ),
        Kind(VSOCK, "vsock device", plug=True, several=False),
        Kind(REDIRDEV, "redirected USB device", plug=True),
        Kind(SMARTCARD, "smart card", several=False),
        Kind(SHMEM, "shared memory", plug=True, identity=("region",)),
        Kind(PANIC, "panic notifier", identity=("model",)),
        Kind(IOMMU, "IOMMU", several=False),
    )


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of device that can be added, by its element's name, in the order of menus."""
    return {kind.name: kind for kind in _kinds()}
