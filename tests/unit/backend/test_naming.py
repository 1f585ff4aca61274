"""A folder that cannot be written through: what has its name has it, and what is unsure is said."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tuivirt.backend import naming
from tuivirt.backend.images import place
from tuivirt.backend.images.lock import Lock
from tuivirt.backend.storage.part import Part, mark

UNSURE = "; whether its name lasts through a power failure is not sure: Input/output error"


def refuse_folders(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def sync(path: str) -> None:
        if os.path.isdir(path):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(naming, "sync", sync)


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """A new file, and the old one whose name it is to have."""
    new, old = tmp_path / "new", tmp_path / "old"
    for each in (new, old):
        each.write_text(each.name)
    return new, old


def replaced(new: Path, old: Path, keep: str = "") -> str:
    with Lock(str(old)) as lock:
        return place.put(str(new), str(old), instead=lock, keep=keep)


def test_a_file_system_that_has_no_such_call_is_no_reason_for_doubt(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_folders(monkeypatch, errno.EINVAL)
    new, old = both
    assert replaced(new, old) == ""
    assert [each.name for each in old.parent.iterdir()] == ["old"]
    assert old.read_text() == "new"


def test_where_it_fails_the_old_image_is_left_and_told_with_its_name(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_folders(monkeypatch, errno.EIO)
    new, old = both
    aside = f"{new}.old"
    assert replaced(new, old) == f"{UNSURE}; as it was it is {aside}"
    assert (old.read_text(), Path(aside).read_text()) == ("new", "old")


def test_one_that_is_kept_anyhow_is_told_once(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_folders(monkeypatch, errno.EIO)
    new, old = both
    kept = old.with_name("kept")
    assert replaced(new, old, str(kept)) == UNSURE
    assert kept.read_text() == "old"


@pytest.mark.parametrize("over", [False, True])
def test_a_download_is_in_its_place_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: bool
) -> None:
    refuse_folders(monkeypatch, errno.EIO)
    target = tmp_path / "got"
    if over:
        target.write_text("before")
    part = Part(target, "")
    os.write(part.fd, b"all of it")
    assert part.finish(instead_of=mark(target)) == UNSURE
    part.close(keep=True)
    assert target.read_text() == "all of it"
    assert [each.name for each in tmp_path.iterdir()] == ["got"]
