"""``<hostdev>``, declared. Format: https://libvirt.org/formatdomain.html#host-device-assignment."""

from __future__ import annotations

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, words
from .shared import BOOT_ORDER, ROM_BAR, ROM_FILE, VIRTIO_MODELS, secret_fields

_PCI = ("type", ("pci",))
_USB = ("type", ("usb",))
_SCSI = ("type", ("scsi",))
_MDEV = ("type", ("mdev",))
_ISCSI = ("protocol", ("iscsi",))


def place_and_identity(values: Values) -> tuple[str, str]:
    """What of the host it takes: its address, and its USB ``vendor:product``.

    The address is as NodeDevice has it: PCI ``0000:04:00.0``, USB ``002:003``, SCSI
    ``0:0:0:0``; a mediated device's UUID. A running domain's USB device has both.
    """
    place = str(values["pci"] or values["mdev"]).lower()
    bus, device = values["usb_bus"], values["usb_device"]
    if isinstance(bus, int) and isinstance(device, int):
        place = f"{bus:03d}:{device:03d}"
    host = str(values["adapter"]).removeprefix("scsi_host")
    if host.isdigit():
        parts = (values["scsi_bus"], values["scsi_target"], values["scsi_unit"])
        place = ":".join(str(part or 0) for part in (host, *parts))
    vendor, product = str(values["vendor"]), str(values["product"])
    identity = f"{vendor[2:]}:{product[2:]}" if vendor and product else ""
    return place, identity


def _summary(values: Values) -> str:
    place, identity = place_and_identity(values)
    others = ("protocol", "iqn", "wwpn", "block", "char", "interface")
    return words(
        values["type"] or values["mode"],
        identity,
        f"at {place}" if identity and place else place,
        *(values[name] for name in others if not place and not identity),
        "unmanaged" if values["type"] == "pci" and values["managed"] is not True else "",
    )


