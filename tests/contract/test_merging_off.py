"""A domain that is off, started paused for its hypervisor's work: whose it is in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.conftest import Heard, started
from tests.contract.test_snapshots import create, forget_all
from tests.support.guests import Define, Disk, Guest, make_image, make_sleeper
from tuivirt.backend.block_jobs import commit, control
from tuivirt.backend.block_jobs.journal import note
from tuivirt.backend.block_jobs.left import AWAKE
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.model.block_job import Begun
from tuivirt.backend.snapshots import listing, remove


@pytest.fixture
def off(host: Host, define: Define, images: Path) -> Iterator[Guest]:
    """A domain with an external snapshot, off."""
    disks = [
        Disk(make_sleeper(images / "boot.img")),
        Disk(make_image(images / "one.qcow2", "8M", "qcow2"), "vdb", form="qcow2"),
    ]
    guest = define(disks=disks, memory_mib=32, kernel=False)
    create(host, guest, name_="a", kind="external", leave_out="vda")
    yield guest
    forget_all(guest)


@pytest.mark.parametrize("fails", [False, True])
def test_one_that_somebody_resumes_meanwhile_is_left_to_them(
    host: Host, off: Guest, qemu_uri: str, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    real = commit.merge

    def resumed(host: Host, domain: Any, run: Any, *args: Any, **options: Any) -> bool:
        theirs = libvirt.open(qemu_uri)
        theirs.lookupByUUIDString(off.uuid).resume()
        theirs.close()
        if fails:
            raise TuivirtError("the merging", "its storage is away")
        return bool(real(host, domain, run, *args, **options))

    monkeypatch.setattr(commit, "merge", resumed)
    told = f"{off.name} was resumed by somebody else meanwhile, and is left running"
    ours = started(qemu_uri, Heard())
    try:
        if fails:
            with pytest.raises(TuivirtError) as caught:
                remove.delete(ours, off.uuid, "a")
            assert told in caught.value.done
        else:
            assert remove.delete(ours, off.uuid, "a").endswith(f"; {told}")
    finally:
        ours.close()
    # Not even the end of the connection that started it ends it.
    assert off.domain.state(0)[0] == libvirt.VIR_DOMAIN_RUNNING
    assert control.report(host, off.uuid) == f"no block job runs on {off.name}"


def test_one_that_stays_paused_as_tuivirt_was_killed_is_told_of(host: Host, off: Guest) -> None:
    note(host, off.domain, Begun("", AWAKE, "another-machine:1"))
    assert "was started, paused" not in listing.as_text(host, off.uuid)
    off.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    for said in (control.report(host, off.uuid), listing.as_text(host, off.uuid)):
        assert f"{off.name} was started, paused, for its snapshots to be merged" in said
    assert remove.delete(host, off.uuid, "a").endswith("this is deleted: a")
    off.domain.resume()
    assert control.report(host, off.uuid) == f"no block job runs on {off.name}"
