"""What verbs tell of real guests: before, meanwhile, and of what they cannot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import ROOT, tuivirt
from tests.contract.test_snapshots import create, forget_all
from tests.support.guests import Define, Disk, Guest, make_image, make_sleeper
from tests.support.writer import overlay
from tuivirt.backend.backup import checkpoints, pull
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.snapshots import listing, make
from tuivirt.backend.snapshots.read import snapshots_of


@pytest.fixture
def guest(define: Define, images: Path) -> Iterator[Guest]:
    """A running guest without a system; its second disk holds snapshots and bitmaps."""
    disks = [
        Disk(make_sleeper(images / "boot.img")),
        Disk(make_image(images / "one.qcow2", "8M", "qcow2"), "vdb", form="qcow2"),
    ]
    one = define(disks=disks, memory_mib=32, kernel=False)
    one.start()
    yield one
    forget_all(one)


def test_a_dry_run_ends_as_the_verb_would(guest: Guest, images: Path, qemu_uri: str) -> None:
    file = images / "saved"
    file.write_text("mine")
    for verb in ("save", "dump"):
        ran = tuivirt("-c", qemu_uri, verb, guest.name, str(file), "--dry-run")
        assert ran.status == 1, ran.out
        assert "already, and what it holds would be lost" in ran.err
        assert "--force" in ran.err
        forced = tuivirt("-c", qemu_uri, verb, guest.name, str(file), "--dry-run", "--force")
        assert forced.status == 0, forced.err
    assert file.read_text() == "mine"
    tuivirt("-c", qemu_uri, "save", guest.name, str(images / "true"))
    guest.start()
    ran = tuivirt("-c", qemu_uri, "restore", str(images / "true"), "--dry-run")
    assert ran.status == 1
    assert "runs already" in ran.err


def test_what_is_pulled_is_offered_at_an_address_that_is_said_at_once(
    host: Host, guest: Guest, qemu_uri: str
) -> None:
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, "backup-begin", guest.name, "--pull"]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        line = program.stdout.readline()
        assert re.search(r"nbd\+unix:///vdb\?socket=/\S+/nbd", line), line
        assert line.startswith(f"{guest.name} is offered as it is now: ")
        pull.end(host, guest.uuid)
        assert program.wait(30) == 0
        assert "are offered no more" in program.stdout.read()


def test_an_error_has_its_code_once_and_names_the_verb_that_tells_of_the_job(
    host: Host, guest: Guest, images: Path
) -> None:
    xml = f"<disk type='file'><source file='{images}/copy'/><driver type='qcow2'/></disk>"
    guest.domain.blockCopy("vdb", xml, {}, libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
    with pytest.raises(TuivirtError) as caught:
        create(host, guest, name_="a", kind="external")
    assert str(caught.value).count("(libvirt error") == 1
    assert f"tuivirt blockjob {guest.name}" in caught.value.advice


def test_the_name_that_a_plan_shows_is_the_name_that_it_gets(host: Host, guest: Guest) -> None:
    values: dict[str, Any] = {"leave_out": "vda"}
    plan = checkpoints.plan_create(host, guest.uuid, values)
    ((option, name),) = plan.settled
    assert name in plan.steps[0]
    checkpoints.create(host, guest.uuid, {**values, option: name})
    assert [each.name for each in checkpoints.checkpoints_of(host, guest.uuid)] == [name]
    checkpoints.delete(host, guest.uuid, name)
    values["kind"] = "external"
    plan = make.plan_for(host, guest.uuid, values)
    ((option, name),) = plan.settled
    assert name in plan.steps[0]
    make.create(host, guest.uuid, {**values, option: name})
    assert [each.name for each in snapshots_of(host, guest.uuid)] == [name]


def test_an_image_that_was_written_to_below_another_is_not_called_whole(
    host: Host, guest: Guest, images: Path
) -> None:
    guest.destroy()
    base = images / "one.qcow2"
    upper = overlay(images / "one.upper", base)
    xml = guest.domain.XMLDesc().replace(str(base), str(upper))
    guest.conn.defineXML(xml)
    said = listing.as_text(host, guest.uuid)
    assert f"as long as nobody writes to {base}" in said
    assert "is damaged" not in said
    os.utime(upper, (1, base.stat().st_mtime - 60))
    said = listing.as_text(host, guest.uuid)
    assert f"{base} was written to after {upper}" in said
    assert "nothing is lost" not in said


def test_a_kept_image_that_the_domain_itself_writes_to_is_told(
    host: Host, guest: Guest, images: Path
) -> None:
    create(host, guest, name_="a", kind="external", leave_out="vda")
    guest.destroy()
    xml = guest.domain.XMLDesc().replace(str(images / "one.a"), str(images / "one.qcow2"))
    guest.conn.defineXML(xml)
    said = listing.as_text(host, guest.uuid)
    assert f"! a: vdb is written to {images}/one.qcow2, which it kept" in said