HOSTDEV = Declaration(
    "hostdev",
    (
        Field(
            "mode",
            "@mode",
            "Handed over as",
            "subsystem for virtual machines, capabilities for containers.",
            choices=("subsystem", "capabilities"),
            default="subsystem",
            required=True,
            offer=Offer("hostdev/mode", lacks={"capabilities": "a container"}),
        ),
        Field(
            "type",
            "@type",
            "Type",
            "Which of the host's buses it is on.",
            choices=("pci", "usb", "scsi", "scsi_host", "mdev", "storage", "misc", "net"),
            required=True,
            offer=Offer(
                "hostdev/subsysType",
                untold=("mdev", "scsi_host"),
                needs={
                    "usb": ("usb", "lxc"),
                    **dict.fromkeys(("storage", "misc", "net"), ("lxc",)),
                },
            ),
        ),
        Field(
            "managed",
            "@managed",
            "Managed",
            "libvirt takes it from the host's driver at start and gives it back.",
            FieldType.YES_NO,
            only=("type", ("pci", "usb", "scsi", "mdev")),
        ),
        Field(
            "model",
            {"mdev": "@model", "scsi_host": "@model"},
            "Model",
            "What it is to the guest; vfio-pci for a mediated GPU.",
            choices=("vfio-pci", "vfio-ccw", "vfio-ap", *VIRTIO_MODELS),
            by="type",
            offer=Offer(
                needs={"vfio-ccw": ("s390",), "vfio-ap": ("s390",)},
                beside=(
                    "type",
                    {
                        "mdev": ("vfio-pci", "vfio-ccw", "vfio-ap"),
                        "scsi_host": VIRTIO_MODELS,
                    },
                ),
            ),
        ),
        Field(
            "driver",
            "driver/@name",
            "Driver",
            "The host's driver that passes it on; vfio where nothing is said.",
            choices=("vfio", "kvm", "xen"),
            only=_PCI,
            offer=Offer(
                "hostdev/pciBackend",
                lacks={"vfio": "an IOMMU that is on, and the kernel's module vfio-pci"},
            ),
        ),
        Field(
            "startup_policy",
            "source/@startupPolicy",
            "If missing",
            "What to do when it is not there at start.",
            choices=("mandatory", "requisite", "optional"),
            only=_USB,
            offer=Offer("hostdev/startupPolicy"),
        ),
        Field(
            "guest_reset",
            "source/@guestReset",
            "Guest may reset",
            "Whether the guest's reset of it reaches the device.",
            choices=("off", "uninitialized", "on"),
            only=_USB,
        ),
        Field(
            "pci",
            "source/address",
            "PCI address",
            "Its address on the host, as in 0000:04:00.0.",
            FieldType.PCI,
            only=_PCI,
        ),
        Field(
            "vendor",
            "source/vendor/@id",
            "Vendor",
            "Its vendor's number, as in 0x1d6b: whichever port it is in.",
            FieldType.HEX,
            only=_USB,
        ),
        Field(
            "product",
            "source/product/@id",
            "Product",
            "Its product number, as in 0x0002.",
            FieldType.HEX,
            only=_USB,
        ),
        Field(
            "usb_bus",
            "source/address/@bus",
            "USB bus",
            "Its bus on the host.",
            FieldType.INT,
            only=_USB,
        ),
        Field(
            "usb_device",
            "source/address/@device",
            "USB device",
            "Its number on that bus; another each time it is plugged in.",
            FieldType.INT,
            only=_USB,
        ),
        Field(
            "protocol",
            {"scsi": "source/@protocol", "scsi_host": "source/@protocol"},
            "Protocol",
            "iscsi for a device of a server, vhost for a SCSI host; empty: one of the host's own.",
            choices=("adapter", "iscsi", "vhost"),
            by="type",
        ),
        Field(
            "adapter",
            "source/adapter/@name",
            "Adapter",
            "The host's SCSI adapter, as in scsi_host0.",
            only=_SCSI,
        ),
        Field(
            "scsi_bus",
            "source/address/@bus",
            "SCSI bus",
            "Its bus on that adapter.",
            FieldType.INT,
            only=_SCSI,
        ),
        Field(
            "scsi_target",
            "source/address/@target",
            "SCSI target",
            "Its target on that bus.",
            FieldType.INT,
            only=_SCSI,
        ),
        Field(
            "scsi_unit",
            "source/address/@unit",
            "SCSI unit",
            "Its logical unit.",
            FieldType.INT,
            only=_SCSI,
        ),
        Field(
            "iqn",
            "source/@name",
            "iSCSI name",
            "The target's IQN, with /UNIT behind it.",
            only=_ISCSI,
        ),
        Field("server", "source/host/@name", "Server", "The iSCSI server.", only=_ISCSI),
        Field(
            "server_port",
            "source/host/@port",
            "Server's port",
            "3260 where nothing is said.",
            FieldType.INT,
            only=_ISCSI,
            least=1,
            most=65535,
        ),
        *secret_fields("source/", _ISCSI),
        Field(
            "wwpn",
            "source/@wwpn",
            "WWPN",
            "The name of the host's vhost SCSI target, as in naa.5123456789abcde0.",
            only=("type", ("scsi_host",)),
        ),
        Field(
            "mdev",
            "source/address/@uuid",
            "UUID",
            "The mediated device's UUID.",
            only=_MDEV,
        ),
        Field(
            "display",
            "@display",
            "Display",
            "Whether the mediated GPU's picture is shown (needs a graphics device).",
            FieldType.ON_OFF,
            only=_MDEV,
        ),
        Field(
            "ramfb",
            "@ramfb",
            "Boot picture",
            "A picture before the mediated GPU's driver is up.",
            FieldType.ON_OFF,
            only=_MDEV,
        ),
        Field(
            "block",
            "source/block",
            "Block device",
            "Its path on the host (containers).",
            only=("type", ("storage",)),
        ),
        Field(
            "char",
            "source/char",
            "Character device",
            "Its path on the host (containers).",
            only=("type", ("misc",)),
        ),
        Field(
            "interface",
            "source/interface",
            "Interface",
            "The host's network interface (containers).",
            only=("type", ("net",)),
        ),
        Field(
            "sgio",
            "@sgio",
            "SCSI commands",
            "Which ones the guest may send.",
            choices=("filtered", "unfiltered"),
            only=_SCSI,
        ),
        Field(
            "rawio",
            "@rawio",
            "Raw I/O",
            "Give the hypervisor the right to raw input and output.",
            FieldType.YES_NO,
            only=_SCSI,
        ),
        Field(
            "readonly",
            "readonly",
            "Read-only",
            "The guest cannot write.",
            FieldType.FLAG,
            only=_SCSI,
        ),
        Field(
            "shareable",
            "shareable",
            "Shareable",
            "Several guests may have it.",
            FieldType.FLAG,
            only=_SCSI,
        ),
        ROM_BAR,
        ROM_FILE,
        BOOT_ORDER,
    ),
    _summary,
    common=(
        *("type", "pci", "vendor", "product", "usb_bus", "usb_device", "mdev", "adapter"),
        *("scsi_bus", "scsi_target", "scsi_unit", "wwpn", "managed"),
    ),
)
