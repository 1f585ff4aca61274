"""The names that libvirt.conf gives to URIs."""

from __future__ import annotations

import os
import re
from pathlib import Path

_LIST = re.compile(r"^\s*uri_aliases\s*=\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


def uri_aliases() -> dict[str, str]:
    """URI by alias, from the file that libvirt itself reads; empty where there is none."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    folder = Path("/etc" if os.geteuid() == 0 else config, "libvirt")
    try:
        text = (folder / "libvirt.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}  # Absent, or not ours to read: libvirt goes on without it as well.
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = _LIST.search("\n".join(lines))
    if found is None:
        return {}
    pairs = ((one or other).partition("=") for one, other in _QUOTED.findall(found[1]))
    return {name: uri for name, _, uri in pairs if uri}


def resolved(uri: str) -> str:
    """The URI that an alias stands for; what is none, as it is."""
    return uri_aliases().get(uri, uri)
