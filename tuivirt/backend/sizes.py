"""Amounts as people type and read them."""

from __future__ import annotations

import re

from .xml.errors import XmlError
from .xml.tree import unit_factor

MOST_BYTES = (1 << 63) - 1
"""libvirt's calls fail on a larger number, or cut it to a small one."""

_SIZED = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,6}))?\s*([A-Za-z]*)")


def read_size(text: str) -> int | None:
    """Bytes from ``2GiB``, ``512M``, ``1.5 G`` or, as virsh has it, a bare number of KiB.

    None for what is no amount, or more than ``MOST_BYTES``.
    """
    match = _SIZED.fullmatch(text.strip())
    try:
        factor = unit_factor(match[3] or "KiB") if match else 0
    except XmlError:
        factor = 0
    if match is None or not factor:
        return None
    part = match[2] or "0"
    # In whole numbers: a float would round what is typed.
    scale = int("1" + "0" * len(part))
    size = (int(match[1]) * scale + int(part)) * factor // scale
    return size if size <= MOST_BYTES else None


def amount(kib: int) -> str:
    """``2 GiB``, ``1.5 GiB``, ``768 MiB``, or KiB where neither is exact enough."""
    for unit, factor in (("TiB", 1024**3), ("GiB", 1024**2), ("MiB", 1024)):
        if kib >= factor and kib * 100 % factor == 0:
            return f"{kib / factor:.10g} {unit}"
    return f"{kib} KiB"


def for_virsh(text: str) -> str:
    """A size as virsh takes it: a whole number and a unit, in one word."""
    size = read_size(text) if "." in text else None
    return text.replace(" ", "") if size is None else f"{size // 1024}KiB"
