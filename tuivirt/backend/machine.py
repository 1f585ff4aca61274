"""What tells this machine from others that share a home, and this boot of it from the last."""

from __future__ import annotations

import socket
from pathlib import Path

_ID = Path("/etc/machine-id")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def machine() -> str:
    """The machine's id, or its name where it has none. Source: machine-id(5)."""
    found = _read(_ID)
    return found if found not in ("", "uninitialized") else socket.gethostname()


def boot() -> str:
    """Another one after each boot; '' where that is not known. Source: random(4)."""
    return _read(_BOOT)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""  # A container may lack both.
