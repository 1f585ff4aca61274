"""Long lists in sentences are counted, and short ones are said."""

from __future__ import annotations

from tuivirt.backend.model.at_most import at_most
from tuivirt.backend.owners import some
from tuivirt.screens.label_form import MOST_NAMED, _listed


def test_the_rest_is_counted_and_a_single_one_is_said() -> None:
    assert at_most(2, "abcd") == ["a", "b", "2 more"]
    assert at_most(2, "abcd", before="and ", after=" of them") == ["a", "b", "and 2 more of them"]
    assert at_most(2, "abc") == ["a", "b", "c"]
    assert at_most(2, "aabb") == ["a", "b"]
    assert at_most(2, "") == []


def test_owners_and_labels_are_counted_alike() -> None:
    assert some(map(str, range(7)), " there") == [*"01234", "2 more like these there"]
    names = [f"g{number:02}" for number in range(MOST_NAMED + 2)]
    assert _listed("In use", names, ", ").endswith("g19, and 2 more")
    assert _listed("In use", names[:-1], ", ").endswith("g19, g20")
    assert _listed("In use", []) == ""
