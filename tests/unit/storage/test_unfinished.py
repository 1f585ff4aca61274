"""What tells of an upload that was cut off tells it of that file alone."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tests.unit.owners.fakes import Domain, disk
from tuivirt.backend.birth import birth_of
from tuivirt.backend.errors import BadInput
from tuivirt.backend.marks import marks_in
from tuivirt.backend.storage import half_disks, unfinished


@pytest.fixture
def host() -> Any:
    info = SimpleNamespace(local=True, demo=False, hostname="srv1")
    return SimpleNamespace(snapshot=SimpleNamespace(info=info, uri="qemu:///system", pools={}))


def cut_off(host: Any, path: Path) -> None:
    """Begin an upload into the file, and be cut off."""
    path.write_bytes(b"part")
    volume = SimpleNamespace(path=str(path), pool="p", name=path.name)
    found: Any = SimpleNamespace(volume=volume, label=path.name)
    trace = unfinished.Trace(host, found, "/x", 0, 8)
    trace.begun = True
    trace.__exit__(RuntimeError)


def test_a_file_that_was_made_anew_is_another_though_it_has_the_inode(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.img"
    monkeypatch.setattr(unfinished, "birth_of", lambda _path: 1)
    cut_off(host, path)
    assert len(unfinished.about(host, str(path))) == 1
    monkeypatch.setattr(unfinished, "birth_of", lambda _path: 2)
    assert unfinished.about(host, str(path)) == []
    # A file system that does not tell is believed the inode alone.
    monkeypatch.setattr(unfinished, "birth_of", lambda _path: 0)
    assert len(unfinished.about(host, str(path))) == 1


def test_one_that_an_earlier_program_left_is_known_by_its_inode(host: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.img"
    cut_off(host, path)
    (mark,) = marks_in(tmp_path)
    said = json.loads(mark.read_bytes())
    del said["birth"]
    mark.write_text(json.dumps(said))
    assert len(unfinished.about(host, str(path))) == 1
    (tmp_path / "new").touch()
    os.replace(tmp_path / "new", path)
    assert unfinished.about(host, str(path)) == []


def test_it_is_known_by_another_name_of_its_file(host: Any, tmp_path: Path) -> None:
    path, link = tmp_path / "a.img", tmp_path / "links" / "b.img"
    cut_off(host, path)
    link.parent.mkdir()
    link.symlink_to(path)
    assert len(unfinished.about(host, str(link))) == 1


def test_on_another_machine_a_domain_is_asked_for_its_disks_only_where_something_is_told(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    host.snapshot.info.local, host.conn = False, None
    half_disks.refuse_start(host, None)
    volume = SimpleNamespace(path="/p/a.img", pool="p", name="a.img")
    found: Any = SimpleNamespace(volume=volume, label="a.img")
    trace = unfinished.Trace(host, found, "/x", 0, 8)
    trace.begun = True
    trace.__exit__(RuntimeError)
    half_disks.refuse_start(host, Domain("db", disk("/p/b.img")))
    with pytest.raises(BadInput, match=r"/p/a\.img, of vda: it holds a part") as told:
        half_disks.refuse_start(host, Domain("web", disk("/p/a.img")))
    assert "upload it again, wipe it or delete it" in told.value.advice


def test_a_managed_save_that_cannot_be_read_keeps_no_domain_off(host: Any, tmp_path: Path) -> None:
    """libvirt takes it away and starts from the domain's own configuration."""
    domain = Domain("web", disk(str(tmp_path / "whole.img")), saved=True)

    def broken(_flags: int) -> str:
        raise libvirt.libvirtError("save image is incomplete")

    domain.managedSaveGetXMLDesc = broken  # type: ignore[attr-defined]
    host.conn = SimpleNamespace(isAlive=lambda: 1)
    cut_off(host, tmp_path / "a.img")
    half_disks.refuse_start(host, domain)
    half = Domain("db", disk(str(tmp_path / "a.img")), saved=True)
    half.managedSaveGetXMLDesc = broken  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match="it holds a part"):
        half_disks.refuse_start(host, half)


def test_when_a_file_was_made_stays_while_it_is_written_to(tmp_path: Path) -> None:
    before = time.time_ns()
    path = tmp_path / "a"
    path.touch()
    born = birth_of(str(path))
    if not born:
        pytest.skip("this file system does not tell when a file was made")
    assert abs(born - before) < 60 * 10**9
    path.write_bytes(b"more")
    os.utime(path, (1, 1))
    assert birth_of(str(path)) == born
    until = time.monotonic() + 5
    while birth_of(str(path)) == born and time.monotonic() < until:
        path.unlink()  # The kernel's clock for files goes in steps of some milliseconds.
        path.touch()
    assert birth_of(str(path)) != born
    with pytest.raises(FileNotFoundError):
        birth_of(str(tmp_path / "none"))
