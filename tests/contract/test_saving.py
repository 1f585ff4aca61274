"""A real guest's memory in a file: saved and taken up again, dumped, aborted, refused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.contract.cli import tuivirt
from tests.support.guests import Define, Disk, Guest, make_image
from tests.support.serial import Serial
from tuivirt.backend import job_call, managed_save, restoring, saving
from tuivirt.backend.errors import Aborted, BadInput, TuivirtError
from tuivirt.backend.host import Host


@pytest.fixture
def folder(images: Path) -> Path:
    images.chmod(0o777)
    return images


def again(guest: Guest) -> Serial:
    for serial in guest.serials:
        serial.close()
    shell = guest.serial()
    shell.send("\n")
    shell.wait_for_shell()
    return shell


def test_a_saved_guest_goes_on_where_it_was_and_its_file_says_what_it_holds(
    host: Host, define: Define, folder: Path, qemu_uri: str
) -> None:
    guest = define(disks=[Disk(make_image(folder / "a.qcow2", "8M", "qcow2"), form="qcow2")])
    shell = guest.boot()
    shell.run("X=kept")
    file = folder / "saved"
    dry = tuivirt("-c", qemu_uri, "save", guest.name, str(file), "--dry-run")
    assert dry.status == 0, dry.err
    assert f"The memory of {guest.name}, up to 192 MiB, is written to {file}." in dry.out
    assert guest.active
    said = saving.save(host, guest.uuid, {"file": str(file)})
    assert said.startswith(f"{guest.name} is saved to {file}, ")
    assert not guest.active
    found = restoring.info(host, str(file))
    assert guest.uuid in found
    assert f"vda {folder / 'a.qcow2'}" in found

    said = restoring.restore(host, {"file": str(file)})
    assert said.startswith(f"{guest.name} goes on from {file}, and is running.")
    assert again(guest).run("echo $X").split()[-1] == "kept"
    with pytest.raises(BadInput, match="runs already"):
        restoring.restore(host, {"file": str(file)})


def test_a_file_is_written_over_by_force_alone_and_a_changed_disk_is_a_risk(
    host: Host, idle_guest: Guest, folder: Path
) -> None:
    file = folder / "saved"
    file.write_text("mine")
    with pytest.raises(BadInput, match="already, and what it holds would be lost"):
        saving.save(host, idle_guest.uuid, {"file": str(file)})
    with pytest.raises(BadInput, match="already, and what it holds would be lost"):
        saving.dump(host, idle_guest.uuid, {"file": str(file)})
    with pytest.raises(BadInput, match="no folder"):
        saving.save(host, idle_guest.uuid, {"file": str(folder / "none" / "saved")})
    assert file.read_text() == "mine"
    assert idle_guest.active
    with pytest.raises(TuivirtError, match="cannot read"):
        restoring.info(host, str(file))
    saving.save(host, idle_guest.uuid, {"file": str(file), "paused": True}, force=True)
    image = folder / f"{idle_guest.name}.img"
    status = file.stat()
    os.utime(image, (status.st_atime, status.st_mtime + 60))
    with pytest.raises(BadInput, match="was written after its memory was saved"):
        restoring.restore(host, {"file": str(file)})
    said = restoring.restore(host, {"file": str(file)}, force=True)
    assert "and is paused" in said


def test_a_dump_is_what_it_says_and_the_guest_goes_on(
    host: Host, idle_guest: Guest, folder: Path
) -> None:
    core = folder / "core"
    said = saving.dump(host, idle_guest.uuid, {"file": str(core), "memory_only": True})
    assert said.endswith("; it is running")
    assert core.read_bytes()[:4] == b"\x7fELF"
    squeezed = folder / "kdump"
    values = {"file": str(squeezed), "memory_only": True, "format_": "kdump-zlib", "live": True}
    saving.dump(host, idle_guest.uuid, values)
    assert squeezed.read_bytes()[:16].startswith((b"KDUMP", b"makedumpfile"))
    with pytest.raises(BadInput, match="exclude one another"):
        saving.dump(host, idle_guest.uuid, {"file": str(core), "crash": True, "reset": True})
    with pytest.raises(BadInput, match="not written is in the dump alone"):
        saving.dump(host, idle_guest.uuid, {"file": str(folder / "end"), "crash": True})
    assert idle_guest.active
    values = {"file": str(folder / "end"), "crash": True}
    assert saving.dump(host, idle_guest.uuid, values, force=True).endswith("; it is off")
    assert not idle_guest.active


def test_an_abort_leaves_it_running_and_no_file(
    host: Host, define: Define, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_call, "EVERY_S", 0.02)
    guest = define(memory_mib=512, disks=[])
    shell = guest.boot()
    # Memory that is not empty takes seconds to write.
    shell.run("dd if=/dev/urandom of=/r bs=1M count=8; for i in $(seq 16); do cat /r; done >/x")
    aborted = threading.Event()
    aborted.set()
    for write in (saving.save, saving.dump):
        with pytest.raises(Aborted, match="it goes on running"):
            write(host, guest.uuid, {"file": str(folder / "x")}, aborted=aborted)
        assert not (folder / "x").exists()
        assert "still here" in shell.run("echo still here")


def test_a_managed_save_tells_what_it_holds(host: Host, idle_guest: Guest) -> None:
    name = idle_guest.name
    assert restoring.managed_info(host, idle_guest.uuid) == f"{name} has no managed save"
    managed_save.managed_save(host, idle_guest.uuid)
    said = restoring.managed_info(host, idle_guest.uuid)
    assert said.startswith(f"{name} ({idle_guest.uuid})\nmemory        32 MiB, 1 CPUs")
