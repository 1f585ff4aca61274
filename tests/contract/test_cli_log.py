"""What consoles have recorded is shown by name, whether the guest and its host are there or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.cli import ROOT, TEST, Ran, tuivirt
from tuivirt.backend import console_log
from tuivirt.backend.console_log import ConsoleLog, log_path, older

AWAY = ("-c", "qemu+unix:///system?socket=/nonexistent")


class Logs:
    """A folder of logs of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, host: str, domain: str, device: str = "serial0") -> ConsoleLog:
        return ConsoleLog(log_path(host, domain, device), what=f"{host}/{domain}/{device}")

    def record(self, host: str, domain: str, said: bytes, device: str = "serial0") -> None:
        log = self.open(host, domain, device)
        log.write(said)
        log.close()

    def tuivirt(self, *arguments: str) -> Ran:
        return tuivirt(*arguments, XDG_STATE_HOME=str(self.folder))


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logs:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Logs(tmp_path)


def texts(ran: Ran) -> list[str]:
    assert ran.status == 0, ran.err
    return [line.partition(" ")[2] for line in ran.out.splitlines()]


def test_all_that_was_recorded_is_shown_or_the_last_lines(logs: Logs) -> None:
    logs.record("local", "web", b"one\r\ntwo\r\n")
    begins, ends = "-- begins: local/web/serial0 --", "-- ends: local/web/serial0 --"
    assert texts(logs.tuivirt("log", "web")) == [begins, "one", "two", ends]
    assert texts(logs.tuivirt("log", "web", "-n", "2")) == ["two", ends]
    assert len(texts(logs.tuivirt("log", "web", "-n", "9" * 30))) == 4


def test_what_the_log_before_holds_comes_first(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_log, "LIMIT_BYTES", 1000)
    logs.record("local", "web", b"".join(b"line %d\n" % n for n in range(50)))
    log = logs.open("local", "web")
    log.write(b"after\n")
    assert older(log.path).exists()
    shown = texts(logs.tuivirt("log", "web"))
    assert [text for text in shown if not text.startswith("--")][-2:] == ["line 49", "after"]
    log.close()


def test_as_json_it_is_an_object_a_line(logs: Logs) -> None:
    logs.record("local", "web", "ä\n".encode())
    log = log_path("local", "web", "serial0")
    log.write_text(log.read_text() + "of another's hand\n")
    ran = logs.tuivirt("log", "web", "-o", "json", "-n", "3")
    said, _ends, foreign = (json.loads(line) for line in ran.out.splitlines())
    assert (said["host"], said["domain"], said["device"]) == ("local", "web", "serial0")
    assert (said["text"], foreign["text"]) == ("ä", "of another's hand")
    assert said["time"].startswith("20")
    assert foreign["time"] is None


def test_a_log_that_somebody_has_changed_steers_no_terminal(logs: Logs) -> None:
    logs.record("local", "web", b"x\n")
    log_path("local", "web", "serial0").write_bytes(b"\x1b]0;title\x07\xff\x9b31m\n")
    assert "\x1b" not in logs.tuivirt("log", "web").out


def test_what_was_recorded_is_shown_though_guest_and_host_are_gone(logs: Logs) -> None:
    logs.record("srv1", "gone", b"last words\n")
    assert "last words" in texts(logs.tuivirt("log", "gone"))
    assert "last words" in texts(logs.tuivirt("log", "gone@srv1"))
    ran = logs.tuivirt("-c", "qemu+ssh://root@srv1/system", "log", "gone")
    assert "last words" in texts(ran)


def test_of_two_hosts_it_is_asked_which(logs: Logs) -> None:
    for host in ("srv1", "srv2"):
        logs.record(host, "web", f"on {host}\n".encode())
    ran = logs.tuivirt("log", "web")
    assert ran.status == 1
    assert "recorded on more than one host: srv1, srv2" in ran.err
    assert "on srv2" in texts(logs.tuivirt("log", "web@srv2"))
    assert "on srv1" in texts(logs.tuivirt("-c", "qemu+ssh://srv1/system", "log", "web"))


