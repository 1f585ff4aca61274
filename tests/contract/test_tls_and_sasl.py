"""Hosts by TLS and TCP: what SASL asks, and why a certificate is not taken."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.asked import Asked
from tests.support.certificates import Authority, pki
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.needs import missing, need_programs
from tuivirt.backend import hung
from tuivirt.backend.model.question import QuestionKind

PASSWORD = "tell me"

_SETTINGS = """
listen_tls = 1
listen_tcp = 1
listen_addr = "127.0.0.1"
tls_port = "{tls}"
tcp_port = "{tcp}"
auth_tcp = "sasl"
key_file = "{key}"
cert_file = "{certificate}"
ca_file = "{ca}"
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Far:
    """A daemon that listens, and who signs for it."""

    ca: Authority
    tls: int
    tcp: int
    folder: Path


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    need_programs("openssl", "saslpasswd2")
    if not list(Path("/usr/lib").glob("*/sasl2/libdigestmd5.so*")):
        missing("no SASL mechanism that can encrypt TCP without Kerberos (libsasl2-modules)")
    folder = tmp_path_factory.mktemp("far")
    ca = Authority(folder / "ca", "their authority")
    certificate = ca.sign("far", names="DNS:localhost")
    tls, tcp = free_port(), free_port()
    users = folder / "users"
    argv = ["saslpasswd2", "-p", "-c", "-a", "libvirt", "-u", "far", "-f", str(users), "bob"]
    subprocess.run(argv, input=PASSWORD.encode(), check=True)
    settings = _SETTINGS.format(
        tls=tls, tcp=tcp, key=certificate.with_suffix(".key"), certificate=certificate, ca=ca.pem
    )
    sasl = f"mech_list: digest-md5\nsasldb_path: {users}\n"
    files = {"/etc/sasl2/libvirt.conf": sasl}
    with PrivateLibvirtd("far", settings=settings, files=files, listen=True):
        yield Far(ca, tls, tcp, folder)


@pytest.fixture
def ask() -> Iterator[Callable[..., Asked]]:
    made: list[Asked] = []

    def begin(uri: str, answers: object = ()) -> Asked:
        made.append(Asked(uri, answers))  # type: ignore[arg-type]
        return made[-1]

    yield begin
    for one in made:
        one.close()


# -- SASL -------------------------------------------------------------------------------------


def test_a_user_and_a_password_are_asked_for(ask: Callable[..., Asked], far: Far) -> None:
    one = ask(f"qemu+tcp://127.0.0.1:{far.tcp}/system", ["bob", PASSWORD])
    one.opened()
    assert [question.kind for question in one.questions] == [
        QuestionKind.TEXT,
        QuestionKind.SECRET,
    ]
    assert one.noticed == [], "nobody reads along on this machine"


def test_they_are_asked_for_three_times_and_then_on_demand(
    ask: Callable[..., Asked], far: Far
) -> None:
    one = ask(f"qemu+tcp://127.0.0.1:{far.tcp}/system", ["bob", "a", "rob", "b", "bob", "c"])
    problem = one.refused()
    assert "authentication failed" in problem.why
    assert "the user name and the password" in problem.advice
    assert [question.refused for question in one.questions] == [0, 0, 1, 1, 2, 2]
    assert one.questions[4].default == "rob", "the name is there to be corrected"
    assert one.host.snapshot.retry_at is None
    one.answers("bob", PASSWORD)
    one.host.refresh()
    one.until(lambda now: now.filled, "it is connected on demand")


def test_the_uris_user_is_not_asked_for(ask: Callable[..., Asked], far: Far) -> None:
    one = ask(f"qemu+tcp://bob@127.0.0.1:{far.tcp}/system", ["not this", PASSWORD])
    one.opened()
    assert [question.kind for question in one.questions] == [QuestionKind.SECRET] * 2


def test_plain_tcp_to_elsewhere_is_told_of_once(ask: Callable[..., Asked]) -> None:
    one = ask("qemu+tcp://host.invalid/system")
    one.until(lambda now: len(one.links) > 1, "it was tried twice")
    (text,) = one.noticed
    assert "plain TCP" in text
    assert "not known: check its spelling and DNS" in one.refused().advice


def test_what_is_asked_on_a_local_way_is_asked_as_well(
    ask: Callable[..., Asked], tmp_path: Path
) -> None:
    path = tmp_path / "node.xml"
    path.write_text("<node><auth><user password='x'>bob</user></auth></node>")
    one = ask(f"test://{path}", ["bob", "no", "bob", "x"])
    one.opened()
    assert [question.refused for question in one.questions] == [0, 0, 1, 1]


