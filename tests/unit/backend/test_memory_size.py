"""Amounts of memory as they are typed and told, and what to do for more than there can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.backend.errors import BadInput
from tuivirt.backend.memory_size import LEAST_KIB, kib_of, more
from tuivirt.backend.model.processors import Memory
from tuivirt.backend.sizes import amount

GIB = 1024**2


@given(st.integers(LEAST_KIB, 1 << 40))
def test_what_is_told_is_what_can_be_typed(kib: int) -> None:
    assert kib_of(amount(kib)) == kib


@pytest.mark.parametrize(
    ("text", "kib"),
    [
        ("2GiB", 2 * GIB),
        ("2 g", 2 * GIB),
        ("1.5G", 3 * GIB // 2),
        ("512M", 512 * 1024),
        ("1048576", GIB),
        ("2GB", 2 * 10**9 // 1024),
        ("4096b", None),
        ("0", None),
        ("1e9", None),
        ("1,5G", None),
        ("-1G", None),
        ("G", None),
        ("8388607T", 8388607 << 30),
        ("8388608T", None),
        ("999999999999T", None),
    ],
)
def test_a_size_is_read_with_its_unit_or_refused(text: str, kib: int | None) -> None:
    if kib is None:
        with pytest.raises(BadInput):
            kib_of(text)
    else:
        assert kib_of(text) == kib


def test_for_more_memory_a_device_is_offered_only_where_there_is_a_slot_for_it() -> None:
    full = Memory(GIB, GIB, slots=2, limit_kib=8 * GIB, devices=2, balloon="virtio")
    assert "attach-memory" not in more(full, later=False)
    assert "setmaxmem" in more(full, later=False)
    roomy = Memory(GIB, GIB, slots=2, limit_kib=8 * GIB, devices=1, balloon="virtio")
    assert more(roomy, later=True) == (
        "plug in a memory device (attach-memory), or do it for the next boot"
    )
