"""A console that is recorded: its terminal, what happens to its guest, its log, its pastes."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.conftest import Heard, Place, started
from tests.support.guests import VIRTIO_CONSOLE, Guest, domain_xml, unique_name
from tuivirt.actions.consoles import open_console, ports
from tuivirt.backend import lifecycle
from tuivirt.backend import managed_save as saving
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.model.console import ConsoleSession, ConsoleState

PATIENCE_S = 40.0


class Watcher:
    """Waits for what a recording shows."""

    def __init__(self, session: ConsoleSession) -> None:
        self.session = session
        self._changed = threading.Condition()
        session.on_change = self._tell
        session.seen()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until it is so."""

        def is_so() -> object:
            self.session.seen()
            return true()

        with self._changed:
            assert self._changed.wait_for(is_so, PATIENCE_S), f"never: {what}\n{self.text[-800:]}"

    @property
    def text(self) -> str:
        return self.session.emulator.text()

    def shell(self) -> None:
        """Wait for a prompt."""
        self.until(lambda: self.session.status.state is ConsoleState.OPEN, "it is open")
        self.session.send(b"\r")
        self.until(lambda: self.text.rstrip().endswith("#"), "a prompt")

    def run(self, command: str, pattern: str) -> re.Match[str]:
        """Run a command in the guest; what it says that fits ``pattern``."""
        assert self.session.send(command.encode() + b"\r")
        found: list[re.Match[str]] = []

        def said() -> bool:
            match = re.search(pattern, self.text, re.MULTILINE)
            found[:] = [match] if match else []
            return match is not None

        self.until(said, pattern)
        return found[0]


@pytest.fixture
def watched(full: Place) -> Iterator[Watcher]:
    session = open_console(full.host, full.uuid, None, False, False)
    with closing(session):
        watcher = Watcher(session)
        watcher.shell()
        yield watcher


def test_what_the_guest_prints_stands_on_the_terminal(watched: Watcher) -> None:
    watched.run("echo hel''lo", r"^hello$")
    frame = watched.session.emulator.frame()
    assert (frame.columns, frame.lines) == (80, 24)
    assert any("hello" in run.text for row in frame.rows.values() for run in row)


def test_a_flood_is_kept_in_its_order_up_to_the_last_line(watched: Watcher) -> None:
    watched.run("seq 1 5000", r"^5000$")
    numbers = re.findall(r"^\d+$", watched.text, re.MULTILINE)
    assert numbers[-5000:] == [str(number) for number in range(1, 5001)]


def test_what_was_printed_is_kept_while_the_console_is_lent_to_another(
    watched: Watcher, full: Place
) -> None:
    watched.run("echo be''fore", r"^before$")
    watched.session.let_go()
    watched.until(lambda: watched.session.status.state is ConsoleState.CLOSED, "it was given back")
    talk = full.talk().open()
    talk.wait_for_shell()
    talk.close()
    watched.session.open()
    watched.shell()
    watched.run("echo af''ter", r"^after$")
    assert "before" in watched.text


def test_what_is_typed_for_nobody_is_refused_and_not_kept(watched: Watcher) -> None:
    watched.session.let_go()
    watched.until(lambda: watched.session.status.state is ConsoleState.CLOSED, "it was given back")
    assert not watched.session.send(b"echo ghost\r")
    watched.session.open()
    watched.shell()
    assert "ghost" not in watched.text


def test_a_log_holds_what_was_printed_since_it_was_begun(watched: Watcher, tmp_path: Path) -> None:
    watched.run("echo not''in", r"^notin$")
    path = tmp_path / "log"
    assert watched.session.start_log(str(path)) == str(path) == watched.session.log_path
    watched.run("echo with''in", r"^within$")
    watched.session.stop_log()
    watched.run("echo be''hind", r"^behind$")
    assert watched.session.log_path == ""
    text = path.read_text()
    assert "within" in text
    assert "notin" not in text
    assert "behind" not in text


def test_a_log_that_cannot_be_written_is_refused_with_the_reason(
    watched: Watcher, tmp_path: Path
) -> None:
    with pytest.raises(TuivirtError, match="cannot record"):
        watched.session.start_log(str(tmp_path))
    assert watched.session.log_path == ""


def test_a_device_that_the_guest_does_not_have_is_told_with_those_it_has(full: Place) -> None:
    with pytest.raises(TuivirtError, match="no console 'serial9': it has serial0"):
        open_console(full.host, full.uuid, "serial9", False, False)


