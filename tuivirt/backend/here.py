"""Whether a host's files are this machine's: asked wherever one is looked at by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host import Host


def is_here(host: Host) -> bool:
    """Whether the host is this machine, and its paths lead to files."""
    info = host.snapshot.info
    return info is not None and info.local and not info.demo
