"""Reading what the kernel shows as files."""

from __future__ import annotations

from pathlib import Path


def text_of(path: Path) -> str:
    """A file's text without the blanks around it; '' when it cannot be read, as of a device that
    went away while we looked."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
