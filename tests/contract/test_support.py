"""The ground that the other tests stand on: real guests, a daemon to ill-treat, a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.support import guests, initramfs
from tests.support.guests import Disk, Guest
from tests.support.libvirtd import PrivateLibvirtd, answers
from tests.support.serial import SerialTimeout
from tests.support.tmux import ROOT, ScreenTimeout, Terminal
from tuivirt.backend import eventloop

pytestmark = pytest.mark.qemu


def test_a_guest_boots_to_a_shell_that_runs_commands(shared_guest: Guest) -> None:
    serial = shared_guest.serials[0]
    assert serial.run("uname -r") == initramfs.build().release + "\n"
    assert serial.run("seq 1 3; printf x") == "1\n2\n3\nx"


def test_a_command_that_fails_in_the_guest_fails_the_test(shared_guest: Guest) -> None:
    with pytest.raises(AssertionError, match="ended with 1"):
        shared_guest.serials[0].run("false")


def test_waiting_for_words_that_never_come_says_what_came(shared_guest: Guest) -> None:
    serial = shared_guest.serials[0]
    serial.send("echo some words\n")
    with pytest.raises(SerialTimeout, match="some words"):
        serial.expect("other words", timeout=0.5)


def test_the_first_console_is_free_for_the_test(shared_guest: Guest) -> None:
    with shared_guest.serial() as console:
        console.send("\n")
        console.expect(initramfs.PROMPT)
        assert console.run("tty") == "/dev/ttyS0\n"


def test_a_disk_plugged_in_is_seen_by_the_guest_and_let_go(
    shared_guest: Guest, images: Path
) -> None:
    serial = shared_guest.serials[0]
    disk = Disk(guests.make_image(images / "plugged.img", "8M"), "vdb")
    eventloop.start()
    removed = threading.Event()
    watch = shared_guest.conn.domainEventRegisterAny(
        shared_guest.domain,
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
        lambda _conn, _domain, _alias, _opaque: removed.set(),
        None,
    )
    shared_guest.domain.attachDeviceFlags(disk.xml(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    serial.run("until grep -q 8192 /proc/partitions; do :; done")
    shared_guest.domain.detachDeviceFlags(disk.xml(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert removed.wait(20)
    shared_guest.conn.domainEventDeregisterAny(watch)
    assert "8192" not in serial.run("cat /proc/partitions")


def test_the_balloon_tells_what_the_guest_uses(shared_guest: Guest) -> None:
    shared_guest.domain.setMemoryStatsPeriod(1, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    shared_guest.serials[0].run("sleep 2")
    assert 0 < shared_guest.domain.memoryStats()["unused"] < 192 * 1024


@pytest.mark.parametrize("deaf", [False, True])
def test_the_power_button_ends_a_guest_unless_it_is_deaf(
    define: Callable[..., Guest], deaf: bool
) -> None:
    guest = define(cmdline="deaf" if deaf else "")
    serial = guest.boot()
    eventloop.start()
    stopped = threading.Event()

    def happened(_conn: Any, _domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            stopped.set()

    guest.conn.domainEventRegisterAny(
        guest.domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, happened, None
    )
    guest.domain.shutdown()
    if deaf:
        assert serial.run("sleep 2; echo still here") == "still here\n"
    else:
        assert stopped.wait(20)


def test_a_guest_without_a_system_runs_and_keeps_its_disk(idle_guest: Guest, images: Path) -> None:
    disk = Disk(guests.make_image(images / "kept.img", "8M"), "vdb")
    idle_guest.domain.attachDeviceFlags(disk.xml(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    idle_guest.domain.detachDeviceFlags(disk.xml(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert idle_guest.active
    assert "kept.img" in idle_guest.domain.XMLDesc()


def test_a_farm_runs_and_leaves_nothing(qemu_uri: str) -> None:
    with guests.farm(2, qemu_uri) as names:
        conn = libvirt.open(qemu_uri)
        assert all(conn.lookupByName(name).isActive() for name in names)
    assert not {domain.name() for domain in conn.listAllDomains()} & set(names)
    conn.close()


def test_a_guest_outlives_its_private_daemon(private_libvirtd: PrivateLibvirtd) -> None:
    daemon = private_libvirtd
    guest = Guest.define(daemon.uri, guests.domain_xml("outliver"))
    guest.boot().run("true")
    daemon.kill()
    assert answers(daemon.uri)
    daemon.start()
    conn = libvirt.open(daemon.uri)
    assert conn.lookupByName("outliver").isActive()
    conn.close()
    daemon.restart()
    assert not answers(daemon.uri)


def test_a_stopped_private_daemon_does_not_answer_until_it_goes_on(
    private_libvirtd: PrivateLibvirtd,
) -> None:
    daemon = private_libvirtd
    conn = libvirt.open(daemon.uri)
    daemon.sigstop()
    answered = threading.Event()

    def ask() -> None:
        conn.getHostname()
        answered.set()

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    assert not answered.wait(0.5)
    daemon.sigcont()
    assert answered.wait(10)
    asker.join()
    conn.close()


def test_a_private_daemon_leaves_no_process_and_no_file(qemu_uri: str) -> None:
    with PrivateLibvirtd("gone") as daemon:
        pid = daemon.pid
        assert pid is not None
        os.kill(pid, 0)
    assert not daemon.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_program_in_a_terminal_is_typed_to_and_read() -> None:
    script = "import sys\nprint('name?', flush=True)\nprint('hello', input())\nsys.exit(3)"
    with Terminal(40, 6, ["python3", "-c", script]) as terminal:
        terminal.wait_for(r"^name\?$")
        terminal.type("web-01")
        terminal.keys("Enter")
        assert terminal.wait_for("hello (.*)")[1] == "web-01"
        assert terminal.wait_exit() == 3
        assert b"name?" in terminal.raw
        with pytest.raises(ScreenTimeout, match="hello web-01"):
            terminal.wait_for("nothing of the kind", timeout=0.1)


CUT = """
import sys, libvirt
from tests.support.watchdog import Watchdog
conn = libvirt.open(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
watchdog = Watchdog(longest_s=1.0)
try:
    conn.getHostname()
except libvirt.libvirtError:
    print("cut", watchdog.bites, flush=True)
"""


def test_a_call_that_hangs_is_cut(private_libvirtd: PrivateLibvirtd) -> None:
    # A process of its own: all of its connections are cut, and the guests here have some.
    with subprocess.Popen(
        [sys.executable, "-c", CUT, private_libvirtd.uri],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        private_libvirtd.sigstop()
        try:
            told, _ = process.communicate("go\n", timeout=60)
        finally:
            private_libvirtd.sigcont()
    assert told.startswith("cut ")
