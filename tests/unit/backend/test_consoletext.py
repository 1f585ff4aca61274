"""What a guest printed becomes lines that are harmless and that a human can read."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tuivirt.backend.consoletext import GOES_ON, LINE_CHARS, STRING_CHARS, ConsoleText, harmless

PIECES = (
    b"text",
    b"\r\n",
    b"\r",
    b"\n",
    b"\b",
    b"\t",
    b"\x1b",
    b"\x1b[",
    b"31;1m",
    b"\x1b[K",
    b"\x1b[5;9H",
    b"\x1b[2J",
    b"\x1b[3C",
    b"\x1b[2P",
    b"\x1b[4@",
    b"\x1b]0;title\x07",
    b"\x1bP0;1|17/ab\x1b\\",
    b"\x1b_apc\x1b\\",
    b"\xc2\x9b1m",
    b"\x18",
    "ä€😀\u202e\u200d\u2028".encode(),
    b"\xff",
    b"\xe2\x82",
)
GUEST = st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=40).map(b"".join)


def lines_of(*pieces: bytes) -> list[str]:
    text = ConsoleText()
    return [line for piece in pieces for line in text.feed(piece)] + text.end()


@given(GUEST, st.lists(st.integers(0, 200)))
def test_how_the_bytes_are_cut_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(at)]
    assert lines_of(*pieces) == lines_of(data)
    assert lines_of(*(data[n : n + 1] for n in range(len(data)))) == lines_of(data)


@given(GUEST | st.binary() | st.text().map(str.encode))
@example("\u202e\u2066\x9b31m\x85\u2029\ufeff\U000e0041".encode())
def test_no_control_nor_invisible_character_is_left(data: bytes) -> None:
    for line in lines_of(data):
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in line)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"one\r\ntwo\n", ["one", "two"]),
        (b"\r\n\n", ["", ""]),
        (b"login: ", ["login:"]),
        (b" 10%\r 20%\r100%\n", ["100%"]),
        (b"abc\b\b12\n", ["a12"]),
        (b"tyop\b \b\b \bpe\n", ["type"]),
        (b"long line\r\x1b[Kshort\n", ["short"]),
        (b"\x1b[1;32mroot\x1b[0m:~# \x1b[38;5;208mls\n", ["root:~# ls"]),
        (b"a\tb\n", ["a       b"]),
        (b"Starting x\x1b[20G[ OK ]\n", ["Starting x         [ OK ]"]),
        (b"ls -l\x1b[4D\x1b[1Pz\n", ["lz-l"]),
        (b"first\x1b[5;1Hsecond\x1b[2Jthird", ["first", "second", "third"]),
        (b"a\x1b]0;title\x07b\x1bPdcs\x1b\\c\x1b_apc\x1b\\d\n", ["abcd"]),
        (b"a\x1b]0;never ended \x18b\n", ["ab"]),
        (b"\x1b(0lqk\x1b(B\n", ["lqk"]),
        ("a\u202eb\u200bc\u2028d\n".encode(), ["abcd"]),
        ("wide\u3000blank\n".encode(), ["wide blank"]),
        (b"bad \xff\xfe \xe2\x82\n", ["bad \ufffd\ufffd \ufffd"]),
        (b"\xc2\x9b31mred\xc2\x9d0;t\xc2\x9c.\n", ["red."]),
    ],
)
def test_what_a_line_says_is_what_was_left_in_it(said: bytes, shown: list[str]) -> None:
    assert lines_of(said) == shown


def test_a_line_without_an_end_is_broken() -> None:
    first, second, third = lines_of(b"x" * (2 * LINE_CHARS + 5))
    assert first == second == "x" * LINE_CHARS + GOES_ON
    assert third == "x" * 5


def test_a_string_without_an_end_hides_no_more_than_a_string_may_hold() -> None:
    assert lines_of(b"\x1b]" + b"t" * STRING_CHARS + b"text\n") == ["text"]


def test_an_endless_sequence_takes_no_memory_and_ends_at_its_letter() -> None:
    text = ConsoleText()
    for piece in (b"\x1b[", *([b"1;" * 50_000] * 20)):
        assert text.feed(piece) == []
    assert len(text._parameters) <= 64
    assert text.feed(b"mtext\n") == ["text"]


def test_harmless_text_stays_as_it_is() -> None:
    assert harmless("web-01 ä€") == "web-01 ä€"
    assert harmless("a\x1b[31m\u202e") == "a[31m"
