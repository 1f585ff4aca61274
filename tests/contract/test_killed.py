"""Block jobs of running guests that are cut off: tuivirt, libvirtd or QEMU is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.contract.cli import ROOT
from tests.contract.conftest import Heard, started
from tests.contract.test_block_jobs import SLOW, Behind, begun, source, stack
from tests.contract.test_connection import qemu_pid
from tests.support.guests import Define, Disk, Guest, domain_xml, unique_name
from tests.support.libvirtd import PrivateLibvirtd, until
from tests.support.serial import Serial
from tests.support.writer import Writer, filled_image, first_of, is_whole
from tuivirt.backend.block_jobs import commit, control, copy
from tuivirt.backend.block_jobs.read import jobs_of
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.host import Host


def killed(qemu_uri: str, guest: Guest, *words: str) -> None:
    """The program begins a job of vda, and is killed in the middle."""
    argv = [sys.executable, "-m", "tuivirt", "-c", qemu_uri, words[0], guest.name, "vda"]
    argv += [*words[1:], "--pivot", "--bandwidth", "1"]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as program:
        until(lambda: begun(guest), f"the {words[0]} begins")
        program.kill()


def gone_over(host: Host, guest: Guest) -> str:
    """Let a job that was found come to its end."""
    control.set_bandwidth(host, guest.uuid, "vda", 100)
    until(lambda: jobs_of(guest.domain)[0].ready, "both are equal")
    said = control.pivot(host, guest.uuid)
    assert control.report(host, guest.uuid) == f"no block job runs on {guest.name}"
    return said


def test_tuivirt_killed_leaves_jobs_that_it_finds_again(
    host: Host, define: Define, qemu_uri: str, images: Path
) -> None:
    guest = define(disks=[Disk(filled_image(images / "one.qcow2"), form="qcow2")])
    shell, new, top = guest.boot(), images / "two.qcow2", images / "two.top"
    writer = Writer(shell)
    killed(qemu_uri, guest, "blockcopy", "--dest", str(new))
    assert control.report(host, guest.uuid).startswith(f"vda: copy to {new}, ")
    assert gone_over(host, guest) == f"vda of {guest.name} is on {new}, now and at its next start"
    assert writer.stop() > 0

    xml = "<domainsnapshot><name>top</name></domainsnapshot>"
    only = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    guest.domain.snapshotCreateXML(xml, only | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)
    assert source(guest) == str(top)
    shell.run("dd if=/dev/urandom of=/dev/vda bs=1M seek=2 count=12 conv=fsync")
    writer = Writer(shell)
    killed(qemu_uri, guest, "blockcommit")
    assert control.report(host, guest.uuid).startswith(f"vda: active commit into {new}, ")
    assert gone_over(host, guest) == f"vda of {guest.name} is on {new}, now and at its next start"
    assert writer.stop() > 0
    guest.destroy()
    assert all(is_whole(each) for each in (images / "one.qcow2", new, top))


@pytest.fixture
def private(
    private_libvirtd: PrivateLibvirtd, images: Path
) -> Iterator[tuple[PrivateLibvirtd, Guest]]:
    """A daemon to be killed, with a guest whose disk is top on mid on base."""
    disks = [Disk(stack(images), form="qcow2")]
    with Guest.define(private_libvirtd.uri, domain_xml(unique_name(), disks=disks)) as guest:
        yield private_libvirtd, guest


@pytest.fixture
def at(private_libvirtd: PrivateLibvirtd) -> Iterator[Callable[[], Host]]:
    """Connects to that daemon, as often as it is there anew."""
    hosts: list[Host] = []

    def connect() -> Host:
        hosts.append(started(private_libvirtd.uri, Heard()))
        return hosts[-1]

    yield connect
    for each in hosts:
        each.close()


def test_libvirtd_and_then_qemu_killed_leave_whole_images_and_it_is_said_what_is_half_done(
    private: tuple[PrivateLibvirtd, Guest], at: Callable[[], Host], images: Path
) -> None:
    daemon, guest = private
    shell = guest.boot()
    kept = write_and_sync(shell)
    host = at()
    # What the overlay holds is what is committed: enough of it to be in the middle.
    shell.run("dd if=/dev/urandom of=/dev/vda bs=1M seek=2 count=12 conv=fsync")
    values: dict[str, Any] = {"path": "vda", "pivot": True, **SLOW}
    job = Behind(guest, lambda _: commit.commit(host, guest.uuid, values))
    daemon.kill()
    with pytest.raises(TuivirtError, match="vda"):
        job.end()
    daemon.start()
    guest.reconnect()
    host = at()
    base = images / "base.qcow2"
    assert control.report(host, guest.uuid).startswith(f"vda: active commit into {base}, ")

    os.kill(qemu_pid(guest.name), signal.SIGKILL)
    until(lambda: not guest.active, "the guest is off")
    assert all(is_whole(path) for path in images.glob("*.qcow2"))
    said = control.report(host, guest.uuid)
    assert f"into {base} was broken off; the guest sees the same as before" in said
    assert f"{base} holds a part" in said
    # The next program tells it when it comes to this domain.
    heard = Heard()
    next_start = Host("next", daemon.uri, publish=heard)
    next_start.start()
    notice = heard.notice(f"into {base} was broken off")
    assert notice.startswith(f"{guest.name}: a commit of ")
    assert f"tuivirt blockcommit {guest.name} vda" in notice
    next_start.close()
    guest.serials.pop().close()
    shell = guest.boot()
    assert first_of(shell) == kept
    plan = commit.plan_for(host, guest.uuid, {"path": "vda", "pivot": True})
    assert any("was broken off" in line for line in plan.lines)
    commit.commit(host, guest.uuid, {"path": "vda", "pivot": True})
    assert first_of(shell) == kept
    assert control.report(host, guest.uuid) == f"no block job runs on {guest.name}"
    guest.destroy()
    assert is_whole(base)


def write_and_sync(shell: Serial) -> str:
    shell.run("dd if=/dev/urandom of=/dev/vda bs=64k count=16 conv=fsync")
    return first_of(shell)


def test_libvirtd_killed_leaves_a_copy_to_go_over_to_and_qemu_killed_one_that_is_told_of(
    private: tuple[PrivateLibvirtd, Guest], at: Callable[[], Host], images: Path
) -> None:
    daemon, guest = private
    writer = Writer(guest.boot())
    host, two, three = at(), images / "two.qcow2", images / "three.qcow2"
    values = {"path": "vda", "dest": str(two), "pivot": True, **SLOW}
    job = Behind(guest, lambda _: copy.copy(host, guest.uuid, values))
    daemon.kill()
    with pytest.raises(TuivirtError, match="the job on vda") as cut_off:
        job.end()
    assert f"it goes on by itself; see: tuivirt blockjob {guest.name} vda" in str(
        cut_off.value.advice
    )
    daemon.start()
    guest.reconnect()
    host = at()
    assert control.report(host, guest.uuid).startswith(f"vda: copy to {two}, ")
    gone_over(host, guest)
    assert source(guest) == source(guest, saved=True) == str(two)
    guest.serials.pop().close()
    writer.shell = guest.serial()
    writer.shell.send("\n")
    writer.shell.wait_for_shell()
    assert writer.stop() > 0

    values = {**values, "dest": str(three)}
    job = Behind(guest, lambda _: copy.copy(host, guest.uuid, values))
    os.kill(qemu_pid(guest.name), signal.SIGKILL)
    with pytest.raises(TuivirtError, match="the domain has stopped meanwhile; vda stays on"):
        job.end()
    assert three.exists()
    assert all(is_whole(images / f"{name}.qcow2") for name in ("top", "mid", "base", "two"))
    said = control.report(host, guest.uuid)
    assert f"{three} is not complete" in said
    assert f"--dest {three} --reuse-external" in said
    assert control.abort(host, guest.uuid).endswith("forgotten; nothing was deleted")
    assert control.report(host, guest.uuid) == f"no block job runs on {guest.name}"
    assert three.exists()
