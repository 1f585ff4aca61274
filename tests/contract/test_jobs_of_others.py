"""Block jobs and backups that another connection began: found from outside, with how far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.contract.conftest import Heard, started
from tests.support.guests import Define, Disk, Guest, make_image, make_sleeper
from tests.support.libvirtd import until
from tests.support.writer import filled_image
from tuivirt.actions.happenings import about_jobs
from tuivirt.actions.lookups import block_jobs
from tuivirt.backend.backup import pull
from tuivirt.backend.block_jobs import control
from tuivirt.backend.host import Host


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def host(qemu_uri: str, heard: Heard) -> Iterator[Host]:
    one = started(qemu_uri, heard)
    yield one
    one.close()


@pytest.fixture
def theirs(qemu_uri: str) -> Iterator[libvirt.virConnect]:
    conn = libvirt.open(qemu_uri)
    yield conn
    conn.close()


@pytest.fixture
def guest(define: Define, images: Path) -> Guest:
    disks = [
        Disk(make_sleeper(images / "boot.img")),
        Disk(filled_image(images / "one.qcow2", 8), "vdb", form="qcow2"),
        Disk(make_image(images / "two.qcow2", "8M", "qcow2"), "vdc", form="qcow2"),
    ]
    one = define(disks=disks, memory_mib=32, kernel=False)
    one.start()
    return one


def test_a_copy_and_a_backup_of_others_are_seen_and_their_ends_are_events(
    host: Host, heard: Heard, guest: Guest, theirs: libvirt.virConnect, images: Path
) -> None:
    until(lambda: host.snapshot.domains[guest.uuid].active, "it is known to run")
    mine = frozenset({guest.uuid})
    assert block_jobs(host, mine) == ()
    domain = theirs.lookupByUUIDString(guest.uuid)
    xml = f"<disk type='file'><source file='{images}/copy'/><driver type='qcow2'/></disk>"
    params = {libvirt.VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: 1 << 20}
    domain.blockCopy("vdb", xml, params, libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
    (copy,) = block_jobs(host, mine)
    assert (copy.name, copy.job.target, copy.job.kind) == (guest.name, "vdb", "copy")
    assert copy.job.other == f"{images}/copy"
    assert copy in [each for each in block_jobs(host) if each.ref == copy.ref] or block_jobs(host)
    heard.forget()
    assert "is ended" in control.abort(host, guest.uuid, "vdb")
    event = heard.of_family("block-job-2")
    assert about_jobs(event) == copy.ref
    assert block_jobs(host, mine) == ()

    scratch, socket = images / "scratch", images / "nbd"
    images.chmod(0o777)
    backup = (
        "<domainbackup mode='pull'><server transport='unix' "
        f"socket='{socket}'/><disks><disk name='vdb' backup='no'/><disk name='vda' backup='no'/>"
        f"<disk name='vdc' backup='yes' type='file'><scratch file='{scratch}'/></disk></disks>"
        "</domainbackup>"
    )
    domain.backupBegin(backup, None, 0)
    (job,) = block_jobs(host, mine)
    assert (job.job.target, job.job.kind) == ("vdc", "backup")
    assert "vdc: backup" in control.report(host, guest.uuid)
    pull.end(host, guest.uuid)
    assert block_jobs(host, mine) == ()


def test_a_guest_that_stops_meanwhile_has_no_jobs(host: Host, guest: Guest) -> None:
    until(lambda: host.snapshot.domains[guest.uuid].active, "it is known to run")
    known = host.snapshot.domains
    guest.destroy()
    assert known[guest.uuid].active
    assert block_jobs(host, frozenset({guest.uuid})) == ()
