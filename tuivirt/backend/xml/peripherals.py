"""What a user plugs into a machine: input devices, redirected USB devices, smart cards.

Format: https://libvirt.org/formatdomain.html#input-devices, #redirected-devices,
#smartcard-devices.
"""

from __future__ import annotations

from .character import REDIRECTED, SOURCE_COMMON, source_fields
from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import named
from .shared import BOOT_ORDER, VIRTIO_MODELS

_EVDEV = ("type", ("evdev",))

INPUT = Declaration(
    "input",
    (
        Field(
            "type",
            "@type",
            "Type",
            "What it is; a tablet's pointer stays where the viewer's is.",
            choices=("tablet", "mouse", "keyboard", "passthrough", "evdev"),
            initial="tablet",
            required=True,
        ),
        Field(
            "bus",
            "@bus",
            "Bus",
            "How it is connected; usb and virtio can be plugged in.",
            choices=("usb", "virtio", "ps2", "xen"),
            only=("type", ("tablet", "mouse", "keyboard", "passthrough")),
            initial="usb",
            offer=Offer(
                needs={"usb": ("usb",), "ps2": ("x86",), "xen": ("xen",)},
                best={"s390": "virtio"},
                beside=(
                    "type",
                    {
                        "tablet": ("usb", "virtio"),
                        "mouse": ("usb", "virtio", "ps2", "xen"),
                        "keyboard": ("usb", "virtio", "ps2", "xen"),
                        "passthrough": ("virtio",),
                    },
                ),
            ),
        ),
        Field(
            "model",
            "@model",
            "Model",
            "The virtio device that the guest sees.",
            choices=VIRTIO_MODELS,
            only=("bus", ("virtio",)),
        ),
        Field(
            "source",
            {"passthrough": "source/@evdev", "evdev": "source/@dev"},
            "Source",
            "The host's device, as in /dev/input/event3.",
            by="type",
        ),
        Field(
            "grab",
            "source/@grab",
            "Grab",
            "all: every event device goes along with this one.",
            choices=("all",),
            only=_EVDEV,
        ),
        Field(
            "grab_toggle",
            "source/@grabToggle",
            "Keys",
            "What gives it to the guest and back to the host.",
            choices=(
                *("ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta"),
                *("scrolllock", "ctrl-scrolllock"),
            ),
            only=_EVDEV,
        ),
        Field(
            "repeat",
            "source/@repeat",
            "Repeat",
            "Repeat a key that is held.",
            FieldType.ON_OFF,
            only=_EVDEV,
        ),
    ),
    named("type", "bus", "source"),
    common=("type", "bus", "source"),
)

REDIRDEV = Declaration(
    "redirdev",
    (
        Field(
            "bus",
            "@bus",
            "Bus",
            "Only USB devices can be redirected.",
            choices=("usb",),
            default="usb",
            required=True,
            offer=Offer(
                "redirdev/bus",
                needs={"usb": ("usb",)},
                lacks={"usb": "a QEMU with USB redirection"},
            ),
        ),
        *source_fields(kinds=REDIRECTED, initial="spicevmc"),
        BOOT_ORDER,
    ),
    named("bus", "type"),
    common=("type", *SOURCE_COMMON),
)

SMARTCARD = Declaration(
    "smartcard",
    (
        Field(
            "reader",
            "@mode",
            "Reader",
            "passthrough: the viewer's reader; host: this machine's.",
            choices=("passthrough", "host", "host-certificates"),
            initial="passthrough",
            required=True,
            offer=Offer(
                needs=dict.fromkeys(("passthrough", "host", "host-certificates"), ("usb",))
            ),
        ),
        *source_fields(kinds=REDIRECTED, initial="spicevmc", only=("reader", ("passthrough",))),
        Field(
            "certificates",
            "certificate",
            "Certificates",
            "Three names in the host's certificate database, with commas.",
            FieldType.LIST,
            only=("reader", ("host-certificates",)),
        ),
        Field(
            "database",
            "database",
            "Database",
            "The directory of that database.",
            only=("reader", ("host-certificates",)),
        ),
    ),
    named("reader", "type"),
    common=("reader", "type", *SOURCE_COMMON, "certificates"),
)
