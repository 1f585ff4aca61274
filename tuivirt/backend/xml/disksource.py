"""Where a disk's data lie, declared: files, devices, volumes, servers with their secrets.

Format: https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms.
"""

from __future__ import annotations

from .field import Field, FieldType
from .offered import Offer
from .shared import secret_fields

_VOLUME = ("source_type", ("volume",))
_NETWORK = ("source_type", ("network",))
_NVME = ("source_type", ("nvme",))
_VHOST = ("source_type", ("vhostuser",))
_PROTOCOLS = (
    *("nbd", "iscsi", "rbd", "sheepdog", "gluster", "nfs", "ssh"),
    *("http", "https", "ftp", "ftps", "tftp"),
)
_WEB = ("protocol", ("http", "https", "ftp", "ftps"))
_LOGGING_IN = ("protocol", ("rbd", "iscsi", "ssh", *_WEB[1]))
_BY_SOCKET = ("transport", ("unix",))

PORTS = {
    "nbd": 10809,
    "iscsi": 3260,
    "sheepdog": 7000,
    "gluster": 24007,
    "nfs": 2049,
    "ssh": 22,
    "http": 80,
    "https": 443,
    "ftp": 21,
    "ftps": 990,
    "tftp": 69,
}
"""Where a storage server listens; that of RBD (6789, 3300) is its own configuration's."""

READ_ONLY = ("http", "https", "ftp", "ftps", "tftp")
"""Protocols by which nothing can be written, whatever is asked for."""

SECRETS = {name: "ceph" if name == "rbd" else "iscsi" for name in _LOGGING_IN[1]}
"""What a secret is defined for, by protocol; libvirt has no kind of its own for the others."""

NAMES = {
    "nbd": ("Export", "Its name on the NBD server; empty: the one it has by default."),
    "iscsi": ("Target/unit", "As in iqn.2026-01.org.example:disks/1; unit 0 where none is said."),
    "rbd": ("Pool/image", "As in vms/web-01."),
    "sheepdog": ("Image", "Its name in the cluster."),
    "gluster": ("Volume/path", "As in vms/web-01.img."),
    "nfs": ("Path", "The export and the path in it, as in /srv/vms/web-01.img."),
    "ssh": ("Path", "On the server, as in /srv/web-01.img."),
    **dict.fromkeys(READ_ONLY, ("Path", "What follows the server's name in the URL.")),
}
"""By protocol: what a network source's name is called, and what it is."""

