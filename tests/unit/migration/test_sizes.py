"""Sizes as a plan tells them: in whole figures however large they are."""

from __future__ import annotations

import pytest

from .things import disk, plan

MIB = 1 << 20


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (MIB // 2, "512 KiB"),
        (10 * MIB, "10 MiB"),
        (999.9 * MIB, "999.9 MiB"),
        (1023 * MIB, "1023 MiB"),
        (1536 * MIB, "1.5 GiB"),
        (1000 * 1024 * MIB, "1000 GiB"),
        (1020 * 1024 * MIB, "1020 GiB"),
        (9999 << 40, "9999 TiB"),
        (12345 << 40, "12345 TiB"),
    ],
)
def test_a_size_is_told_without_an_exponent(size: float, said: str) -> None:
    made = plan({"disks": (disk(capacity_bytes=int(size), size_bytes=int(size)),)})
    assert f", {said})" in made.steps[0]
