"""A console that is a pipe: what is sent, how fast, and when it is over."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tuivirt.backend import consolepump
from tuivirt.backend.console import ConsoleState, ConsoleStatus
from tuivirt.backend.console_log import ConsoleLog
from tuivirt.backend.consolepump import HIGH_BYTES, Pump, Way, key_name
from tuivirt.backend.errors import BadInput
from tuivirt.backend.parting import Ended, Parting
from tuivirt.backend.rawtty import escape_byte

OPEN = ConsoleStatus(ConsoleState.OPEN)


class Guest:
    """Stands where a Console stands; ``takes`` says how much of each write there is room for."""

    queued = 0

    def __init__(self) -> None:
        self.on_data: Callable[[bytes], None]
        self.on_state: Callable[[ConsoleStatus], None]
        self.on_room: Callable[[], None] | None = None
        self.status = ConsoleStatus(ConsoleState.CLOSED)
        self.first: list[ConsoleStatus] = [OPEN]
        """What it becomes once it is opened."""
        self.answer: Callable[[bytes], None] = lambda _data: None
        self.takes: list[int] = []
        self.got = b""
        self.writes = 0
        self.paused = threading.Event()
        self.resumed = threading.Event()
        self.closed = False

    def open(self) -> None:
        for status in self.first:
            self.become(status)

    def become(self, status: ConsoleStatus) -> None:
        self.status = status
        self.on_state(status)

    def write(self, data: bytes) -> int:
        if self.status.state is not ConsoleState.OPEN:
            return 0
        self.writes += 1
        data = data[: self.takes.pop(0)] if self.takes else data
        self.got += data
        self.answer(data)
        return len(data)

    def pause(self) -> None:
        self.paused.set()

    def resume(self) -> None:
        self.resumed.set()

    def close(self) -> None:
        self.closed = True


class Script:
    """The other ends of the pump's standard input, output and error."""

    def __init__(self) -> None:
        self.guest = Guest()
        (self.stdin, self.input), (self.output, self.stdout), (self.errors, self.stderr) = (
            os.pipe() for _ in range(3)
        )

    def run(self, given: bytes | None = b"", **way: Any) -> Parting:
        """Run the pump with ``given`` as its whole input; None: the input does not end."""
        if given is not None:
            os.write(self.input, given)
            os.close(self.input)
            self.input = -1
        way = {"linger_s": 0.0, **way}
        ways = Way(self.stdin, self.stdout, self.stderr, **way)
        return Pump(self.guest, ways).run()  # type: ignore[arg-type]

    def printed(self) -> bytes:
        os.close(self.stdout)
        self.stdout = -1
        with os.fdopen(os.dup(self.output), "rb") as file:
            return file.read()

    def close(self) -> None:
        for file in (self.stdin, self.input, self.output, self.stdout, self.errors, self.stderr):
            if file >= 0:
                os.close(file)


@pytest.fixture
def script() -> Iterator[Script]:
    one = Script()
    yield one
    one.close()


def test_all_of_the_input_is_sent_though_the_guest_takes_it_in_pieces(script: Script) -> None:
    script.guest.takes = [3, 0, 1]
    script.guest.answer = lambda _data: script.guest.on_room and script.guest.on_room()
    assert script.run(b"0123456789").how is Ended.END
    assert script.guest.got == b"0123456789"
    assert script.guest.closed


def test_what_the_guest_prints_comes_out_and_nothing_else(script: Script) -> None:
    script.guest.answer = lambda data: script.guest.on_data(b"\x1d\x00" + data)
    script.run(b"\x1d ls\n")
    assert script.printed() == b"\x1d\x00\x1d ls\n"


def test_input_that_comes_before_the_guest_is_open_waits_for_it(script: Script) -> None:
    script.guest.first = [ConsoleStatus(ConsoleState.OPENING)]
    threading.Timer(0.05, lambda: script.guest.become(OPEN)).start()
    assert script.run(b"early").how is Ended.END
    assert script.guest.got == b"early"


def test_a_paced_input_is_sent_in_pieces_over_time(script: Script) -> None:
    script.run(b"x" * 500, pace_bytes_per_s=10_000)
    assert script.guest.got == b"x" * 500
    assert script.guest.writes == 3  # Of 200 bytes at most.


def test_it_does_not_end_while_the_daemon_has_not_taken_the_input(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consolepump, "LOOK_S", 0.01)
    looks = iter([5, 5, 0])
    monkeypatch.setattr(Guest, "queued", property(lambda _: next(looks, 0)))
    assert script.run(b"input").how is Ended.END
    assert next(looks, None) is None


