"""Pairs of a device's XML and what it says, kept in ``devices/<kind>.toml``.

Each pair: ``of`` (what it is), ``xml``, ``values`` (field by field, all that are not silent),
``beside`` (devices without which it cannot be), ``not_qemu`` (why QEMU's driver refuses it).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tuivirt.backend.xml.catalog import Kind, kinds

FOLDER = Path(__file__).parent / "devices"


@dataclass(frozen=True)
class Pair:
    """One device, as values and as XML."""

    kind: Kind
    of: str
    xml: str
    """On one line, as it is built."""
    values: dict[str, object]
    beside: list[str] = field(default_factory=list)
    not_qemu: str = ""

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.of}"


@cache
def pairs() -> tuple[Pair, ...]:
    """All of them, of every kind."""
    return tuple(pair for kind in kinds().values() for pair in _of(kind))


def _of(kind: Kind) -> list[Pair]:
    with (FOLDER / f"{kind.name}.toml").open("rb") as file:
        found = tomllib.load(file)["pair"]
    return [
        Pair(
            kind,
            each["of"],
            re.sub(r">\s+<", "><", each["xml"].strip()),
            each["values"],
            each.get("beside", []),
            each.get("not_qemu", ""),
        )
        for each in found
    ]
