"""What a verb asks on the terminal before it can go on, and what it does without one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.libvirtd import PrivateLibvirtd

PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def daemon() -> Iterator[PrivateLibvirtd]:
    with PrivateLibvirtd("far") as far:
        yield far


@pytest.fixture
def uri(tmp_path: Path, daemon: PrivateLibvirtd) -> str:
    """Its ssh asks for a password and, three times at most, takes one alone."""
    path = tmp_path / "ssh"
    path.write_text(
        "#!/bin/sh\n"
        "for number in 1 2 3; do\n"
        '    word=$("$SSH_ASKPASS" "bob@far\'s password: ") || exit 255\n'
        f'    [ "$word" != open ] || exec nc -U {daemon.folder}/run/libvirt-sock\n'
        "done\n"
        "echo 'bob@far: Permission denied (password).' >&2\n"
        "exit 255\n"
    )
    path.chmod(0o755)
    return f"qemu+ssh://bob@far/system?command={path}"


class Typist:
    """A verb on a terminal of its own, and what is typed there."""

    def __init__(self, *arguments: str) -> None:
        self.end, end = pty.openpty()
        argv = ["setsid", "-c", "-w", sys.executable, "-m", "tuivirt", *arguments]
        self.process = subprocess.Popen(argv, stdin=end, stdout=end, stderr=end)
        os.close(end)
        self.said = ""

    def until(self, text: str) -> None:
        """Read until that was said since the last time."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.said:
            left = max(0.0, deadline - time.monotonic())
            assert select.select([self.end], [], [], left)[0], f"never {text}: {self.said}"
            self.said += os.read(self.end, 4096).decode()
        self.said = self.said.partition(text)[2]

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.end)[3] & termios.ECHO)

    def ended(self) -> int:
        """All that is still said goes to ``said``."""
        while True:
            try:
                part = os.read(self.end, 4096)
            except OSError:
                break  # It has ended.
            if not part:
                break
            self.said += part.decode()
        return self.process.wait(PATIENCE_S)


def test_a_password_is_asked_for_and_not_shown(uri: str) -> None:
    one = Typist("-c", uri, "list", "domains", "-o", "json")
    one.until("far: bob@far's password: ")
    assert not one.echoes
    one.type("not this\n")
    one.until("that was refused")
    one.until("password: ")
    one.type("open\n")
    assert one.ended() == 0
    assert one.said.strip() == "[]"
    assert "open" not in one.said


def test_the_end_of_the_input_is_no_answer(uri: str) -> None:
    one = Typist("-c", uri, "list", "domains")
    one.until("password: ")
    one.type("\x04")
    assert one.ended() == 1
    assert "you did not answer" in one.said


def test_leaving_in_the_middle_gives_the_terminal_back(uri: str) -> None:
    one = Typist("-c", uri, "list", "domains")
    one.until("password: ")
    one.type("\x03")
    one.process.wait(PATIENCE_S)
    assert one.echoes


def test_without_a_terminal_a_question_is_a_failure_at_once_and_other_hosts_are_listed(
    uri: str, daemon: PrivateLibvirtd
) -> None:
    argv = [sys.executable, "-m", "tuivirt", "-c", uri, "-c", daemon.uri, "list", "hosts"]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 1
    assert "nobody can be asked here, as standard input is no terminal" in done.stderr
    assert "(bob@far's password)" in done.stderr
    assert "connected" in done.stdout
