"""What was begun and cut off, noted in the operator's own folder, and told at the next start."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.backend import begun, marks
from tuivirt.backend.cut_off import begun_folder, tell_begun
from tuivirt.backend.images import beside
from tuivirt.backend.marks import Mark, Told, marks_in, read, stem_for

ENDS_ITSELF = "import os, signal, sys\nfrom tuivirt.backend.images.beside import Work\n"
KILL = "os.kill(os.getpid(), signal.SIGKILL)\n"
WAIT_S = 20.0


def killed(script: str, *words: str | Path) -> None:
    """A program that ends itself without a chance to take anything back."""
    argv = [sys.executable, "-c", ENDS_ITSELF + script, *map(str, words)]
    ran = subprocess.run(argv, capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr


def host(name: str = "srv1", *, here: bool = True) -> Any:
    """A host that keeps what it is told."""
    said: list[str] = []
    return SimpleNamespace(
        name=name,
        said=said,
        snapshot=SimpleNamespace(info=SimpleNamespace(local=here, demo=False)),
        tell=lambda event: said.append(event.text),
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An image in a folder that is no pool's."""
    path = tmp_path / "one.qcow2"
    path.touch()
    return path


def test_what_was_cut_off_anywhere_is_told_once_and_no_more_when_it_is_cleared(
    target: Path,
) -> None:
    killed(f"with Work('rebasing', sys.argv[1], sys.argv[1], inside=True): {KILL}", target)
    (job,) = marks_in(target.parent)
    first, second, elsewhere = host(), host("srv2"), host("far", here=False)
    for each in (elsewhere, first, second):
        tell_begun(each, WAIT_S)
    (said,) = first.said
    assert said == (
        f"a rebasing of {target} was cut off: do it again; or look at the image"
        f" (tuivirt image-check) and remove {job}"
    )
    assert second.said == elsewhere.said == []
    job.unlink()
    tell_begun(host(), WAIT_S)
    assert marks_in(begun_folder()) == []


@pytest.mark.parametrize("instead", ["another", "nothing", "error"])
def test_what_is_out_of_reach_is_not_forgotten_and_told_once_it_is_there_again(
    tmp_path: Path, instead: str
) -> None:
    place, away = tmp_path / "usb", tmp_path / "away"
    place.mkdir()
    image = place / "one.qcow2"
    image.touch()
    killed(f"with Work('rebasing', sys.argv[1], sys.argv[1], inside=True): {KILL}", image)
    place.rename(away)
    if instead == "another":  # As where the file system is not mounted.
        place.mkdir()
    elif instead == "error":
        place.symlink_to(place)
    early = host()
    tell_begun(early, WAIT_S)
    assert early.said == []
    if instead == "another":
        place.rmdir()
    elif instead == "error":
        place.unlink()
    away.rename(place)
    start = host()
    tell_begun(start, WAIT_S)
    assert [f"a rebasing of {image} was cut off" in each for each in start.said] == [True]


def test_another_machines_notes_in_a_shared_home_are_left_alone(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(f"with Work('rebasing', sys.argv[1], sys.argv[1], inside=True): {KILL}", target)
    (job,) = marks_in(target.parent)
    moved = job.rename(target.parent / "away")  # There is no such file on that machine.
    with monkeypatch.context() as there:
        there.setattr(begun, "machine", lambda: "another")
        tell_begun(host(), WAIT_S)
    moved.rename(job)
    start = host()
    tell_begun(start, WAIT_S)
    assert [f"a rebasing of {target} was cut off" in each for each in start.said] == [True]


def test_in_a_pool_whose_folder_is_a_link_it_is_told_once(target: Path, tmp_path: Path) -> None:
    killed(f"with Work('rebasing', sys.argv[1], sys.argv[1], inside=True): {KILL}", target)
    pool = tmp_path / "pool"
    pool.symlink_to(target.parent)
    start = host()
    tell_begun(start, WAIT_S)
    beside.tell(start, [pool], but="")
    assert [f"a rebasing of {target} was cut off" in each for each in start.said] == [True]


def test_what_ends_while_it_is_looked_at_was_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = Mark(stem_for(str(tmp_path), "a"), {"verb": "v", "source": "s", "target": "t"})
    really = marks._is_held

    def ends(fd: int) -> bool:
        mark.end()
        return really(fd)

    monkeypatch.setattr(marks, "_is_held", ends)
    assert read(Path(mark.path)) is None


def test_the_folder_is_the_operators_alone_and_nothing_stays_of_what_has_ended(
    target: Path,
) -> None:
    with beside.Work("resizing", str(target), str(target), inside=True):
        (note,) = marks_in(begun_folder())
        assert stat.S_IMODE(begun_folder().stat().st_mode) == 0o700
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        now = host()
        tell_begun(now, WAIT_S)
        assert now.said == [], "it is under way"
    assert marks_in(begun_folder()) == marks_in(target.parent) == []


def test_onto_a_device_the_note_is_all_that_tells_and_goes_once_the_same_is_done(
    tmp_path: Path,
) -> None:
    device = tmp_path / "device"
    os.mkfifo(device)  # No file: nothing is put beside it.
    words = f"'commit', '/x/top', {str(device)!r}, inside=True"
    killed(f"with Work({words}): {KILL}")
    assert [each.name for each in tmp_path.iterdir() if each != device] == []
    start = host()
    tell_begun(start, WAIT_S)
    (note,) = marks_in(begun_folder())
    (said,) = start.said
    assert said.startswith(f"a commit of /x/top into {device} was cut off: do it again")
    assert str(note) in said
    assert [each.text for each in beside.about(str(device), writing=True)] == [
        f"a commit of /x/top into {device} was cut off"
    ]
    with beside.Work("repair", str(device), str(device), inside=True):
        assert note in marks_in(begun_folder()), "something else does not settle it"
    with beside.Work("commit", "/x/other", str(device), inside=True):
        assert note in marks_in(begun_folder()), "nor does what another held"
    assert note in marks_in(begun_folder())
    with beside.Work("commit", "/x/top", str(device), inside=True):
        pass
    assert marks_in(begun_folder()) == []


def test_a_conversion_onto_a_device_says_that_nothing_there_is_whole() -> None:
    left = beside.Leftover("conversion", "/x/a", "/dev/vg/lv", "", "/s/.lv.job", False)
    finding = left.finding("/dev/vg/lv", writing=True)
    assert finding.text.endswith("was cut off: what is on /dev/vg/lv is worth nothing")
    assert finding.advice == "do it again; or remove /s/.lv.job"


def test_another_conversion_onto_the_same_device_settles_the_old_one(tmp_path: Path) -> None:
    device, given = tmp_path / "dm-3", tmp_path / "web"
    os.mkfifo(device)
    given.symlink_to(device)
    words = f"'conversion', '/x/a', {str(device)!r}, inside=True, given={str(given)!r}"
    killed(f"with Work({words}): {KILL}")
    (left,) = beside.leftovers(str(device))
    assert left.said == f"conversion of /x/a into {given}"
    with beside.Work("conversion", "/x/b", str(device), inside=True):
        pass
    assert marks_in(begun_folder()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/dev/tuivirt-none/web", True),
        ("/dev/mapper/tuivirt-none", True),
        ("/dev/dm-993", False),
        ("/dev/block/253:993", False),
        ("/home/me/disk", False),
    ],
)
def test_after_a_boot_a_device_is_told_by_a_name_that_is_still_its_own(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: bool
) -> None:
    with monkeypatch.context() as before:
        before.setattr(begun, "boot", lambda: "the last")
        said = {"verb": "conversion", "source": "/x/a", "target": "/dev/dm-993", "given": given}
        mark = begun.note("dm-993", said)
        assert mark is not None
        mark.end(stays=True)
    start = host()
    tell_begun(start, WAIT_S)
    (text,) = start.said
    if kept:
        assert f"what is on {given} is worth nothing: do it again" in text
    else:
        assert text == (
            f"a conversion of /x/a into {given} was cut off before the machine was last started: "
            "which device that is now cannot be told: find it (lsblk), and do it again there; "
            f"then remove {mark.path}"
        )
    assert beside.leftovers("/dev/dm-993") == [], "it is another's by now"


