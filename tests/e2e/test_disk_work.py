"""A running guest's disks copied and backed up by keys on a small screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.operator import Operator
from tests.support.guests import Define, Disk, make_sleeper
from tests.support.writer import filled_image
from tuivirt.backend.block_jobs.read import chains_of, jobs_of


def test_a_copy_is_aborted_and_a_backup_taken_by_keys(
    operator: Callable[..., Operator], define: Define, images: Path
) -> None:
    image, copy = filled_image(images / "one.qcow2", 24), images / "two.qcow2"
    disks = [Disk(make_sleeper(images / "boot.img")), Disk(image, "vdb", form="qcow2")]
    guest = define(disks=disks, memory_mib=32, kernel=False)
    guest.start()
    at = operator("-c", guest.uri)
    at.pick(guest.name)
    at.go_to("blockcopy")
    at.sees("Copy a disk elsewhere: ")
    at.type("vdb")
    at.press("Tab")
    at.type(str(copy))
    for _ in range(5):
        at.press("Tab")
    at.sees("▸ Bandwidth")
    at.type("1")
    at.press("C-s")
    at.accept("vdb of .* is copied while the guest goes on")
    at.go_to("tasks")
    at.sees(r"running +tuivirt-test-.* Copy a disk .* +\d+%")
    at.press("C-k")
    at.answer("Abort: Copy a disk elsewhere of", "y")
    at.sees(r"aborted +tuivirt-test-")
    at.sees("vdb stays on")
    assert copy.exists()
    assert jobs_of(guest.domain) == ()
    assert chains_of(guest.domain)["vdb"].source == str(image)

    place = images / "backups"
    place.mkdir()
    place.chmod(0o777)
    at.go_to("domains")
    at.go_to("backup-begin")
    at.sees("Back up: ")
    at.type(str(place))
    at.press("C-s")
    at.accept("A full backup of .* is copied to files")
    at.go_to("tasks")
    at.sees("done +tuivirt-test-.* Back up ")
    at.sees("is backed up fully")
    assert len(list(place.glob("*.qcow2"))) == 2
