"""Whatever a guest prints: no harm to this program, its memory, or the operator's terminal."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz import sequences
from tests.support.terminal import acted_on, faults
from tests.unit.backend.terminal.table import rows
from tuivirt.backend.terminal.drawable import drawable, in_cell
from tuivirt.backend.terminal.emulator import (
    ANSWERS_MAX,
    SCROLLBACK_LINES,
    TITLE_MAX,
    GhosttyEmulator,
)

CHUNK = 1 << 16
MIB = 1 << 20


@pytest.fixture
def emulator() -> Iterator[GhosttyEmulator]:
    made = GhosttyEmulator(80, 24)
    yield made
    made.close()


def chunks(begin: bytes, body: bytes, count: int) -> Iterator[bytes]:
    """``begin``, then ``body`` over and over in as many chunks."""
    yield begin
    whole = body * (CHUNK // len(body) + 1)
    for _ in range(count):
        yield whole


@given(st.lists(st.binary(max_size=300), max_size=5))
@settings(deadline=None)
@example([b"\xc2\x9b31m\x1b]2;\xe2\x80\xae\x07", b"\xf4\x90\x80\x80", b"\x1b[6n" * 70])
def test_any_bytes_make_frames_that_are_well_formed(parts: list[bytes]) -> None:
    emulator = GhosttyEmulator(20, 5)
    for part in parts:
        assert len(emulator.feed(part)) <= ANSWERS_MAX
        assert faults(emulator.frame()) == []
    emulator.close()


@given(st.integers(0, 2**32), st.integers(20, 100), st.integers(5, 40))
@settings(deadline=None, max_examples=60)
def test_any_sequences_make_frames_that_are_well_formed(seed: int, width: int, lines: int) -> None:
    rng = random.Random(seed)
    emulator = GhosttyEmulator(40, 10, scrollback_lines=100)
    for _ in range(4):
        assert len(emulator.feed(sequences.mixed(rng))) <= ANSWERS_MAX
        assert faults(emulator.frame()) == []
        emulator.resize(width, lines)
        assert faults(emulator.frame()) == []
        emulator.scroll(-rng.randrange(50))
        assert faults(emulator.frame()) == []
    emulator.close()


@given(st.integers(0, 2**32), st.lists(st.integers(1, 40), min_size=1))
@settings(deadline=None, max_examples=60)
def test_output_in_any_pieces_has_the_same_screen(seed: int, lengths: list[int]) -> None:
    rng = random.Random(seed)
    data = b"".join(rng.choice(PIECEMEAL)(rng) for _ in range(20))
    whole, pieces = GhosttyEmulator(30, 8), GhosttyEmulator(30, 8)
    answers = whole.feed(data)
    told = b""
    at = turn = 0
    while at < len(data):
        length = lengths[turn % len(lengths)]
        told += pieces.feed(data[at : at + length])
        at, turn = at + length, turn + 1
    ours, theirs = pieces.frame(), whole.frame()
    assert rows(ours) == rows(theirs)
    assert ours == theirs
    if len(told) <= ANSWERS_MAX:
        assert told == answers
    whole.close()
    pieces.close()


PIECEMEAL = [
    sequences.KINDS[name]
    for name in ("csi", "mode", "margins", "sgr", "escape", "letters", "control", "rubbish")
]


@pytest.mark.parametrize(
    ("begin", "body"),
    [
        (b"", b"x"),
        (b"\x1b]2;", b"abc"),
        (b"\x1b]52;c;", b"QUJD"),
        (b"\x1b]8;;", b"http"),
        (b"\x1b]1337;File=inline=1:", b"QUJD"),
        (b"\x1bPq", b"~~@@vv"),
        (b"\x1bP+q", b"544e;"),
        (b"\x1bP1000p", b"%begin "),
        (b"\x1b_Ga=T,f=32,s=1000,v=1000,m=1;", b"QUJD"),
        (b"", b"\x1b_Ga=T,f=32,s=9999,v=9999,m=1;" + b"QUJD" * 100 + b"\x1b\\"),
        (b"\x1b^", b"abc"),
        (b"\x1b[", b"9"),
        (b"\x1b[", b"9;"),
        (b"e", "\u0301".encode()),
        (b"", b"e" + "\u0301".encode() * 20 + b"\n"),
        (b"", b" \x1bH"),
        (b"", b"\x1b]2;title\x07"),
        (b"", b"\x1b]8;;http://x/\x07x"),
        (b"", b"\x1b[>1u\x1b7\x1b[22t"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_what_never_ends_takes_no_memory(
    emulator: GhosttyEmulator, begin: bytes, body: bytes
) -> None:
    before = psutil.Process().memory_info().rss
    for chunk in chunks(begin, body, 100):
        emulator.feed(chunk)
    assert faults(emulator.frame()) == []
    assert psutil.Process().memory_info().rss - before < 40 * MIB


def test_a_line_of_a_hundred_megabytes_ends_and_is_kept_as_far_as_there_is_room(
    emulator: GhosttyEmulator,
) -> None:
    line = b"x" * MIB
    for _ in range(100):
        emulator.feed(line)
    emulator.feed(b"\r\nend")
    assert rows(emulator.frame())[-1] == "end"
    assert 10_000 <= emulator.frame().scroll.total <= SCROLLBACK_LINES + 24


def test_the_history_is_bounded_in_bytes_when_each_cell_has_a_colour_of_its_own() -> None:
    before = psutil.Process().memory_info().rss
    emulator = GhosttyEmulator(200, 60, scrollback_bytes=8 * MIB)
    for row in range(150):
        emulator.feed(
            b"".join(b"\x1b[38;2;%d;%d;%dmx" % (one % 256, one >> 8, row) for one in range(2000))
        )
    assert psutil.Process().memory_info().rss - before < 40 * MIB
    assert emulator.frame().scroll.total < 1500
    emulator.close()


def test_a_million_questions_get_few_answers_and_whole_ones(emulator: GhosttyEmulator) -> None:
    answers = emulator.feed(b"\x1b[6n" * 1_000_000)
    assert 0 < len(answers) <= ANSWERS_MAX
    assert answers == b"\x1b[1;1R" * (len(answers) // 6)
    assert emulator.feed(b"\x1b[5n") == b"\x1b[0n"


def test_a_pile_of_marks_is_shown_as_far_as_a_cell_is_high(emulator: GhosttyEmulator) -> None:
    emulator.feed(b"e" + "\u0301".encode() * 10_000 + b"x")
    (run,) = emulator.frame().rows[0]
    assert run.cells == 2
    assert run.text == "e" + "\u0301" * 31 + "x"


@pytest.mark.parametrize("count", [10**4, 10**9, 10**30])
@pytest.mark.parametrize("final", "@ABCDEFGILMPSTXZbde`")
def test_a_huge_count_ends(emulator: GhosttyEmulator, final: str, count: int) -> None:
    emulator.feed(f"abc\r\ndef\x1b[{count}{final}".encode())
    assert faults(emulator.frame()) == []


def test_a_title_is_short_and_plain(emulator: GhosttyEmulator) -> None:
    emulator.feed(b"\x1b]2;" + "\u009b\u202e漢".encode() * 100 + b"\x07")
    assert emulator.frame().title == "漢" * 100
    emulator.feed(b"\x1b]2;" + b"x" * 900 + b"\x07")
    assert emulator.frame().title == "x" * TITLE_MAX


def test_a_text_that_is_copied_has_nothing_in_it_that_was_not_seen(
    emulator: GhosttyEmulator,
) -> None:
    emulator.feed("é one\u202e\u200b\r\ntwo\u2066".encode() + b"\x1b]2;x\x07")
    assert emulator.text() == "é one\ntwo"


def test_half_of_a_wide_character_is_blank(emulator: GhosttyEmulator) -> None:
    emulator.feed("\x1b[?1049h\x1b[1;40H漢".encode())
    emulator.resize(40, 24)
    assert faults(emulator.frame()) == []


@given(st.text())
def test_what_is_drawn_is_acted_on_by_no_terminal(text: str) -> None:
    assert acted_on(drawable(text)) == ""
    for char in text:
        for cells in (1, 2):
            shown = in_cell(char, cells)
            assert shown
            assert acted_on(shown) == ""


def test_a_guest_that_keeps_the_library_busy_keeps_nobody_else_waiting(
    emulator: GhosttyEmulator,
) -> None:
    over = threading.Event()

    def feed() -> None:
        emulator.feed(b"x" + b"\x1b[65535b" * 2000)
        over.set()

    feeder = threading.Thread(target=feed)
    feeder.start()
    frames = 0
    while not over.is_set():
        emulator.frame()
        frames += 1
    feeder.join()
    assert frames > 5


def test_a_terminal_that_is_closed_says_so_instead_of_using_memory_that_is_gone() -> None:
    emulator = GhosttyEmulator()
    emulator.close()
    emulator.close()
    assert emulator.feed(b"x\x1b[?69hx\x1b[!p") == b""
    for call in (emulator.frame, emulator.reset, emulator.text, emulator.found, emulator.refresh):
        with pytest.raises(RuntimeError, match="closed"):
            call()
