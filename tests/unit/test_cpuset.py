"""Sets of CPUs, as they are typed and as libvirt writes them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.backend.model.cpuset import MOST, BadCpuset, parse_cpuset, write_cpuset

CPUS = st.frozensets(st.integers(0, 400), min_size=1)


@given(CPUS)
def test_what_is_written_is_read_as_the_same_cpus(cpus: frozenset[int]) -> None:
    assert parse_cpuset(write_cpuset(cpus)) == cpus


@given(CPUS)
def test_what_is_written_is_the_shortest_no_two_parts_touch(cpus: frozenset[int]) -> None:
    ends = [tuple(map(int, part.split("-"))) for part in write_cpuset(cpus).split(",")]
    assert all(end[-1] + 1 < begin[0] for end, begin in itertools.pairwise(ends))


@given(CPUS, CPUS)
def test_what_is_taken_out_afterwards_is_not_in_it(
    some: frozenset[int], out: frozenset[int]
) -> None:
    text = write_cpuset(some) + "".join(f",^{cpu}" for cpu in out)
    if some <= out:
        with pytest.raises(BadCpuset, match="names no CPU"):
            parse_cpuset(text)
    else:
        assert parse_cpuset(text) == some - out


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_any_other_text_is_refused_and_never_an_accident(text: str) -> None:
    try:
        cpus = parse_cpuset(text)
    except BadCpuset:
        return
    assert cpus
    assert max(cpus) < MOST
    assert all(char in "0123456789-,^" or char.isspace() for char in text)


def test_parts_count_from_left_to_right_as_in_libvirt() -> None:
    assert parse_cpuset("0-3,^2,8") == {0, 1, 3, 8}
    assert parse_cpuset("^2,0-3") == {0, 1, 2, 3}
    assert parse_cpuset(" 0 , 2-2 ") == {0, 2}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no CPU"),
        ("a", "is no CPU"),
        ("1-", "is no CPU"),
        ("1,,2", "is no CPU"),
        ("-1", "is no CPU"),
        ("٣", "is no CPU"),
        ("3-1", "ends before it begins"),
        ("0-3,^1-2", "only a single CPU can be taken out"),
        ("1,^1", "names no CPU"),
        ("99999", "no host has a CPU 99999"),
        ("0-999999999", "no host has a CPU 999999999"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(BadCpuset, match=why):
        parse_cpuset(text)
