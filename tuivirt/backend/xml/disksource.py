"""Where a disk's data lie, declared: files, devices, volumes, servers with their secrets.

Format: https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms.
"""

from __future__ import annotations

from .field import Field, FieldType
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

SOURCE = (
    *secret_fields("", _NETWORK, also="source/"),
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
    Field(
        "tls_host_name",
        "source/@tlsHostname",
        "Name for TLS",
        "What its certificate must say, where that is not the server's name.",
        only=("protocol", ("nbd",)),
    ),
    Field(
        "server",
        "source/host/@name",
        "Server",
        "The storage server's name; several with commas (RBD's monitors).",
        FieldType.LIST,
        only=_NETWORK,
    ),
    Field(
        "port",
        "source/host/@port",
        "Port",
        "The first server's; empty: the protocol's own.",
        FieldType.INT,
        only=_NETWORK,
        least=1,
        most=65535,
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
