"""Fields that several device types have."""

from __future__ import annotations

from .field import Field, FieldType
from .offered import ALL, Offer

BOOT_ORDER = Field(
    "boot_order",
    "boot/@order",
    "Boot order",
    "1 is tried first; empty: not by this list.",
    FieldType.INT,
    least=1,
)

VIRTIO_MODELS = ("virtio", "virtio-transitional", "virtio-non-transitional")

ROM_BAR = Field(
    "rom_bar",
    "rom/@bar",
    "ROM",
    "Whether the guest sees the card's ROM; some GPUs need it off.",
    FieldType.ON_OFF,
)
ROM_FILE = Field(
    "rom_file", "rom/@file", "ROM's file", "A file on the host to be the card's ROM instead."
)


def secret_fields(
    prefix: str, only: tuple[str, tuple[str, ...]], also: str = "", offer: Offer = ALL
) -> list[Field]:
    """Who logs in at a storage server, and with what; ``also``: another prefix for the same.

    ``offer``: which kind of secret is meant.
    """

    def elsewhere(path: str) -> str:
        return f"{also}{path}" if also else ""

    return [
        Field(
            "user",
            f"{prefix}auth/@username",
            "User",
            "Who logs in at the storage server.",
            only=only,
            also=elsewhere("auth/@username"),
        ),
        Field(
            "secret_type",
            f"{prefix}auth/secret/@type",
            "Secret's kind",
            "What the secret was defined for: iscsi for HTTP and SSH too.",
            choices=("ceph", "iscsi"),
            only=only,
            offer=offer,
            also=elsewhere("auth/secret/@type"),
        ),
        Field(
            "secret_uuid",
            f"{prefix}auth/secret/@uuid",
            "Secret",
            "UUID of libvirt's secret with the password or key.",
            only=only,
            also=elsewhere("auth/secret/@uuid"),
        ),
        Field(
            "secret_usage",
            f"{prefix}auth/secret/@usage",
            "Secret's usage",
            "The secret's usage name, in place of its UUID.",
            only=only,
            also=elsewhere("auth/secret/@usage"),
        ),
    ]
