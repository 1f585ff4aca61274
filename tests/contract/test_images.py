"""Images worked on with the real qemu-img: converted, resized, rebased, cut off, in use."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import ROOT, tuivirt
from tests.contract.conftest import Heard, started
from tests.contract.pool import TestPool
from tests.support.guests import Define, Disk, Guest, make_image
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.needs import missing, need_programs, need_root
from tuivirt.backend import naming
from tuivirt.backend.cut_off import look
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.images import (
    beside,
    check,
    commit,
    conversion,
    convert,
    create,
    listing,
    place,
    rebase,
    resize,
)

MIB = 1 << 20
ODD = ["a b.img", "a:b,c=d.img", "'\"$x.img", "two\nlines.img", "漢字.img", "-x.img", "nbd:h:1"]
WAIT_S = 20.0
AT_HOME = {**os.environ, "PYTHONPATH": str(ROOT)}
"""For a program that is started in another folder."""


def img(*words: str | Path) -> str:
    """qemu-img by itself; what it says."""
    argv = ["qemu-img", *map(str, words)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def written(path: Path, mib: int = 4, size_mib: int = 16) -> Path:
    """A raw image with some data at its beginning and the rest empty."""
    with path.open("wb") as file:
        file.write(os.urandom(mib * MIB))
        file.truncate(size_mib * MIB)
    path.chmod(0o666)
    return path


def as_qcow2(path: Path, mib: int = 4, size_mib: int = 16) -> Path:
    raw = written(path.with_name("raw"), mib, size_mib)
    img("convert", "-O", "qcow2", raw, path)
    raw.unlink()
    path.chmod(0o666)
    return path


def lying(path: Path, backing: Path, form: str = "qcow2") -> Path:
    img("create", "-f", "qcow2", "-b", backing, "-F", form, path)
    path.chmod(0o666)
    return path


def guest_bytes(path: Path, form: str) -> str:
    """What a guest reads from it, as a sum."""
    out = path.with_name(f"{path.name}.seen")
    img("convert", "-f", form, "-O", "raw", path, out)
    seen = summed(out)
    out.unlink()
    return seen


def summed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def same(one: Path, other: Path) -> bool:
    return "identical" in img("compare", one, other)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def to(host: Host, path: Path, target: Path | None = None, **values: Any) -> str:
    options = {k: values.pop(k) for k in ("force", "aborted", "progress") if k in values}
    given = {"path": str(path), "target": str(target) if target else None, **values}
    return convert.convert(host, given, **options)


def test_an_image_is_converted_to_and_fro_and_holds_the_same(host: Host, images: Path) -> None:
    raw = written(images / "one.img")
    told: list[tuple[str, float | None]] = []
    said = to(
        host,
        raw,
        images / "two.qcow2",
        options="cluster_size=128K",
        verify=True,
        progress=lambda text, far: told.append((text, far)),
    )
    assert said.startswith(f"{images}/two.qcow2 has what is in {raw}, as qcow2 (4")
    assert {"converting", "comparing the result"} <= {text for text, _ in told}
    assert ("converting", 1.0) in told
    assert "cluster_size: 131072" in img("info", images / "two.qcow2")
    to(host, images / "two.qcow2", images / "three.img")
    assert summed(images / "three.img") == summed(raw)
    assert (images / "three.img").stat().st_blocks * 512 < 5 * MIB
    assert names(images) == ["one.img", "three.img", "two.qcow2"]


def test_what_is_compressible_becomes_small_and_what_is_there_is_replaced_by_name_only(
    host: Host, images: Path
) -> None:
    raw, target = images / "one.img", images / "two.qcow2"
    raw.write_bytes(b"the same " * (8 * MIB // 9))
    target.write_text("somebody's")
    target.chmod(0o640)
    with pytest.raises(BadInput, match=r"two\.qcow2 exists \(.*\), and is replaced") as refused:
        to(host, raw, target, compress=True)
    assert "--force takes the risk" in refused.value.advice
    assert target.read_text() == "somebody's"
    to(host, raw, target, compress=True, force=True)
    assert target.stat().st_size < MIB
    assert target.stat().st_mode & 0o777 == 0o640
    assert same(raw, target)
    with pytest.raises(BadInput, match="cannot be compressed"):
        to(host, raw, images / "x.img", compress=True)
    with pytest.raises(BadInput, match="cannot be converted into itself so"):
        to(host, raw, raw)
    above = lying(images / "above.qcow2", target)
    with pytest.raises(BadInput, match=f"{above} lies on {target}"):
        to(host, above, target, force=True)


def test_one_in_its_own_place_becomes_smaller_and_the_original_stays(
    host: Host, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2", 1, 32)
    path = lying(images / "one.qcow2", base)
    for pattern in ("0x55", "0"):
        command = f"write -P {pattern} 8M 16M"
        subprocess.run(["qemu-io", "-c", command, path], check=True, capture_output=True)
    holds, before = guest_bytes(path, "qcow2"), path.stat().st_blocks
    with pytest.raises(BadInput, match=f"looks like qcow2 and names {base}"):
        to(host, path, in_place=True)
    said = to(host, path, in_place=True, source_format="qcow2")
    assert path.stat().st_blocks < before / 4
    assert f"as it was it is {path}.orig" in said
    assert guest_bytes(path, "qcow2") == holds
    assert f"backing file: {base}" in img("info", path)
    assert (images / "one.qcow2.orig").stat().st_blocks == before
    with pytest.raises(BadInput, match="an earlier original"):
        to(host, path, in_place=True)
    with pytest.raises(BadInput, match="is not kept as it is now"):
        to(host, path, in_place=True, drop_original=True, source_format="qcow2")
    to(host, path, in_place=True, drop_original=True, force=True)
    assert names(images) == ["base.qcow2", "one.qcow2", "one.qcow2.orig"]


def test_an_abort_in_the_middle_leaves_the_original_and_nothing_else(
    host: Host, images: Path
) -> None:
    path = as_qcow2(images / "one.qcow2", 96, 96)
    before, aborted = summed(path), threading.Event()

    def progress(text: str, far: float | None) -> None:
        if text == "converting" and far:
            aborted.set()

    with pytest.raises(Aborted, match=f"{path} is as it was"):
        to(host, path, in_place=True, compress=True, aborted=aborted, progress=progress)
    assert summed(path) == before
    assert names(images) == ["one.qcow2"]


def until(what: Callable[[], Any], said: str) -> Any:
    ending = time.monotonic() + WAIT_S
    while time.monotonic() < ending:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{said} has not come about within {WAIT_S:g} s")


def works_on(word: str) -> bool:
    """Whether a process has that among its arguments."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in each.read_bytes() and each.parent.name != str(os.getpid()):
                return True
        except OSError:
            continue
    return False


