"""What a guest prints is kept in a file of bounded size, and its console never suffers for it."""

from __future__ import annotations

import os
import re
import stat
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tuivirt.backend import console_log
from tuivirt.backend.console_log import ConsoleLog, log_path, older, open_log, safe_name
from tuivirt.backend.errors import TuivirtError

WHAT = "local/web-01/serial0"


def texts(path: Path) -> list[str]:
    """The lines without their times, each of which must be one."""
    found = []
    for line in path.read_text().splitlines():
        when, _, text = line.partition(" ")
        assert datetime.fromisoformat(when).tzinfo is not None
        assert re.search(r"\.\d{3}[+-]", when)
        found.append(text)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state/local/web-01.log"


def test_each_line_has_a_time_and_the_log_says_what_it_is_and_when_it_ends(path: Path) -> None:
    log = ConsoleLog(path, what=WHAT)
    log.write(b"\x1b[31mone\x1b[0m\r\ntw")
    log.write(b"o\r\nlogin: ")
    log.close()
    begins, ends = f"-- begins: {WHAT} --", f"-- ends: {WHAT} --"
    assert texts(path) == [begins, "one", "two", "login:", ends]


def test_a_line_has_the_time_at_which_it_began(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(f"2026-01-01T00:00:0{n}.000+00:00" for n in range(9))
    monkeypatch.setattr(console_log, "_now", lambda: next(times))
    log = ConsoleLog(path, what=WHAT)
    log.write(b"a\nb")
    log.write(b"b")
    log.write(b"b\nc\n")
    said = [line[18:19] + line[29:] for line in path.read_text().splitlines()]
    assert said[1:] == ["1 a", "1 bbb", "3 c"]


def test_a_line_is_in_the_file_as_soon_as_it_has_ended(path: Path) -> None:
    log = ConsoleLog(path, what=WHAT)
    log.write(b"panic\n")
    assert texts(path)[-1] == "panic"


def test_nobody_else_may_look_into_it(path: Path) -> None:
    before = os.umask(0)
    try:
        ConsoleLog(path, what=WHAT).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(each.stat().st_mode) for each in list(path.parents)[:2]} == {0o700}


def test_a_second_recording_is_added_to_the_first(path: Path) -> None:
    for word in (b"one\n", b"two\n"):
        log = ConsoleLog(path, what=WHAT)
        log.write(word)
        log.close()
    assert [text for text in texts(path) if not text.startswith("--")] == ["one", "two"]


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "device"])
def test_what_is_no_regular_file_is_refused(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(path.with_name("elsewhere"))
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/null")
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
        ConsoleLog(path, what=WHAT)


def test_a_full_log_is_kept_as_the_older_one_and_no_more_than_two_are_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_log, "LIMIT_BYTES", 2000)
    log = ConsoleLog(path, what=WHAT)
    for number in range(200):
        log.write(f"line {number}\n".encode())
    log.close()
    assert [each.name for each in sorted(path.parent.iterdir())] == [path.name, older(path).name]
    assert path.stat().st_size + older(path).stat().st_size < 4500
    kept = [text for text in texts(older(path)) + texts(path) if text.startswith("line")]
    assert kept == [f"line {number}" for number in range(200 - len(kept), 200)]


def test_a_log_that_was_moved_or_deleted_goes_on_in_a_new_file(path: Path) -> None:
    log = ConsoleLog(path, what=WHAT)
    path.unlink()
    log.write(b"still here\n")
    assert texts(path) == [f"-- goes on: {WHAT} --", "still here"]


def test_a_full_disk_is_told_once_and_the_log_goes_on_with_a_word_on_the_gap(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    full = True

    def write(file: int, data: bytes) -> int:
        if full and len(data) < 10:
            raise OSError(28, "No space left on device")
        return real(file, data[:-8] if full else data)

    log = ConsoleLog(path, what=WHAT)
    monkeypatch.setattr(os, "write", write)
    log.write(b"half of this line\n")
    assert log.error is not None
    assert log.error.errno == 28
    first = log.error
    log.write(b"and this\nare lost\n")
    full = False
    monkeypatch.setattr(time, "monotonic", lambda: 1e12)
    log.write(b"space again\n")
    assert log.error is first
    assert texts(path)[-2:] == [
        "-- 3 lines are missing: they could not be written --",
        "space again",
    ]


def test_a_log_that_cannot_be_written_at_its_end_raises_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ConsoleLog(path, what=WHAT)

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    log.write(b"lost\n")
    log.close()
    log.write(b"too late\n")
    log.close()
    assert log.error is not None


def test_what_a_log_is_of_steers_no_terminal_either(path: Path) -> None:
    ConsoleLog(path, what="local/a\x1b[31m\n\u202eb/serial0").close()
    assert texts(path)[0] == "-- begins: local/a[31mb/serial0 --"


def test_a_log_is_where_the_state_of_programs_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "tuivirt/console"
    assert log_path("local", "web-01", "serial0") == folder / "local/web-01-serial0.log"


NAMES = st.text(max_size=300) | st.sampled_from(
    ["", ".", "..", "a/b", "A", "a-b", "%2E", "~", "\n"]
)


@given(NAMES, NAMES, NAMES)
@example("h" * 300, "d" * 300, "-" * 300)
def test_no_name_leads_out_of_its_folder_nor_is_too_long_or_odd(
    host: str, domain: str, device: str
) -> None:
    path = log_path(host, domain, device)
    assert path.parents[1] == console_log.state_folder()
    for part in path.parts[-2:]:
        assert re.fullmatch(r"[A-Za-z0-9_%+~-][A-Za-z0-9._%+~-]*", part)
        assert len(older(path).name) <= 255


@given(NAMES, NAMES)
def test_two_names_never_share_a_file(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) is (one == other)


def test_a_hyphen_in_a_name_makes_no_other_guests_file() -> None:
    assert log_path("h", "a-b", "c") != log_path("h", "a", "b-c")


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("", "a file without a name"),
        ("~nosuchuser/log", "there is no user 'nosuchuser'"),
        ("a\0b", "null"),
        (".", "directory"),
    ],
)
def test_a_file_that_none_can_have_meant_is_refused_and_nothing_is_made(
    named: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TuivirtError, match=why) as told:
        open_log("local", "web-01", "serial0", named)
    assert told.value.advice == "name another file (log)"
    assert list(tmp_path.iterdir()) == []


def test_a_log_is_written_in_the_home_that_is_named_or_where_all_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for named, path in [
        ("~/web.log", tmp_path / "web.log"),
        (None, log_path("local", "web-01", "serial0")),
    ]:
        open_log("local", "web-01", "serial0", named).close()
        assert texts(path)[0] == f"-- begins: {WHAT} --"
