"""What breaks while something is under way: the screen is alive, and tells the truth afterwards."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.bench.proxy import CountingProxy
from tests.bench.soak import Soak
from tests.e2e.operator import Operator
from tests.support.guests import Disk, Guest, idle_guest, make_image
from tests.support.libvirtd import PrivateLibvirtd

Sit = Callable[..., Operator]


@pytest.fixture
def idle(daemon: PrivateLibvirtd, images: Path) -> Iterator[Guest]:
    """A guest that heeds nothing that it is asked for."""
    guest = idle_guest(daemon.uri, images, "idle")
    yield guest
    guest.conn.close()


def test_a_daemon_that_starts_anew_during_an_action_and_a_detach_leaves_no_untruth(
    operator: Sit, daemon: PrivateLibvirtd, idle: Guest, images: Path
) -> None:
    at = operator("-c", daemon.uri, size=(160, 50))
    disk = Disk(make_image(images / "more.img", "1M"), "vdb")
    idle.domain.attachDeviceFlags(disk.xml(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    at.pick("idle")
    at.detach_disk("vdb", wait_s=60)
    at.sees(r"↯|detaching")
    at.press("x")
    at.answer("Ask idle to shut down", "y")
    at.go_to("tasks")
    at.sees(r"running +idle +Shut down")
    at.sees(r"running +idle +Detach")
    daemon.restart()
    # What became of them nobody can know, and that is told.
    at.sees(r"failed +idle +Shut down")
    at.sees(r"failed +idle +Detach")
    at.sees("look whether it was done all the same")
    at.sees("↻ 2 s")
    at.go_to("domains")
    at.sees(r"run +↯ +idle")
    at.press("Enter")
    at.sees(r"disk vdb goes")
    at.press("Escape")
    # Events are followed on the new connection.
    idle.reconnect()
    idle.destroy()
    at.sees(r"off +idle")


def test_a_host_that_takes_connections_and_says_nothing_is_told_and_holds_nobody_up(
    operator: Sit, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        at = operator(
            "-c", f"qemu+unix:///system?socket={tmp_path / 'mute'}", "-c", "test:///default"
        )
        # The other's list is there, and its rows can be opened.
        at.sees(r"run +test ")
        at.press("Enter")
        at.sees("Overview")
        at.press("Escape")
        at.go_to("hosts")
        at.sees("it takes connections and does not answer")
        at.press("C-q")
        assert at.terminal.wait_exit(5) == 0


def test_a_line_that_breaks_again_and_again_is_found_again_each_time(
    operator: Sit, daemon: PrivateLibvirtd, idle: Guest, tmp_path: Path
) -> None:
    with CountingProxy(tmp_path / "line", daemon.folder / "run" / "libvirt-sock") as line:
        at = operator("-c", f"qemu+unix:///system?socket={tmp_path / 'line'}")
        at.sees(r"run +idle")
        for cut_in in (0, 30, 700):
            line.cut_in = cut_in
            at.sees("connection lost")
            at.sees("↻ 2 s")
        idle.domain.suspend()
        at.sees(r"paused +idle")


def test_whatever_fails_the_list_is_libvirts_own_and_keys_are_answered() -> None:
    with Soak(seed=3) as soak:
        report = soak.run(20, rounds=4)
    assert not report.defects
    assert report.samples[-1].files <= report.samples[0].files + 12
