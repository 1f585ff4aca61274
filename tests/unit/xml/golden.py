"""Real XML, dumped from libvirt 9.0, and some for hardware that few machines have."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def golden(name: str) -> str:
    """The text of ``golden/<name>.xml``."""
    return (_FOLDER / f"{name}.xml").read_text(encoding="utf-8")
