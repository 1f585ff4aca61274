"""All bytes went through, and then nobody can tell who has the volume: nothing of it is lost."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.owners.fakes import FakeHost
from tuivirt.backend.errors import Aborted, Silent, TuivirtError
from tuivirt.backend.model.resources import Volume
from tuivirt.backend.storage import download, find, upload
from tuivirt.backend.storage.judge import InUse
from tuivirt.backend.storage.unfinished import about

SILENT = "the listing of the pools of host srv1 has not ended within 30 s"
BYTES = b"all of it"


class Looks:
    """`in_use`: asked first nobody has it; later it is as ``then`` says."""

    def __init__(self, then: InUse | TuivirtError) -> None:
        self.then, self.asked = then, 0

    def __call__(self, *_args: Any, **_options: Any) -> InUse:
        self.asked += 1
        if self.asked == 1:
            return InUse()
        if isinstance(self.then, TuivirtError):
            raise self.then
        return self.then


def silent() -> Looks:
    return Looks(Silent("cannot tell who has an image", SILENT, "wait"))


@pytest.fixture
def host() -> Any:
    one: Any = FakeHost("srv1", local=True)
    one.snapshot.info = SimpleNamespace(local=True, demo=False, hostname="srv1")
    one.snapshot.uri = one.uri
    one.touch = lambda _ref: None
    one.require_write = lambda: None
    return one


@pytest.fixture
def values(host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    path = tmp_path / "pool" / "a.img"
    path.parent.mkdir()
    path.write_bytes(BYTES)
    size = len(BYTES)
    volume = Volume(
        "srv1", "p", "a.img", str(path), str(path), type="file", format="raw",
        capacity_bytes=size, allocation_bytes=size, physical_bytes=size, modified="1",
    )  # fmt: skip
    pool = SimpleNamespace(UUIDString=lambda: "p", name=lambda: "p")
    found = find.Found(pool, SimpleNamespace(), volume, "")
    for module in (download, upload):
        monkeypatch.setattr(module, "find", lambda *_: found)
    monkeypatch.setattr(download, "against_overwriting", lambda *_args, **_options: [])
    monkeypatch.setattr(download, "_fetch", lambda _h, _f, part, *_: os.write(part.fd, BYTES))
    return {"vol": "a.img", "file": str(tmp_path / "file")}


def parts(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob(".file.*.part"))


@pytest.mark.parametrize("more", [{}, {"length": "9"}])
def test_a_download_is_kept_and_nobody_is_told_that_it_was_aborted(
    host: Any, values: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    monkeypatch.setattr(download, "in_use", silent())
    with pytest.raises(TuivirtError, match="whether it was written to meanwhile is not") as told:
        download.download(host, "p", {"offset": "", "length": "", **values, **more})
    assert not isinstance(told.value, Aborted)
    assert SILENT in str(told.value)
    (part,) = parts(tmp_path)
    assert part.read_bytes() == BYTES
    assert str(part) in told.value.advice
    assert ("the same again goes on from there" in told.value.advice) is not bool(more)


def test_a_download_of_what_a_guest_was_started_on_is_not_kept(
    host: Any, values: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "in_use", Looks(InUse(running=("web",))))
    with pytest.raises(TuivirtError, match="web was started meanwhile") as told:
        download.download(host, "p", {"offset": "", "length": "", **values})
    assert parts(tmp_path) == []
    assert "kept" not in told.value.advice


def pushed(_host: Any, _found: Any, _fd: int, span: Any, counter: Any, trace: Any, *_: Any) -> None:
    trace.begun = True
    counter.done = span[1] - span[0]


@pytest.mark.parametrize(
    ("looks", "marks"), [(silent(), 0), (Looks(InUse(running=("web",))), 1)], ids=["silent", "web"]
)
def test_an_upload_that_went_through_is_not_told_as_cut_off(
    host: Any,
    values: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    looks: Looks,
    marks: int,
) -> None:
    Path(values["file"]).write_bytes(BYTES)
    monkeypatch.setattr(upload, "in_use", looks)
    monkeypatch.setattr(upload, "_push", pushed)
    with pytest.raises(TuivirtError) as told:
        upload.upload(host, "p", values, force=True, aborted=threading.Event())
    volume = str(tmp_path / "pool" / "a.img")
    assert len(about(host, volume)) == marks
    assert not isinstance(told.value, Aborted)
    if not marks:
        assert told.value.why.startswith("whether a guest was started on it meanwhile is not known")
        assert SILENT in told.value.why
        assert told.value.done == f"volume a.img of pool p holds {values['file']}: 9 bytes"
