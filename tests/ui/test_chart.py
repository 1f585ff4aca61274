"""Charts, bars: what an operator reads off them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.widgets.bar import bar, bar_tone, capacity, percent
from tuivirt.widgets.chart import beside, braille, chart, nice_top, spark
from tuivirt.widgets.tones import Toned

figures = st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=200)


def test_a_spark_line_puts_the_newest_value_at_the_right_end() -> None:
    assert spark([0, 50, 100], 5, 100) == "  ▁▅█"


def test_a_spark_line_marks_what_is_not_known() -> None:
    assert spark([100, None, 100], 3, 100) == "█·█"


def test_a_spark_line_shows_the_last_values_when_there_are_too_many() -> None:
    assert spark([100] * 10 + [0], 3, 100) == "██▁"


def test_a_filled_braille_chart_rises_with_its_values() -> None:
    assert braille([0, 0, 100, 100], 2, 2, 100) == [" ⣿", "⣀⣿"]


def test_a_line_chart_joins_up_a_jump() -> None:
    assert braille([0, 100], 1, 2, 100, fill=False) == ["⢸", "⣸"]


def test_a_gap_stays_empty_and_is_not_bridged() -> None:
    assert braille([100, None, None, 100], 2, 1, 100) == ["⡇⢸"]


def test_a_value_above_the_axis_is_cut_and_not_drawn_elsewhere() -> None:
    assert braille([500, 500], 1, 1, 100) == ["⣿"]


@given(figures, st.integers(1, 60), st.integers(1, 8))
def test_a_chart_always_fills_exactly_its_room(
    values: list[float | None], width: int, height: int
) -> None:
    top = nice_top(values)
    assert [len(row) for row in braille(values, width, height, top)] == [width] * height
    assert len(spark(values, width, top)) == width


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (1.5, 2), (4.2, 5), (83, 100), (101, 200), (6e6, 1e7)]
)
def test_an_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert nice_top([highest, None]) == pytest.approx(top)


def test_an_axis_of_bytes_ends_at_a_power_of_two() -> None:
    assert nice_top([5 * 1024**2], base=1024) == 8 * 1024**2


def test_a_chart_says_what_it_is_how_much_it_is_now_and_how_long_ago_it_began() -> None:
    lines = chart(
        "CPU",
        [10.0, 20.0, 83.0],
        40,
        5,
        label=lambda v: f"{v:.0f} %",
        tone="good",
        top=100,
        seconds=4,
    )
    text = ["".join(part for part, _ in line) for line in lines]
    assert text[0] == "CPU  83 %"
    assert text[1].startswith("   100 % ┤")
    assert text[3].startswith("     0 % ┤")
    assert "-4 s" in text[4]
    assert text[4].endswith(" now")
    assert {len(line) for line in text[1:]} == {40}


def test_a_chart_without_figures_says_so() -> None:
    lines = chart("CPU", [], 40, 4, label=str, tone="good", top=100)
    assert "no data yet" in lines[0][1][0]


def test_two_blocks_stand_side_by_side() -> None:
    lines = beside([(Toned("ab"),)], [(Toned("x"),), (Toned("y"),)], 4)
    assert ["".join(t for t, _ in line) for line in lines] == ["ab  x", "    y"]


def test_a_bar_shows_the_full_and_the_free_part() -> None:
    assert bar(1, 2, 8) == "████░░░░"
    assert bar(3, 16, 4) == "▊░░░"
    assert bar(5, 4, 4) == "████"


def test_a_bar_of_something_unknown_is_dots_and_not_empty() -> None:
    assert bar(None, 100, 4) == "····"
    assert percent(1, None) == "   ?"


def test_a_pool_given_out_many_times_over_keeps_its_width() -> None:
    assert [percent(p, 100) for p in (212, 1280, 1e9)] == ["212%", " 13×", "999×"]


def test_a_nearly_full_bar_also_changes_its_colour() -> None:
    assert [bar_tone(p, 100) for p in (10, 80, 95, None)] == ["good", "warn", "bad", "dim"]


@given(st.floats(0, 1e13), st.floats(1, 1e13), st.integers(6, 40))
def test_a_capacity_cell_keeps_its_width(part: float, whole: float, width: int) -> None:
    part = min(part, whole)
    assert sum(len(text) for text, _ in capacity(part, whole, width)) == width
