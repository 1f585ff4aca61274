"""Sizes as they are typed for volumes, names that cannot be, and the XML that is made of them."""

from __future__ import annotations

import pytest

from tuivirt.backend.errors import BadInput
from tuivirt.backend.storage.find import bytes_of, check_name, human
from tuivirt.backend.xml.volume import cloned_volume, new_volume, parse_volume


@pytest.mark.parametrize(
    ("typed", "size"),
    [
        ("20G", 20 << 30),
        ("1.5 TiB", 3 << 39),
        ("512M", 512 << 20),
        ("1048576", 1 << 20),
        ("5KB", 5000),
        (" 7 ", 7),
    ],
)
def test_a_bare_number_is_bytes_as_in_virsh(typed: str, size: int) -> None:
    assert bytes_of(typed, "the capacity") == size


@pytest.mark.parametrize("typed", ["", "big", "-1G", "1e9", "9999999P", "٣G", "1G 2G"])
def test_what_is_no_size_is_told(typed: str) -> None:
    with pytest.raises(BadInput, match=r"the capacity cannot be .*: it is a size"):
        bytes_of(typed, "the capacity")


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\nb", "a\0b", "\x7f", "x" * 256])
def test_a_name_that_no_volume_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        check_name(name)


@pytest.mark.parametrize("name", ["a b", 'it\'s "x"', "卷 <&>", "-x", "x" * 255])
def test_odd_names_are_names(name: str) -> None:
    check_name(name)
    volume = parse_volume("h", "p", new_volume(name, 5))
    assert (volume.name, volume.capacity_bytes) == (name, 5)


def test_sizes_are_read_by_people() -> None:
    assert [human(n) for n in (None, 0, 1023, 1 << 20, 20 << 30, 3 << 39)] == [
        "?",
        "0 bytes",
        "1023 bytes",
        "1 MiB",
        "20 GiB",
        "1.5 TiB",
    ]


def test_a_new_volume_says_what_it_lies_on() -> None:
    xml = new_volume(
        "top", 1 << 30, allocation=0, form="qcow2", backing="/p/base", backing_format="raw"
    )
    volume = parse_volume("h", "p", xml)
    assert (volume.backing, volume.backing_format, volume.format) == ("/p/base", "raw", "qcow2")
    assert volume.allocation_bytes == 0


def test_a_copy_is_the_original_under_another_name() -> None:
    original = new_volume("a", 1 << 20, form="qcow2", backing="/p/base", backing_format="raw")
    copy = parse_volume("h", "p", cloned_volume('b "<&>', original))
    assert (copy.name, copy.format, copy.backing) == ('b "<&>', "qcow2", "/p/base")


def test_a_copy_whose_tables_are_made_ahead_takes_no_place_for_its_data() -> None:
    original = new_volume("a", 1 << 20, allocation=2 << 20, form="qcow2")
    taken = [
        parse_volume("h", "p", cloned_volume("b", original, tables=tables)).allocation_bytes
        for tables in (False, True)
    ]
    assert taken == [2 << 20, 0]
