"""A guest whose real agent holds its file systems still while a snapshot is taken."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.test_snapshots import create, forget_all, one
from tests.support import agent
from tests.support.guests import Define, Disk, Guest
from tests.support.libvirtd import until
from tests.support.serial import Serial
from tuivirt.backend.block_jobs.read import chains_of
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.host import Host
from tuivirt.backend.snapshots.offered import facts_of, refused
from tuivirt.backend.snapshots.read import snapshots_of


@pytest.fixture
def guest(define: Define, images: Path) -> Iterator[Guest]:
    disks = [Disk(agent.agent_disk(images / "data.img"))]
    made = define(disks=disks, boots=agent.boots(), extra_devices=agent.CHANNEL)
    yield made
    forget_all(made)


def when_connected(host: Host, guest: Guest, *, is_it: bool) -> None:
    """libvirt tells of the agent a moment after it began, or ended."""
    until(lambda: bool(facts_of(host, guest.uuid).no_agent) is not is_it, "the agent's channel", 60)


def asked(shell: Serial) -> list[str]:
    return shell.run(f"cat {agent.HOOKED}").split()


def test_what_was_not_written_yet_is_in_the_image_that_a_quiesced_snapshot_keeps(
    host: Host, guest: Guest
) -> None:
    shell = guest.boot()
    with pytest.raises(BadInput, match="its guest agent is not connected"):
        create(host, guest, name_="early", quiesce=True)
    agent.start(shell)
    when_connected(host, guest, is_it=True)
    assert ("quiesce", "yes") not in refused(facts_of(host, guest.uuid), {})
    # Nobody writes it out for half a minute by himself.
    shell.run("echo 100000 >/proc/sys/vm/dirty_writeback_centisecs; echo held still >/data/note")
    said = create(host, guest, name_="still", quiesce=True)
    assert said == f"{guest.name} has the snapshot still: external, of vda"
    assert asked(shell) == ["freeze", "thaw"]
    (disk,) = one(host, guest, "still").disks
    argv = ["debugfs", "-R", "cat /note", disk.kept]
    kept = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert kept == "held still\n"
    # The guest goes on writing, to the new image.
    assert "goes on" in shell.run("echo goes on >/data/more && sync && cat /data/more")
    assert chains_of(guest.domain)["vda"].source == disk.overlay


def test_an_agent_that_does_not_answer_is_told_and_nothing_is_changed(
    host: Host, guest: Guest
) -> None:
    shell = guest.boot()
    agent.start(shell)
    when_connected(host, guest, is_it=True)
    shell.run(f"kill -STOP $(cat {agent.PID})")
    with pytest.raises(TuivirtError, match="agent") as caught:
        create(host, guest, name_="a", quiesce=True)
    assert "is qemu-guest-agent running in the guest?" in caught.value.advice
    assert "nothing was changed" in str(caught.value) + caught.value.done
    assert snapshots_of(host, guest.uuid) == ()
    assert chains_of(guest.domain)["vda"].source.endswith("data.img")
    assert "writes" in shell.run("echo writes >/data/more && sync && cat /data/more")
    # Once it is gone libvirt knows, and it is refused before anything is asked.
    shell.run(f"kill -KILL $(cat {agent.PID})")
    when_connected(host, guest, is_it=False)
    with pytest.raises(BadInput, match="its guest agent is not connected"):
        create(host, guest, name_="a", quiesce=True)
