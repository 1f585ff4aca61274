"""How a disk is driven and how fast it may be, declared.

Format: https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms.
"""

from __future__ import annotations

from collections.abc import Iterator

from .field import Field, FieldType

DRIVER = (
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
        "read_error_policy",
        "driver/@rerror_policy",
        "On read error",
        "What happens when the host cannot read.",
        choices=("stop", "report", "ignore"),
    ),
    Field(
        "copy_on_read",
        "driver/@copy_on_read",
        "Copy on read",
        "Keep what was read from below in the image itself.",
        FieldType.ON_OFF,
    ),
    Field(
        "ioeventfd",
        "driver/@ioeventfd",
        "Asynchronous",
        "Whether requests leave the guest's processor at once (virtio).",
        FieldType.ON_OFF,
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
        least=1,
    ),
    Field(
        "queue_size",
        "driver/@queue_size",
        "Queue's length",
        "How many requests a queue holds (virtio only).",
        FieldType.INT,
        least=1,
    ),
)
"""Fields of ``<driver>``."""

BLOCK_SIZES = (
    Field(
        "logical_block_size",
        "blockio/@logical_block_size",
        "Logical block",
        "Bytes, as the guest sees it: 512 or 4096.",
        FieldType.INT,
    ),
    Field(
        "physical_block_size",
        "blockio/@physical_block_size",
        "Physical block",
        "Bytes, as the guest sees it.",
        FieldType.INT,
    ),
    Field(
        "discard_granularity",
        "blockio/@discard_granularity",
        "Discard unit",
        "Bytes: the least that the guest trims.",
        FieldType.INT,
    ),
)
"""Fields of ``<blockio>``."""


def _limits() -> Iterator[Field]:
    """Limits, what may be exceeded for a while, and for how many seconds."""
    amounts = {"bytes": ("Bytes", "Bytes"), "iops": ("Requests", "Requests")}
    ways = {"total": "{}", "read": "{} read", "write": "{} written"}
    for amount, (label, noun) in amounts.items():
        for way, text in ways.items():
            name = f"{way}_{amount}_sec"
            title = text.format(label)
            yield _limit(name, title, f"{noun} per second; empty: no limit.")
            yield _limit(f"{name}_max", f"{title}, burst", f"{noun} per second for a while.")
            yield _limit(f"{name}_max_length", f"{title}, for", "Seconds a burst may last.")
    yield _limit("size_iops_sec", "Request's size", "Bytes that count as one request.")
    yield Field(
        "limit_group",
        "iotune/group_name",
        "Shared limit",
        "Disks with the same name here share one limit.",
    )


def _limit(name: str, label: str, help: str) -> Field:
    return Field(name, f"iotune/{name}", label, help, FieldType.INT)


LIMITS = tuple(_limits())
"""Fields of ``<iotune>``; libvirt wants either the total or reads and writes apart."""
