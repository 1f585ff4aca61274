"""What each type of storage pool is made of."""

from __future__ import annotations

from .record import record


@record(frozen=True, slots=True)
class PoolType:
    """A type of pool: which of the fields it needs, and which it may have."""

    name: str
    what: str
    """What its volumes are, a phrase."""
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    target: str = ""
    """Where its volumes are shown unless said otherwise; ``{name}`` is that of its source.

    Of a volume group and a ZFS pool nothing else can be said: libvirt drops it without a word.
    """
    formats: tuple[str, ...] = ()
    """Of its source."""
    builds: str = ""
    """What building it writes over, a phrase; empty: nothing."""


_AUTH = ("auth_type", "auth_username", "secret_uuid", "secret_usage")
_ADAPTER = ("adapter_name", "adapter_wwnn", "adapter_wwpn", "adapter_parent")

POOL_TYPES: dict[str, PoolType] = {
    each.name: each
    for each in (
        PoolType("dir", "files in a folder", ("target",)),
        PoolType(
            "fs",
            "files in a file system that libvirt mounts",
            ("source_dev", "target"),
            ("source_format",),
            formats=(
                "auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat",
                "hfs+", "xfs", "ocfs2", "vmfs",
            ),
            builds="the file system on the device is made anew",
        ),
        PoolType(
            "netfs",
            "files on a server, by NFS, CIFS or Gluster",
            ("source_host", "source_path", "target"),
            ("source_format", "source_protocol_ver"),
            formats=("auto", "nfs", "glusterfs", "cifs"),
        ),
        PoolType(
            "disk",
            "partitions of a disk",
            ("source_dev",),
            ("source_format", "target"),
            target="/dev",
            formats=("unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2"),
            builds="the partition table of the disk is made anew",
        ),
        PoolType(
            "logical",
            "logical volumes of a volume group",
            (),
            ("source_name", "source_dev", "source_format"),
            target="/dev/{name}",
            formats=("unknown", "lvm2"),
            builds="the devices become a new volume group",
        ),
        PoolType(
            "iscsi",
            "LUNs of an iSCSI target",
            ("source_host", "source_dev"),
            ("target", "source_initiator", *_AUTH),
            target="/dev/disk/by-path",
        ),
        PoolType(
            "iscsi-direct",
            "LUNs of an iSCSI target, without devices of the host",
            ("source_host", "source_dev", "source_initiator"),
            _AUTH,
        ),
        PoolType(
            "scsi", "LUNs of a host bus adapter", (), ("target", *_ADAPTER),
            target="/dev/disk/by-path",
        ),
        PoolType("mpath", "multipath devices", (), ("target",), target="/dev/mapper"),
        PoolType("rbd", "images of a Ceph pool", ("source_host", "source_name"), _AUTH),
        PoolType(
            "gluster",
            "files of a Gluster volume",
            ("source_host", "source_name"),
            ("source_path",),
        ),
        PoolType(
            "zfs",
            "volumes of a ZFS pool",
            ("source_name",),
            ("source_dev",),
            builds="the devices become a new ZFS pool",
        ),
        PoolType("sheepdog", "images of a Sheepdog cluster", ("source_host", "source_name")),
        PoolType("vstorage", "files of Virtuozzo storage", ("source_name", "target")),
    )
}  # fmt: skip
