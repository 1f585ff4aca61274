"""The lines of a log, while the console that writes it moves it away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tuivirt.backend import recorded
from tuivirt.backend.console_log import older
from tuivirt.backend.recorded import Lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "web-01-serial0.log"
    older(path).write_text("one\n")
    path.write_text("two\n")
    return path


def renew(path: Path) -> None:
    """It is full."""
    os.replace(path, older(path))
    path.write_text("three\n")


def test_the_older_lines_come_first(path: Path) -> None:
    with closing(Lines(path)) as lines:
        assert list(lines) == ["one", "two"]


def test_what_comes_later_comes_once(path: Path) -> None:
    with closing(Lines(path)) as lines:
        assert list(lines) == ["one", "two"]
        renew(path)
        assert list(lines) == ["three"]
        assert list(lines) == []


def test_nothing_is_lost_when_it_is_moved_away_while_the_older_is_read(path: Path) -> None:
    with closing(Lines(path)) as lines:
        one_by_one: Iterator[str] = iter(lines)
        assert next(one_by_one) == "one"
        renew(path)
        assert list(one_by_one) == ["two", "three"]


def test_nothing_comes_twice_when_it_is_moved_away_before_the_older_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def just_then(path: Path) -> Path:
        renew(path)
        return older(path)

    monkeypatch.setattr(recorded, "older", just_then)
    with closing(Lines(path)) as lines:
        assert list(lines) == ["two", "three"]
