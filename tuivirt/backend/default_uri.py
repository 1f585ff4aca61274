"""Where one gets to who names no host: what libvirt is told, and where virsh goes."""

from __future__ import annotations

import os
import re
from pathlib import Path

SYSTEM = "qemu:///system"
_SESSION = "qemu:///session"


def told() -> str:
    """LIBVIRT_DEFAULT_URI, else ``uri_default`` of libvirt.conf; '' where neither names one.

    The user's own file, then the machine's, for everybody.
    """
    return os.environ.get("LIBVIRT_DEFAULT_URI", "") or _in(_own()) or _in(_MACHINES)


def of_virsh() -> str:
    """Where virsh goes without ``-c``: an ordinary user gets to a daemon of its own.

    libvirt itself reads one file only, the machine's for root and their own for all others.
    """
    root = os.geteuid() == 0
    for name in ("VIRSH_DEFAULT_CONNECT_URI", "LIBVIRT_DEFAULT_URI"):
        if given := os.environ.get(name):
            return given
    return _in(_MACHINES if root else _own()) or (SYSTEM if root else _SESSION)


_MACHINES = Path("/etc/libvirt/libvirt.conf")


def _own() -> Path:
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(config, "libvirt/libvirt.conf")


def _in(path: Path) -> str:
    """What a file says; '' where it is absent, or not ours to read: libvirt goes on without it."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r"^\s*uri_default\s*=\s*[\"']([^\"']+)[\"']", text, re.MULTILINE)
    return found[1] if found else ""
