"""Sets of CPUs as libvirt writes them: ``0-3,^2,8``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST = 1 << 14
"""No host has a CPU of a higher number; it keeps a typing error from filling the memory."""

_PART = re.compile(r"(\^?)([0-9]{1,9})(?:-([0-9]{1,9}))?")


class BadCpuset(ValueError):
    """The text is no set of CPUs; says why, in a sentence's second half."""


def parse_cpuset(text: str) -> frozenset[int]:
    """The CPUs that ``text`` names: numbers and ranges with commas, ``^2`` takes one out again.

    As in libvirt the parts count from left to right, so that ``^2,0-3`` holds 2, and nothing
    but a single CPU can be taken out. Raises BadCpuset; of an empty set too.
    """
    cpus: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise BadCpuset(f"{part.strip()!r} is no CPU, no range and no ^CPU")
        low, high = int(match[2]), int(match[3] or match[2])
        if match[1] and match[3]:
            raise BadCpuset(f"{part.strip()!r}: only a single CPU can be taken out with ^")
        if high < low:
            raise BadCpuset(f"{part.strip()!r} ends before it begins")
        if high >= MOST:
            raise BadCpuset(f"no host has a CPU {high}")
        if match[1]:
            cpus.discard(low)
        else:
            cpus.update(range(low, high + 1))
    if not cpus:
        raise BadCpuset(f"{text!r} names no CPU")
    return frozenset(cpus)


def write_cpuset(cpus: Iterable[int]) -> str:
    """The shortest text of ranges that names these CPUs; '' for none."""
    return ",".join(
        str(low) if low == high else f"{low}-{high}" for low, high in _ranges(sorted(set(cpus)))
    )


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    start: int | None = None
    last = 0
    for number in numbers:
        if start is not None and number != last + 1:
            yield start, last
            start = None
        start, last = number if start is None else start, number
    if start is not None:
        yield start, last
