"""``<disk>``, declared. Format: https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms."""

from __future__ import annotations

from typing import cast

from ..model.device import Disk
from .declare import Declaration, Field, FieldType
from .errors import BadValue
from .tree import Element, address_of, attribute, parse, pci_address, to_text

_VOLUME = ("source_type", ("volume",))
_NETWORK = ("source_type", ("network",))
_PROTOCOLS = (
    *("nbd", "iscsi", "rbd", "sheepdog", "gluster", "nfs", "ssh"),
    *("http", "https", "ftp", "ftps", "tftp"),
)
_LIMIT = "Per second; empty: no limit."

DISK = Declaration(
    "disk",
    (
        Field(
            "source_type",
            "@type",
            "Source",
            "What kind of thing on the host holds the data.",
            choices=("file", "block", "volume", "network", "dir"),
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
        ),
        Field(
            "driver",
            "driver/@name",
            "Driver",
            "The hypervisor's driver; qemu where it is QEMU.",
        ),
        Field(
            "format",
            "driver/@type",
            "Format",
            "How the data are laid out: raw or qcow2, mostly.",
        ),
        Field(
            "cache",
            "driver/@cache",
            "Cache",
            "How the host caches; none lets a guest migrate.",
            choices=("default", "none", "writethrough", "writeback", "directsync", "unsafe"),
        ),
        Field(
            "io",
            "driver/@io",
            "I/O",
            "How the host does the input and output; native needs cache none or directsync.",
            choices=("native", "threads", "io_uring"),
        ),
        Field(
            "discard",
            "driver/@discard",
            "Discard",
            "Whether the guest's trim frees space on the host.",
            choices=("unmap", "ignore"),
        ),
        Field(
            "detect_zeroes",
            "driver/@detect_zeroes",
            "Detect zeroes",
            "Whether written zeroes are left out, or discarded (unmap).",
            choices=("off", "on", "unmap"),
        ),
        Field(
            "error_policy",
            "driver/@error_policy",
            "On error",
            "What happens when the host cannot write: stop pauses the guest.",
            choices=("stop", "report", "ignore", "enospace"),
        ),
        Field(
            "iothread",
            "driver/@iothread",
            "I/O thread",
            "Number of the domain's I/O thread that serves it (virtio only).",
            FieldType.INT,
        ),
        Field(
            "queues",
            "driver/@queues",
            "Queues",
            "How many queues it has (virtio only).",
            FieldType.INT,
        ),
        Field(
            "user",
            "auth/@username",
            "User",
            "Who logs in at the storage server.",
            only=_NETWORK,
        ),
        Field(
            "secret_type",
            "auth/secret/@type",
            "Secret's kind",
            "What the secret was defined for.",
            choices=("ceph", "iscsi"),
            only=_NETWORK,
        ),
        Field(
            "secret_uuid",
            "auth/secret/@uuid",
            "Secret",
            "UUID of libvirt's secret with the password or key.",
            only=_NETWORK,
        ),
        Field(
            "secret_usage",
            "auth/secret/@usage",
            "Secret's usage",
            "The secret's usage name, in place of its UUID.",
            only=_NETWORK,
        ),
        Field(
            "source",
            {
                "file": "source/@file",
                "block": "source/@dev",
                "dir": "source/@dir",
                "network": "source/@name",
                "vhostuser": "source/@path",
            },
            "Path",
            "Path on the host; for a network source its name there. Empty: no medium.",
            by="source_type",
        ),
        Field("pool", "source/@pool", "Pool", "The storage pool.", only=_VOLUME),
        Field("volume", "source/@volume", "Volume", "The volume in that pool.", only=_VOLUME),
        Field(
            "protocol",
            "source/@protocol",
            "Protocol",
            "How the storage server is spoken to.",
            choices=_PROTOCOLS,
            only=_NETWORK,
        ),
        Field("query", "source/@query", "Query", "What follows the ? in the URL.", only=_NETWORK),
        Field("tls", "source/@tls", "TLS", "Encrypt the way.", FieldType.YES_NO, only=_NETWORK),
        Field("server", "source/host/@name", "Server", "The storage server's name.", only=_NETWORK),
        Field(
            "port",
            "source/host/@port",
            "Port",
            "Its port; empty: the protocol's own.",
            FieldType.INT,
            only=_NETWORK,
        ),
        Field(
            "transport",
            "source/host/@transport",
            "Transport",
            "How it is reached; tcp where nothing is said.",
            choices=("tcp", "unix", "rdma"),
            only=_NETWORK,
        ),
        Field("socket", "source/host/@socket", "Socket", "Path of its Unix socket.", only=_NETWORK),
        Field(
            "startup_policy",
            "source/@startupPolicy",
            "If missing",
            "What to do when the source is missing at start (CD-ROM and floppy).",
            choices=("mandatory", "requisite", "optional"),
        ),
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
        Field("total_bytes_sec", "iotune/total_bytes_sec", "Bytes", _LIMIT, FieldType.INT),
        Field("read_bytes_sec", "iotune/read_bytes_sec", "Bytes read", _LIMIT, FieldType.INT),
        Field("write_bytes_sec", "iotune/write_bytes_sec", "Bytes written", _LIMIT, FieldType.INT),
        Field("total_iops_sec", "iotune/total_iops_sec", "Requests", _LIMIT, FieldType.INT),
        Field("read_iops_sec", "iotune/read_iops_sec", "Reads", _LIMIT, FieldType.INT),
        Field("write_iops_sec", "iotune/write_iops_sec", "Writes", _LIMIT, FieldType.INT),
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
        Field(
            "boot_order",
            "boot/@order",
            "Boot order",
            "1 is tried first; empty: not by this list.",
            FieldType.INT,
        ),
    ),
)


def read_disk(element: Element) -> Disk:
    """The record of a ``<disk>`` element; never raises for what libvirt writes."""
    values = DISK.parse(element)
    kind = cast(str, values["source_type"])
    pool, volume = cast(str, values["pool"]), cast(str, values["volume"])
    source = cast(str, values["source"])
    if kind == "volume" and volume:
        source = f"{pool}/{volume}"
    elif kind == "network" and values["protocol"]:
        source = f"{values['protocol']}:{source}"
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
    if not source and source_type != "volume" and device not in ("cdrom", "floppy"):
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
