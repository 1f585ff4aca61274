"""A console outlives what happens to its guest, and says what it waits for."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.cli import ROOT
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


def test_output_without_end_is_ended_by_a_key(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    talk.type("seq 1 999999999\n")
    talk.expect(r"\n2000\r\n")
    talk.type("\x03")
    talk.expect(re.escape(full.prompt))
    assert "calm" in talk.run("echo calm")


def test_a_guest_is_told_the_size_of_its_terminal(full: Place) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    talk.run("stty rows 30 cols 100")
    assert "30 100" in talk.run("stty size")
    talk.run("stty rows 24 cols 80")


def test_a_full_screen_program_runs_on_while_nobody_looks_and_gives_the_screen_back(
    full: Place,
) -> None:
    talk = full.talk().open()
    talk.wait_for_shell()
    talk.type("top\n")
    talk.expect(r" PID ")
    talk.close()
    again = full.talk().open()
    again.wait_for(ConsoleState.OPEN)
    again.type(" ")  # Busybox's draws at any key; else after five seconds.
    again.expect(r" PID ")
    again.type("q")
    again.expect(re.escape(full.prompt))
    assert "back" in again.run("echo back")


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


# On the command line: the program itself, on a terminal of its own or as a pipe.

LEAVES = b"; ctrl+] leaves]"


def command(uri: str, *words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "tuivirt", "-c", uri, "console", *words]


@contextmanager
def terminal(argv: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """The program on a terminal of its own: the process, the near and the far end."""
    near, far = pty.openpty()
    process = subprocess.Popen(argv, cwd=ROOT, stdin=far, stdout=far, stderr=far)
    try:
        yield process, near, far
    finally:
        process.kill()
        process.wait()
        os.close(near)
        os.close(far)


@contextmanager
def pipe(argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The program as a script has it: its input and output are pipes."""
    ends = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdin=ends, stdout=ends, stderr=ends) as process:
        try:
            yield process
        finally:
            process.kill()


def piped(argv: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, cwd=ROOT, input=given, capture_output=True, timeout=60)


def read_until(near: int, wanted: bytes) -> bytes:
    said = b""
    while wanted not in said:
        data = os.read(near, 4096)
        assert data, said
        said += data
    return said


def test_a_terminal_is_raw_for_the_guest_and_restored_when_left(qemu: Place, qemu_uri: str) -> None:
    with terminal(command(qemu_uri, qemu.name)) as (process, near, far):
        before = termios.tcgetattr(far)
        read_until(near, b"connected to " + qemu.name.encode() + b" serial0" + LEAVES)
        os.write(near, b"echo $((6*7))\r")
        read_until(near, b"42\r\n" + PROMPT.encode())
        assert termios.tcgetattr(far) != before
        os.write(near, b"\x1d")
        read_until(near, b"left the console")
        assert process.wait(20) == 0
        assert termios.tcgetattr(far) == before


@pytest.mark.parametrize(("end", "status"), [("TERM", -15), ("HUP", -1), ("INT", 130)])
def test_a_terminal_is_restored_when_the_program_is_told_to_end(
    qemu: Place, qemu_uri: str, end: str, status: int
) -> None:
    with terminal(command(qemu_uri, qemu.name)) as (process, near, far):
        before = termios.tcgetattr(far)
        read_until(near, LEAVES)
        process.send_signal(getattr(signal, f"SIG{end}"))
        assert process.wait(20) == status
        assert termios.tcgetattr(far) == before


