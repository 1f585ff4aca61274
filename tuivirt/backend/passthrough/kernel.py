"""Reading what the kernel shows as files."""

from __future__ import annotations

import os
from pathlib import Path


def text_of(path: Path) -> str:
    """A file's text without the blanks around it; '' when it cannot be read, as of a device that
    went away while we looked."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def place_of(link: Path, root: Path) -> str:
    """The sysfs path that a link of a class leads to, as seen from ``root``."""
    return os.path.realpath(link).removeprefix(os.path.realpath(root).rstrip("/"))
