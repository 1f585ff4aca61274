"""Volumes of real pools: made, copied, resized, moved to and from files, never lost unasked."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cli import tuivirt
from tests.contract.conftest import Heard, Place, started
from tests.contract.pool import TestPool
from tests.support.guests import Define, Disk, idle_guest, make_image, make_sleeper
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.needs import need_root
from tuivirt.backend.errors import Aborted, BadInput, NotFound, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.lookups import volumes
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.storage import create, download, listing, remove, resize, stream, upload

MIB = 1 << 20
ODD = 'it\'s "one" 卷 <&>.img'


def qemu_img(*argv: str) -> str:
    done = subprocess.run(["qemu-img", *argv], check=True, capture_output=True, text=True)
    return done.stdout


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def filled(path: Path, size: int, seed: int = 1) -> Path:
    """A file without a hole, of which no two MiB are the same."""
    blocks = (hashlib.sha256(f"{seed} {n}".encode()).digest() * 32768 for n in range(size // MIB))
    path.write_bytes(b"".join(blocks))
    return path


# -- made, copied, resized ------------------------------------------------------------------------


def test_one_is_made_as_asked_and_another_on_top_of_it(pool: TestPool) -> None:
    said = create.create(
        pool.host, pool.key, {"vol": "base.img", "capacity": "20M", "allocation": "0"}
    )
    assert said == f"pool {pool.name} has the volume base.img: 20 MiB, raw"
    assert (pool.folder / "base.img").stat().st_blocks == 0
    top = pool.make("top.qcow2", "40M", backing_vol="base.img")
    told = qemu_img("info", "-U", str(top))
    assert "file format: qcow2" in told
    assert f"backing file: {pool.folder}/base.img" in told
    assert "backing file format: raw" in told
    pool.make("thick.img", "2M")
    assert (pool.folder / "thick.img").stat().st_blocks * 512 >= 2 * MIB
    lines = listing.as_text(pool.host, pool.key).splitlines()
    assert [line.split()[0] for line in lines] == ["base.img", "thick.img", "top.qcow2"]
    assert lines[0].endswith("used by volume top.qcow2")


def test_odd_names_are_names_and_others_are_refused_before_anything_is_made(
    pool: TestPool,
) -> None:
    pool.make(ODD, "1M")
    assert pool.names() == [ODD]
    assert ODD in listing.details(pool.host, pool.key, ODD)
    for name in ("a/b", "a\nb", "..", " "):
        with pytest.raises(BadInput):
            pool.make(name)
    for capacity in ("0", "big", "-1G"):
        with pytest.raises(BadInput, match=r"size"):
            pool.make("x", capacity)
    with pytest.raises(BadInput, match="more would be taken"):
        pool.make("x", "1M", allocation="2M")
    with pytest.raises(BadInput, match="already"):
        pool.make(ODD)
    with pytest.raises(NotFound, match="no volume 'gone'"):
        pool.make("x", backing_vol="gone")
    assert pool.names() == [ODD]
    remove.delete(pool.host, pool.key, {"vol": ODD})
    assert pool.names() == []


def test_a_file_that_libvirt_has_not_seen_is_not_written_over(pool: TestPool) -> None:
    (pool.folder / "new.qcow2").write_bytes(b"precious")
    with pytest.raises(BadInput, match="which libvirt has not seen yet"):
        pool.make("new.qcow2", format="qcow2")
    assert (pool.folder / "new.qcow2").read_bytes() == b"precious"


def test_a_copy_has_the_same_bytes(pool: TestPool) -> None:
    filled(pool.make("a.img"), 8 * MIB)
    said = create.clone(pool.host, pool.key, {"vol": "a.img", "newname": "b.img"})
    assert said == f"pool {pool.name} has the volume b.img, a copy of a.img"
    assert digest(pool.folder / "a.img") == digest(pool.folder / "b.img")
    with pytest.raises(BadInput, match="already"):
        create.clone(pool.host, pool.key, {"vol": "b.img", "newname": "a.img"})


def test_it_grows_and_shrinks_only_when_that_is_meant(pool: TestPool) -> None:
    pool.make("a.img", "8M")

    def to(capacity: str, force: bool = False, **values: bool) -> str:
        return resize.resize(
            pool.host, pool.key, {"vol": "a.img", "capacity": capacity, **values}, force=force
        )

    label = f"volume a.img of pool {pool.name}"
    assert to("16M") == f"{label} is 16 MiB now; it was 8 MiB"
    to("4M", delta=True)
    assert pool.size("a.img") == 20 * MIB
    with pytest.raises(BadInput, match="would be made smaller"):
        to("8M", force=True)
    with pytest.raises(BadInput, match="what lies beyond 8 MiB"):
        to("8M", shrink=True)
    with pytest.raises(BadInput, match="is 20 MiB already"):
        to("20M")
    assert pool.size("a.img") == 20 * MIB
    to("12M", force=True, shrink=True, delta=True)
    assert pool.size("a.img") == 8 * MIB


def test_a_wiped_one_holds_nothing_but_zeros(pool: TestPool) -> None:
    image = filled(pool.make("a.img", "2M"), 2 * MIB)
    assert remove.wipe(pool.host, pool.key, {"vol": "a.img"}).endswith("is wiped (zero)")
    assert image.read_bytes() == bytes(2 * MIB)


# -- who has it -----------------------------------------------------------------------------------


def refused(pool: TestPool, vol: str, *names: str) -> None:
    """It is neither deleted nor wiped, and who has it is said."""
    before = digest(pool.folder / vol)
    for verb in (remove.delete, remove.wipe):
        with pytest.raises(BadInput, match="in use by") as told:
            verb(pool.host, pool.key, {"vol": vol}, force=True)
        for name in names:
            assert name in str(told.value)
    assert digest(pool.folder / vol) == before


def test_what_a_running_guest_lies_on_is_kept_down_to_the_last_image(
    pool: TestPool, qemu_uri: str, define: Define
) -> None:
    make_sleeper(pool.folder / "base.img")
    pool.handle.refresh(0)
    for name, below, form in (
        ("mid.qcow2", "base.img", "raw"),
        ("top.qcow2", "mid.qcow2", "qcow2"),
    ):
        pool.make(name, "8M", backing_vol=below, backing_vol_format=form).chmod(0o666)
    guest = define(
        memory_mib=32, kernel=False, disks=[Disk(pool.folder / "top.qcow2", form="qcow2")]
    )
    for name in ("top.qcow2", "mid.qcow2", "base.img"):
        refused(pool, name, guest.name, "(off)")
    guest.start()
    for name in ("top.qcow2", "mid.qcow2", "base.img"):
        with pytest.raises(BadInput, match=guest.name):
            remove.delete(pool.host, pool.key, {"vol": name}, force=True)
    file = str(pool.folder / "x.bin")
    for name in ("top.qcow2", "base.img"):
        filled(Path(file), MIB)
        with pytest.raises(BadInput, match="in use by"):
            upload.upload(pool.host, pool.key, {"vol": name, "file": file}, force=True)
    with pytest.raises(BadInput, match="runs with it") as told:
        resize.resize(pool.host, pool.key, {"vol": "top.qcow2", "capacity": "16M"}, force=True)
    assert "runs with it" in str(told.value)
    plan = create.plan_clone(pool.host, pool.key, {"vol": "top.qcow2"} | {"newname": "c"})
    assert guest.name in plan.of(Weight.RISK)[0].text
    guest.destroy()
    guest.domain.undefine()
    for name in ("top.qcow2", "mid.qcow2", "base.img"):
        remove.delete(pool.host, pool.key, {"vol": name})
    assert not (pool.folder / "base.img").exists()


def test_what_a_guest_may_have_written_does_not_say_which_format_a_volume_has(
    pool: TestPool, define: Define
) -> None:
    image = pool.folder / "disk.img"
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", str(image))
    pool.handle.refresh(0)
    with pytest.raises(BadInput, match=r"nobody says .* it looks like qcow2") as told:
        pool.make("top.qcow2", backing_vol="disk.img")
    assert "--backing-vol-format qcow2 if you know" in told.value.advice
    assert pool.names() == ["disk.img"]
    define(disks=[Disk(image, form="raw")], kernel=False)
    top = pool.make("top.qcow2", backing_vol="disk.img")
    assert "backing file format: raw" in qemu_img("info", "-U", str(top))


def test_an_image_is_told_by_where_its_path_leads(pool: TestPool, define: Define) -> None:
    image = pool.make("a.img", "1M")
    link = pool.folder.parent / f"{pool.name}-link.img"
    link.symlink_to(image)
    try:
        guest = define(memory_mib=32, disks=[Disk(link)])
        refused(pool, "a.img", guest.name)
    finally:
        link.unlink()


def test_an_overlay_made_beside_it_just_now_keeps_it_too(pool: TestPool) -> None:
    base = pool.make("base.img", "1M")
    over = pool.folder / "over 卷.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(over))
    refused(pool, "base.img", f"volume {pool.name}/over 卷.qcow2")


def test_a_guests_overlay_outside_of_all_pools_keeps_what_it_lies_on(
    pool: TestPool, define: Define, tmp_path: Path
) -> None:
    base = pool.make("base.img", "1M")
    mid, over = tmp_path / "mid.qcow2", tmp_path / "over.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(mid))
    qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(mid), str(over))
    guest = define(memory_mib=32, disks=[Disk(over, form="qcow2")])
    refused(pool, "base.img", f"domain {guest.name} (off)")


def test_details_tell_of_the_chain_and_of_who_has_it(pool: TestPool, define: Define) -> None:
    pool.make("base.img", "1M")
    top = pool.make("top.qcow2", "2M", backing_vol="base.img")
    guest = define(memory_mib=32, disks=[Disk(top, form="qcow2")])
    said = listing.details(pool.host, pool.key, "top.qcow2").splitlines()
    assert f"lies on    {pool.folder}/base.img, raw, 1 MiB" in said
    assert f"used by    domain {guest.name} (off)" in said
    below = listing.details(pool.host, pool.key, str(pool.folder / "base.img")).splitlines()
    assert f"used by    domain {guest.name} (off)" in below
    assert f"           volume {pool.name}/top.qcow2, which lies on it" in below


# -- to and from files ----------------------------------------------------------------------------


def fetch(pool: TestPool, vol: str, file: Path, **options: Any) -> str:
    return download.download(pool.host, pool.key, {"vol": vol, "file": str(file)}, **options)


def push(pool: TestPool, vol: str, file: Path, **options: Any) -> str:
    return upload.upload(pool.host, pool.key, {"vol": vol, "file": str(file)}, **options)


def test_a_file_goes_up_and_comes_down_as_it_was(pool: TestPool, tmp_path: Path) -> None:
    file = filled(tmp_path / ODD, 5 * MIB)
    pool.make(ODD, "5M", allocation="0")
    said = push(pool, ODD, file)
    assert said == f"volume {ODD} of pool {pool.name} holds {file}: 5 MiB"
    back = tmp_path / "new\nline 卷.img"
    fetch(pool, ODD, back)
    assert digest(back) == digest(file) == digest(pool.folder / ODD)
    assert sorted(tmp_path.iterdir()) == sorted([file, back])


def test_holes_stay_holes_both_ways_and_the_volume_keeps_its_size(
    pool: TestPool, tmp_path: Path
) -> None:
    file = tmp_path / "sparse"
    with file.open("wb") as out:
        out.write(b"begin")
        out.seek(40 * MIB)
        out.write(b"middle")
        out.truncate(60 * MIB)
    pool.make("a.img", "64M", allocation="0")
    push(pool, "a.img", file)
    assert pool.size("a.img") == 64 * MIB
    back = tmp_path / "back"
    fetch(pool, "a.img", back)
    assert back.stat().st_size == 64 * MIB
    assert back.stat().st_blocks * 512 < 4 * MIB
    assert (pool.folder / "a.img").stat().st_blocks * 512 < 4 * MIB
    assert back.read_bytes()[: 60 * MIB] == file.read_bytes()


def test_a_hole_in_the_file_leaves_nothing_of_what_was_in_the_volume(
    pool: TestPool, tmp_path: Path
) -> None:
    image = filled(pool.make("a.img", "4M"), 4 * MIB)
    file = tmp_path / "hole"
    with file.open("wb") as out:
        out.truncate(3 * MIB)
    push(pool, "a.img", file)
    assert image.read_bytes()[: 3 * MIB] == bytes(3 * MIB)
    assert image.stat().st_size == 4 * MIB


def test_a_file_that_is_there_is_not_overwritten_unasked(pool: TestPool, tmp_path: Path) -> None:
    filled(pool.make("a.img", "1M"), MIB)
    file = tmp_path / "there"
    file.write_bytes(b"precious")
    with pytest.raises(BadInput, match="is there already"):
        fetch(pool, "a.img", file)
    assert file.read_bytes() == b"precious"
    fetch(pool, "a.img", file, force=True)
    assert digest(file) == digest(pool.folder / "a.img")
    with pytest.raises(BadInput, match="is a folder"):
        fetch(pool, "a.img", tmp_path, force=True)
    with pytest.raises(BadInput, match="there is no folder"):
        fetch(pool, "a.img", tmp_path / "no" / "x")


class AfterAFifth:
    """Aborts once a fifth has come."""

    def __init__(self) -> None:
        self.aborted = threading.Event()

    def __call__(self, _text: str, fraction: float | None) -> None:
        if fraction is not None and fraction > 0.2:
            self.aborted.set()


def test_a_download_that_was_aborted_goes_on_where_it_ended(
    pool: TestPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    image = filled(pool.make("a.img", "192M", allocation="0"), 192 * MIB)
    file, stop = tmp_path / "down.img", AfterAFifth()
    with pytest.raises(Aborted) as told:
        fetch(pool, "a.img", file, aborted=stop.aborted, progress=stop)
    assert "goes on from there" in told.value.advice
    assert not file.exists()
    (part,) = tmp_path.iterdir()
    have = part.stat().st_size // MIB
    assert 38 <= have < 192
    said = fetch(pool, "a.img", file)
    assert said.endswith(f": 192 MiB, of which {have} MiB were there already")
    assert list(tmp_path.iterdir()) == [file]
    assert digest(file) == digest(image)


def test_what_came_of_a_volume_that_was_changed_meanwhile_is_not_gone_on_with(
    pool: TestPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    image = filled(pool.make("a.img", "192M", allocation="0"), 192 * MIB)
    file, stop = tmp_path / "down.img", AfterAFifth()
    with pytest.raises(Aborted):
        fetch(pool, "a.img", file, aborted=stop.aborted, progress=stop)
    with image.open("r+b") as out:
        out.write(b"changed")
    assert "already" not in fetch(pool, "a.img", file)
    assert digest(file) == digest(image)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("resumed", [False, True])
def test_one_that_is_written_to_while_it_comes_is_not_told_as_whole(
    pool: TestPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resumed: bool
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    image = filled(pool.make("a.img", "192M", allocation="0"), 192 * MIB)
    file, stop = tmp_path / "down.img", AfterAFifth()
    if resumed:
        with pytest.raises(Aborted):
            fetch(pool, "a.img", file, aborted=stop.aborted, progress=stop)
    written: list[float] = []

    def write(_text: str, fraction: float | None) -> None:
        if not written and fraction is not None and fraction > 0.3:
            written.append(fraction)
            with image.open("r+b") as out:
                out.write(b"changed")  # Which has come already as it was.

    with pytest.raises(TuivirtError, match="changed meanwhile"):
        fetch(pool, "a.img", file, progress=write)
    assert written
    assert list(tmp_path.iterdir()) == []


def test_one_whose_guest_is_started_while_it_comes_is_not_told_as_whole(
    pool: TestPool, tmp_path: Path, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    image = filled(pool.make("a.img", "192M", allocation="0"), 192 * MIB)
    guest = define(memory_mib=32, disks=[Disk(image)])
    file = tmp_path / "down.img"

    def start(_text: str, fraction: float | None) -> None:
        if fraction is not None and fraction > 0.3 and not guest.domain.isActive():
            guest.start()

    with pytest.raises(TuivirtError, match=f"{guest.name} was started meanwhile") as told:
        fetch(pool, "a.img", file, progress=start)
    assert "download it anew" in told.value.advice
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadInput, match="runs and may write"):
        fetch(pool, "a.img", file)
    fetch(pool, "a.img", file, force=True)  # The operator knows.
    assert file.stat().st_size == 192 * MIB


def test_an_upload_that_was_aborted_says_that_nothing_is_sure(
    pool: TestPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    file, stop = filled(tmp_path / "big", 192 * MIB), AfterAFifth()
    pool.make("a.img", "192M", allocation="0")
    with pytest.raises(Aborted, match=r"the upload into .* was aborted") as told:
        push(pool, "a.img", file, aborted=stop.aborted, progress=stop)
    assert "upload it anew" in told.value.advice
    push(pool, "a.img", file)
    assert digest(pool.folder / "a.img") == digest(file)


def test_what_does_not_fit_and_what_is_no_file_is_refused(pool: TestPool, tmp_path: Path) -> None:
    image = filled(pool.make("a.img", "1M"), MIB)
    before = digest(image)
    with pytest.raises(BadInput, match="do not fit") as told:
        push(pool, "a.img", filled(tmp_path / "big", 2 * MIB), force=True)
    assert "vol-resize" in told.value.advice
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("gone", "No such file"), ("pipe", "neither a file"), ("", "neither a file")):
        with pytest.raises(BadInput, match=why):
            push(pool, "a.img", tmp_path / name)
    (tmp_path / "empty").touch()
    with pytest.raises(BadInput, match="is empty"):
        push(pool, "a.img", tmp_path / "empty")
    assert digest(image) == before


# -- what goes wrong ------------------------------------------------------------------------------


@pytest.fixture
def small(images: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    need_root()
    folder = images / "small"
    folder.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=8M,mode=755", "tuivirt-test", str(folder)]
    subprocess.run(argv, check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_no_space_is_said_and_nothing_is_left_behind(
    host: Host, small: Path, tmp_path: Path
) -> None:
    pool = TestPool(host, small)
    try:
        with pytest.raises(TuivirtError, match=r"16 MiB would be taken at once, and .* free"):
            pool.make("a.img", "16M")
        assert pool.names() == []
        thin = pool.make("thin.img", "16M", allocation="0")
        with pytest.raises(TuivirtError, match="No space left") as told:
            push(pool, "thin.img", filled(tmp_path / "big", 16 * MIB))
        assert "upload it anew" in told.value.done
        thin.unlink()
        filled(tmp_path / "c.img", 1 * MIB)
    finally:
        pool.close()


def test_a_download_to_a_full_place_is_refused(pool: TestPool, small: Path) -> None:
    filled(pool.make("a.img", "16M"), 16 * MIB)
    with pytest.raises(BadInput, match="would be taken in"):
        fetch(pool, "a.img", small / "x")
    assert list(small.iterdir()) == []


def test_a_place_that_is_read_only_is_said(host: Host, small: Path) -> None:
    pool = TestPool(host, small)
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        with pytest.raises(TuivirtError, match="Read-only file system") as told:
            pool.make("a.img", "1M")
        assert "rights and the mount options" in told.value.advice
    finally:
        pool.close()


def test_images_that_are_broken_do_not_hide_the_others(pool: TestPool) -> None:
    pool.make("good.qcow2", "1M", format="qcow2")
    for name, below in (("a.qcow2", "b.qcow2"), ("b.qcow2", "a.qcow2"), ("c.qcow2", "gone")):
        make_image(pool.folder / name, "1M", "qcow2")
        argv = ["rebase", "-u", "-F", "qcow2", "-b", str(pool.folder / below)]
        qemu_img(*argv, str(pool.folder / name))
    with make_image(pool.folder / "bad.qcow2", "1M", "qcow2").open("r+b") as out:
        out.seek(8)
        out.write(b"\xff" * 64)
    pool.handle.refresh(0)
    listed = listing.as_text(pool.host, pool.key)
    for name in ("good.qcow2", "a.qcow2", "c.qcow2"):
        assert name in listed
    assert "the chain is a loop" in listing.details(pool.host, pool.key, "a.qcow2")
    assert "No such file" in listing.details(pool.host, pool.key, "c.qcow2")
    for below, why in (("a.qcow2", "loop"), ("c.qcow2", "No such file")):
        with pytest.raises(BadInput, match=why):
            pool.make("x.qcow2", backing_vol=below)
    for name in ("a.qcow2", "b.qcow2", "c.qcow2", "good.qcow2"):
        remove.delete(pool.host, pool.key, {"vol": name}, force=True)


def test_what_is_not_there_is_said(pool: TestPool) -> None:
    with pytest.raises(NotFound, match=f"pool {pool.name} has no volume 'x'"):
        listing.details(pool.host, pool.key, "x")
    with pytest.raises(NotFound, match="no volume"):
        remove.delete(pool.host, pool.key, {"vol": "x"})


# -- the command line, and the demo ---------------------------------------------------------------


def test_the_verbs_are_there(pool: TestPool, qemu_uri: str, tmp_path: Path) -> None:
    def run(*words: str, status: int = 0) -> str:
        ran = tuivirt("-c", qemu_uri, *words)
        assert ran.status == status, ran.err
        return ran.out + ran.err

    run("vol-create", pool.name, "a b.qcow2", "2M", "--format", "qcow2")
    said = run("vol-list", pool.name)
    assert said.split()[:2] == ["a", "b.qcow2"]
    run("vol-resize", pool.name, "a b.qcow2", "1M", status=1)
    run("vol-download", pool.name, "a b.qcow2", str(tmp_path / "x"))
    assert digest(tmp_path / "x") == digest(pool.folder / "a b.qcow2")
    assert "is deleted" in run("vol-delete", pool.name, "a b.qcow2")
    assert pool.names() == []


def test_the_demo_makes_copies_and_deletes_them_too(demo: Place) -> None:
    host = demo.host
    key = host.pool("contract").UUIDString()
    create.create(host, key, {"vol": "x.img", "capacity": "1M"})
    create.clone(host, key, {"vol": "x.img", "newname": "y.img"})
    assert "x.img" in listing.as_text(host, key)
    assert "used by    nobody" in listing.details(host, key, "y.img")
    resize.resize(host, key, {"vol": "x.img", "capacity": "4M"})
    with pytest.raises(BadInput, match="would be made smaller"):
        resize.resize(host, key, {"vol": "x.img", "capacity": "1M"})
    assert "capacity   4 MiB" in listing.details(host, key, "x.img")
    remove.wipe(host, key, {"vol": "x.img"})
    for name in ("x.img", "y.img"):
        remove.delete(host, key, {"vol": name})
    create.create(host, key, {"vol": "z.img", "capacity": "1M"})
    with pytest.raises(TuivirtError, match="not supported"):
        upload.upload(host, key, {"vol": "z.img", "file": __file__})
    remove.delete(host, key, {"vol": "z.img"})


def test_the_demos_own_pool_has_room_for_more(demo: Place) -> None:
    images = demo.host.pool("images")
    free = images.info()[3]
    values = {"vol": "new.qcow2", "capacity": "20G", "backing_vol": "web-01.qcow2"}
    said = create.create(demo.host, "images", values)
    assert said == "pool images has the volume new.qcow2: 20 GiB, qcow2, on top of web-01.qcow2"
    assert 0 < free - images.info()[3] < MIB
    users = next(v for v in volumes(demo.host, "images") if v.name == "web-01.qcow2").users
    assert users == ("web-01", "volume new.qcow2")
    remove.delete(demo.host, "images", {"vol": "new.qcow2"})
    assert images.info()[3] == free


def test_a_guest_whose_disk_is_a_volume_of_the_pool_has_it(
    pool: TestPool, qemu_uri: str, images: Path
) -> None:
    with idle_guest(qemu_uri, images, start=False) as guest:
        pool.handle.refresh(0)
        assert pool.users(f"{guest.name}.img") == (guest.name,)
        refused(pool, f"{guest.name}.img", guest.name)


def test_a_pool_that_is_off_says_so(host: Host, images: Path) -> None:
    place = f"<target><path>{images}</path></target>"
    xml = f"<pool type='dir'><name>tuivirt-test-off</name>{place}</pool>"
    handle = host.conn.storagePoolDefineXML(xml, 0)
    try:
        with pytest.raises(BadInput, match="is not active") as told:
            listing.as_text(host, handle.UUIDString())
        assert "pool-start" in told.value.advice
    finally:
        handle.undefine()


def test_a_daemon_that_is_killed_meanwhile_costs_no_more_than_what_was_on_its_way(
    private_libvirtd: PrivateLibvirtd,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    host = started(private_libvirtd.uri, Heard())
    try:
        pool = TestPool(host, images)
        image = filled(pool.make("a.img", "192M", allocation="0"), 192 * MIB)
        file = tmp_path / "down.img"

        def kill(_text: str, fraction: float | None) -> None:
            if fraction is not None and fraction > 0.2 and private_libvirtd.alive:
                private_libvirtd.kill()

        with pytest.raises(TuivirtError) as told:
            fetch(pool, "a.img", file, progress=kill)
        assert not file.exists()
        assert "goes on from there" in told.value.advice
    finally:
        host.close()
    private_libvirtd.start()
    host = started(private_libvirtd.uri, Heard())
    try:
        pool.host = host  # A daemon knows its pools again.
        assert "were there already" in fetch(pool, "a.img", file)
        assert digest(file) == digest(image)
    finally:
        host.close()


def test_an_abort_does_not_wait_for_a_daemon_that_hangs(
    private_libvirtd: PrivateLibvirtd,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    monkeypatch.setattr(stream, "ABORT_S", 0.2)
    host = started(private_libvirtd.uri, Heard())
    aborted = threading.Event()

    def hang(_text: str, fraction: float | None) -> None:
        if fraction is not None and fraction > 0.2 and not aborted.is_set():
            private_libvirtd.sigstop()
            aborted.set()

    try:
        pool = TestPool(host, images)
        filled(pool.make("a.img", "192M", allocation="0"), 192 * MIB)
        file = tmp_path / "down.img"
        with pytest.raises(Aborted, match="does not answer any more"):
            fetch(pool, "a.img", file, progress=hang, aborted=aborted)
        assert not file.exists()
    finally:
        private_libvirtd.sigcont()
        host.close()