def test_the_first_that_the_firmware_says_is_there(qemu_uri: str) -> None:
    name = unique_name("bios")
    xml = domain_xml(name).replace("</os>", "<bios useserial='yes'/></os>")
    with Guest.define(qemu_uri, xml) as guest:
        host = started(qemu_uri, Heard())
        session = open_console(host, guest.uuid, None, False, False)
        with closing(session):
            watcher = Watcher(session)
            waits = ConsoleState.GUEST_OFF
            watcher.until(lambda: session.status.state is waits, "it waits for the guest")
            outcome = host.actions.submit(lambda: lifecycle.start(host, guest.uuid))
            assert outcome.result(60) == f"{name} is running"
            watcher.until(lambda: "Booting" in watcher.text, "the kernel is booted")
            assert watcher.text.lstrip().startswith("SeaBIOS (version")
        host.close()


def test_a_console_goes_on_after_a_managed_save(qemu_uri: str) -> None:
    with Guest.define(qemu_uri, domain_xml(unique_name("save"))) as guest:
        guest.boot().close()
        host = started(qemu_uri, Heard())
        session = open_console(host, guest.uuid, None, False, False)
        with closing(session):
            watcher = Watcher(session)
            watcher.shell()
            watcher.run("here=$((40 + 2)); echo se''t", r"^set$")
            host.actions.submit(lambda: saving.managed_save(host, guest.uuid)).result(60)
            waits = ConsoleState.GUEST_OFF
            watcher.until(lambda: session.status.state is waits, "it waits for the guest")
            host.actions.submit(lambda: lifecycle.start(host, guest.uuid)).result(60)
            watcher.until(lambda: session.status.state is ConsoleState.OPEN, "it is open again")
            watcher.run("echo still $here", r"^still 42$")
        host.close()


def test_a_virtio_console_is_one_like_a_serial_port(qemu_uri: str) -> None:
    xml = domain_xml(unique_name("virtio"), extra_devices=VIRTIO_CONSOLE, cmdline="noirqdebug")
    with Guest.define(qemu_uri, xml) as guest:
        guest.boot().close()
        host = started(qemu_uri, Heard())
        assert [port.name for port in ports(host, guest.uuid)] == ["serial0", "console1"]
        session = open_console(host, guest.uuid, "console1", False, False)
        with closing(session):
            watcher = Watcher(session)
            watcher.until(lambda: session.status.state is ConsoleState.OPEN, "it is open")
            watcher.until(lambda: session.send(b"\r") and "#" in watcher.text, "a prompt")
            watcher.run("tty", r"^/dev/hvc0$")
            watcher.run("seq 1 20000", r"^20000$")
            numbers = re.findall(r"^\d+$", watcher.text, re.MULTILINE)
            assert numbers[-5000:] == [str(number) for number in range(15001, 20001)]
        host.close()


def test_a_long_text_arrives_whole_at_the_pace_of_a_serial_port(qemu: Place) -> None:
    text = "".join(f"{number:05} {'x' * (number % 50)}\n" for number in range(400))
    session = open_console(qemu.host, qemu.uuid, None, False, False)
    with closing(session):
        watcher = Watcher(session)
        watcher.shell()
        session.send(b"stty -echo; cat >/tmp/pasted; stty echo; md5sum /tmp/pasted\r")
        watcher.until(lambda: "cat >/tmp/pasted" in watcher.text, "the command")
        assert session.send_slowly(text.encode(), "a text")
        assert not session.send_slowly(b"another", "another")
        watcher.until(lambda: session.sending is None, "it is sent")
        session.send(b"\x04")
        expected = hashlib.md5(text.encode()).hexdigest()
        watcher.until(lambda: expected in watcher.text, "the same text")


def test_a_text_under_way_can_be_stopped(qemu: Place) -> None:
    session = open_console(qemu.host, qemu.uuid, None, False, False)
    with closing(session):
        watcher = Watcher(session)
        watcher.shell()
        session.send(b"cat >/dev/null\r")
        assert session.send_slowly(b"x" * 50 + b"\n" * 100_000, "lines")
        watcher.until(lambda: (now := session.sending) is not None and now.sent > 100, "it begins")
        session.stop_sending()
        watcher.until(lambda: session.sending is None, "it stops")
        session.send(b"\x04")
        watcher.run("echo ali''ve", r"^alive$")


def test_a_text_under_way_is_not_for_what_comes_after_a_reset(qemu: Place) -> None:
    session = open_console(qemu.host, qemu.uuid, None, False, False)
    with closing(session):
        watcher = Watcher(session)
        watcher.shell()
        session.send(b"cat >/dev/null\r")
        assert session.send_slowly(b"\n" * 100_000, "lines")
        watcher.until(lambda: (now := session.sending) is not None and now.sent > 100, "it begins")
        qemu.run(lifecycle.reset)
        watcher.until(lambda: session.sending is None, "it stops")
        assert "lines was cut short" in session.trouble
        before = session.received
        watcher.until(lambda: session.received > before + 100, "it boots")
        watcher.shell()