def works_as(verb: str, path: Path) -> bool:
    """Whether a qemu-img does that with the image."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = each.read_bytes().split(b"\0")
            if words[:2] == [b"qemu-img", verb.encode()] and os.fsencode(path) in words:
                return True
    return False


def test_killed_in_the_middle_the_original_is_whole_and_what_lies_there_is_told_of(
    qemu_uri: str, host: Host, images: Path, pool: TestPool
) -> None:
    path = as_qcow2(images / "one.qcow2", 96, 96)
    before = summed(path)
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "image-convert", str(path)]
    with subprocess.Popen([*argv, "--in-place", "--compress"], cwd=ROOT) as child:

        def begun() -> Path | None:
            found = [p for p in images.glob(".one.qcow2.tuivirt-*") if p.stat().st_size > MIB]
            return found[0] if found else None

        new = until(begun, "a part of the result")
        assert "is under way" in listing.as_text(host, str(path))
        with pytest.raises(BadInput, match="is under way"):
            resize.resize(host, {"path": str(path), "size": "+1GiB"})
        child.send_signal(signal.SIGKILL)
    until(lambda: not works_on(str(new)), "the end of qemu-img")
    img("check", path)
    assert summed(path) == before
    told = tuivirt("-c", qemu_uri, "image-info", str(path))
    assert told.status == 0, told.err
    assert f"an unfinished conversion of {path} lies there: {new}" in told.out
    heard = Heard()
    next_start = started(qemu_uri, heard)
    look(next_start)
    notice = heard.notice(f"an unfinished conversion of {path} lies there: {new}")
    assert f"remove it, and {new}.job: nothing goes on from there" in notice
    next_start.close()
    said = to(host, path, in_place=True)
    assert f"remove it, and {new}.job" in said
    assert [each.file for each in beside.leftovers(str(path))] == [str(new)]


def test_killed_outside_of_any_pool_the_next_start_tells_on_the_screen_and_on_standard_error(
    qemu_uri: str, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2", 4, 256)
    top = lying(images / "top.qcow2", base)
    subprocess.run(["qemu-io", "-c", "write -P 9 0 256M", top], check=True, capture_output=True)
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "image-commit", str(top)]
    with subprocess.Popen([*argv, "--format", "qcow2"], cwd=ROOT, stderr=subprocess.PIPE) as child:
        until(lambda: works_as("commit", top), "qemu-img")
        child.send_signal(signal.SIGKILL)
    until(lambda: not works_as("commit", top), "the end of qemu-img")
    said = f"a commit of {top} into {base} was cut off"
    (left,) = beside.leftovers(str(top))
    listed = tuivirt("-c", qemu_uri, "list", "pools", "-o", "json")
    assert listed.status == 0
    assert f"{said}: do it again; or look at the image" in " ".join(listed.err.split())
    assert left.job in "".join(listed.err.split())
    heard = Heard()
    start = Host("local", qemu_uri, publish=heard, interval=0.5)
    start.start()
    try:
        assert left.job in heard.notice(said)
    finally:
        start.close()
    again = tuivirt("-c", qemu_uri, "image-commit", str(top), "--format", "qcow2")
    assert again.status == 0, again.err
    assert said not in tuivirt("-c", qemu_uri, "list", "pools").err
    assert names(images) == ["base.qcow2", "top.qcow2"]


def test_told_to_end_in_the_middle_the_program_takes_back_what_it_wrote(
    qemu_uri: str, images: Path
) -> None:
    path = as_qcow2(images / "one.qcow2", 64, 64)
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "image-convert", str(path)]
    with subprocess.Popen(
        [*argv, "two.qcow2", "--compress"], cwd=images, env=AT_HOME, stderr=subprocess.PIPE
    ) as child:
        until(lambda: list(images.glob(".two.qcow2.tuivirt-*")), "a part of the result")
        child.send_signal(signal.SIGTERM)
        _out, said = child.communicate(timeout=WAIT_S)
    assert child.returncode == 128 + signal.SIGTERM
    assert f"the conversion of {path} was aborted: nothing of it was left behind" in said.decode()
    assert names(images) == ["one.qcow2"]


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_path_holds_it_is_a_path(host: Host, images: Path, name: str) -> None:
    path = written(images / name, 1, 2)
    target = images / f"{name} as.qcow2"
    to(host, path, target, source_format="raw")
    assert same(path, target)
    assert check.check(host, {"path": str(target)}).startswith(
        f"{target} is sound".replace("\n", " ")
    )
    above = images / f"{name} above.qcow2"
    create.create(host, {"path": str(above), "backing": str(target)})
    assert guest_bytes(above, "qcow2") == summed(path)
    resize.resize(host, {"path": str(above), "size": "+1MiB", "format": "qcow2"})
    commit.commit(host, {"path": str(above), "format": "qcow2"})
    listing.as_text(host, str(above))


def test_by_the_command_line_a_path_is_meant_that_begins_with_a_dash_or_is_relative(
    qemu_uri: str, images: Path
) -> None:
    written(images / "-x.img", 1, 2)
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "image-convert"]
    done = subprocess.run(
        [*argv, "--format", "qcow2", "./-x.img", "./-y.img"],
        cwd=images,
        env=AT_HOME,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{images}/-y.img has what is in {images}/-x.img, as qcow2")
    assert "Note: nobody says which format" in done.stdout
    assert same(images / "-x.img", images / "-y.img")


def test_where_there_is_no_room_that_is_told_before_and_in_the_middle(
    host: Host, images: Path, small: Path
) -> None:
    path = written(images / "one.img", 12)
    with pytest.raises(BadInput, match=r"may need 12\.\d+ MiB, and .*small has 8 MiB free"):
        to(host, path, small / "two.qcow2")
    with pytest.raises(TuivirtError, match="No space left on device") as full:
        to(host, path, small / "two.qcow2", force=True)
    assert "make room" in full.value.advice
    assert "nothing of it was left behind" in full.value.advice
    assert names(small) == []
    to(host, written(images / "sparse.img", 4), small / "two.img")  # 16 MiB for a guest.


def test_a_corrupt_image_is_told_and_mended_by_name_only(host: Host, images: Path) -> None:
    path = as_qcow2(images / "one.qcow2")
    assert check.check(host, {"path": str(path), "format": "qcow2"}) == f"{path} is sound"
    with path.open("r+b") as file:
        file.seek(2 << 16)  # Where it counts how often each cluster is used.
        file.write(bytes(64))
    with pytest.raises(TuivirtError, match=r"is corrupt: \d+ errors"):
        check.check(host, {"path": str(path)})
    with pytest.raises(BadInput, match="may lose what is in it"):
        check.check(host, {"path": str(path), "repair": "all"})
    said = check.check(host, {"path": str(path), "repair": "all"}, force=True)
    assert "is sound; mended: " in said
    with pytest.raises(BadInput, match="an image of raw keeps no records"):
        check.check(host, {"path": str(written(images / "raw", 1))})


def test_a_chain_that_is_broken_or_goes_in_a_circle_is_told_with_what_it_lacks(
    host: Host, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2")
    top = lying(images / "top.qcow2", base)
    base.rename(images / "elsewhere.qcow2")
    assert f"{top} lies on {base}, which does not exist" in listing.as_text(host, str(top))
    with pytest.raises(BadInput, match="which does not exist") as broken:
        to(host, top, images / "x.qcow2")
    assert "image-rebase --unsafe" in broken.value.advice
    values = {"path": str(top), "backing": "elsewhere.qcow2", "unsafe": True}
    with pytest.raises(BadInput, match="is spoilt unless"):
        rebase.rebase(host, values)
    rebase.rebase(host, values, force=True)
    assert guest_bytes(top, "qcow2") == guest_bytes(images / "elsewhere.qcow2", "qcow2")
    img("rebase", "-u", "-F", "qcow2", "-b", top, images / "elsewhere.qcow2")
    with pytest.raises(BadInput, match="goes in a circle"):
        to(host, top, images / "x.qcow2")


def test_an_image_laid_on_another_or_on_none_holds_the_same(host: Host, images: Path) -> None:
    one, two = as_qcow2(images / "one.qcow2"), as_qcow2(images / "two.qcow2")
    top = lying(images / "top.qcow2", one)
    holds = guest_bytes(top, "qcow2")
    values = {"path": str(top), "format": "qcow2"}
    rebase.rebase(host, {**values, "backing": str(two)})
    assert f"backing file: {two}" in img("info", top)
    assert guest_bytes(top, "qcow2") == holds
    with pytest.raises(BadInput, match="the chain would go in a circle"):
        rebase.rebase(host, {"path": str(two), "backing": str(top)})
    rebase.rebase(host, {**values, "flatten": True})
    assert "backing file" not in img("info", top)
    assert guest_bytes(top, "qcow2") == holds


def test_what_is_written_into_the_base_spoils_no_other_that_lies_on_it_unasked(
    host: Host, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2")
    top, other = lying(images / "top.qcow2", base), lying(images / "other.qcow2", base)
    subprocess.run(["qemu-io", "-c", "write -P 7 0 1M", top], check=True, capture_output=True)
    holds = guest_bytes(top, "qcow2")
    with pytest.raises(BadInput, match=rf"{other} lies on it, and what is in there is spoilt"):
        commit.commit(host, {"path": str(top)})
    other.unlink()
    done = commit.commit(host, {"path": str(top), "format": "qcow2"})
    assert done == f"{base} holds what {top} held"
    assert guest_bytes(base, "qcow2") == holds


def test_a_snapshot_whose_kept_image_would_be_written_into_is_named(
    host: Host, define: Define, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2")
    guest = define(disks=[Disk(base, form="qcow2")], kernel=False, memory_mib=32)
    snapshot = "<domainsnapshot><name>before</name></domainsnapshot>"
    guest.domain.snapshotCreateXML(snapshot, libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
    path = images / "base.before"
    with pytest.raises(BadInput, match=f"snapshot before of {guest.name} keeps {base}") as told:
        commit.commit(host, {"path": str(path)})
    assert f"tuivirt snapshot-delete {guest.name}" in told.value.advice
    commit.commit(host, {"path": str(path)}, force=True)


def test_an_abort_of_what_changes_an_image_itself_leaves_what_is_read_through_it(
    host: Host, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2", 128, 128)
    top = lying(images / "top.qcow2", base)
    subprocess.run(["qemu-io", "-c", "write -P 9 0 64M", top], check=True, capture_output=True)
    holds = guest_bytes(top, "qcow2")
    for verb, values, said in (
        (rebase.rebase, {"flatten": True}, f"it lies on {base} as before, and holds the same"),
        (commit.commit, {}, f"{top} holds all as before"),
    ):
        aborted = threading.Event()

        def progress(_text: str, far: float | None, aborted: threading.Event = aborted) -> None:
            if far:
                aborted.set()

        given = {"path": str(top), "format": "qcow2", **values}
        with pytest.raises(Aborted, match=said):
            verb(host, given, aborted=aborted, progress=progress)
        assert guest_bytes(top, "qcow2") == holds
        assert names(images) == ["base.qcow2", "top.qcow2"]


def killed(verb: str, path: Path) -> Callable[[str, float | None], None]:
    """Somebody ends qemu-img once it has begun with that image."""

    def progress(_text: str, far: float | None) -> None:
        if far:
            for each in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    words = each.read_bytes().split(b"\0")
                    if words[:2] == [b"qemu-img", verb.encode()] and os.fsencode(path) in words:
                        os.kill(int(each.parent.name), signal.SIGKILL)

    return progress


def test_qemu_img_killed_in_the_middle_of_a_commit_leaves_what_is_read_through_the_image(
    host: Host, images: Path
) -> None:
    base = as_qcow2(images / "base.qcow2", 64, 64)
    top = lying(images / "top.qcow2", base)
    subprocess.run(["qemu-io", "-c", "write -P 9 0 32M", top], check=True, capture_output=True)
    holds = guest_bytes(top, "qcow2")
    values = {"path": str(top), "format": "qcow2"}
    with pytest.raises(TuivirtError, match="ended by signal 9") as cut_off:
        commit.commit(host, values, progress=killed("commit", top))
    assert f"{top} holds all as before, and the same can be done again" in cut_off.value.advice
    for each in (base, top):
        assert "is sound" in check.check(host, {"path": str(each)})
    assert guest_bytes(top, "qcow2") == holds
    commit.commit(host, values)
    assert guest_bytes(base, "qcow2") == holds


def test_qemu_img_killed_in_the_middle_of_a_conversion_leaves_the_original_and_nothing_else(
    host: Host, images: Path
) -> None:
    path = as_qcow2(images / "one.qcow2", 96, 96)
    before = summed(path)
    for target in (None, images / "two.qcow2"):
        in_place = {"in_place": True} if target is None else {}
        with pytest.raises(TuivirtError, match="ended by signal 9") as cut_off:
            to(host, path, target, compress=True, progress=killed("convert", path), **in_place)
        kept = f"{path} is as it was" if target is None else "nothing of it was left behind"
        assert kept in cut_off.value.advice
        assert names(images) == ["one.qcow2"]
    assert summed(path) == before


def test_a_daemon_that_is_killed_meanwhile_cannot_tell_who_has_the_image_and_it_stays(
    private_libvirtd: PrivateLibvirtd, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuivirt.backend.info.is_local", lambda _uri: True)
    path = as_qcow2(images / "one.qcow2", 16, 16)
    before = summed(path)
    host = started(private_libvirtd.uri, Heard())

    def progress(_text: str, far: float | None) -> None:
        if far and private_libvirtd.alive:
            private_libvirtd.kill()

    try:
        with pytest.raises(TuivirtError) as cut_off:
            to(host, path, in_place=True, progress=progress)
        assert f"{path} is as it was" in cut_off.value.advice
    finally:
        host.close()
    assert summed(path) == before
    assert names(images) == ["one.qcow2"]


def test_an_image_is_enlarged_and_made_smaller_by_name_only(host: Host, images: Path) -> None:
    path = written(images / "one.img", 1, 16)
    with path.open("r+b") as file:
        file.seek(446)
        file.write(bytes([0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 64, 0, 0]) + bytes(48))
        file.write(b"\x55\xaa")
    values = {"path": str(path), "format": "raw", "size": "+4MiB"}
    said = resize.resize(host, values)
    assert said.startswith(f"{path} has 20 MiB, 16 MiB before\nNote: partitions and file systems")
    values["size"] = "4MiB"
    with pytest.raises(BadInput, match=r"what lies beyond 4 MiB .* is lost") as refused:
        resize.resize(host, values)
    assert "--shrink" in refused.value.advice
    with pytest.raises(BadInput, match=r"its last partition ends at 9 MiB \(9437184 bytes\)"):
        resize.resize(host, {**values, "shrink": True})
    resize.resize(host, {**values, "shrink": True}, force=True)
    assert path.stat().st_size == 4 * MIB


def test_an_image_that_a_guest_has_open_is_left_alone(
    host: Host, idle_guest: Guest, images: Path
) -> None:
    path = images / f"{idle_guest.name}.img"
    above, other = lying(images / "above.qcow2", path, "raw"), written(images / "other", 1)
    runs = f"vda of {idle_guest.name}, which runs"
    attempts: tuple[Callable[[], str], ...] = (
        lambda: to(host, path, images / "x.qcow2"),
        lambda: to(host, path, in_place=True),
        lambda: to(host, above, images / "x.qcow2"),
        lambda: to(host, other, path, force=True),
        lambda: resize.resize(host, {"path": str(path), "size": "+1MiB"}, force=True),
        lambda: commit.commit(host, {"path": str(above)}, force=True),
    )
    for attempt in attempts:
        with pytest.raises(BadInput, match=runs):
            attempt()
    told = listing.as_text(host, str(path))
    assert f"{path}: raw" in told
    assert f"is {runs}" in told
    assert f"lies below: {above}" in told
    assert "nobody says" not in told
    idle_guest.destroy()
    assert "which is off" in listing.as_text(host, str(path))
    to(host, path, images / "x.qcow2")
    with pytest.raises(BadInput, match=f"which is vda of {idle_guest.name}, and is replaced"):
        to(host, other, path)
    said = to(host, path, in_place=True)
    assert f"Note: {path} is vda of {idle_guest.name}, which is off" in said


def test_a_guest_that_is_started_as_its_image_is_replaced_does_not_lose_what_it_writes(
    host: Host, define: Define, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_qcow2(images / "one.qcow2")
    guest = define(disks=[Disk(path, form="qcow2")], kernel=False, memory_mib=32)
    holds = guest_bytes(path, "qcow2")
    refused: list[libvirt.libvirtError] = []

    def sync(name: str, real: Callable[[str], None] = naming.sync) -> None:
        real(name)
        if not name.endswith(images.name):  # The new file is on the disk, and has no name yet.
            with pytest.raises(libvirt.libvirtError) as error:
                guest.start()
            refused.append(error.value)

    monkeypatch.setattr(place, "sync", sync)
    to(host, path, in_place=True)
    assert guest_bytes(path, "qcow2") == holds
    assert len(refused) == 1
    guest.start()


def test_who_came_to_the_image_meanwhile_is_asked_for_once_more(
    host: Host, define: Define, images: Path
) -> None:
    path = as_qcow2(images / "one.qcow2", 1, 4)
    overlays: list[Path] = []

    def progress(text: str, _far: float | None) -> None:
        if text == "converting" and not overlays:
            overlays.append(lying(images / "above.qcow2", path))

    source = written(images / "other.img", 1, 4)
    before = summed(path)
    with pytest.raises(BadInput, match=r"above\.qcow2 lies on it"):
        to(host, source, path, force=True, progress=progress)
    assert summed(path) == before
    assert names(images) == ["above.qcow2", "one.qcow2", "other.img"]


def test_an_image_below_one_that_a_guest_has_open_may_be_read_and_not_written_to(
    host: Host, define: Define, images: Path
) -> None:
    base = make_image(images / "base.qcow2", "8M", "qcow2")
    top = lying(images / "top.qcow2", base)
    guest = define(disks=[Disk(top, form="qcow2")], kernel=False, memory_mib=32)
    with pytest.raises(BadInput, match=rf"vda of {guest.name}, .*top.qcow2 lie on it"):
        resize.resize(host, {"path": str(base), "size": "+1MiB"})
    guest.start()
    to(host, base, images / "copy.qcow2")
    with pytest.raises(BadInput, match=rf"lies below vda of {guest.name}, which runs"):
        resize.resize(host, {"path": str(base), "size": "+1MiB"}, force=True)


def test_an_image_that_another_process_has_open_is_told_as_that(host: Host, images: Path) -> None:
    path = as_qcow2(images / "one.qcow2")
    argv = ["qemu-io", str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(b"length\n")
        other.stdin.flush()
        other.stdout.readline()  # It has opened it by now.
        with pytest.raises(TuivirtError, match="another process has the image open"):
            resize.resize(host, {"path": str(path), "size": "+1MiB"})
        other.stdin.close()


def test_a_raw_image_that_looks_like_another_is_not_taken_at_its_word(
    host: Host, define: Define, images: Path
) -> None:
    path = lying(images / "disk.img", Path("/etc/passwd"), "raw")
    assert "names /etc/passwd as what it takes its data from" in listing.as_text(host, str(path))
    with pytest.raises(BadInput, match="names /etc/passwd") as refused:
        to(host, path, images / "x.img")
    assert "say which format it has" in refused.value.advice
    define(disks=[Disk(path, form="raw")], kernel=False)
    to(host, path, images / "x.img")
    # A raw image ends with a whole sector.
    assert (images / "x.img").read_bytes().rstrip(b"\0") == path.read_bytes().rstrip(b"\0")


def test_a_host_elsewhere_and_one_that_is_made_up_are_refused(images: Path) -> None:
    path = str(written(images / "one.img", 1))
    for words, said in (
        (("-c", "test:///default"), "local is not this machine, and qemu-img works on this"),
        (("--demo",), "its images are made up"),
    ):
        ran = tuivirt(*words, "image-info", path)
        assert ran.status == 1
        assert said in ran.err
        assert "Do it on that machine" in ran.err


def test_a_connection_that_only_reads_lets_images_be_looked_at_alone(
    qemu_uri: str, images: Path
) -> None:
    path = str(as_qcow2(images / "one.qcow2"))
    readonly = ("-c", qemu_uri, "--readonly")
    assert "is sound" in tuivirt(*readonly, "image-check", path).out
    measured = tuivirt(*readonly, "image-measure", path, "--format", "raw")
    assert f"{path} takes 4." in measured.out
    for words in (("image-check", path, "--repair", "leaks"), ("image-resize", path, "+1MiB")):
        assert "read-only" in tuivirt(*readonly, *words).err
    ran = tuivirt("-c", qemu_uri, "image-convert", "local", path)
    assert "not said what it is converted into\n  Name another path" in ran.err
    assert tuivirt("-c", qemu_uri, "image-convert", path, "x", "--in-place").status == 2


@pytest.fixture
def device(images: Path) -> Iterator[Path]:
    """A block device of this machine."""
    need_root()
    need_programs("losetup", "mkfs.ext4", "mount")
    behind = make_image(images / "behind.img", "16M")
    argv = ["losetup", "--find", "--show", str(behind)]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        missing(f"no loop device can be made here: {done.stderr.strip()}")
    path = Path(done.stdout.strip())
    yield path
    subprocess.run(["losetup", "--detach", str(path)], check=True)


def test_a_device_is_written_to_by_name_only_and_never_while_it_is_mounted(
    host: Host, images: Path, device: Path
) -> None:
    path = as_qcow2(images / "one.qcow2")
    with pytest.raises(BadInput, match=f"all that is on the device {device} is overwritten"):
        to(host, path, device)
    said = to(host, path, device, force=True)
    assert said.startswith(f"{device} has what is in {path}, as raw")
    to(host, device, images / "back.qcow2")
    assert same(path, images / "back.qcow2")
    large = make_image(images / "large.qcow2", "17M", "qcow2")
    with pytest.raises(BadInput, match="has 16 MiB, and 17 MiB are needed"):
        to(host, large, device, force=True)
    with pytest.raises(BadInput, match=f"in use by this machine: it is this machine's {device}"):
        to(host, images / "behind.img", images / "x.qcow2")
    link = images / "link"
    link.symlink_to(device)
    wanted = conversion.settle(host, {"path": str(path), "target": str(link)})
    assert (wanted.target, wanted.given) == (str(device), str(link))
    subprocess.run(["mkfs.ext4", "-q", str(device)], check=True)
    place = images / "mounted"
    place.mkdir()
    subprocess.run(["mount", str(device), str(place)], check=True)
    try:
        for one, other in ((path, device), (device, images / "x.qcow2")):
            with pytest.raises(BadInput, match=f"mounted at {place}"):
                to(host, one, other, force=True)
    finally:
        subprocess.run(["umount", str(place)], check=True)
