"""Uploads that are cut off: what is half done is told, to whoever comes next, until it is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import libvirt
import pytest

from tests.contract.cli import ROOT, tuivirt
from tests.contract.conftest import Heard, started
from tests.contract.pool import TestPool
from tests.contract.test_volumes import MIB, digest, filled
from tests.support.guests import Define, Disk, Guest
from tests.support.libvirtd import PrivateLibvirtd, until
from tuivirt.backend import hotplug, lifecycle, restoring
from tuivirt.backend.cut_off import look
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.events import Event, Noticed
from tuivirt.backend.host import Host
from tuivirt.backend.marks import marks_in
from tuivirt.backend.model.finding import Weight
from tuivirt.backend.storage import (
    create,
    download,
    listing,
    remove,
    resize,
    stream,
    unfinished,
    upload,
)

HALF = "it holds a part at most"


@pytest.fixture
def big(tmp_path: Path) -> Path:
    return filled(tmp_path / "big", 96 * MIB)


@pytest.fixture
def killed(pool: TestPool, qemu_uri: str, big: Path, tmp_path: Path) -> Path:
    """A volume into which a program of tuivirt's wrote until it was killed."""
    image = pool.make("a.img", "96M", allocation="0")
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "vol-upload", pool.name]
    ours, theirs = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen([*argv, "a.img", str(big)], cwd=ROOT, stdin=ours, stderr=theirs) as child:

        def is_begun() -> bool:
            assert child.poll() is None, child.stderr and child.stderr.read()
            return image.stat().st_blocks * 512 > 8 * MIB

        until(is_begun, "a part of it", pause=0.001)
        child.send_signal(signal.SIGKILL)
    assert digest(image) != digest(big), "it was whole before it could be killed"
    return image


def in_words(host: Host, heard: list[Event]) -> list[str]:
    """What the program says of what was cut off once it has the host."""
    told = threading.Event()

    def hear(event: Event) -> None:
        if isinstance(event, Noticed):
            heard.append(event)
            told.set()

    end = host.subscribe(hear)
    try:
        look(host)
        told.wait(20)
    finally:
        end()
    return [each.text for each in heard if isinstance(each, Noticed)]


