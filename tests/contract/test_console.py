"""A console outlives what happens to its guest, and says what it waits for."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.conftest import Heard, Place, started
from tests.contract.talk import Talk
from tests.support.guests import Guest
from tests.support.guests import idle_guest as idle_guest_at
from tests.support.initramfs import PROMPT
from tests.support.libvirtd import PrivateLibvirtd
from tuivirt.backend import lifecycle
from tuivirt.backend.console import ConsoleState, consoles
from tuivirt.backend.consolestream import QUEUE_BYTES
from tuivirt.backend.errors import NotFound, TuivirtError


def test_what_is_typed_reaches_the_guest_and_its_answer_comes_back(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    assert "hello" in talk.run("echo hello")


def test_a_lot_of_output_arrives_whole(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    assert talk.run("seq 1 2000").split() == [str(number) for number in range(1, 2001)]


def test_a_paused_console_hands_nothing_on_and_loses_nothing(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    talk.console.pause()
    talk.type("seq 1 50\n")
    watching = full.talk(force=False)
    watching.open()
    watching.wait_for(ConsoleState.HELD)  # Only now has the loop done what came before.
    heard = len(talk._said)
    talk.console.resume()
    talk.expect(r"\n50\r?\n")
    assert len(talk._said) > heard


def test_the_writer_is_told_how_much_was_taken(full: Place) -> None:
    talk = full.talk()
    assert talk.console.write(b"too early") == 0
    talk.open()
    talk.wait_for_shell()
    # Backspaces: the shell swallows them and prints nothing.
    taken = talk.console.write(b"\x08" * (3 * QUEUE_BYTES))
    # What made the shell answer may still wait in the queue.
    assert QUEUE_BYTES - 16 <= taken <= QUEUE_BYTES


def test_a_console_that_another_has_open_is_told_as_held_and_can_be_taken_over(
    full: Place,
) -> None:
    first = full.talk().open()
    first.wait_for(ConsoleState.OPEN)
    second = full.talk().open()
    status = second.wait_for(ConsoleState.HELD)
    assert "somebody else has it open" in status.text
    assert isinstance(status.error, TuivirtError)
    assert "force" in status.error.advice
    second.open(force=True)
    second.wait_for(ConsoleState.OPEN)
    first.wait_for(ConsoleState.HELD)
    second.wait_for_shell()


def test_a_closed_console_is_free_for_the_next_at_once(full: Place) -> None:
    for _ in range(8):
        talk = full.talk().open()
        talk.wait_for(ConsoleState.OPEN)
        talk.close()
    assert not any(status.state is ConsoleState.HELD for status in talk.states)


def test_a_console_waits_for_a_guest_that_is_off_and_goes_on_when_it_starts(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    full.run(lifecycle.force_off)
    talk.wait_for(ConsoleState.GUEST_OFF)
    full.run(lifecycle.start)
    talk.wait_for(ConsoleState.OPEN)
    talk.expect(re.escape(full.prompt))
    assert "back" in talk.run("echo back")


def test_a_console_survives_the_guests_reset(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    talk.run("touch /tmp/before")
    full.run(lifecycle.reset)
    talk.expect(re.escape(full.prompt))
    assert "No such file" in talk.run("ls /tmp/before")


def test_a_console_survives_the_guests_own_reboot(qemu: Place) -> None:
    talk = qemu.talk().open()
    talk.wait_for_shell()
    talk.type("reboot -f\n")
    talk.expect(r"reboot -f\r\n.*" + re.escape(qemu.prompt))
    assert "back" in talk.run("echo back")


def test_each_console_of_a_guest_is_named_and_opens_by_its_name(qemu: Place) -> None:
    assert [port.name for port in consoles(qemu.host, qemu.uuid)] == ["serial0", "serial1"]
    talk = qemu.talk("serial1").open()
    talk.wait_for_shell()
    assert "ttyS1" in talk.run("ls -l /proc/self/fd/0")


def test_a_console_that_does_not_exist_is_told_and_closed(full: Place) -> None:
    talk = full.talk("serial77").open()
    status = talk.wait_for(ConsoleState.CLOSED)
    assert isinstance(status.error, TuivirtError)
    assert "serial77" in status.error.why


def test_a_safe_console_is_opened_where_the_driver_keeps_others_out(qemu: Place) -> None:
    talk = qemu.talk(safe=True).open()
    talk.wait_for_shell()


def test_the_consoles_of_an_unknown_domain_are_not_found(anywhere: Place) -> None:
    with pytest.raises(NotFound):
        consoles(anywhere.host, "no-such")


def test_a_domain_that_was_undefined_closes_its_console(qemu: Place, idle_guest: Guest) -> None:
    idle_guest.domain.undefine()
    talk = Talk(qemu.host, idle_guest.uuid).open()
    talk.wait_for(ConsoleState.OPEN)
    lifecycle.force_off(qemu.host, idle_guest.uuid)
    assert talk.wait_for(ConsoleState.CLOSED).text == "the domain is gone"


# On a terminal: a program of its own, as the operator has it.

PROGRAM = """
import sys
from tuivirt.backend.host import Host
from tuivirt.backend.rawtty import attach

