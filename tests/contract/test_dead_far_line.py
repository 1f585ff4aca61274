"""A line to a host elsewhere that dies without a word: by TCP, by TLS and by ssh."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.test_connection import Watched, connected
from tests.contract.test_tls_and_sasl import free_port
from tests.support.asked import Asked
from tests.support.certificates import Authority, pki
from tests.support.guests import idle_guest
from tests.support.libvirtd import PrivateLibvirtd, until
from tests.support.sshd import PASSWORD, Sshd
from tests.support.tcp_line import TcpLine
from tuivirt.backend import hung, keeper, sampler
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.host import Link
from tuivirt.backend.ssh import door

INTERVAL_S, STUCK_S, SILENT_S = 0.5, 2.0, 3.0
"""A tick; from when on a call, and then the host, is held to be stuck; when it is given up."""
TRY_S = 3.0
LATE_S = 3.0
"""For so long a busy machine may take to tell it."""
WAYS = ("tcp", "tls", "ssh")

_SETTINGS = """
listen_tls = 1
listen_tcp = 1
listen_addr = "127.0.0.1"
tls_port = "{tls}"
tcp_port = "{tcp}"
auth_tcp = "none"
key_file = "{key}"
cert_file = "{certificate}"
ca_file = "{ca}"
"""


@dataclass
class Far:
    """A daemon that three ways lead to."""

    daemon: PrivateLibvirtd
    sshd: Sshd
    ports: dict[str, int]
    pki: Path

    def uri(self, way: str, line: TcpLine) -> str:
        """By that way, along that line."""
        if way == "ssh":
            key = (self.sshd.folder / "host_key.pub").read_text()
            self.sshd.known_hosts.write_text(f"[127.0.0.1]:{line.port} {key}")
            socket = self.daemon.folder / "run" / "libvirt-sock"
            return f"qemu+ssh://127.0.0.1:{line.port}/system?socket={socket}"
        return f"qemu+{way}://localhost:{line.port}/system?pkipath={self.pki}"


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    folder = tmp_path_factory.mktemp("far")
    ca = Authority(folder / "ca", "their authority")
    certificate = ca.sign("far", names="DNS:localhost")
    mine = pki(folder / "pki", ca=ca.pem, client=ca.sign("me", usage="clientAuth"))
    tls, tcp = free_port(), free_port()
    settings = _SETTINGS.format(
        tls=tls, tcp=tcp, key=certificate.with_suffix(".key"), certificate=certificate, ca=ca.pem
    )
    path = os.environ["PATH"]
    with PrivateLibvirtd("far", settings=settings, listen=True) as daemon, Sshd() as sshd:
        os.environ["PATH"] = f"{sshd.bin}:{path}"
        try:
            yield Far(daemon, sshd, {"tls": tls, "tcp": tcp, "ssh": sshd.port}, mine)
        finally:
            os.environ["PATH"] = path


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a minute takes seconds."""
    monkeypatch.setattr(sampler, "SILENT_S", SILENT_S)
    monkeypatch.setattr(hung, "SILENT_S", TRY_S)
    monkeypatch.setattr(door, "SILENT_S", TRY_S)
    monkeypatch.setattr(keeper, "FIRST_DELAY_S", 0.25)
    monkeypatch.setattr(keeper, "LONGEST_DELAY_S", 1.0)


def _within(seconds: float, since: float, what: str) -> None:
    took = time.monotonic() - since
    assert took < seconds + LATE_S, f"{what} after {took:.1f} s"


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_stale_and_is_given_up_in_time_others_go_on_and_it_is_found_again(
    far: Far, images: Path, way: str
) -> None:
    with ExitStack() as stack:
        one, two = (stack.enter_context(idle_guest(far.daemon.uri, images)) for _ in range(2))
        line = stack.enter_context(TcpLine(far.ports[way]))
        near = Watched(far.daemon.uri)
        stack.callback(near.host.close)
        asked = stack.enter_context(
            Asked(far.uri(way, line), [PASSWORD], sampling=True, interval=INTERVAL_S)
        )
        near.until(lambda s: connected(s) and len(s.domains) == 2, "the near line is filled")
        asked.until(lambda s: connected(s) and len(s.domain_stats) == 2, "the far one too")

        line.die()
        began = time.monotonic()
        asked.until(lambda _s: Link.STALLED in asked.links, "stalled")
        _within(INTERVAL_S + 2 * STUCK_S, began, "it was told as stalled")
        lost = asked.until(lambda s: s.link is Link.LOST, "given up")
        _within(INTERVAL_S + max(2 * STUCK_S, SILENT_S), began, "it was given up")
        assert "no sign of life" in lost.reason
        assert lost.data_at is not None
        assert lost.data_at < began + LATE_S, "its data are as old as the line's death"
        assert len(lost.domains) == 2, "what was known is kept"
        # The same host is followed by another way meanwhile.
        one.destroy()
        near.until(lambda s: s.domains[one.uuid].state is DomainState.SHUTOFF, "seen at once")
        told = asked.until(lambda s: "did not go on" in s.reason, "a try ended as well")
        assert told.domains[one.uuid].state is DomainState.RUNNING, "nobody can know of it there"

        line.live()
        found = asked.until(connected, "found again")
        assert found.domains[one.uuid].state is DomainState.SHUTOFF
        two.domain.suspend()
        asked.until(lambda s: s.domains[two.uuid].state is DomainState.PAUSED, "events are heard")
        near.until(lambda s: s.domains[two.uuid].state is DomainState.PAUSED, "by the other too")
        if way == "ssh":
            assert len(asked.prompts) == 1, "the password that was taken is not asked for again"
            until(lambda: len(_running(far.sshd)) == 1, "one ssh is left of all the tries")


def _running(sshd: Sshd) -> list[int]:
    """The processes of those ssh that have not ended."""
    started = [int(line.split()[0]) for line in sshd.starts()]
    return [pid for pid in started if _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return words[0] != "Z"