def cut_off(pool: TestPool, big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin an upload into a.img, and stop it in the middle."""
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    aborted = threading.Event()

    def stop(_text: str, fraction: float | None) -> None:
        if fraction:
            aborted.set()

    values = {"vol": "a.img", "file": str(big)}
    with pytest.raises(Aborted):
        upload.upload(pool.host, pool.key, values, force=True, aborted=aborted, progress=stop)


def test_killed_in_the_middle_the_next_start_tells_and_every_verb_knows(
    pool: TestPool, killed: Path, big: Path, qemu_uri: str, define: Define, tmp_path: Path
) -> None:
    (mark,) = marks_in(pool.folder)
    host = started(qemu_uri, Heard())  # Another program, which knows of nothing.
    try:
        said = [each for each in in_words(host, []) if pool.name in each]
        assert len(said) == 1
        assert said[0].startswith(f"volume a.img of pool {pool.name}: {HALF}: the upload of {big}")
        assert f"upload it again, wipe it or delete it; or remove {mark}" in said[0]
    finally:
        host.close()
    assert HALF in listing.details(pool.host, pool.key, "a.img")
    (line,) = [
        e for e in listing.as_text(pool.host, pool.key).splitlines() if e.startswith("a.img")
    ]
    assert HALF in line
    values = {"vol": "a.img", "file": str(tmp_path / "x")}
    for plan in (
        download.plan_for(pool.host, pool.key, values),
        create.plan_clone(pool.host, pool.key, {"vol": "a.img", "newname": "b.img"}),
        resize.plan_for(pool.host, pool.key, {"vol": "a.img", "capacity": "128M"}),
    ):
        assert [each.text for each in plan.of(Weight.RISK) if HALF in each.text]
    (tmp_path / "link").symlink_to(killed)
    over = tmp_path / "over.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(killed), str(over)]
    subprocess.run(argv, check=True)
    for disk in (Disk(killed), Disk(tmp_path / "link"), Disk(over, form="qcow2")):
        one = define(memory_mib=32, disks=[disk], kernel=False)
        with pytest.raises(BadInput, match=f"cannot start {one.name}.*{HALF}"):
            lifecycle.start(pool.host, one.uuid)
        assert not one.active
        one.domain.undefine()
    guest = define(memory_mib=32)
    with pytest.raises(BadInput, match=HALF):
        hotplug.attach_disk(pool.host, guest.uuid, hotplug.DiskRequest(str(killed)))
    request = hotplug.DiskRequest(f"{pool.name}/a.img")
    with pytest.raises(BadInput, match=HALF):
        hotplug.attach_disk(pool.host, guest.uuid, request)
    upload.upload(pool.host, pool.key, {"vol": "a.img", "file": str(big)})
    assert digest(killed) == digest(big)
    assert marks_in(pool.folder) == []
    assert HALF not in listing.details(pool.host, pool.key, "a.img")
    hotplug.attach_disk(pool.host, guest.uuid, hotplug.DiskRequest(str(killed)))


def test_a_smaller_upload_leaves_the_rest_half_done_and_wiping_ends_it(
    pool: TestPool, killed: Path, tmp_path: Path
) -> None:
    small = filled(tmp_path / "small", MIB)
    upload.upload(pool.host, pool.key, {"vol": "a.img", "file": str(small)})
    assert HALF in listing.details(pool.host, pool.key, "a.img")
    remove.wipe(pool.host, pool.key, {"vol": "a.img"})
    assert HALF not in listing.details(pool.host, pool.key, "a.img")
    assert marks_in(pool.folder) == []


def test_another_file_of_that_name_is_told_nothing_of(pool: TestPool, killed: Path) -> None:
    os.replace(filled(pool.folder / "new", MIB), killed)
    pool.handle.refresh(0)
    assert HALF not in listing.details(pool.host, pool.key, "a.img")
    assert [e for e in unfinished.of_host(pool.host) if e.pool == pool.name] == []


def test_two_do_not_write_into_one_volume(
    pool: TestPool, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    pool.make("a.img", "96M", allocation="0")
    values = {"vol": "a.img", "file": str(big)}
    told: list[BadInput] = []

    def meanwhile(_text: str, _fraction: float | None) -> None:
        if not told:
            with pytest.raises(BadInput, match="is under way") as refused:
                upload.upload(pool.host, pool.key, values, force=True)
            told.append(refused.value)

    upload.upload(pool.host, pool.key, values, progress=meanwhile)
    assert told
    assert digest(pool.folder / "a.img") == digest(big)
    assert marks_in(pool.folder) == []


def test_a_daemon_that_is_killed_leaves_a_half_that_is_told_until_it_is_whole(
    private_libvirtd: PrivateLibvirtd,
    images: Path,
    big: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a host elsewhere, or a folder that is not ours, our own folder tells."""
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(unfinished, "_folder_of", lambda *_: None)
    host = started(private_libvirtd.uri, Heard())
    values = {"vol": "a.img", "file": str(big)}
    try:
        pool = TestPool(host, images)
        image = pool.make("a.img", "96M", allocation="0")

        def kill(_text: str, fraction: float | None) -> None:
            if fraction is not None and fraction > 0.2 and private_libvirtd.alive:
                private_libvirtd.kill()

        with pytest.raises(TuivirtError) as told:
            upload.upload(host, pool.key, values, progress=kill)
        assert "a.img holds a part of it, of which nothing is sure" in told.value.done
        assert "upload it anew, wipe it or delete it" in told.value.done
    finally:
        host.close()
    assert len(marks_in(tmp_path / "state/tuivirt/uploads")) == 1
    private_libvirtd.start()
    host = started(private_libvirtd.uri, Heard())
    try:
        assert any(HALF in each for each in in_words(host, []))
        assert HALF in listing.details(host, pool.key, "a.img")
        upload.upload(host, pool.key, values)
        assert digest(image) == digest(big)
        assert marks_in(tmp_path / "state/tuivirt/uploads") == []
    finally:
        host.close()


def test_where_nothing_can_be_told_nothing_is_begun(
    pool: TestPool, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pool.make("a.img", "96M", allocation="0")
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")
    monkeypatch.setattr(unfinished, "_folder_of", lambda *_: None)
    with pytest.raises(TuivirtError, match="what tells of it, should it be cut off"):
        upload.upload(pool.host, pool.key, {"vol": "a.img", "file": str(big)})
    assert image.stat().st_blocks == 0


def test_an_image_verb_tells_of_it_too_and_deleting_it_ends_it(
    pool: TestPool, killed: Path, qemu_uri: str
) -> None:
    ran = tuivirt("-c", qemu_uri, "image-info", str(killed))
    assert "volume upload" in ran.out, ran.err
    remove.delete(pool.host, pool.key, {"vol": "a.img"})
    assert marks_in(pool.folder) == []


def test_an_upload_into_what_a_guest_was_started_on_meanwhile_is_not_told_as_whole(
    pool: TestPool,
    define: Callable[..., Guest],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "EVERY_S", 0.001)
    file, image = filled(tmp_path / "big", 192 * MIB), pool.make("a.img", "192M", allocation="0")
    guest = define(memory_mib=32, disks=[Disk(image, form="raw")], kernel=False)

    def start(_text: str, fraction: float | None) -> None:
        if fraction and not guest.domain.isActive():
            guest.start()

    values = {"vol": "a.img", "file": str(file)}
    with pytest.raises(TuivirtError, match="was started meanwhile") as told:
        upload.upload(pool.host, pool.key, values, force=True, progress=start)
    assert "upload it anew" in told.value.advice
    assert "nothing is sure" in told.value.done
    assert unfinished.about(pool.host, str(image)), "it is told until it is uploaded anew"


def test_no_guest_goes_on_from_saved_memory_on_one(
    pool: TestPool, define: Define, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, file = pool.make("a.img", "96M", allocation="0"), pool.folder / "saved"
    guest = define(memory_mib=32, disks=[Disk(image, form="raw")], kernel=False)
    guest.start()
    guest.domain.save(str(file))
    cut_off(pool, big, monkeypatch)
    (found,) = restoring.plan_restore(pool.host, "", {"file": str(file)}).of(Weight.REFUSED)
    assert found.text.startswith(f"{image}, of vda: {HALF}")
    with pytest.raises(BadInput, match=f"cannot restore {guest.name} from .*{HALF}"):
        restoring.restore(pool.host, {"file": str(file)}, force=True)
    assert not guest.active


def test_a_managed_save_on_one_is_not_gone_on_from_and_autostart_tells_of_it(
    pool: TestPool, define: Define, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the saved configuration has that disk no more: the managed save has."""
    image = pool.make("a.img", "96M", allocation="0")
    guest = define(memory_mib=32, disks=[Disk(image, form="raw")], kernel=False)
    guest.start()
    guest.domain.managedSave()
    assert lifecycle.autostart(pool.host, guest.uuid, True) == f"{guest.name} starts with the host"
    guest.domain.detachDeviceFlags(
        f"<disk type='file'><source file='{image}'/><target dev='vda'/></disk>",
        libvirt.VIR_DOMAIN_AFFECT_CONFIG,
    )
    cut_off(pool, big, monkeypatch)
    with pytest.raises(BadInput, match=f"cannot start {guest.name}.*{HALF}"):
        lifecycle.start(pool.host, guest.uuid)
    assert not guest.active
    said = lifecycle.autostart(pool.host, guest.uuid, True)
    assert said.startswith(f"{guest.name} starts with the host; {image}, of vda: {HALF}")
    assert "upload it again, wipe it or delete it" in said
    assert HALF not in lifecycle.autostart(pool.host, guest.uuid, False)
    lifecycle.start(pool.host, guest.uuid, force_boot=True)
    assert guest.active
