"""Where one gets to who names no host: what libvirt is told, and where virsh goes."""

from __future__ import annotations

import os
import re
from pathlib import Path

SYSTEM = "qemu:///system"
_SESSION = "qemu:///session"


def told() -> str:
    """LIBVIRT_DEFAULT_URI, else ``uri_default`` of libvirt.conf; '' where neither names one."""
    given = os.environ.get("LIBVIRT_DEFAULT_URI", "")
    if given:
        return given
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    for path in (Path(config, "libvirt/libvirt.conf"), Path("/etc/libvirt/libvirt.conf")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # Absent, or not ours to read: libvirt goes on without it as well.
        found = re.search(r"^\s*uri_default\s*=\s*[\"']([^\"']+)[\"']", text, re.MULTILINE)
        if found:
            return found[1]
    return ""


def of_virsh() -> str:
    """Where virsh goes without ``-c``: an ordinary user gets to a daemon of its own."""
    own = os.environ.get("VIRSH_DEFAULT_CONNECT_URI", "")
    return own or told() or (SYSTEM if os.geteuid() == 0 else _SESSION)
