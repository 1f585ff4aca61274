"""``<video>``, declared. Format: https://libvirt.org/formatdomain.html#video-devices."""

from __future__ import annotations

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, words

_QXL = ("type", ("qxl",))


def _summary(values: Values) -> str:
    memory, heads = values["vram"], values["heads"]
    return words(
        values["type"],
        f"{memory // 1024} MiB" if isinstance(memory, int) and memory >= 1024 else "",
        f"{heads} heads" if heads not in (None, 1) else "",
    )


VIDEO = Declaration(
    "video",
    (
        Field(
            "type",
            "model/@type",
            "Model",
            "virtio where the guest can, vga or bochs where not; none: no screen at all.",
            choices=(
                *("virtio", "vga", "bochs", "qxl", "cirrus", "ramfb", "none"),
                *("vmvga", "gop", "xen", "vbox"),
            ),
            initial="virtio",
            required=True,
            offer=Offer(
                "video/modelType",
                needs={"gop": ("bhyve",), "xen": ("xen",), "vbox": ("vbox",)},
                lacks={
                    "virtio": "QEMU's virtio-gpu (Debian: package qemu-system-common)",
                    "qxl": "a QEMU with SPICE (Debian: package qemu-system-common)",
                },
            ),
        ),
        Field(
            "primary",
            "model/@primary",
            "Primary",
            "The one that the firmware draws on.",
            FieldType.YES_NO,
        ),
        Field("heads", "model/@heads", "Screens", "How many it has.", FieldType.INT, least=1),
        Field("vram", "model/@vram", "Memory", "In KiB.", FieldType.INT),
        Field(
            "vram64", "model/@vram64", "64-bit memory", "In KiB (qxl).", FieldType.INT, only=_QXL
        ),
        Field("ram", "model/@ram", "First memory", "In KiB (qxl).", FieldType.INT, only=_QXL),
        Field("vgamem", "model/@vgamem", "VGA memory", "In KiB (qxl).", FieldType.INT, only=_QXL),
        Field(
            "blob",
            "model/@blob",
            "Blobs",
            "Share picture memory with the host without copies (virtio).",
            FieldType.ON_OFF,
            only=("type", ("virtio",)),
        ),
        Field(
            "accel3d",
            "model/acceleration/@accel3d",
            "3D",
            "Draw 3D with the host's GPU (virtio; needs OpenGL in the graphics device).",
            FieldType.YES_NO,
        ),
        Field(
            "accel2d",
            "model/acceleration/@accel2d",
            "2D",
            "Draw 2D with the host's GPU.",
            FieldType.YES_NO,
        ),
        Field(
            "rendernode",
            "model/acceleration/@rendernode",
            "GPU",
            "As in /dev/dri/renderD128 (vhost-user).",
        ),
        Field("width", "model/resolution/@x", "Width", "Pixels, at first.", FieldType.INT),
        Field("height", "model/resolution/@y", "Height", "Pixels, at first.", FieldType.INT),
        Field(
            "driver",
            "driver/@name",
            "Driver",
            "vhostuser draws in a process of its own.",
            choices=("qemu", "vhostuser"),
        ),
        Field(
            "vgaconf",
            "driver/@vgaconf",
            "VGA",
            "How much of VGA's registers it has.",
            choices=("io", "on", "off"),
        ),
    ),
    _summary,
    common=("type", "heads", "accel3d"),
)
