"""``[HOST] FILE``: which of the words is the host."""

from __future__ import annotations

import pytest

from tuivirt.actions.catalog import find_action
from tuivirt.commands.parser import action_parser
from tuivirt.commands.verbs import hosts_named, take_host


@pytest.mark.parametrize(
    ("typed", "host", "words"),
    [
        ("image-info x", [], ["x"]),
        ("image-info local x", ["local"], ["x"]),
        ("image-info nobody x", ["nobody"], ["x"]),
        ("image-convert a b", [], ["a", "b"]),
        ("image-convert local a b", ["local"], ["a", "b"]),
        ("image-convert local a --in-place", ["local"], ["a", None]),
        ("image-convert a --in-place", [], ["a", None]),
        ("image-resize a +1G", [], ["a", "+1G"]),
        ("image-create a 1G", [], ["a", "1G"]),
    ],
)
def test_the_first_word_is_the_host_where_it_names_one(
    typed: str, host: list[str], words: list[str | None]
) -> None:
    verb, *rest = typed.split()
    action = find_action(verb)
    assert action is not None
    given = action_parser(action).parse_intermixed_args(rest)
    take_host(action, given, ["local", "srv1"])
    places = [p.name for p in action.parameters if p.positional]
    assert given.objects == host
    assert [getattr(given, place) for place in places] == words


def test_where_no_host_is_named_none_is_picked() -> None:
    assert hosts_named([], ["local", "srv1"]) is None
