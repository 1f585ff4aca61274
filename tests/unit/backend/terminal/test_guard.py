"""What the library is not fed as it comes, because it would crash or not know it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuivirt.backend.terminal.emulator import LEAST, SIZE_MAX, GhosttyEmulator
from tuivirt.backend.terminal.guard import REFUSED, Guard, Then
from tuivirt.backend.terminal.links import LinkFilter

TRICKS = (
    b"\x1b[?2027h", b"\x1b[?69h", b"\x1b", b"[", b"?", b"2027", b"69", b"20", b"27", b";", b"h",
    b"r", b"\0", b"\r", b"\x7f", b"\xff", b"\x9b", "é".encode(), b"1", b"x", b" ", b"!", b"p",
    b"\x1b[!p",
)  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(TRICKS), max_size=6).map(b"".join), max_size=8))
@settings(max_examples=300, deadline=None)
@example([b"\x1b", b"[", b"?", b"6", b"9", b"h"])
@example([b"\x1b[?69", b"\0\0", b";", b"h"])
@example([b"\x1b[?1;02027;3", b"h"])
def test_a_guest_cannot_keep_a_mode_that_is_refused(chunks: list[bytes]) -> None:
    emulator = GhosttyEmulator()
    for chunk in chunks:
        emulator.feed(chunk)
    answers = emulator.feed(b"\x18\x1b\\\x1b[?2027$p\x1b[?69$p")
    emulator.close()
    assert answers.endswith(b"\x1b[?2027;2$y\x1b[?69;2$y")


@given(st.lists(st.lists(st.sampled_from(TRICKS), max_size=6).map(b"".join), max_size=8))
def test_nothing_but_del_and_the_soft_reset_is_left_out(chunks: list[bytes]) -> None:
    guard = Guard()
    parts = [part for chunk in [*chunks, b"x"] for part in guard.parts(chunk)]
    told = b"".join(b"\x1b[!p" if then is Then.RESET_SOFTLY else data for data, then in parts)
    assert told == b"".join([*chunks, b"x"]).replace(b"\x7f", b"")


@pytest.mark.parametrize("mode", REFUSED)
def test_a_refused_mode_is_taken_back_before_the_next_byte(mode: int) -> None:
    parts = list(Guard().parts(b"a\x1b[?%dhb" % mode))
    assert parts == [(b"a\x1b[?%dh" % mode, Then.TAKE_MODES_BACK), (b"b", Then.NOTHING)]


def test_ordinary_text_is_fed_in_one_part() -> None:
    text = b"[    1.690000] usb 1-1: 69 h 2027 hr 3h\r\n\x1b[1;32mhello\x1b[0m\r\n"
    assert list(Guard().parts(text)) == [(text, Then.NOTHING)]


def test_the_cluster_that_crashed_the_library_does_so_no_more() -> None:
    emulator = GhosttyEmulator()
    emulator.feed(
        "\x1b[?2027h\x1b[;2r\x1b[?69h\x1b[26;27s\x1b[24H00000000000000000000000000म्न".encode()
    )
    emulator.close()


def test_a_terminal_too_small_for_the_library_is_made_larger_and_says_so() -> None:
    emulator = GhosttyEmulator(1, 1)
    assert (emulator.frame().columns, emulator.frame().lines) == LEAST
    emulator.resize(200, 60)
    emulator.feed(b"".join(b"\x1b[38;2;%d;0;9mx" % (one % 251) for one in range(500)))
    emulator.resize(2, 1)
    emulator.feed(b"x\r\n" * 30_000)
    frame = emulator.frame()
    assert (frame.columns, frame.lines) == LEAST
    emulator.close()


@pytest.mark.parametrize("size", [(0, 24), (80, 0), (-1, 24), (SIZE_MAX + 1, 24), (80, 1 << 20)])
def test_a_size_that_cannot_be_is_refused_and_nothing_changes(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="a terminal of"):
        GhosttyEmulator(*size)
    emulator = GhosttyEmulator(80, 24)
    with pytest.raises(ValueError, match="a terminal of"):
        emulator.resize(*size)
    assert (emulator.frame().columns, emulator.frame().lines) == (80, 24)
    emulator.close()


@pytest.mark.parametrize(
    "link",
    [
        b"\x1b]8;;http://x/\x07",
        b"\x1b]8;id=1;http://x/\x1b\\",
        b"\x1b]\0008;;http://x/\x07",
        b"\x1b\x85]8;;http://x/\x07",
        b"\x1b\x9d8;;http://x/\x07",
    ],
    ids=repr,
)
@pytest.mark.parametrize("length", [1, 2, 3, 100])
def test_a_link_is_taken_out_however_it_is_written_and_split(link: bytes, length: int) -> None:
    links = LinkFilter()
    data = b"a" + link + b"b"
    pieces = [data[at : at + length] for at in range(0, len(data), length)]
    told = b"".join(map(links.without, pieces))
    assert told == data.replace(b"8;", b"98;")


@pytest.mark.parametrize(
    "text", [b"[    8.69] x]8;y", b"\x1b[8m]8;", b"\x1b]2;]8;\x07", b"\x1b]18;x\x07", b"]8;"]
)
def test_what_is_no_link_stays(text: bytes) -> None:
    links = LinkFilter()
    assert b"".join(links.without(text[at : at + 1]) for at in range(len(text))) == text
    assert LinkFilter().without(text) == text


def test_the_links_that_crashed_the_library_do_so_no_more() -> None:
    emulator = GhosttyEmulator(200, 60)
    links = b"".join(b"\x1b]8;;http://%d\x07x" % one for one in range(12_000))
    emulator.feed(b"\r\n" * 150 + links + links + b"\x1b[2;59r\x1b[59;1H" + b"\n" * 300)
    emulator.close()
