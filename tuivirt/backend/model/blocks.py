"""A block device of a host, as one chooses it for a disk."""

from __future__ import annotations

from .record import record


@record(frozen=True, slots=True)
class BlockDevice:
    """A disk, a partition, or what is built on them."""

    name: str
    """As in ``sda1``, ``vg0-data``; of a volume ``pool/volume``."""
    path: str
    """What a domain is to have for a source: one that outlives a reboot, where there is one."""
    size_bytes: int | None = None
    model: str = ""
    serial: str = ""
    note: str = ""
    """What else is worth knowing, as in ``2 partitions``."""
    uses: tuple[str, ...] = ()
    """Why it cannot be given away, one phrase each, as in ``mounted at /srv``."""
