"""Labels with what they say, one below the other, wrapped to the width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import chop_cells

from .page import PageLine
from .text import fit, plain, width_of
from .tones import Toned

Fact = tuple[str, str | Toned | Sequence[str]]
"""Label and value; several values go below one another, an empty one leaves the fact out."""

LABEL = 16


def facts(pairs: Iterable[Fact], width: int) -> list[PageLine]:
    """Lines for these facts, ``width`` cells wide."""
    lines: list[PageLine] = []
    room = max(width - LABEL - 3, 8)
    for label, value in pairs:
        if isinstance(value, Toned):
            values: Sequence[str] = (value.text,)
            tone = value.tone
        else:
            values, tone = ((value,) if isinstance(value, str) else value), ""
        first = True
        for text in values:
            for part in _wrapped(plain(text), room) if text else ():
                head = label if first else ""
                lines.append((Toned(f" {fit(head, LABEL)}  ", "dim"), Toned(part, tone)))
                first = False
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Broken between words, and inside those that are wider than a line (paths, hashes)."""
    lines = [""]
    for word in text.split(" "):
        begun = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(begun) <= width:
            lines[-1] = begun
            continue
        if not lines[-1]:
            lines.pop()
        lines += chop_cells(word, width)
    return lines


def heading(text: str) -> list[PageLine]:
    """A heading with an empty line above it."""
    return [(), (Toned(f" {text}", "title"),)]
