"""Copies, backups and memory that go to where there is no room, no right, or an odd name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.support.guests import Disk, Guest, domain_xml, image_folder, make_sleeper, unique_name
from tests.support.small import small_folder
from tests.support.writer import filled_image, is_whole
from tuivirt.backend import hotplug, restoring, saving
from tuivirt.backend.backup import before, begin, manifest
from tuivirt.backend.block_jobs import control, copy
from tuivirt.backend.block_jobs.read import chains_of
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host

ODD = ["-a 'b\" $x;&<>", "漢字:b,c=d%20"]
Write = Callable[[Host, Guest, Path], str]


def copied(host: Host, guest: Guest, path: Path) -> str:
    values: dict[str, Any] = {"path": "vdb", "dest": str(path), "finish": True}
    return copy.copy(host, guest.uuid, values, force=True)


def backed_up(host: Host, guest: Guest, path: Path) -> str:
    return begin.begin(host, guest.uuid, {"to": str(path.parent), "leave_out": "vda"}, force=True)


def saved(host: Host, guest: Guest, path: Path) -> str:
    return saving.save(host, guest.uuid, {"file": str(path)}, force=True)


def dumped(host: Host, guest: Guest, path: Path) -> str:
    values = {"file": str(path), "memory_only": True}
    return saving.dump(host, guest.uuid, values, force=True)


WRITES: tuple[Write, ...] = (copied, backed_up, saved, dumped)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with one that has room for 256 KiB, ``full``, and one that is read-only, ``ro``."""
    # Mounted before the guest is started: what comes later it may not see.
    with (
        image_folder() as folder,
        small_folder(folder / "full", "256k"),
        small_folder(folder / "ro", "64m", "ro"),
    ):
        yield folder


@pytest.fixture(scope="module")
def guest(qemu_uri: str, folder: Path) -> Iterator[Guest]:
    """A running guest without a system, whose second disk is full of what is known."""
    one = Disk(filled_image(folder / "one.qcow2", 8), "vdb", form="qcow2")
    disks = [Disk(make_sleeper(folder / "boot.img")), one]
    xml = domain_xml(unique_name("places"), disks=disks, memory_mib=32, kernel=False)
    with Guest.define(qemu_uri, xml) as guest:
        guest.start()
        yield guest


def source(guest: Guest) -> Path:
    return Path(chains_of(guest.domain)["vdb"].source)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def goes_on(host: Host, guest: Guest, disk: Path) -> bool:
    """Whether it runs on the disk that it had, and nothing of it is under way."""
    running = guest.domain.state(0)[0] == libvirt.VIR_DOMAIN_RUNNING
    idle = before.under_way(host, guest.uuid) is None
    return running and idle and source(guest) == disk and is_whole_in_use(disk)


def is_whole_in_use(path: Path) -> bool:
    argv = ["qemu-img", "check", "-U", str(path)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def same(one: Path, other: Path) -> bool:
    argv = ["qemu-img", "compare", "-U", str(one), str(other)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_where_there_is_no_room_it_is_told_and_the_guest_goes_on_as_before(
    host: Host, guest: Guest, folder: Path
) -> None:
    disk, place = source(guest), folder / "full"
    for write in WRITES:
        with pytest.raises(TuivirtError) as full:
            write(host, guest, place / "file")
        said = f"{full.value} {full.value.advice}"
        assert "o room is left" in said or "No space left" in said, write
        assert "ake room" in full.value.advice, write
        assert goes_on(host, guest, disk), write
        for name in names(place):
            assert str(place / name) in said, write
            (place / name).unlink()
    control.abort(host, guest.uuid)


def test_where_nobody_may_write_it_is_told_and_the_guest_goes_on_as_before(
    host: Host, guest: Guest, folder: Path
) -> None:
    disk = source(guest)
    for write in WRITES:
        with pytest.raises(TuivirtError) as told:
            write(host, guest, folder / "ro" / "file")
        said = f"{told.value} {told.value.advice}"
        assert re.search(r"[Rr]ead-only file system|you may not write to", said), write
        assert told.value.advice, write
        assert goes_on(host, guest, disk), write
        assert control.report(host, guest.uuid) == f"no block job runs on {guest.name}"


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_destination_is_called_it_is_that(
    host: Host, guest: Guest, images: Path, name: str
) -> None:
    folder = images / name
    folder.mkdir()
    folder.chmod(0o777)
    kept = source(guest)
    copy.copy(host, guest.uuid, {"path": "vdb", "dest": str(folder / name), "pivot": True})
    assert source(guest) == folder / name
    assert same(kept, folder / name)
    backed_up(host, guest, folder / name)
    (path,) = folder.glob("*.json")
    (disk,) = manifest.read(path).disks
    assert disk.source == str(folder / name)
    assert same(kept, folder / disk.file)
    written_to(host, guest, folder, name)
    assert source(guest) == folder / name
    copy.copy(host, guest.uuid, {"path": "vdb", "dest": f"{kept}.{name}", "pivot": True})
    assert is_whole(folder / name)


def written_to(host: Host, guest: Guest, folder: Path, name: str) -> None:
    """Dump its memory there, save it and take it up again."""
    core, file = folder / f"{name}.core", folder / f"{name}.saved"
    dumped(host, guest, core)
    assert core.read_bytes()[:4] == b"\x7fELF"
    saved(host, guest, file)
    assert guest.uuid in restoring.info(host, str(file))
    restoring.restore(host, {"file": str(file)})
    assert guest.active


def test_a_line_break_is_refused_where_libvirt_would_keep_another_name(
    host: Host, guest: Guest, images: Path
) -> None:
    """It writes its XML with line breaks as they are, which are read as blanks."""
    name = "two\nlines"
    folder = images / name
    folder.mkdir()
    folder.chmod(0o777)
    for write in (copied, backed_up):
        with pytest.raises(BadInput, match=r"two\\nlines.* holds a control character"):
            write(host, guest, folder / "file")
    assert names(folder) == []
    written_to(host, guest, folder, name)
    disk = hotplug.DiskRequest(str(folder / f"{name}.core"))
    with pytest.raises(BadInput, match="holds a control character"):
        hotplug.attach_disk(host, guest.uuid, disk)
