"""Facts: labels and values, wrapped; trees as rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuivirt.widgets.facts import facts
from tuivirt.widgets.page import line_text
from tuivirt.widgets.text import width_of
from tuivirt.widgets.tree_rows import tree_rows


def said(value: str, width: int = 40) -> list[str]:
    return [line_text(line) for line in facts((("label", value),), width)]


def test_a_long_value_is_broken_between_words_below_itself() -> None:
    lines = said("one two three four five six seven")
    assert [line[19:] for line in lines] == ["one two three four", "five six seven"]
    assert lines[0].startswith(" label ")
    assert lines[1][:19].strip() == ""


def test_a_word_wider_than_the_line_is_broken_inside() -> None:
    assert "".join(line[19:] for line in said("x" * 50)) == "x" * 50


def test_a_fact_without_a_value_is_left_out() -> None:
    assert facts((("a", ""), ("b", [])), 40) == []


@given(st.text(max_size=200), st.integers(30, 120))
def test_no_line_is_wider_than_asked_for(value: str, width: int) -> None:
    for line in facts((("label", value),), width):
        assert width_of(line_text(line)) <= width


def test_a_tree_puts_each_node_below_its_nearest_kept_ancestor() -> None:
    parents = {"a": None, "b": "a", "c": "b", "d": "a"}
    assert tree_rows(parents, "abcd", str) == [
        ("a", ""),
        ("b", "├─ "),
        ("c", "│  └─ "),
        ("d", "└─ "),
    ]
    assert tree_rows(parents, "acd", str) == [("a", ""), ("c", "├─ "), ("d", "└─ ")]


@given(st.dictionaries(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 12)), max_size=10))
def test_every_node_is_shown_once_whatever_its_parents_claim(
    parents: dict[int, int | None],
) -> None:
    rows = tree_rows(parents, parents, int)
    assert sorted(node for node, _ in rows) == sorted(parents)