SOURCE = (
    Field(
        "protocol",
        "source/@protocol",
        "Protocol",
        "How the storage server is spoken to.",
        choices=_PROTOCOLS,
        only=_NETWORK,
        required=True,
        initial="nbd",
    ),
    *secret_fields(
        "",
        _LOGGING_IN,
        also="source/",
        offer=Offer(beside=("protocol", {name: (kind,) for name, kind in SECRETS.items()})),
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
        "query",
        "source/@query",
        "Query",
        "What follows the ? in the URL.",
        only=("protocol", ("http", "https")),
    ),
    Field(
        "tls",
        "source/@tls",
        "TLS",
        "Encrypt the way.",
        FieldType.YES_NO,
        only=("protocol", ("nbd",)),
    ),
    Field(
        "tls_host_name",
        "source/@tlsHostname",
        "Name for TLS",
        "What its certificate must say, where that is not the server's name.",
        only=("protocol", ("nbd",)),
    ),
    Field(
        "transport",
        "source/host/@transport",
        "Transport",
        "How it is reached; tcp where nothing is said.",
        choices=("tcp", "unix", "rdma"),
        only=("protocol", ("nbd", "gluster")),
        offer=Offer(
            beside=(
                "protocol",
                {"nbd": ("tcp", "unix"), "gluster": ("tcp", "unix", "rdma")},
            )
        ),
    ),
    Field(
        "server",
        "source/host/@name",
        "Server",
        "The storage server's name; several with commas (RBD's monitors).",
        FieldType.LIST,
        only=_NETWORK,
        unless=_BY_SOCKET,
    ),
    Field(
        "port",
        "source/host/@port",
        "Port",
        "The first server's; empty: the protocol's own.",
        FieldType.INT,
        only=_NETWORK,
        unless=_BY_SOCKET,
        least=1,
        most=65535,
        offer=Offer(starts=("protocol", {name: str(port) for name, port in PORTS.items()})),
    ),
    Field(
        "socket",
        "source/host/@socket",
        "Socket",
        "Path of its Unix socket on the host.",
        only=_BY_SOCKET,
    ),
    Field(
        "initiator",
        "source/initiator/iqn/@name",
        "Initiator",
        "Our own IQN, as the iSCSI server knows us.",
        only=("protocol", ("iscsi",)),
    ),
    Field(
        "snapshot",
        "source/snapshot/@name",
        "Snapshot",
        "Of the RBD image.",
        only=("protocol", ("rbd",)),
    ),
    Field(
        "config_file",
        "source/config/@file",
        "Configuration",
        "Ceph's configuration file on the host.",
        only=("protocol", ("rbd",)),
    ),
    Field(
        "ssl_verify",
        "source/ssl/@verify",
        "Verify",
        "Check the server's certificate.",
        FieldType.YES_NO,
        only=("protocol", ("https", "ftps")),
    ),
    Field(
        "readahead",
        "source/readahead/@size",
        "Read ahead",
        "Bytes.",
        FieldType.INT,
        only=_WEB,
        least=1,
    ),
    Field(
        "timeout",
        "source/timeout/@seconds",
        "Wait for server",
        "Seconds.",
        FieldType.INT,
        only=_WEB,
        least=1,
    ),
    Field(
        "reconnect_delay",
        "source/reconnect/@delay",
        "Reconnect within",
        "Seconds in which a lost server is called again.",
        FieldType.INT,
        only=("protocol", ("nbd",)),
    ),
    Field(
        "nvme_address",
        "source/address",
        "PCI address",
        "Of the NVMe controller on the host, as in 0000:05:00.0.",
        FieldType.PCI,
        only=_NVME,
    ),
    Field(
        "nvme_namespace",
        "source/@namespace",
        "Namespace",
        "Of the NVMe controller, from 1.",
        FieldType.INT,
        only=_NVME,
        least=1,
    ),
    Field(
        "nvme_managed",
        "source/@managed",
        "Managed",
        "libvirt takes the controller from the host's driver and gives it back.",
        FieldType.YES_NO,
        only=_NVME,
    ),
    Field(
        "nvme_type",
        "source/@type",
        "NVMe by",
        "How the controller is named.",
        choices=("pci",),
        default="pci",
        only=_NVME,
        required=True,
    ),
    Field(
        "vhost_type",
        "source/@type",
        "Reached by",
        "Of the vhost-user process.",
        choices=("unix",),
        default="unix",
        only=_VHOST,
        required=True,
    ),
    Field(
        "reconnect",
        "source/reconnect/@enabled",
        "Reconnect",
        "Call again when the process has gone.",
        FieldType.YES_NO,
        only=_VHOST,
    ),
    Field(
        "reconnect_timeout",
        "source/reconnect/@timeout",
        "Reconnect after",
        "Seconds between two calls.",
        FieldType.INT,
        only=_VHOST,
    ),
    Field(
        "startup_policy",
        "source/@startupPolicy",
        "If missing",
        "What to do when the source is missing at start (CD-ROM and floppy).",
        choices=("mandatory", "requisite", "optional"),
    ),
)
"""Fields of ``<source>``, and of the ``<auth>`` beside it."""

NETWORK = tuple(
    field
    for field in SOURCE
    if field.only is not None
    and (field.only == _NETWORK or field.only[0] in ("protocol", "transport"))
)
"""Those that a network source alone has, beside its name."""
