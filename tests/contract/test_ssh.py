"""Hosts by ssh: what is asked, what is remembered, what is said when it fails; by a real sshd."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import quote

import pytest

from tests.support.asked import Asked
from tests.support.guests import idle_guest, image_folder
from tests.support.libvirtd import PrivateLibvirtd, until
from tests.support.sshd import PASSPHRASE, PASSWORD, USER, Sshd
from tuivirt.actions.catalog import ACTIONS
from tuivirt.actions.runner import Tasks
from tuivirt.backend import lookups
from tuivirt.backend.console import Console
from tuivirt.backend.model.console import ConsoleState
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.model.question import QuestionKind
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.ssh import door

STATE = {"suspend": DomainState.PAUSED, "resume": DomainState.RUNNING}
WAYS = ("libssh", "libssh2")


@pytest.fixture(scope="module")
def daemon() -> Iterator[PrivateLibvirtd]:
    with PrivateLibvirtd("far") as far:
        yield far


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    path = os.environ["PATH"]
    with Sshd() as server:
        os.environ["PATH"] = f"{server.bin}:{path}"
        try:
            yield server
        finally:
            os.environ["PATH"] = path


@pytest.fixture
def uri(sshd: Sshd, daemon: PrivateLibvirtd) -> str:
    """The daemon by ssh; the host's key is known, and only a password lets one in."""
    if not daemon.alive:
        # libvirt 9.0's daemon now and then crashes over a client that is cut off.
        daemon.start()
    sshd.know()
    sshd.deny_key()
    return f"{sshd.uri}?socket={daemon.folder / 'run' / 'libvirt-sock'}"


@pytest.fixture
def ask(uri: str) -> Iterator[Callable[..., Asked]]:
    made: list[Asked] = []

    def begin(answers: object = (), to: str = "", **options: object) -> Asked:
        made.append(Asked(to or uri, answers, **options))  # type: ignore[arg-type]
        return made[-1]

    yield begin
    for one in made:
        one.close()


def folders() -> set[Path]:
    """The private folders there are."""
    places = {os.environ.get("XDG_RUNTIME_DIR") or "/tmp", "/tmp"}
    return {path.parent for place in places for path in Path(place).glob("tuivirt-*/askpass")}


def _is(key: str, state: DomainState, now: HostSnapshot) -> bool:
    return now.domains[key].state is state


# -- passwords and passphrases ----------------------------------------------------------------


def test_a_password_is_asked_for_once_and_again_only_when_it_was_refused(
    ask: Callable[..., Asked], sshd: Sshd
) -> None:
    one = ask(["not this", PASSWORD])
    one.opened()
    assert one.prompts == [f"{USER}@127.0.0.1's password: "] * 2
    assert [question.refused for question in one.questions] == [0, 1]
    assert all(question.kind is QuestionKind.SECRET for question in one.questions)
    sshd.cut()
    one.until(lambda now: Link.LOST in one.links, "the cut is noticed")
    one.until(lambda now: one.links[-1] == Link.CONNECTED, "it is connected again")
    assert len(one.prompts) == 2, "what was not refused is not asked for again"


def test_a_password_that_is_refused_three_times_is_asked_for_again_on_demand_only(
    ask: Callable[..., Asked], sshd: Sshd
) -> None:
    one = ask(["no", "nor this", "neither"])
    problem = one.refused()
    assert "Permission denied (" in problem.why
    assert "check the user name, the password" in problem.advice
    before = len(sshd.starts())
    assert one.host.snapshot.retry_at is None
    one.answers(PASSWORD)
    one.host.refresh()
    one.until(lambda now: now.filled, "it is connected on demand")
    assert len(sshd.starts()) == before + 1


def test_who_does_not_answer_is_not_asked_again_and_nothing_is_sent(
    ask: Callable[..., Asked], sshd: Sshd
) -> None:
    log = sshd.folder / "sshd.log"
    before = log.read_text().count("Failed password")
    one = ask([None])
    problem = one.refused()
    assert problem.why == f"you did not answer ({USER}@127.0.0.1's password)"
    assert "asked for" in problem.advice
    until(lambda: not sshd.sessions(), "its ssh has ended")
    assert log.read_text().count("Failed password") == before
    assert one.host.snapshot.retry_at is None
    assert len(one.prompts) == 1
    one.answers(PASSWORD)
    one.host.refresh()
    one.until(lambda now: now.filled, "it is connected on demand")


