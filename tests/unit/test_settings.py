"""The settings file: what is wrong in it is told, and the rest holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt import settings
from tuivirt.backend.model.entry import HostEntry
from tuivirt.hosts_settings import read_hosts

WHOLE = """
interval = 5

[[hosts]]
name = "srv1"
uri = "qemu+ssh://root@srv1/system"
group = "prod"
tags = ["web", "ssd", "web"]
readonly = true
colour = "bright-green"
connect = false

[[hosts]]
name = "srv2"
uri = "qemu+ssh://root@srv2/system"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_hosts_are_read_in_their_order_and_all_but_name_and_uri_may_be_left_out(file: Path) -> None:
    file.write_text(WHOLE)
    read = settings.load(file)
    assert read.problems == ()
    assert read.interval == 5
    assert read.hosts == (
        HostEntry(
            "srv1",
            "qemu+ssh://root@srv1/system",
            group="prod",
            tags=("web", "ssd"),
            readonly=True,
            colour="bright-green",
            connect=False,
        ),
        HostEntry("srv2", "qemu+ssh://root@srv2/system"),
    )


def test_what_the_command_line_asks_for_comes_to_what_the_file_says(file: Path) -> None:
    file.write_text("slow = true\ninterval = 5")
    drawn = settings.load(file).drawn(ascii=True, slow=False)
    assert (drawn.ascii, drawn.slow, drawn.interval) == (True, True, 5.0)


def test_without_hosts_there_are_none(file: Path) -> None:
    file.write_text("interval = 1\n")
    assert settings.load(file).hosts == ()


GOOD = {"name": "b", "uri": "x:///"}


@pytest.mark.parametrize(
    ("hosts", "problem", "kept"),
    [
        ({"a": {}}, "hosts is not a list of tables, each begun with [[hosts]]", []),
        ([1], "hosts is not a list of tables", []),
        ([{"uri": "x:///"}, GOOD], "host 1: the name is None: it is missing", ["b"]),
        ([{"name": "a b", "uri": "x:///"}, GOOD], "host 1: the name is 'a b'", ["b"]),
        ([{"name": "a@b", "uri": "x:///"}, GOOD], "none of @ /", ["b"]),
        ([{"name": "-a", "uri": "x:///"}, GOOD], "may not begin with -", ["b"]),
        ([{"name": "a"}, GOOD], "host a: the uri is not right: it is missing; it is left", ["b"]),
        ([{"name": "a", "uri": 3}, GOOD], "the uri is not right: it is not a text", ["b"]),
        ([GOOD, {"name": "b", "uri": "y:///"}], "host 2 is called b as one before", ["b"]),
        ([GOOD | {"color": "red"}], "color is not a setting of a host; did you mean col", ["b"]),
        ([GOOD | {"colour": "pink"}], "host b: colour is 'pink': it is one of black", ["b"]),
        ([GOOD | {"tags": "web"}], "host b: tags is 'web', not a list of words", ["b"]),
        ([GOOD | {"tags": ["a b"]}], "host b: 'a b' is no tag", ["b"]),
        ([GOOD | {"group": 1}], "host b: group is 1: it is not a text; it has none", ["b"]),
        ([GOOD | {"connect": "no"}], "connect is 'no', neither true nor false; true holds", ["b"]),
    ],
)
def test_what_is_wrong_in_a_host_is_told_and_costs_no_other(
    hosts: Any, problem: str, kept: list[str]
) -> None:
    problems: list[str] = []
    assert [host.name for host in read_hosts(hosts, problems)] == kept
    assert len(problems) == 1
    assert problem in problems[0]


def test_access_that_is_not_understood_changes_nothing() -> None:
    problems: list[str] = []
    (host,) = read_hosts([GOOD | {"readonly": "yes"}], problems)
    assert host.readonly
    assert "readonly is 'yes', neither true nor false; true holds" in problems[0]


def test_a_password_in_a_uri_is_in_no_problem(file: Path) -> None:
    file.write_text('[[hosts]]\nname = "a"\nuri = "qemu+ssh://u:secret@a b/system"\n')
    read = settings.load(file)
    assert read.hosts == ()
    assert "uri is not right" in read.problems[0]
    assert "secret" not in read.problems[0]


_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
_ANY = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(("name", "uri", "tags", "colour", "x")), inner),
    ),
    max_leaves=12,
)


@given(_ANY)
def test_whatever_stands_there_is_read_or_told(hosts: Any) -> None:
    problems: list[str] = []
    found = read_hosts(hosts, problems)
    names = [host.name for host in found]
    assert len(names) == len(set(names))
    if not found and hosts not in ([], ()):
        assert problems
