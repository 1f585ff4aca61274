"""Work on an image: what lies beside it meanwhile, what stays of it, what is put in place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tuivirt.backend import naming
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.images import beside, place
from tuivirt.backend.images.lock import Lock
from tuivirt.backend.model.finding import Weight

NAME = "a b:c,d'\"\n漢.qcow2"


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def replace(new: Path, old: Path, keep: Path | None = None) -> None:
    with Lock(str(old)) as lock:
        place.put(str(new), str(old), instead=lock, keep=str(keep or ""))


def test_nothing_of_it_stays_once_it_is_done_or_has_failed(tmp_path: Path) -> None:
    target = tmp_path / NAME
    with beside.Work("conversion", "/x/a", str(target)) as work:
        assert work.path.startswith(f"{tmp_path}/.{NAME}.tuivirt-")
        assert len(names(tmp_path)) == 2
        os.rename(work.path, target)
    assert names(tmp_path) == [NAME]
    with pytest.raises(RuntimeError), beside.Work("conversion", "/x/a", str(target)):
        raise RuntimeError
    assert names(tmp_path) == [NAME]


def test_it_is_under_way_for_everybody_who_looks_and_refused_to_who_writes(tmp_path: Path) -> None:
    target = str(tmp_path / "b.qcow2")
    with beside.Work("conversion", "/x/a", target):
        (found,) = beside.leftovers(target)
        assert found.under_way
        (finding,) = beside.about(target, writing=False)
        assert finding.weight is Weight.REFUSED
        assert finding.text == f"a conversion of /x/a into {target} is under way"
    assert beside.leftovers(target) == []


def test_what_was_killed_is_told_of_with_what_it_was_and_how_to_be_rid_of_it(
    tmp_path: Path,
) -> None:
    target = str(tmp_path / ("long" * 60))
    script = (
        "import sys\nfrom tuivirt.backend.images.beside import Work\n"
        "with Work('conversion', '/x/a', sys.argv[1]) as work:\n"
        "    print('there', flush=True)\n    sys.stdin.read()\n"
    )
    argv = [sys.executable, "-c", script, target]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"there\n"
        child.send_signal(signal.SIGKILL)
    (found,) = beside.leftovers(target)
    assert (found.verb, found.source, found.target) == ("conversion", "/x/a", target)
    assert not found.under_way
    (finding,) = beside.about(target, writing=True)
    assert finding.weight is Weight.NOTE
    assert finding.text.startswith(f"an unfinished conversion of /x/a into {target} lies there")
    assert found.file in finding.text
    assert found.job in finding.advice
    assert beside.leftovers(str(tmp_path / "other")) == []


def test_two_never_work_on_one_though_they_begin_at_the_same_moment(tmp_path: Path) -> None:
    target = str(tmp_path / "b.qcow2")
    Path(target).touch()
    with beside.Work("conversion", "/x/a", target):
        for inside in (False, True):
            again = beside.Work("commit", "/x/c", target, inside=inside)
            with pytest.raises(TuivirtError, match=r"a conversion of /x/a into .* is under way"):
                again.__enter__()
        assert len(names(tmp_path)) == 3
    assert names(tmp_path) == ["b.qcow2"]


def test_a_result_whose_name_was_taken_meanwhile_stays_whole_and_is_told_of(
    tmp_path: Path,
) -> None:
    target = tmp_path / "b.qcow2"
    with beside.Work("conversion", "/x/a", str(target)) as work:
        Path(work.path).write_text("result")
        target.write_text("somebody's")
        with pytest.raises(place.Taken, match=r"b\.qcow2 is there by now: .* is whole") as taken:
            work.put()
    assert target.read_text() == "somebody's"
    (finding,) = beside.about(str(target), writing=True)
    (left,) = beside.leftovers(str(target))
    assert finding.text.startswith(f"the whole result of a {left.said} lies there: {left.file}")
    assert left.file in str(taken.value)
    assert Path(left.file).read_text() == "result"


def test_a_kill_while_it_is_put_in_place_is_told_of_with_both_files(tmp_path: Path) -> None:
    target = tmp_path / "b.qcow2"
    target.write_text("old")
    script = (
        "import os, signal, sys\nfrom tuivirt.backend.images import beside, lock\n"
        "target = sys.argv[1]\n"
        "os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with beside.Work('conversion', target, target) as work, lock.Lock(target) as old:\n"
        "    work.put(instead=old)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert target.read_text() == "old"
    (finding,) = beside.about(str(target), writing=True)
    (left,) = beside.leftovers(str(target))
    assert Path(left.old).read_text() == "old"
    assert f"was cut off as it was put in place: {left.old} is what was there" in finding.text


def test_what_somebody_else_wrote_beside_is_none_of_ours(tmp_path: Path) -> None:
    target = str(tmp_path / "a")
    ours = {"verb": "conversion", "source": "/x", "target": target}
    good = tmp_path / "another" / ".a.tuivirt-good.job"
    good.parent.mkdir()
    good.write_text(json.dumps(ours))
    for number, said in enumerate(({**ours, "verb": 1}, {**ours, "source": None}, [target], 5)):
        (tmp_path / f".a.tuivirt-{number}.job").write_text(json.dumps(said))
    (tmp_path / ".a.tuivirt-none.job").touch()
    (tmp_path / ".a.tuivirt-half.job").write_text(json.dumps(ours)[:-1])
    (tmp_path / ".a.tuivirt-link.job").symlink_to(good)
    assert beside.leftovers(target) == []
    (tmp_path / ".a.tuivirt-good.job").write_bytes(good.read_bytes())
    assert [each.verb for each in beside.leftovers(target)] == ["conversion"]


def test_what_is_put_in_place_has_the_rights_of_what_was_there(tmp_path: Path) -> None:
    old, new, keep = tmp_path / "old", tmp_path / "new", tmp_path / "old.orig"
    old.write_text("old")
    new.write_text("new")
    old.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(old, 12, 34)
    was = old.stat()
    replace(new, old, keep)
    assert (old.read_text(), keep.read_text()) == ("new", "old")
    now = old.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)
    assert names(tmp_path) == ["old", "old.orig"]


def test_an_original_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    old, new, keep = tmp_path / "old", tmp_path / "new", tmp_path / "old.orig"
    for each in (old, new, keep):
        each.write_text(each.name)
    with pytest.raises(TuivirtError, match="exists"):
        replace(new, old, keep)
    assert (old.read_text(), keep.read_text()) == ("old", "old.orig")


def test_where_a_file_has_one_name_only_the_original_is_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, keep = tmp_path / "old", tmp_path / "new", tmp_path / "old.orig"
    for each in (old, new):
        each.write_text(each.name)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    replace(new, old, keep)
    assert (old.read_text(), keep.read_text()) == ("new", "old")


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(TuivirtError, match="nothing can be written"),
        beside.Work("conversion", "/x", str(tmp_path / "none" / "b")),
    ):
        pass


ONE_NAME = ("_rename", "link")
"""What a file system may lack: renaming to a free name alone, and several names for a file."""


@pytest.mark.parametrize("lacks", [(), ONE_NAME[:1], ONE_NAME])
def test_a_file_that_came_meanwhile_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: tuple[str, ...]
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(95, "Operation not supported")

    for word in lacks:
        monkeypatch.setattr(naming if word == "_rename" else os, word, refuse)
    new, there, free = (tmp_path / name for name in ("new", "there", "free"))
    new.write_text("new")
    there.write_text("somebody's")
    with pytest.raises(FileExistsError):
        naming.take_name(str(new), str(there))
    assert there.read_text() == "somebody's"
    naming.take_name(str(new), str(free))
    assert free.read_text() == "new"
    assert names(tmp_path) == ["free", "there"]


def test_who_writes_to_the_old_one_while_it_is_replaced_gets_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for each in (old, new):
        each.write_text(each.name)
    real = os.rename

    def rename(source: str, target: str) -> None:
        with old.open("a") as file:  # Opened before it loses its name, written to after.
            real(source, target)
            file.write(" and more")

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(TuivirtError, match="old is again what it was: it was written to"):
        replace(new, old)
    assert old.read_text() == "old and more"
    assert names(tmp_path) == ["old"]


def test_what_is_to_be_replaced_is_looked_at_once_more_and_nothing_is_done_then(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for each in (old, new):
        each.write_text(each.name)

    def again() -> None:
        raise TuivirtError("it runs by now")

    with Lock(str(old)) as lock, pytest.raises(TuivirtError, match="it runs by now"):
        place.put(str(new), str(old), instead=lock, again=again)
    with Lock(str(old)) as lock:
        old.rename(tmp_path / "moved")
        old.write_text("another")
        with pytest.raises(TuivirtError, match="another file has its name by now"):
            place.put(str(new), str(old), instead=lock)
    assert old.read_text() == "another"
    assert names(tmp_path) == ["moved", "new", "old"]