def test_a_keys_passphrase_is_asked_for(ask: Callable[..., Asked], sshd: Sshd) -> None:
    sshd.allow_key()
    one = ask([PASSPHRASE])
    one.opened()
    assert one.prompts == [f"Enter passphrase for key '{sshd.folder}/key': "]
    assert one.questions[0].kept


def test_what_pam_asks_is_asked(daemon: PrivateLibvirtd, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sshd(password=False, interactive=True) as server:
        monkeypatch.setenv("PATH", str(server.bin), prepend=":")
        socket = daemon.folder / "run" / "libvirt-sock"
        with Asked(f"{server.uri}?socket={socket}", [PASSWORD]) as one:
            one.opened()
            assert one.prompts == [f"({USER}@127.0.0.1) Password: "]


def test_no_answer_is_left_anywhere(ask: Callable[..., Asked], sshd: Sshd) -> None:
    before = folders()
    one = ask([PASSWORD])
    one.opened()
    (folder,) = folders() - before
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in ("ssh", "askpass", "told", "pid"):
        assert PASSWORD not in (folder / file).read_text()
    process = Path("/proc", sshd.starts()[-1].split()[0])
    for file in ("cmdline", "environ"):
        assert PASSWORD.encode() not in (process / file).read_bytes()
    one.close()
    assert not folder.exists()


def test_a_question_of_one_host_delays_no_other(ask: Callable[..., Asked]) -> None:
    waiting = ask(None, name="one")
    waiting.until(lambda now: now.question is not None, "it asks")
    other = ask([PASSWORD], name="two")
    other.opened()
    assert waiting.host.snapshot.link is Link.CONNECTING
    (question,) = waiting.questions
    waiting.close()
    assert not question.open, "nobody waits for it any more"


# -- host keys --------------------------------------------------------------------------------


def test_an_unknown_host_key_is_a_question_with_its_fingerprint(
    ask: Callable[..., Asked], sshd: Sshd
) -> None:
    sshd.known_hosts.write_text("")
    one = ask(["no"])
    assert one.refused().why == "you said no to its host key"
    (question,) = one.questions
    assert question.kind is QuestionKind.YES_NO
    assert sshd.fingerprint in question.prompt
    assert sshd.known_hosts.read_text() == ""
    one.answers("yes", PASSWORD)
    one.host.refresh()
    one.until(lambda now: now.filled, "it is connected")
    key = (sshd.folder / "host_key.pub").read_text().split()[1]
    assert key in sshd.known_hosts.read_text()


def test_a_changed_host_key_is_an_error_that_explains_itself(
    ask: Callable[..., Asked], sshd: Sshd
) -> None:
    name = f"[127.0.0.1]:{sshd.port}"
    other = (sshd.folder / "key.pub").read_text()
    sshd.known_hosts.write_text(f"# a line before it\n{name} {other}")
    one = ask(["yes"])
    problem = one.refused()
    assert one.questions == []
    assert f"the host key of {name} is not the one that is known" in problem.why
    assert f"line 2 of {sshd.known_hosts}" in problem.why
    assert sshd.fingerprint in problem.why
    assert "somebody may be answering in the host's place" in problem.advice
    assert f"ssh-keygen -f {sshd.known_hosts} -R '{name}'" in problem.advice
    assert one.host.snapshot.retry_at is not None, "the right host may come back"
    assert other in sshd.known_hosts.read_text()


@pytest.mark.parametrize("way", WAYS)
def test_libssh_asks_by_libvirts_callback(
    ask: Callable[..., Asked], sshd: Sshd, uri: str, way: str
) -> None:
    sshd.known_hosts.write_text("")
    to = uri.replace("+ssh://", f"+{way}://{USER}@")
    to += f"&known_hosts={sshd.known_hosts}&sshauth=password"
    one = ask(["yes", "not this", PASSWORD], to)
    one.opened()
    assert "SSH host key" in one.prompts[0]
    assert one.questions[0].kind is QuestionKind.YES_NO
    assert one.prompts[1:] == [f"Enter {USER}'s password for 127.0.0.1"] * 2
    assert one.questions[2].refused == 1
    again = ask([None], to)
    assert again.refused().why.startswith("you did not answer")


@pytest.mark.parametrize("way", WAYS)
def test_libssh_tells_of_a_changed_key(
    ask: Callable[..., Asked], sshd: Sshd, uri: str, way: str
) -> None:
    other = (sshd.folder / "key.pub").read_text()
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    to = uri.replace("+ssh://", f"+{way}://{USER}@")
    one = ask(["yes"], f"{to}&known_hosts={sshd.known_hosts}&sshauth=password")
    problem = one.refused()
    assert one.questions == []
    assert str(sshd.known_hosts) in problem.why
    assert "somebody may be answering" in problem.advice


# -- one ssh, the operator's own ----------------------------------------------------------------


def test_one_ssh_serves_all_that_is_open(
    ask: Callable[..., Asked], sshd: Sshd, daemon: PrivateLibvirtd
) -> None:
    with image_folder() as images:
        guest = idle_guest(daemon.uri, images)
        before, others = len(sshd.starts()), set(sshd.sessions())
        one = ask([PASSWORD], sampling=True)
        host = one.host
        one.opened()
        key = guest.domain.UUIDString()
        one.until(lambda now: now.domain_stats.get(key), "there are figures")
        states: SimpleQueue[ConsoleState] = SimpleQueue()
        console = Console(host, key, on_state=lambda status: states.put(status.state))
        console.open()
        try:
            while states.get(timeout=20) is not ConsoleState.OPEN:
                pass
            assert guest.name in lookups.domain_detail(host, key).live_xml
            tasks = Tasks(lambda event: None)
            for verb, state in STATE.items():
                tasks.submit(ACTIONS[verb], host, Ref("lab", Kind.DOMAIN, key), guest.name, {})
                one.until(partial(_is, key, state), verb)
            assert len(sshd.starts()) == before + 1
            assert len(set(sshd.sessions()) - others) == 1
        finally:
            console.close()
            guest.remove()


def test_the_operators_own_command_is_the_one_that_runs(
    ask: Callable[..., Asked], sshd: Sshd, uri: str, tmp_path: Path
) -> None:
    mine = tmp_path / "my ssh"
    mine.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/given\nexec {sshd.bin}/ssh "$@"\n')
    mine.chmod(0o755)
    one = ask([PASSWORD], f"{uri}&command={quote(str(mine))}&keyfile=/no/such")
    snapshot = one.opened()
    given = (tmp_path / "given").read_text()
    assert "-i /no/such" in given
    assert f"-p {sshd.port}" in given
    assert snapshot.info is not None
    assert "askpass" not in snapshot.info.uri
    assert "tuivirt-" not in snapshot.info.uri.replace(str(sshd.folder), "")


# -- what an ssh may do to us; one of a few lines stands for it ---------------------------------


@pytest.fixture
def fake(tmp_path: Path, daemon: PrivateLibvirtd) -> Callable[[str], str]:
    """A URI whose ssh is a script; ``$sock`` is the daemon's socket in it."""

    def make(script: str) -> str:
        path = tmp_path / "ssh"
        socket = daemon.folder / "run" / "libvirt-sock"
        path.write_text(f"#!/bin/sh\nsock={socket}\n{script}\n")
        path.chmod(0o755)
        return f"qemu+ssh://bob@far/system?command={path}"

    return make


def test_a_one_time_code_is_asked_for_each_time(
    ask: Callable[..., Asked], fake: Callable[[str], str]
) -> None:
    to = fake('code=$("$SSH_ASKPASS" "(bob@far) Code: ") && [ "$code" = 12 ] && exec nc -U $sock')
    one = ask(["12"], to)
    one.opened()
    (question,) = one.questions
    assert not question.kept
    again = ask(["12"], to)
    again.opened()
    assert len(again.questions) == 1


def test_a_key_that_wants_to_be_touched_says_so_and_asks_nothing(
    ask: Callable[..., Asked], fake: Callable[[str], str], tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    script = f"""SSH_ASKPASS_PROMPT=none "$SSH_ASKPASS" "Confirm user presence for key X" &
    until [ -e {touched} ]; do sleep 0.05; done
    kill $!
    exec nc -U $sock"""
    one = ask([], fake(script))
    one.until(lambda now: one.noticed, "it says so")
    assert one.noticed == ["Confirm user presence for key X"]
    touched.touch()
    one.opened()
    assert one.questions == []


def test_an_answer_that_came_too_late_is_used_in_the_next_try(
    daemon: PrivateLibvirtd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sshd(grace_s=1) as server:
        monkeypatch.setenv("PATH", str(server.bin), prepend=":")
        with Asked(f"{server.uri}?socket={daemon.folder}/run/libvirt-sock", None) as one:
            one.until(lambda now: one.questions, "it asks")
            until(lambda: not server.sessions(), "the host has waited long enough")
            one.questions[0].answer(PASSWORD)
            one.until(lambda now: now.filled, "it is connected")
            assert one.links == [Link.FAILED, Link.CONNECTED]
            assert len(one.questions) == 1


def test_an_ssh_that_says_more_than_libvirt_reads_is_still_understood(
    ask: Callable[..., Asked], fake: Callable[[str], str]
) -> None:
    script = "seq -f 'line %.0f of what the law wants to be said here' 100 >&2\n"
    to = fake(script + "echo 'bob@far: Permission denied (publickey).' >&2; exit 255")
    assert ask([], to).refused().why == "bob@far: Permission denied (publickey)."


def test_what_an_ssh_says_as_it_dies_is_a_part_of_the_reason(
    ask: Callable[..., Asked], fake: Callable[[str], str], tmp_path: Path
) -> None:
    end = tmp_path / "end"
    script = f"""echo hello >&2
    exec 3<&0
    nc -U $sock <&3 &
    until [ -e {end} ]; do sleep 0.05; done
    echo "Timeout, far away." >&2
    kill $!"""
    one = ask([], fake(script))
    one.opened()
    end.touch()
    lost = one.until(lambda now: now.link is Link.LOST, "it is lost")
    assert lost.reason.endswith(": Timeout, far away.")


def test_an_ssh_that_ends_takes_its_question_along(
    ask: Callable[..., Asked], fake: Callable[[str], str]
) -> None:
    one = ask(None, fake('timeout 0.3 "$SSH_ASKPASS" "bob@far\'s password: "; exit 255'))
    one.until(lambda now: one.questions, "it asks")
    one.until(lambda now: not one.questions[0].open, "the question is withdrawn")
    one.until(lambda now: now.link is Link.FAILED, "it has failed")
    assert one.host.snapshot.retry_at is not None, "nobody refused to answer: it is tried again"


def test_an_ssh_that_goes_nowhere_is_ended(
    ask: Callable[..., Asked], fake: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SILENT_S", 0.2)
    problem = ask([], fake("echo 'waiting for a banner' >&2; exec sleep 60")).refused()
    assert problem.why == "the host did not go on for a minute: waiting for a banner"


def test_an_ssh_that_goes_nowhere_ends_with_its_host(
    ask: Callable[..., Asked], fake: Callable[[str], str], tmp_path: Path
) -> None:
    one = ask([], fake(f"echo $$ >{tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid\n"
                       "exec sleep 60"))  # fmt: skip
    until((tmp_path / "pid").exists, "its ssh has started")
    process = Path("/proc", (tmp_path / "pid").read_text().strip())
    one.close()
    until(lambda: not process.exists() or "Z" in (process / "stat").read_text(), "it has ended")


def test_nobody_else_may_ask(ask: Callable[..., Asked]) -> None:
    before = folders()
    one = ask([PASSWORD])
    one.opened()
    (folder,) = folders() - before
    folder.chmod(0o755)
    (folder / "socket").chmod(0o777)
    helper = [sys.executable, "-I", "-S", str(Path(door.__file__).with_name("askpass.py"))]
    argv = [*helper, str(folder / "socket"), "What is the password?"]
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run([*as_nobody, *helper[:3], "-c", ""], capture_output=True).returncode:
        as_nobody += ["env"]  # Its Python is not for everybody: the system's is.
        argv[0] = "/usr/bin/python3"
        argv[3] = _copy_for_all(folder, argv[3])
    done = subprocess.run([*as_nobody, *argv], capture_output=True, timeout=20)
    assert done.returncode == 1
    assert done.stdout == b""
    assert "What is the password?" not in one.prompts
    mine = subprocess.Popen(argv, stdout=subprocess.PIPE)
    one.until(lambda now: "What is the password?" in one.prompts, "its own user may")
    assert mine.wait(20) == 1, "it was dismissed"


def _copy_for_all(folder: Path, program: str) -> str:
    copy = folder / "for-all.py"
    copy.write_text(Path(program).read_text())
    copy.chmod(0o755)
    return str(copy)
