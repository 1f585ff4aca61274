"""A backup that goes on, or has ended, after the program that began it was killed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.backend.backup import job, manifest, unseen
from tuivirt.backend.backup.job import Ended
from tuivirt.backend.backup.manifest import BackedUp, Manifest
from tuivirt.backend.cut_off import begun_folder, tell_begun
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.marks import marks_in
from tuivirt.backend.xml.backup import Backup, BackupDisk

UUID = "0c4d1a6e-0000-4000-8000-000000000001"
WAIT_S = 20.0


def host(*uuids: str) -> Any:
    said: list[str] = []
    info = SimpleNamespace(local=True, demo=False)
    return SimpleNamespace(
        name="srv1",
        said=said,
        snapshot=SimpleNamespace(info=info, domains=dict.fromkeys(uuids)),
        tell=lambda event: said.append(event.text),
    )


def told(*uuids: str) -> list[str]:
    """What a start says on a host with these domains."""
    start = host(*uuids)
    tell_begun(start, WAIT_S)
    return list(start.said)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The manifest of one that says running; its follower was killed, so its note is there."""
    path = tmp_path / "web.full.json"
    order: Any = SimpleNamespace(manifest=path, name="web")
    disk = BackedUp("vda", "/images/web.qcow2", 1 << 20, "web.vda.full.qcow2", "qcow2")
    (tmp_path / disk.file).touch()
    with unseen.noted(host(UUID), UUID, order):
        state = Manifest("web", UUID, "srv1", "2026-11-22T04:12:00Z", 0, (disk,), {}, "<domain/>")
        manifest.write(path, state, new=True)
    return path


def under_way(
    monkeypatch: pytest.MonkeyPatch, running: Backup | None, how: str = "unknown"
) -> None:
    monkeypatch.setattr(unseen, "under_way", lambda *_: running)
    monkeypatch.setattr(job, "remembered", lambda *_: Ended(how, ""))


def test_one_that_goes_on_is_told_with_what_shows_and_ends_it(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(own.with_name("web.vda.full.qcow2"))
    under_way(monkeypatch, Backup("push", disks=(BackupDisk("vda", file),)))
    (said,) = told(UUID)
    assert said.startswith(f"the backup of web goes on, and nobody follows it: {own} says running")
    assert "tuivirt backup-info web shows it; backup-end web ends it" in said


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("completed", "libvirt says of its last backup: completed"),
        ("failed", "libvirt says of its last backup: failed"),
        ("unknown", "libvirt does not know how its last backup ended"),
    ],
)
def test_one_that_is_over_is_told_with_what_libvirt_knows_of_its_end(
    own: Path, monkeypatch: pytest.MonkeyPatch, how: str, said: str
) -> None:
    under_way(monkeypatch, None, how)
    (text,) = told(UUID)
    assert text.startswith("web: of the backup that was begun at 2026-11-22T04:12:00Z nobody saw")
    assert said in text
    assert f"remove {own}, {own.with_name('web.vda.full.qcow2')}, and begin anew" in text
    assert ("restore it by hand" in text) is (how == "completed")


def test_a_domain_that_cannot_be_asked_is_told_as_that(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TuivirtError("cannot ask about a backup of web", "its monitor hangs")

    monkeypatch.setattr(unseen, "under_way", fail)
    (said,) = told(UUID)
    assert "whether the backup of web goes on cannot be asked" in said


def test_another_hosts_is_left_to_that_one(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way(monkeypatch, None)
    assert told("another") == []
    assert len(marks_in(begun_folder())) == 1


@pytest.mark.parametrize("state", [manifest.COMPLETE, manifest.DAMAGED, ""])
def test_nothing_is_told_of_one_whose_end_is_known_or_that_is_removed(
    own: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    under_way(monkeypatch, None)
    if state:
        manifest.write(own, manifest.finished(manifest.read(own), own.parent, state))
    else:
        own.unlink()
    assert told(UUID) == []
    assert marks_in(begun_folder()) == []


def test_one_out_of_reach_is_told_once_its_folder_is_there_again(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way(monkeypatch, None)
    place = own.parent
    away = place.rename(place.with_name("away"))
    assert told(UUID) == []
    place.mkdir()  # As where the file system is not mounted.
    assert told(UUID) == []
    place.rmdir()
    away.rename(place)
    (said,) = told(UUID)
    assert said.startswith("web: of the backup that was begun at 2026-11-22T04:12:00Z nobody saw")


def test_a_manifest_that_cannot_be_read_is_told_as_that_and_its_note_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way(monkeypatch, None)
    path = tmp_path / "web.json"
    order: Any = SimpleNamespace(manifest=path, name="web")
    with unseen.noted(host(UUID), UUID, order):
        path.mkdir()
    (note,) = marks_in(begun_folder())
    (said,) = told(UUID)
    assert said.startswith("how the backup of web ended cannot be seen now (cannot read ")
    assert f"see that {path} can be read, and start anew; or remove {note}" in said
    assert marks_in(begun_folder()) == [note]


def test_nothing_stays_of_one_that_is_whole(tmp_path: Path) -> None:
    order: Any = SimpleNamespace(manifest=tmp_path / "web.json", name="web")
    with unseen.noted(host(UUID), UUID, order):
        assert len(marks_in(begun_folder())) == 1
    assert marks_in(begun_folder()) == []
