"""Serial and parallel ports, consoles and channels, declared.

Format: https://libvirt.org/formatdomain.html#consoles-serial-parallel-channel-devices.
"""

from __future__ import annotations

from .character import CHANNELS, SOURCE_COMMON, source_fields, source_words
from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, arrow, words

_PORT = Field(
    "port",
    "target/@port",
    "Number",
    "Which of the guest's ports of this kind it is, from 0.",
    FieldType.INT,
)


def _summary(values: Values) -> str:
    seen = words(values.get("target_type"), values.get("target_name"))
    return words(source_words(values), arrow(seen))


SERIAL = Declaration(
    "serial",
    (
        *source_fields(),
        Field(
            "target_type",
            "target/@type",
            "Connected as",
            "isa-serial is the PC's own; usb-serial and pci-serial can be plugged in.",
            choices=(
                *("isa-serial", "usb-serial", "pci-serial", "spapr-vio-serial"),
                *("system-serial", "sclp-serial", "isa-debug"),
            ),
            offer=Offer(
                needs={
                    "isa-serial": ("x86",),
                    "isa-debug": ("x86",),
                    "spapr-vio-serial": ("ppc",),
                    "system-serial": ("arm",),
                    "sclp-serial": ("s390",),
                }
            ),
        ),
        _PORT,
        Field(
            "model",
            "target/model/@name",
            "Model",
            "The chip that the guest sees; libvirt chooses it.",
            choices=(
                *("isa-serial", "usb-serial", "pci-serial", "spapr-vty", "pl011", "16550a"),
                *("sclpconsole", "sclplmconsole", "isa-debugcon"),
            ),
            offer=Offer(
                needs={
                    "isa-serial": ("x86",),
                    "isa-debugcon": ("x86",),
                    "spapr-vty": ("ppc",),
                    "pl011": ("arm",),
                    "sclpconsole": ("s390",),
                    "sclplmconsole": ("s390",),
                }
            ),
        ),
    ),
    _summary,
    common=("type", *SOURCE_COMMON, "target_type"),
)

PARALLEL = Declaration(
    "parallel",
    (*source_fields(initial="dev"), _PORT),
    _summary,
    common=("type", *SOURCE_COMMON),
)

CONSOLE = Declaration(
    "console",
    (
        *source_fields(),
        Field(
            "target_type",
            "target/@type",
            "Connected as",
            "serial: the same as the first serial port; virtio is hvc0 in a Linux guest.",
            choices=("serial", "virtio", "xen", "sclp", "sclplm", "lxc"),
            initial="virtio",
            offer=Offer(
                needs={
                    "xen": ("xen",),
                    "sclp": ("s390",),
                    "sclplm": ("s390",),
                    "lxc": ("lxc",),
                }
            ),
        ),
        _PORT,
    ),
    _summary,
    common=("type", *SOURCE_COMMON, "target_type"),
)

CHANNEL = Declaration(
    "channel",
    (
        *source_fields(
            kinds=CHANNELS,
            initial="unix",
            offer=Offer(
                "channel/type",
                # What any character device can have is not told, nor the agent for VNC.
                untold=tuple(each for each in CHANNELS if each != "spicevmc"),
                needs={"nmdm": ("bhyve",)},
                lacks={"spicevmc": "a QEMU with SPICE"},
            ),
        ),
        Field(
            "target_type",
            "target/@type",
            "Connected as",
            "virtio is a named port in the guest, guestfwd an address in its user network.",
            choices=("virtio", "guestfwd", "xen"),
            default="virtio",
            required=True,
            offer=Offer(needs={"xen": ("xen",)}),
        ),
        Field(
            "target_name",
            "target/@name",
            "Name",
            "As in org.qemu.guest_agent.0 or com.redhat.spice.0.",
            only=("target_type", ("virtio", "xen")),
            offer=Offer(
                starts=(
                    "type",
                    {
                        "unix": "org.qemu.guest_agent.0",
                        "spicevmc": "com.redhat.spice.0",
                        "qemu-vdagent": "com.redhat.spice.0",
                    },
                )
            ),
        ),
        Field(
            "target_address",
            "target/@address",
            "Address",
            "The IPv4 address that the guest calls.",
            only=("target_type", ("guestfwd",)),
        ),
        Field(
            "target_port",
            "target/@port",
            "Port",
            "The port that the guest calls.",
            FieldType.INT,
            only=("target_type", ("guestfwd",)),
            least=1,
            most=65535,
        ),
    ),
    _summary,
    common=(
        *("type", "target_type", "target_name", "target_address", "target_port"),
        *SOURCE_COMMON,
    ),
)
