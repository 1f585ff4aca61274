"""Text that is safe to draw, and figures."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.widgets import text
from tuivirt.widgets.columns import fit_cell
from tuivirt.widgets.tones import Toned


def test_an_escape_sequence_is_shown_and_not_sent() -> None:
    assert text.plain("\x1b]0;owned\x07") == "␛]0;owned␇"


def test_a_line_end_and_a_tab_are_shown_in_place() -> None:
    assert text.plain("a\nb\tc\x7f") == "a␊b␉c␡"


def test_characters_that_turn_the_text_around_are_dots() -> None:
    assert text.plain("a\u202eb\u2066c\u200bd\ufeff") == "a·b·c·d·"


def test_c1_controls_which_some_terminals_obey_are_dots() -> None:
    assert text.plain("\x9b31m") == "·31m"


def test_a_combining_mark_at_the_start_does_not_climb_onto_the_cell_before() -> None:
    assert text.plain("\u0301x") == "·x"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_ever_left(raw: str) -> None:
    left = {unicodedata.category(char) for char in text.plain(raw)}
    assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(), st.integers(0, 40), st.sampled_from(["left", "right", "center"]))
def test_a_fitted_text_takes_exactly_its_cells(raw: str, width: int, align: str) -> None:
    assert text.width_of(text.fit(raw, width, align)) == width


@given(
    st.lists(st.text(max_size=12), max_size=4),
    st.integers(1, 30),
    st.sampled_from(["left", "right"]),
)
def test_a_cell_of_several_pieces_takes_exactly_its_cells(
    texts: list[str], width: int, align: str
) -> None:
    for keeps_end in (False, True):
        pieces = tuple(Toned(piece) for piece in texts)
        cell = fit_cell(pieces, width, align, keeps_end=keeps_end)
        assert sum(text.width_of(piece.text) for piece in cell) == width


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (40, "production-database-east  11 min ago    "),
        (34, "production-database-e…  11 min ago"),
        (24, "production-…  11 min ago"),
        (22, "productio…  11 min ago"),
        (21, "production-database-…"),
    ],
)
def test_how_old_it_is_stays_whole_behind_a_name_that_is_cut(width: int, shown: str) -> None:
    cell = fit_cell(
        (Toned("production-database-east"), Toned("  11 min ago")), width, "left", keeps_end=True
    )
    assert "".join(piece.text for piece in cell) == shown


def test_of_other_cells_the_end_is_cut() -> None:
    cell = fit_cell((Toned("1 stalled"), Toned(", 12 run"), Toned(", 3 off")), 16, "left")
    assert "".join(piece.text for piece in cell) == "1 stalled, 12 r…"
    cell = fit_cell((Toned("web-01-root.qcow2"), Toned("  in /images")), 24, "left")
    assert "".join(piece.text for piece in cell) == "web-01-root.qcow2  in /…"


def test_wide_characters_are_cut_between_and_not_through() -> None:
    assert text.fit("虚拟机一", 6) == "虚拟 …"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "?"),
        (0, "–"),
        (12e6, "12 M/s"),
        (2.1e6, "2.1 M/s"),
        (300e3, "300 k/s"),
        (999.6, "1 k/s"),
        (5, "5 B/s"),
        (9.96e9, "10 G/s"),
    ],
)
def test_rates_read_as_an_operator_says_them(value: float | None, shown: str) -> None:
    assert text.rate(value) == shown


@pytest.mark.parametrize(
    ("used", "total", "shown"),
    [
        (1.9 * 1024**2, 4 * 1024**2, "1.9/4 G"),
        (None, 4 * 1024**2, "?/4 G"),
        (512 * 1024, None, "512/? M"),
        (None, None, "?"),
    ],
)
def test_memory_reads_as_a_share_in_one_unit(
    used: float | None, total: float | None, shown: str
) -> None:
    assert text.share(used, total) == shown


@given(st.floats(0, 1e15))
def test_no_rate_is_wider_than_its_column(value: float) -> None:
    assert len(text.rate(value)) <= 7


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (41.9, "41 s"), (200, "3 min"), (4 * 3600, "4 h"), (12.2 * 86400, "12 d 4 h")],
)
def test_ages_have_at_most_two_units(seconds: float, shown: str) -> None:
    assert text.age(seconds) == shown


def test_numbers_in_names_sort_as_numbers() -> None:
    names = ["web-10", "Web-2", "web-1", "10", "9", "db"]
    assert sorted(names, key=text.natural) == ["9", "10", "db", "web-1", "Web-2", "web-10"]


@given(st.text(), st.integers(2, 20))
def test_wrapped_lines_stay_within_their_width_and_lose_no_character(raw: str, width: int) -> None:
    lines = text.wrap_text(raw, width)
    assert all(text.width_of(line) <= width for line in lines)
    drawn = "".join(map(text.plain, raw.split("\n")))
    assert "".join(lines).replace(" ", "") == drawn.replace(" ", "")
