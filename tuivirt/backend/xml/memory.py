"""Memory devices, declared: modules, the balloon, memory that is shared with others.

Format: https://libvirt.org/formatdomain.html#memory-devices, #memory-balloon-device and
#shared-memory-device.
"""

from __future__ import annotations

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, mebibytes, named, words
from .shared import VIRTIO_MODELS

_VIRTIO_MEM = ("model", ("virtio-mem",))
_FROM_FILE = ("model", ("nvdimm", "virtio-pmem"))
_FROM_RAM = ("model", ("dimm", "virtio-mem", "sgx-epc"))


def _memory(values: Values) -> str:
    return words(values["model"], mebibytes(values["size"]), values["path"])


MEMORY = Declaration(
    "memory",
    (
        Field(
            "model",
            "@model",
            "Model",
            "dimm: a module; virtio-mem: grows and shrinks; nvdimm: a file that stays.",
            choices=("dimm", "virtio-mem", "nvdimm", "virtio-pmem", "sgx-epc"),
            initial="dimm",
            required=True,
            offer=Offer(needs={"virtio-mem": ("x86", "arm"), "sgx-epc": ("x86",)}),
        ),
        Field(
            "access",
            "@access",
            "Access",
            "shared: changes reach the file, or other processes.",
            choices=("shared", "private"),
        ),
        Field(
            "discard",
            "@discard",
            "Discard",
            "Throw away what it holds when it goes.",
            FieldType.YES_NO,
            only=("model", ("dimm", "virtio-mem")),
        ),
        Field("uuid", "uuid", "UUID", "Of an NVDIMM (POWER).", only=("model", ("nvdimm",))),
        Field("path", "source/path", "File", "That holds what it holds.", only=_FROM_FILE),
        Field(
            "alignsize",
            "source/alignsize",
            "Alignment",
            "Of the file's mapping.",
            FieldType.SIZE,
            only=("model", ("nvdimm",)),
        ),
        Field(
            "pmem",
            "source/pmem",
            "Persistent",
            "The file lies on real persistent memory.",
            FieldType.FLAG,
            only=("model", ("nvdimm",)),
        ),
        Field(
            "pagesize",
            "source/pagesize",
            "Page size",
            "Of the host's pages behind it.",
            FieldType.SIZE,
            only=("model", ("dimm", "virtio-mem")),
        ),
        Field(
            "nodemask",
            "source/nodemask",
            "Host's nodes",
            "The host's NUMA nodes it comes from, as in 0-1.",
            only=_FROM_RAM,
        ),
        Field(
            "size",
            "target/size",
            "Size",
            "Of the module; of virtio-mem, the most it may grow to.",
            FieldType.SIZE,
            required=True,
        ),
        Field(
            "node",
            "target/node",
            "Guest's node",
            "The guest's NUMA node it belongs to.",
            FieldType.INT,
        ),
        Field(
            "block",
            "target/block",
            "Block",
            "The steps in which it grows.",
            FieldType.SIZE,
            only=_VIRTIO_MEM,
        ),
        Field(
            "requested",
            "target/requested",
            "Wanted",
            "How much of it the guest is to have now.",
            FieldType.SIZE,
            only=_VIRTIO_MEM,
        ),
        Field(
            "label",
            "target/label/size",
            "Label",
            "Room for labels at its end.",
            FieldType.SIZE,
            only=("model", ("nvdimm",)),
        ),
        Field(
            "readonly",
            "target/readonly",
            "Read-only",
            "The guest cannot write.",
            FieldType.FLAG,
            only=("model", ("nvdimm",)),
        ),
    ),
    _memory,
    common=("model", "size", "path", "node", "requested", "block"),
)

MEMBALLOON = Declaration(
    "memballoon",
    (
        Field(
            "model",
            "@model",
            "Model",
            "none: the guest can give no memory back.",
            choices=(*VIRTIO_MODELS, "xen", "none"),
            initial="virtio",
            required=True,
            offer=Offer(needs={"xen": ("xen",)}),
        ),
        Field(
            "autodeflate",
            "@autodeflate",
            "Let go in need",
            "The guest gets memory back before it kills processes.",
            FieldType.ON_OFF,
        ),
        Field(
            "free_page_reporting",
            "@freePageReporting",
            "Report free pages",
            "The guest's free memory goes back to the host.",
            FieldType.ON_OFF,
        ),
        Field(
            "period",
            "stats/@period",
            "Figures every",
            "Seconds between two reports of the guest's memory.",
            FieldType.INT,
            least=1,
        ),
    ),
    named("model"),
    common=("model", "period", "free_page_reporting"),
)


def _shmem(values: Values) -> str:
    return words(values["region"], values["model"], mebibytes(values["size"]))


SHMEM = Declaration(
    "shmem",
    (
        Field(
            "region",
            "@name",
            "Name",
            "Of the shared memory; others find it by that.",
            required=True,
        ),
        Field(
            "role",
            "@role",
            "Role",
            "peer must leave before a migration.",
            choices=("master", "peer"),
        ),
        Field(
            "model",
            "model/@type",
            "Model",
            "plain: memory alone; doorbell: with interrupts, by a server.",
            choices=("ivshmem-plain", "ivshmem-doorbell", "ivshmem"),
            initial="ivshmem-plain",
        ),
        Field(
            "size",
            "size",
            "Size",
            "A power of two.",
            FieldType.SIZE,
            unit="MiB",
            only=("model", ("", "ivshmem", "ivshmem-plain")),
        ),
        Field(
            "server",
            "server/@path",
            "Server",
            "Its server's socket.",
            only=("model", ("ivshmem-doorbell",)),
        ),
        Field(
            "vectors",
            "msi/@vectors",
            "Vectors",
            "How many interrupts it has.",
            FieldType.INT,
            only=("model", ("ivshmem-doorbell",)),
        ),
        Field(
            "ioeventfd",
            "msi/@ioeventfd",
            "Asynchronous",
            "Whether interrupts leave the guest's processor at once.",
            FieldType.ON_OFF,
            only=("model", ("ivshmem-doorbell",)),
        ),
    ),
    _shmem,
    common=("region", "model", "size", "server"),
)
