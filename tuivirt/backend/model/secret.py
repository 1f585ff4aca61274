"""A secret of libvirt's: what it is for, never what is in it."""

from __future__ import annotations

from .record import record

KINDS = ("volume", "ceph", "iscsi", "tls", "vtpm")
"""What a secret may be for, libvirt's words."""


@record(frozen=True, slots=True)
class Secret:
    """A secret, without its value. Source: virSecretGetXMLDesc."""

    uuid: str
    kind: str = ""
    """What it was defined for: ceph, iscsi, volume, tls, vtpm; empty: nothing in particular."""
    usage: str = ""
    """Its usage name; of a volume's: the volume's path."""
    description: str = ""
    ephemeral: bool = False
    """It is in the daemon's memory alone, and gone when that ends."""
    private: bool = False
    """libvirt tells its value to no client."""

    @property
    def called(self) -> str:
        """As it is told of: its usage, or else its UUID."""
        return f"{self.kind} {self.usage}" if self.usage else self.uuid