def test_of_two_ports_the_one_written_last_is_shown_and_the_other_named(logs: Logs) -> None:
    logs.record("local", "web", b"first\n", "serial0")
    logs.record("local", "web", b"second\n", "ua-two")
    os.utime(log_path("local", "web", "serial0"), (1, 1))
    ran = logs.tuivirt("log", "web")
    assert "second" in texts(ran)
    assert "this is ua-two, written last; --devname shows serial0" in ran.err
    assert "first" in texts(logs.tuivirt("log", "web", "--devname", "serial0"))
    missing = logs.tuivirt("log", "web", "--devname", "serial9")
    assert missing.status == 1
    assert "nothing was recorded of serial9 of web: there is ua-two, serial0" in missing.err


def test_nothing_of_a_guest_whose_name_begins_alike_is_shown(logs: Logs) -> None:
    logs.record("local", "test-2", b"of another\n")
    ran = logs.tuivirt(*TEST, "log", "test")
    assert ran.status == 1
    assert "nothing was recorded of test yet" in ran.err
    assert "tuivirt console test --log default" in ran.err


def test_a_guest_is_found_by_its_uuid_and_id_too(logs: Logs) -> None:
    logs.record("local", "test", b"hello\n")
    (domain,) = tuivirt(*TEST, "list", "domains", "-o", "json").json
    for word in (domain["uuid"], "1"):
        assert "hello" in texts(logs.tuivirt(*TEST, "log", word))


def test_a_guest_that_there_is_not_is_told_as_that(logs: Logs) -> None:
    ran = logs.tuivirt(*TEST, "log", "nobody")
    assert ran.status == 1
    assert "nothing was recorded of nobody: there is no domain 'nobody' on local" in ran.err


def test_a_host_that_does_not_answer_is_told(logs: Logs) -> None:
    ran = logs.tuivirt(*AWAY, "log", "nobody")
    assert ran.status == 1
    assert "no host tells whether there is such a domain" in ran.err


@contextmanager
def following(logs: Logs, name: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-P", "-m", "tuivirt", "log", name, "--follow"]
    env = {**os.environ, "XDG_STATE_HOME": str(logs.folder)}
    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_log_is_followed_into_the_next_file_until_nobody_reads_any_more(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logs.open("local", "web")
    log.write(b"before\n")
    with following(logs, "web") as process:
        assert process.stdout is not None

        def read_to(text: bytes) -> None:
            while text not in process.stdout.readline():  # type: ignore[union-attr]
                pass

        read_to(b"before")
        log.write(b"meanwhile\n")
        read_to(b"meanwhile")
        monkeypatch.setattr(console_log, "LIMIT_BYTES", 10)
        log.write(b"in the next file\n")
        monkeypatch.setattr(console_log, "LIMIT_BYTES", 10_000)
        read_to(b"goes on")
        read_to(b"in the next file")
        process.stdout.close()
        assert process.wait(20) == 1
    log.close()


def test_the_demos_console_is_a_pipe_and_is_recorded_where_log_finds_it(logs: Logs) -> None:
    argv = [sys.executable, "-P", "-m", "tuivirt", "--demo", "console", "ci-runner"]
    done = subprocess.run(
        [*argv, "--log", "default", "--linger", "60"],
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(logs.folder)},
        input=b"\necho recorded\npoweroff\n",
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert b"\r\nrecorded\r\n" in done.stdout
    assert b"ci-runner stopped" in done.stderr
    assert "recorded" in texts(logs.tuivirt("--demo", "log", "ci-runner"))


def test_a_flood_through_a_pipe_ends_with_its_reader() -> None:
    argv = [sys.executable, "-P", "-m", "tuivirt", "--demo", "console", "ci-runner"]
    ends = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdin=ends, stdout=ends) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\nflood\n")
        process.stdin.flush()
        assert len(process.stdout.read(3_000_000)) == 3_000_000
        process.stdout.close()
        assert process.wait(20) == -13
