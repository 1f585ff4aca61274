"""Bytes as people read them: one spelling wherever a sentence tells of a size."""

from __future__ import annotations

_UNITS = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
_WHOLE = 9999.5
"""From there on four digits would be written with an exponent."""


def spelled(count: int | None) -> str:
    """``1.5 GiB``, ``64 MiB``, ``512 bytes``: four digits; ``?`` where it is not known."""
    if count is None:
        return "?"
    for unit, factor in _UNITS:
        if count >= factor:
            amount = count / factor
            return f"{amount:.4g} {unit}" if amount < _WHOLE else f"{amount:.0f} {unit}"
    return f"{count} byte{'s' * (count != 1)}"