BROKEN = """
import sys
from tuivirt import cli
from tuivirt.backend.consolepump import Pump

def broken(pump):
    raise RuntimeError("something nobody thought of")

Pump._draw = broken
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_terminal_is_restored_after_a_defect(qemu: Place, qemu_uri: str) -> None:
    argv = [sys.executable, "-c", BROKEN, *command(qemu_uri, qemu.name)[4:]]
    with terminal(argv) as (process, near, far):
        before = termios.tcgetattr(far)
        read_until(near, LEAVES)
        os.write(near, b"\r")
        read_until(near, b"something nobody thought of")
        assert process.wait(20) == 1
        assert termios.tcgetattr(far) == before


ALL_BYTES = bytes(range(256))
ECHO = "stty raw -echo; echo re''ady; head -c {0} >/tmp/b; cat /tmp/b; stty sane; echo d''one\n"
"""The guest sends so many bytes back as they came; what it says shows in no echo."""


def test_a_terminal_changes_no_byte_either_way(qemu: Place, qemu_uri: str) -> None:
    with terminal(command(qemu_uri, qemu.name, "--escape", "^A")) as (process, near, _far):
        read_until(near, b"; ctrl+a leaves]")
        sent = ALL_BYTES.replace(b"\1", b"")
        os.write(near, ECHO.format(len(sent)).encode())
        read_until(near, b"ready\n")
        os.write(near, sent)
        assert sent in read_until(near, b"done\r\n")
        os.write(near, b"\1")
        assert process.wait(20) == 0


def test_a_pipe_changes_no_byte_either_way_and_has_no_key(qemu: Place, qemu_uri: str) -> None:
    with pipe(command(qemu_uri, qemu.name)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(ECHO.format(len(ALL_BYTES)).encode())
        process.stdin.flush()
        said = read_until(process.stdout.fileno(), b"ready\n")
        process.stdin.write(ALL_BYTES)
        process.stdin.flush()
        said += read_until(process.stdout.fileno(), b"done\r\n")
        assert ALL_BYTES in said


def test_a_pipe_is_sent_to_the_guest_and_its_answer_printed(qemu: Place, qemu_uri: str) -> None:
    done = piped(command(qemu_uri, qemu.name), b"\necho $((6*7))\n")
    assert done.returncode == 0, done.stderr
    assert b"\r\n42\r\n" in done.stdout
    assert done.stderr == b""


def test_a_pipe_loses_nothing_of_a_long_input(qemu: Place, qemu_uri: str) -> None:
    lines = b"".join(b"line %05d of a long input\n" % number for number in range(1500))
    with pipe(command(qemu_uri, qemu.name)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"stty -echo; echo re''ady; cat >/tmp/long; md5sum </tmp/long\n")
        process.stdin.flush()
        read_until(process.stdout.fileno(), b"ready\r\n")
        said, _ = process.communicate(lines + b"\4", timeout=60)
    assert hashlib.md5(lines).hexdigest().encode() in said


def test_a_pipe_ends_when_its_reader_leaves(qemu: Place, qemu_uri: str) -> None:
    with pipe(command(qemu_uri, qemu.name)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"echo re''ady\n")
        process.stdin.flush()
        read_until(process.stdout.fileno(), b"ready")
        process.stdout.close()
        assert process.wait(20) == -signal.SIGPIPE


def test_a_pipe_that_cannot_be_written_says_why(qemu: Place, qemu_uri: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(qemu_uri, qemu.name),
            cwd=ROOT,
            input=b"\n",
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 1
    assert b"cannot write to standard output: No space left on device" in done.stderr


def test_what_is_printed_is_kept_in_a_file_as_harmless_text(
    qemu: Place, qemu_uri: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    done = piped(
        command(qemu_uri, qemu.name, "--log", str(log)), b"printf '\\033[31mre''d\\033[m\\n'\n"
    )
    assert b"\x1b[31mred\x1b[m\r\n" in done.stdout
    texts = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    assert "red" in texts
    assert texts[0] == f"-- begins: local/{qemu.name}/serial0 --"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_opened(
    qemu: Place, qemu_uri: str, tmp_path: Path
) -> None:
    done = piped(command(qemu_uri, qemu.name, "--log", str(tmp_path)))
    assert done.returncode == 1
    assert b"Name another file (--log)" in done.stderr


def test_a_console_that_a_guest_does_not_have_is_told_with_those_that_it_has(
    qemu: Place, qemu_uri: str
) -> None:
    done = piped(command(qemu_uri, qemu.name, "--devname", "serial7"))
    assert done.returncode == 1
    assert b"has no console 'serial7': it has serial0, serial1" in done.stderr


def test_a_guest_without_a_console_is_told_with_what_to_add(
    qemu_uri: str, define: Callable[..., Guest]
) -> None:
    guest = define(serial=False, kernel=False, memory_mib=32)
    guest.start()
    argv = command(qemu_uri, guest.name)
    done = piped(argv)
    assert done.returncode == 1
    assert f"attach-serial {guest.name} --config".encode() in done.stderr
    assert b"console=ttyS0" in done.stderr
    words = ["-c", qemu_uri, "attach-serial", guest.name, "--config"]
    assert piped([*argv[:4], *words]).returncode == 0
    assert b"has serial0 from its next start on" in piped(argv).stderr


def test_a_key_that_is_none_is_bad_usage(qemu: Place, qemu_uri: str) -> None:
    done = piped(command(qemu_uri, qemu.name, "--escape", "escape"))
    assert done.returncode == 2
    assert b"no key 'escape' can leave a console" in done.stderr


def test_a_terminal_waits_for_a_guest_that_is_off_until_it_is_left_but_a_pipe_does_not(
    qemu_uri: str, images: Path
) -> None:
    with idle_guest_at(qemu_uri, images, start=False) as guest:
        argv = command(qemu_uri, guest.name, "--linger", "600")
        done = piped(argv)
        assert done.returncode == 1
        assert b"is off\n  Start it first" in done.stderr
        with terminal(argv) as (process, near, _far):
            read_until(near, b"the guest is off, waiting for it" + LEAVES)
            guest.start()
            read_until(near, b" serial0" + LEAVES)
            os.write(near, b"\x1d")
            read_until(near, b"left the console")
            assert process.wait(20) == 0


def test_a_console_held_by_another_is_refused_with_the_way_to_take_it(
    qemu: Place, qemu_uri: str
) -> None:
    holder = qemu.talk().open()
    holder.wait_for(ConsoleState.OPEN)
    argv = command(qemu_uri, qemu.name)
    done = piped(argv)
    assert done.returncode == 1
    assert b"cannot open the console" in done.stderr
    assert b"(--force)" in done.stderr
    assert b"42" in piped([*argv, "--force"], b"\necho $((6*7))\n").stdout


def test_who_loses_a_console_to_another_is_told(qemu: Place, qemu_uri: str) -> None:
    with terminal(command(qemu_uri, qemu.name)) as (process, near, far):
        before = termios.tcgetattr(far)
        read_until(near, LEAVES)
        qemu.talk(force=True).open().wait_for(ConsoleState.OPEN)
        read_until(near, b"somebody else took it over")
        assert process.wait(20) == 1
        assert termios.tcgetattr(far) == before


def test_a_lost_host_is_waited_for_and_a_terminal_can_be_left_meanwhile(
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
        with terminal(command(private_libvirtd.uri, guest.name)) as (process, near, far):
            before = termios.tcgetattr(far)
            read_until(near, LEAVES)
            private_libvirtd.kill()
            read_until(near, b"the host is not connected, waiting for it" + LEAVES)
            os.write(near, b"\x1d")
            assert process.wait(20) == 0
            assert termios.tcgetattr(far) == before
    finally:
        guest.conn.close()
        host.close()