# -- TLS --------------------------------------------------------------------------------------


def test_tls_opens_with_a_certificate_of_their_authority(
    ask: Callable[..., Asked], far: Far, tmp_path: Path
) -> None:
    mine = far.ca.sign("me", usage="clientAuth")
    folder = pki(tmp_path / "pki", ca=far.ca.pem, client=mine)
    for scheme in ("qemu+tls", "qemu"):
        assert ask(f"{scheme}://localhost:{far.tls}/system?pkipath={folder}").opened().filled


def _missing_all(_far: Far, folder: Path) -> Path:
    return pki(folder / "pki")


def _missing_mine(far: Far, folder: Path) -> Path:
    return pki(folder / "pki", ca=far.ca.pem)


def _expired(far: Far, folder: Path) -> Path:
    mine = far.ca.sign("old", usage="clientAuth", until="20210101000000Z")
    return pki(folder / "pki", ca=far.ca.pem, client=mine)


def _unknown(far: Far, folder: Path) -> Path:
    return pki(folder / "pki", ca=Authority(folder / "other", "another").pem)


def _strange(far: Far, folder: Path) -> Path:
    mine = Authority(folder / "other", "another").sign("me", usage="clientAuth")
    return pki(folder / "pki", ca=far.ca.pem, client=mine)


@pytest.mark.parametrize(
    ("made", "why", "advice"),
    [
        (_missing_all, "Cannot read CA certificate", "~/.pki/libvirt/cacert.pem"),
        (_missing_mine, "Unable to read TLS confirmation", "wants a client certificate"),
        (_expired, "has expired", "have the certificate that is named renewed"),
        (_strange, "Our own certificate", "do not belong together"),
        (_unknown, "Failed to verify peer's certificate", "ask its owner who answers there"),
    ],
)
def test_a_certificate_that_is_not_taken_is_explained(
    ask: Callable[..., Asked],
    far: Far,
    tmp_path: Path,
    made: Callable[[Far, Path], Path],
    why: str,
    advice: str,
) -> None:
    problem = ask(f"qemu+tls://localhost:{far.tls}/system?pkipath={made(far, tmp_path)}").refused()
    assert why in problem.why
    assert advice in problem.advice


def test_a_certificate_of_another_name_is_explained_and_nothing_is_drawn(
    far: Far, tmp_path: Path
) -> None:
    mine = far.ca.sign("i", usage="clientAuth")
    folder = pki(tmp_path / "pki", ca=far.ca.pem, client=mine)
    uri = f"qemu+tls://127.0.0.1:{far.tls}/system?pkipath={folder}"
    # A process of its own: libvirt looks once where it logs to.
    argv = [sys.executable, "-m", "tuivirt", "-c", uri, "list", "domains"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "does not match the hostname 127.0.0.1" in done.stderr
    assert "made out to 127.0.0.1" in done.stderr
    assert "warning :" not in done.stderr, "libvirt wrote its own log over it"


def test_a_port_that_speaks_something_else_is_explained(
    ask: Callable[..., Asked], far: Far, tmp_path: Path
) -> None:
    folder = pki(tmp_path / "pki", ca=far.ca.pem)
    problem = ask(f"qemu+tls://localhost:{far.tcp}/system?pkipath={folder}").refused()
    assert "is the one for TLS" in problem.advice
    assert (
        "the one that listens there"
        in ask(f"qemu+tcp://localhost:{far.tls}/system").refused().advice
    )
    assert "check the port" in ask(f"qemu+tcp://localhost:{free_port()}/system").refused().advice


@pytest.mark.parametrize("way", ["tls", "tcp", "libssh", "libssh2"])
def test_a_host_that_accepts_and_says_nothing_is_given_up(
    ask: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch, far: Far, tmp_path: Path, way: str
) -> None:
    monkeypatch.setattr(hung, "SILENT_S", 0.3)
    folder = pki(tmp_path / "pki", ca=far.ca.pem)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        problem = ask(f"qemu+{way}://127.0.0.1:{port}/system?pkipath={folder}").refused()
    assert problem.why == "the host did not go on for a minute"


def test_a_try_that_hangs_ends_with_its_host(ask: Callable[..., Asked]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = ask(f"qemu+tcp://127.0.0.1:{silent.getsockname()[1]}/system")
        accepted, _ = silent.accept()
        accepted.settimeout(20)
        assert accepted.recv(4), "libvirt says hello"
        one.close()
        while accepted.recv(4096):
            pass
        accepted.close()
