"""The file beside: held by one, gone on with only where it is sure, put in place when whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuivirt.backend import naming
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.resources import Volume
from tuivirt.backend.storage.part import Part, identity, mark

MIB = 1 << 20
IDENT = "0123456789ab"


def volume(size: int | None = 5, modified: str = "1.5") -> Volume:
    return Volume("h", "p", "v", "/p/v", "/p/v", physical_bytes=size, modified=modified)


def test_a_volume_is_told_from_itself_once_it_was_written_to() -> None:
    assert identity(volume()) == identity(volume())
    assert len({identity(volume()), identity(volume(6)), identity(volume(5, "1.6"))}) == 3
    assert identity(volume(None)) == identity(volume(5, "")) == ""


def test_what_was_left_is_gone_on_with_up_to_a_whole_mib(tmp_path: Path) -> None:
    part = Part(tmp_path / "x", IDENT)
    os.write(part.fd, b"a" * (2 * MIB + 5))
    part.close(keep=True)
    again = Part(tmp_path / "x", IDENT)
    assert again.begin(resume=True) == 2 * MIB == again.length()
    again.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_without_an_identity_nothing_is_kept(tmp_path: Path) -> None:
    part = Part(tmp_path / "x", "")
    os.write(part.fd, b"a" * MIB)
    assert part.begin(resume=True) == 0
    os.write(part.fd, b"a" * MIB)
    part.close(keep=True)
    assert list(tmp_path.iterdir()) == []


def test_two_do_not_write_to_one(tmp_path: Path) -> None:
    one = Part(tmp_path / "x", IDENT)
    with pytest.raises(BadInput, match="another download"):
        Part(tmp_path / "x", IDENT)
    os.write(one.fd, b"whole")
    one.finish(instead_of=None)
    one.close(keep=False)
    assert (tmp_path / "x").read_bytes() == b"whole"


def test_what_is_left_of_an_older_volume_goes_unless_somebody_writes_to_it(tmp_path: Path) -> None:
    for ident in ("a" * 12, "b" * 12):
        left = Part(tmp_path / "x", ident)
        os.write(left.fd, b"a" * MIB)
        if ident[0] == "a":
            left.close(keep=True)
    (tmp_path / ".x.mine.part").touch()
    Part(tmp_path / "x", IDENT).close(keep=False)
    assert {path.name for path in tmp_path.iterdir()} == {".x.bbbbbbbbbbbb.part", ".x.mine.part"}
    left.close(keep=False)


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
        monkeypatch.setattr(naming, "_rename", refuse)
    part = Part(tmp_path / "x", "")
    os.write(part.fd, b"whole")
    (tmp_path / "x").write_bytes(b"precious")
    with pytest.raises(BadInput, match="by now") as told:
        part.finish(instead_of=None)
    part.close(keep=True)
    assert (tmp_path / "x").read_bytes() == b"precious"
    assert part.path.read_bytes() == b"whole"
    assert str(part.path) in str(told.value)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    (tmp_path / f".x.{IDENT}.part").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        Part(tmp_path / "x", IDENT)
    assert other.read_bytes() == b"precious"


def test_a_file_that_took_the_place_of_what_may_be_overwritten_is_not(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_bytes(b"old")
    there = mark(target)
    part = Part(target, "")
    os.write(part.fd, b"new")
    (tmp_path / "y").write_bytes(b"another's")
    os.replace(tmp_path / "y", target)
    with pytest.raises(BadInput, match="is there by now"):
        part.finish(instead_of=there)
    part.close(keep=True)
    assert target.read_bytes() == b"another's"
    again = Part(target, "")
    os.write(again.fd, b"new")
    again.finish(instead_of=mark(target))
    again.close(keep=False)
    assert target.read_bytes() == b"new"