def test_a_guest_that_is_off_is_not_waited_for(script: Script) -> None:
    script.guest.first = [ConsoleStatus(ConsoleState.GUEST_OFF, "off")]
    assert script.run(None).how is Ended.OFF


def test_a_guest_that_stops_ends_it_and_what_was_not_sent_is_counted(script: Script) -> None:
    guest = script.guest
    guest.takes = [2]
    guest.answer = lambda _data: guest.become(ConsoleStatus(ConsoleState.GUEST_OFF, "off"))
    parting = script.run(b"12345")
    assert (parting.how, parting.unsent) == (Ended.STOPPED, 3)


def test_a_lost_host_ends_it(script: Script) -> None:
    script.guest.first = [OPEN, ConsoleStatus(ConsoleState.HOST_AWAY, "away")]
    assert script.run(None).how is Ended.LOST


def test_a_held_console_ends_it_with_the_reason(script: Script) -> None:
    held = ConsoleStatus(ConsoleState.HELD, "held")
    script.guest.first = [OPEN, held]
    parting = script.run(None)
    assert (parting.how, parting.status, parting.was_open) == (Ended.CLOSED, held, True)


def test_a_reader_that_leaves_ends_it_though_the_guest_is_silent(script: Script) -> None:
    os.close(script.output)
    script.output = -1
    assert script.run(None).how is Ended.UNHEARD


def test_output_that_cannot_be_written_is_told(script: Script) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, script.stdout)
    os.close(full)
    script.guest.answer = lambda _data: script.guest.on_data(b"answer")
    parting = script.run(b"x")
    assert parting.how is Ended.FAILED
    assert str(parting.error) == "cannot write to standard output: No space left on device"


def test_input_that_cannot_be_read_is_told(script: Script) -> None:
    folder = os.open("/", os.O_RDONLY)
    os.dup2(folder, script.stdin)
    os.close(folder)
    parting = script.run(b"")
    assert str(parting.error) == "cannot read standard input: Is a directory"


def test_a_guest_that_prints_faster_than_is_read_is_paused_and_nothing_is_lost(
    script: Script,
) -> None:
    flood = bytes(range(256)) * (2 * HIGH_BYTES // 256)
    script.guest.answer = lambda _data: script.guest.on_data(flood)
    read: list[bytes] = []

    def reader() -> None:
        assert script.guest.paused.wait(10)
        while sum(map(len, read)) < len(flood):
            read.append(os.read(script.output, 65536))

    thread = threading.Thread(target=reader)
    thread.start()
    assert script.run(b"x").how is Ended.END
    thread.join(10)
    assert b"".join(read) == flood
    assert script.guest.resumed.is_set()


def test_a_log_that_fails_is_told_once_and_stops_nothing(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ConsoleLog(tmp_path / "log", what="x")
    monkeypatch.setattr(log, "error", OSError(28, "No space left on device"))
    answers = iter([b"a\n", b"b\n"])
    script.guest.takes = [1, 1]
    script.guest.answer = lambda _data: script.guest.on_data(next(answers))
    assert script.run(b"12", log=log, pace_bytes_per_s=50).how is Ended.END
    assert script.printed() == b"a\nb\n"
    assert os.read(script.errors, 4096).count(b"No space left on device") == 1


def test_a_defect_closes_the_console(script: Script) -> None:

    def broken(_data: bytes) -> None:
        raise RuntimeError("something nobody thought of")

    script.guest.answer = broken
    with pytest.raises(RuntimeError):
        script.run(b"x")
    assert script.guest.closed


@pytest.mark.parametrize(
    ("text", "byte", "name"),
    [
        ("^]", 0x1D, "ctrl+]"),
        ("^a", 1, "ctrl+a"),
        ("^A", 1, "ctrl+a"),
        ("ctrl+b", 2, "ctrl+b"),
        ("Ctrl+]", 0x1D, "ctrl+]"),
        ("~", 0x7E, "~"),
        ("^", 0x5E, "^"),
        ("\x0f", 15, "ctrl+o"),
    ],
)
def test_a_key_that_leaves_is_said_as_virsh_takes_it(text: str, byte: int, name: str) -> None:
    assert escape_byte(text) == byte
    assert key_name(byte) == name


@pytest.mark.parametrize("text", ["", "ab", "^1", "ä", "ctrl+", "ctrl+ab", "^]^]"])
def test_what_is_no_key_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match="can leave a console"):
        escape_byte(text)
