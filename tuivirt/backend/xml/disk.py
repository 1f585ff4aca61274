"""``<disk>``, declared. Format: https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms."""

from __future__ import annotations

from typing import cast

from ..model.device import Disk
from .declare import Declaration, Field, FieldType
from .disk_uri import uri_of
from .disksource import PORTS, SOURCE
from .disktune import BLOCK_SIZES, DRIVER, LIMITS
from .errors import BadValue
from .facts import facts_of
from .offered import Offer
from .shared import BOOT_ORDER
from .tree import Element, address_of, attribute, parse, pci_address, to_text

DISK = Declaration(
    "disk",
    (
        Field(
            "source_type",
            "@type",
            "Source",
            "What kind of thing on the host holds the data.",
            choices=("file", "block", "volume", "network", "dir", "nvme", "vhostuser"),
            default="file",
            required=True,
        ),
        Field(
            "device",
            "@device",
            "Device",
            "What the guest sees it as.",
            choices=("disk", "cdrom", "floppy", "lun"),
            default="disk",
            required=True,
            offer=Offer("disk/diskDevice"),
        ),
        *DRIVER,
        *SOURCE,
        Field(
            "target",
            "target/@dev",
            "Target",
            "Its name, as in vda; the guest may order its disks in another way.",
            required=True,
        ),
        Field(
            "bus",
            "target/@bus",
            "Bus",
            "How it is connected; virtio where the guest can.",
            choices=("virtio", "scsi", "sata", "usb", "ide", "fdc", "sd", "xen"),
            offer=Offer(
                "disk/bus",
                needs={"usb": ("usb",)},
                lacks={"ide": "an i440fx machine", "sd": "a board with an SD slot"},
            ),
        ),
        Field(
            "tray",
            "target/@tray",
            "Tray",
            "Whether a CD-ROM's tray is open.",
            choices=("open", "closed"),
        ),
        Field(
            "removable",
            "target/@removable",
            "Removable",
            "Whether the guest sees it as removable (USB).",
            FieldType.ON_OFF,
        ),
        Field(
            "rotation_rate",
            "target/@rotation_rate",
            "Rotation",
            "Turns per minute that the guest sees; 1 for solid state.",
            FieldType.INT,
        ),
        *BLOCK_SIZES,
        *LIMITS,
        Field("serial", "serial", "Serial number", "As the guest sees it; virtio cuts at 20."),
        Field("wwn", "wwn", "WWN", "World wide name: 16 hexadecimal digits."),
        Field("vendor", "vendor", "Vendor", "As the guest sees it: up to 8 characters (SCSI)."),
        Field("product", "product", "Product", "As the guest sees it: up to 16 characters (SCSI)."),
        Field("readonly", "readonly", "Read-only", "The guest cannot write.", FieldType.FLAG),
        Field(
            "shareable",
            "shareable",
            "Shareable",
            "Several running guests may have it; they must agree on who writes.",
            FieldType.FLAG,
        ),
        Field(
            "transient",
            "transient",
            "Transient",
            "What the guest writes is dropped when it stops.",
            FieldType.FLAG,
        ),
        BOOT_ORDER,
    ),
    common=(
        *("source_type", "protocol", "transport", "server", "port", "socket", "source"),
        *("pool", "volume", "user", "secret_uuid", "nvme_address"),
        *("device", "target", "bus", "format", "cache", "readonly", "serial"),
    ),
)


def read_disk(element: Element, *, compared: bool = True) -> Disk:
    """The record of a ``<disk>`` element; never raises for what libvirt writes.

    Unless it is to be ``compared``, without its facts.
    """
    values = DISK.parse(element)
    kind = cast(str, values["source_type"])
    pool, volume = cast(str, values["pool"]), cast(str, values["volume"])
    source = cast(str, values["source"])
    if kind == "volume" and volume:
        source = f"{pool}/{volume}"
    elif kind == "network" and values["protocol"]:
        usual = values["port"] == PORTS.get(str(values["protocol"]))
        source = uri_of(values | {"port": None} if usual else values)
    elif kind == "nvme":
        source = pci_address(element.find("source/address"))
    return Disk(
        target=cast(str, values["target"]),
        bus=cast(str, values["bus"]),
        device=cast(str, values["device"]),
        source_type=kind,
        source=source,
        pool=pool,
        volume=volume,
        format=cast(str, values["format"]),
        readonly=values["readonly"] is True,
        shareable=values["shareable"] is True,
        serial=cast(str, values["serial"]),
        cache=cast(str, values["cache"]),
        io=cast(str, values["io"]),
        discard=cast(str, values["discard"]),
        boot_order=cast("int | None", values["boot_order"]),
        backing=_backing(element),
        alias=attribute(element, "alias", "name"),
        address=address_of(element.find("address")),
        xml=to_text(element),
        facts=facts_of(element) if compared else frozenset(),
    )


def _backing(element: Element) -> tuple[str, ...]:
    found = []
    below = element.find("backingStore")
    while below is not None:
        source = below.find("source")
        if source is not None:
            found.append(source.get("file") or source.get("dev") or source.get("name") or "")
        below = below.find("backingStore")
    return tuple(path for path in found if path)


def parse_disk(xml: str) -> Disk:
    """The record of one disk's XML. Raises MalformedXml."""
    return read_disk(parse(xml, "disk"))


def build_disk(
    *,
    target: str,
    source_type: str = "file",
    source: str = "",
    pool: str = "",
    volume: str = "",
    bus: str = "virtio",
    format: str = "",
    device: str = "disk",
    readonly: bool = False,
    driver: str = "qemu",
    **more: object,
) -> str:
    """The XML of a disk to attach; ``more`` takes any other field of DISK (cache, serial …).

    A CD-ROM is read-only whatever is said. Raises BadValue, with the field's name and the reason.
    """
    if source_type == "volume" and not (pool and volume):
        raise BadValue("volume", "a volume needs its pool's name and its own")
    if (
        not source
        and source_type not in ("volume", "network")
        and device not in ("cdrom", "floppy")
    ):
        raise BadValue("source", "only a CD-ROM or floppy drive may be empty")
    return DISK.build(
        {
            "source_type": source_type,
            "source": source,
            "pool": pool,
            "volume": volume,
            "target": target,
            "bus": bus,
            "format": format,
            "device": device,
            "readonly": readonly or device == "cdrom",
            "driver": driver,
            **more,
        }
    )