def test_the_same_done_whole_ends_what_is_told_beside_a_file(target: Path) -> None:
    words = "'rebasing', sys.argv[1], sys.argv[1], inside=True"
    killed(f"with Work({words}): {KILL}", target)
    with (
        pytest.raises(RuntimeError),
        beside.Work("rebasing", str(target), str(target), inside=True),
    ):
        raise RuntimeError
    assert len(beside.leftovers(str(target))) == 1, "it was not done"
    with beside.Work("rebasing", str(target), str(target), inside=True):
        pass
    assert beside.leftovers(str(target)) == []
    start = host()
    tell_begun(start, WAIT_S)
    assert start.said == []


@pytest.mark.parametrize("before", ["Mark.__init__", "os.pwrite"])
def test_killed_while_it_is_noted_nothing_is_told_as_nothing_was_begun(
    target: Path, before: str
) -> None:
    name, attribute = before.split(".")
    script = (
        "from tuivirt.backend.marks import Mark\nfrom tuivirt.backend import begun\n"
        f"{name}.{attribute} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Work('conversion', '/x', sys.argv[1]).__enter__()\n"
    )
    killed(script, target)
    start = host()
    tell_begun(start, WAIT_S)
    assert start.said == []


def test_killed_while_it_is_said_anew_the_old_words_stand_or_the_new(tmp_path: Path) -> None:
    script = (
        "from tuivirt.backend.marks import Mark\n"
        "mark = Mark(sys.argv[1], {'verb': 'v', 'source': 's', 'target': 't', 'more': 'x' * 99})\n"
        "done = os.pwrite\n"
        "def pwrite(*words):\n"
        "    done(*words)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.pwrite = pwrite\n"
        "mark.say({'verb': 'w', 'source': 's', 'target': 't'})\n"
    )
    killed(script, stem_for(str(tmp_path), "a"))
    (path,) = marks_in(tmp_path)
    told = read(path)
    assert told is not None
    assert told.said["verb"] == "w"


def test_where_nothing_can_be_noted_the_work_is_done_all_the_same(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")
    with beside.Work("resizing", str(target), str(target), inside=True):
        assert len(beside.leftovers(str(target))) == 1
    assert beside.leftovers(str(target)) == []


def test_one_that_lies_on_a_dead_server_holds_up_no_other_and_nobody(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = begun.note("dead", {"verb": "commit", "source": "/nfs/a", "target": "/nfs/b"}, "/nfs/b")
    assert noted is not None
    noted.end(stays=True)
    killed(f"with Work('rebasing', sys.argv[1], sys.argv[1], inside=True): {KILL}", target)
    answers, told = threading.Event(), threading.Event()
    really = beside.tell_noted

    def on_server(to: Any, path: Path, what: Told) -> None:
        if what.said["source"] == "/nfs/a":
            answers.wait(WAIT_S)
        really(to, path, what)
        told.set()

    monkeypatch.setattr(beside, "tell_noted", on_server)
    start = host()
    tell_begun(start)
    try:
        assert told.wait(WAIT_S)
        assert [f"a rebasing of {target}" in each for each in start.said] == [True]
    finally:
        answers.set()