host = Host("here", sys.argv[1], publish=lambda event: None, sampling=False)
host.start()
host.wait_filled(30)
try:
    print(attach(host, sys.argv[2]))
finally:
    host.close()
"""


@contextmanager
def terminal(uri: str, uuid: str) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """The program on a terminal of its own: the process, the near and the far end."""
    near, far = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, uri, uuid], stdin=far, stdout=far, stderr=far
    )
    try:
        yield process, near, far
    finally:
        process.kill()
        process.wait()
        os.close(near)
        os.close(far)


def read_until(near: int, wanted: bytes) -> bytes:
    said = b""
    while wanted not in said:
        data = os.read(near, 4096)
        assert data, said
        said += data
    return said


def test_a_terminal_is_raw_for_the_guest_and_restored_when_left(qemu: Place, qemu_uri: str) -> None:
    with terminal(qemu_uri, qemu.uuid) as (process, near, far):
        before = termios.tcgetattr(far)
        read_until(near, b"ctrl+] leaves]")
        os.write(near, b"echo $((6*7))\r")
        read_until(near, b"42\r\n" + PROMPT.encode())
        assert termios.tcgetattr(far) != before
        os.write(near, b"\x1d")
        read_until(near, b"left the console")
        assert process.wait(20) == 0
        assert termios.tcgetattr(far) == before


@pytest.mark.parametrize("end", ["SIGTERM", "SIGHUP"])
def test_a_terminal_is_restored_when_the_program_is_told_to_end(
    qemu: Place, qemu_uri: str, end: str
) -> None:
    import signal

    number = getattr(signal, end)
    with terminal(qemu_uri, qemu.uuid) as (process, near, far):
        before = termios.tcgetattr(far)
        read_until(near, b"ctrl+] leaves]")
        process.send_signal(number)
        assert process.wait(20) == -number
        assert termios.tcgetattr(far) == before


def test_a_pipe_is_sent_to_the_guest_and_its_answer_printed(qemu: Place, qemu_uri: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, qemu_uri, qemu.uuid],
        input=b"\necho $((6*7))\n",
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert b"\r\n42\r\n" in done.stdout


def test_a_terminal_waits_for_a_guest_that_is_off_until_it_is_left(
    qemu_uri: str, images: Path
) -> None:
    with (
        idle_guest_at(qemu_uri, images, start=False) as guest,
        terminal(qemu_uri, guest.uuid) as (process, near, _far),
    ):
        read_until(near, b"the guest is off, waiting for it; ctrl+] leaves]")
        guest.start()
        read_until(near, b" serial0; ctrl+] leaves]")
        os.write(near, b"\x1d")
        read_until(near, b"left the console")
        assert process.wait(20) == 0


def test_a_console_held_by_another_is_refused_on_the_terminal(qemu: Place, qemu_uri: str) -> None:
    holder = qemu.talk().open()
    holder.wait_for(ConsoleState.OPEN)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, qemu_uri, qemu.uuid],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert b"cannot open the console" in done.stderr


def test_a_lost_host_is_waited_for_and_the_console_opened_again(
    private_libvirtd: PrivateLibvirtd, images: Path
) -> None:
    host = started(private_libvirtd.uri, Heard())
    guest = idle_guest_at(private_libvirtd.uri, images)  # It ends with its daemon.
    try:
        talk = Talk(host, guest.uuid).open()
        talk.wait_for(ConsoleState.OPEN)
        private_libvirtd.kill()
        talk.wait_for(ConsoleState.HOST_AWAY)
        private_libvirtd.restart()
        talk.wait_for(ConsoleState.OPEN)
        talk.close()
    finally:
        guest.conn.close()
        host.close()
