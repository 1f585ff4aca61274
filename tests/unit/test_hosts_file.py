"""Hosts written back: all else in the file stays as the operator wrote it."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt import settings
from tuivirt.backend.model.entry import COLOURS, HostEntry
from tuivirt.hosts_file import CannotWrite, HostsFile

MINE = """# what I want
interval = 2.0   # often

# the web servers
[[hosts]]  # first
name = "web" # two of them
uri="qemu+ssh://u:secret@web/system"
tags = ["a",
   "b"]   # both

# this one is slow
[[hosts]]
name = 'db'
uri = "qemu+ssh://db/system"
connect = true # always

# my keys
[keys]
"start" = "f5"
# the end"""

NEW = HostEntry("new", "qemu:///system", "lab", ("x", "y"), True, "red", False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(MINE)
    return path


def hosts_of(path: Path) -> dict[str, HostEntry]:
    read = settings.load(path)
    assert read.problems == ()
    return {host.name: host for host in read.hosts}


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


def test_a_new_host_stands_behind_the_others_and_nothing_else_changes(path: Path) -> None:
    HostsFile(path).put(NEW)
    text = path.read_text()
    before, _, after = text.partition('\n[[hosts]]\nname = "new"\n')
    _, _, rest = after.partition("connect = false\n")
    assert before + rest == MINE
    assert hosts_of(path)["new"] == NEW


def test_in_a_file_that_is_not_there_it_is_the_first_and_says_no_more_than_it_must(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sub/config.toml"
    HostsFile(path).put(HostEntry("a", "qemu:///system"))
    assert path.read_text() == '[[hosts]]\nname = "a"\nuri = "qemu:///system"\n'
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_what_was_changed_is_written_anew_and_comments_stay(path: Path) -> None:
    HostsFile(path).put(HostEntry("db2", "qemu+ssh://db/system", connect=False), "db")
    assert path.read_text() == (
        MINE.replace("'db'", '"db2"').replace("connect = true #", "connect = false #")
    )


def test_a_uri_that_stays_keeps_the_password_that_nobody_was_shown(path: Path) -> None:
    shown = HostEntry("web", "qemu+ssh://u@web/system", group="prod", tags=("a", "b"))
    HostsFile(path).put(shown, "web", keep_uri=True)
    assert hosts_of(path)["web"] == replace(shown, uri="qemu+ssh://u:secret@web/system")
    assert comments(path.read_text()) == comments(MINE)


def test_a_host_that_is_taken_out_takes_only_its_own_lines(path: Path) -> None:
    assert HostsFile(path).drop("web")
    text = path.read_text()
    assert "[[hosts]]  # first" not in text
    for line in (
        "# the web servers",
        "# this one is slow",
        "interval = 2.0   # often",
        "# the end",
    ):
        assert line in text
    assert list(hosts_of(path)) == ["db"]
    assert not HostsFile(path).drop("web")


def test_a_host_that_the_file_has_no_more_is_written_as_a_new_one(path: Path) -> None:
    HostsFile(path).put(NEW, "gone")
    assert hosts_of(path)["new"] == NEW


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("interval = = 2\n", "is not right, so it is left alone"),
        ('hosts = [{name = "a", uri = "b"}]\n', "not each begun with [[hosts]]"),
        ("[hosts.a]\nuri = 'x'\n", "hosts is not a list"),
        ('[[hosts]]\nname = "new"\nuri = "y"\n', "has a host new already"),
    ],
)
def test_a_file_that_cannot_be_changed_safely_is_left_as_it_is(
    path: Path, text: str, why: str
) -> None:
    path.write_text(text)
    with pytest.raises(CannotWrite, match=why.replace("[", r"\[")):
        HostsFile(path).put(NEW)
    assert path.read_text() == text
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_bytes_that_are_no_text_are_left_as_they_are(path: Path) -> None:
    path.write_bytes(b"# \xff\n")
    with pytest.raises(CannotWrite, match="not UTF-8"):
        HostsFile(path).put(NEW)
    assert path.read_bytes() == b"# \xff\n"


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be written: File exists"):
        HostsFile(tmp_path / "file/config.toml").put(NEW)


def test_a_header_inside_a_long_text_is_no_host(path: Path) -> None:
    path.write_text('[x]\ny = """\n[[hosts]]\n"""\n')
    with pytest.raises(CannotWrite):
        HostsFile(path).put(NEW)


def test_the_mode_stays_and_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path.name)
    HostsFile(link).put(NEW)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert "new" in hosts_of(path)


def test_windows_line_ends_stay(path: Path) -> None:
    path.write_bytes(b'[[hosts]]\r\nname = "a"\r\nuri = "b"\r\n')
    HostsFile(path).put(NEW)
    data = path.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")


def test_hosts_with_other_tables_between_them_stay_where_they_are(path: Path) -> None:
    text = '[[hosts]]\nname = "a"\nuri = "1"\n[keys]\nx = "y"\n[[hosts]]\nname = "b"\nuri = "2"\n'
    path.write_text(text)
    HostsFile(path).put(HostEntry("a", "3"), "a")
    assert path.read_text() == text.replace('"1"', '"3"')


_WORD = st.text("abcdefghij-.09", min_size=1, max_size=6).filter(lambda word: word[0] != "-")
_ENTRY = st.builds(
    HostEntry,
    name=_WORD,
    uri=st.sampled_from(("qemu:///system", "qemu+ssh://r@h/system?keyfile=/a%20b", 'x"y\\z')),
    group=st.text(st.characters(categories=("L", "N", "P", "S")), max_size=5),
    tags=st.lists(_WORD, unique=True, max_size=3).map(tuple),
    readonly=st.booleans(),
    colour=st.sampled_from(("", *COLOURS)),
    connect=st.booleans(),
)
_STEP = st.one_of(
    st.tuples(st.just("put"), _ENTRY), st.tuples(st.just("change"), _ENTRY), st.just(("drop", None))
)


@given(steps=st.lists(_STEP, max_size=6), choice=st.integers(0, 9))
def test_after_any_changes_the_file_says_what_was_meant_and_keeps_what_was_not(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, HostEntry]], choice: int
) -> None:
    path = tmp_path_factory.mktemp("hosts") / "config.toml"
    path.write_text(MINE)
    file, wanted = HostsFile(path), hosts_of(path)
    for what, entry in steps:
        names = list(wanted)
        chosen = names[choice % len(names)] if names else ""
        if what == "drop" and chosen:
            assert file.drop(chosen)
            del wanted[chosen]
        elif what == "put" and entry.name not in wanted:
            file.put(entry)
            wanted[entry.name] = entry
        elif what == "change" and chosen and entry.name not in set(wanted) - {chosen}:
            file.put(entry, chosen)
            wanted = {entry.name if n == chosen else n: e for n, e in wanted.items()}
            wanted[entry.name] = entry
    assert hosts_of(path) == wanted
    read = tomllib.loads(path.read_text())
    assert (read["interval"], read["keys"]) == (2.0, {"start": "f5"})
    for line in ("# what I want", "# the web servers", "# this one is slow", "# my keys"):
        assert line in path.read_text()


def test_two_that_write_at_once_lose_nothing(path: Path) -> None:
    names = [f"h{number}" for number in range(8)]
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                HostsFile(path).put(HostEntry(name, "x:///"))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(names)
    assert set(names) <= hosts_of(path).keys()
