"""``<filesystem>``, declared. Format: https://libvirt.org/formatdomain.html#filesystems."""

from __future__ import annotations

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, arrow, words
from .shared import BOOT_ORDER, VIRTIO_MODELS

_VIRTIOFS = ("driver", ("virtiofs",))


def _summary(values: Values) -> str:
    return words(
        values["driver"] or values["type"],
        values["source"] or values["socket"],
        arrow(str(values["target"])),
        "read-only" if values["readonly"] else "",
    )


FILESYSTEM = Declaration(
    "filesystem",
    (
        Field(
            "type",
            "@type",
            "Type",
            "What of the host is shared: mount is a directory.",
            choices=("mount", "file", "block", "bind", "ram", "template"),
            default="mount",
            required=True,
            offer=Offer(
                needs={
                    **dict.fromkeys(("file", "block", "bind", "ram"), ("lxc", "vz")),
                    "template": ("vz",),
                }
            ),
        ),
        Field(
            "accessmode",
            "@accessmode",
            "Access",
            "Whose rights count: virtiofs needs passthrough.",
            choices=("passthrough", "mapped", "squash"),
        ),
        Field(
            "multidevs",
            "@multidevs",
            "Several devices",
            "What to do with directories of more than one file system (9p).",
            choices=("default", "remap", "forbid", "warn"),
        ),
        Field("fmode", "@fmode", "Files' mode", "For new files, as in 0644 (9p, mapped)."),
        Field("dmode", "@dmode", "Directories' mode", "For new directories (9p, mapped)."),
        Field(
            "model",
            "@model",
            "Model",
            "The virtio device that the guest sees.",
            choices=VIRTIO_MODELS,
        ),
        Field(
            "driver",
            "driver/@type",
            "Driver",
            "virtiofs is fast and needs shared memory; path is 9p.",
            choices=("virtiofs", "path", "handle", "loop", "nbd", "ploop"),
            offer=Offer(
                "filesystem/driverType",
                untold=("loop", "nbd", "ploop"),
                needs={"loop": ("lxc",), "nbd": ("lxc",), "ploop": ("vz",)},
                lacks={
                    "virtiofs": "QEMU 4.2 with vhost-user-fs and virtiofsd on the host",
                    "path": "a QEMU with 9p (virtfs)",
                },
                best={"shared": "virtiofs", "qemu": "path"},
            ),
        ),
        Field(
            "format",
            "driver/@format",
            "Format",
            "Of an image (containers).",
            only=("driver", ("loop", "nbd", "ploop")),
        ),
        Field(
            "queue",
            "driver/@queue",
            "Queue",
            "How many requests may wait.",
            FieldType.INT,
            only=_VIRTIOFS,
        ),
        Field(
            "binary",
            "binary/@path",
            "Server",
            "The virtiofsd to run; libvirt finds it.",
            only=_VIRTIOFS,
        ),
        Field(
            "xattr",
            "binary/@xattr",
            "Extended attributes",
            "Whether the guest may use them.",
            FieldType.ON_OFF,
            only=_VIRTIOFS,
        ),
        Field(
            "cache",
            "binary/cache/@mode",
            "Cache",
            "always where nobody but the guest changes the files.",
            choices=("none", "always"),
            only=_VIRTIOFS,
        ),
        Field(
            "sandbox",
            "binary/sandbox/@mode",
            "Sandbox",
            "How the server is locked in.",
            choices=("namespace", "chroot"),
            only=_VIRTIOFS,
        ),
        Field(
            "lock_posix",
            "binary/lock/@posix",
            "POSIX locks",
            "Whether the guest's locks hold on the host.",
            FieldType.ON_OFF,
            only=_VIRTIOFS,
        ),
        Field(
            "lock_flock",
            "binary/lock/@flock",
            "BSD locks",
            "Whether the guest's locks hold on the host.",
            FieldType.ON_OFF,
            only=_VIRTIOFS,
        ),
        Field(
            "threads",
            "binary/thread_pool/@size",
            "Threads",
            "How many the server works with; 0: none of its own.",
            FieldType.INT,
            only=_VIRTIOFS,
        ),
        Field(
            "source",
            {
                "mount": "source/@dir",
                "bind": "source/@dir",
                "file": "source/@file",
                "block": "source/@dev",
                "template": "source/@name",
                "ram": "source/@usage",
            },
            "Source",
            "The directory, file or device on the host; of ram, its size.",
            by="type",
        ),
        Field(
            "units",
            "source/@units",
            "Unit",
            "Of that size, as in MiB.",
            only=("type", ("ram",)),
        ),
        Field(
            "socket",
            "source/@socket",
            "Socket",
            "Of a virtiofsd that somebody else runs, in place of a directory.",
            only=("type", ("mount",)),
        ),
        Field(
            "target",
            "target/@dir",
            "Tag",
            "The name by which the guest mounts it.",
            required=True,
        ),
        Field("readonly", "readonly", "Read-only", "The guest cannot write.", FieldType.FLAG),
        Field(
            "space_hard_limit",
            "space_hard_limit",
            "Limit",
            "The most it may hold (containers).",
            FieldType.SIZE,
            offer=Offer(on=("lxc", "vz")),
        ),
        Field(
            "space_soft_limit",
            "space_soft_limit",
            "Soft limit",
            "What it may hold for long (containers).",
            FieldType.SIZE,
            offer=Offer(on=("lxc", "vz")),
        ),
        BOOT_ORDER,
    ),
    _summary,
    common=("driver", "source", "target", "readonly", "accessmode"),
)
