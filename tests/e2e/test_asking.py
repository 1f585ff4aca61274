"""Hosts by ssh in a real terminal: what is asked there, and that nothing else writes over it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.operator import Operator
from tests.support.guests import idle_guest
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.sshd import PASSWORD, Sshd

Sit = Callable[..., Operator]


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with Sshd() as server:
        yield server


def test_a_host_by_ssh_asks_within_the_screen_and_not_again_when_the_line_was_cut(
    operator: Sit, daemon: PrivateLibvirtd, sshd: Sshd, images: Path
) -> None:
    idle_guest(daemon.uri, images, "guest-far").conn.close()
    sshd.known_hosts.write_text("")
    uri = f"{sshd.uri}?socket={daemon.folder / 'run' / 'libvirt-sock'}"
    path = f"{sshd.bin}:{os.environ['PATH']}"
    at = operator("-c", uri, env={"PATH": path})
    at.sees("127.0.0.1 asks")
    at.sees(re.escape(sshd.fingerprint))
    at.answer("Are you sure", "y")
    at.fill_in("operator@127.0.0.1's password:", "not this")
    at.fill_in("That was refused.", PASSWORD)
    at.sees(r"run +guest-far")
    assert PASSWORD.encode() not in at.terminal.raw
    sshd.cut()
    at.sees("127.0.0.1: connected again")
    assert len(sshd.starts()) == 2
    other = (sshd.folder / "key.pub").read_text()
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    sshd.cut()
    at.sees("connection lost: the host key of")
    at.go_to("hosts")
    at.press("Enter")
    at.sees("somebody may be answering")
    at.press("C-q")
    assert at.terminal.wait_exit() == 0, "no question and no ssh is waited for"
