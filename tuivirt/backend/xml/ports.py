"""Serial and parallel ports, consoles and channels, declared.

Format: https://libvirt.org/formatdomain.html#consoles-serial-parallel-channel-devices.
"""

from __future__ import annotations

from .character import CHANNELS, source_fields, source_words
from .declare import Declaration
from .field import Field, FieldType
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
        ),
    ),
    _summary,
)

PARALLEL = Declaration("parallel", (*source_fields(initial="dev"), _PORT), _summary)

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
        ),
        _PORT,
    ),
    _summary,
)

CHANNEL = Declaration(
    "channel",
    (
        *source_fields(kinds=CHANNELS, initial="unix"),
        Field(
            "target_type",
            "target/@type",
            "Connected as",
            "virtio is a named port in the guest, guestfwd an address in its user network.",
            choices=("virtio", "guestfwd", "xen"),
            default="virtio",
            required=True,
        ),
        Field(
            "target_name",
            "target/@name",
            "Name",
            "As in org.qemu.guest_agent.0 or com.redhat.spice.0.",
            only=("target_type", ("virtio", "xen")),
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
)
