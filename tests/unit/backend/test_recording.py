"""A recording's own threads: what may happen on one while another is in the middle of its work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tuivirt.backend import recording
from tuivirt.backend.model.console import ConsoleState, ConsoleStatus
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.recording import Recording

PATIENCE_S = 20.0


class Console:
    """Stands where a Console stands; the test is libvirt's event thread."""

    def __init__(
        self,
        _host: object,
        _uuid: str,
        *,
        on_data: Callable[[bytes], None],
        on_state: Callable[[ConsoleStatus], None],
        **_: object,
    ) -> None:
        self.says, self.on_state = on_data, on_state
        self.status = ConsoleStatus(ConsoleState.OPEN, "open")
        self.queued = 0
        self.takes = 1 << 20
        self.typed = b""
        self.reads: list[bool] = []

    def becomes(self, state: ConsoleState) -> None:
        self.status = ConsoleStatus(state)
        self.on_state(self.status)

    def write(self, data: bytes) -> int:
        self.typed += data[: self.takes]
        return min(len(data), self.takes)

    def pause(self) -> None:
        self.reads.append(False)

    def resume(self) -> None:
        self.reads.append(True)

    def close(self) -> None:
        self.becomes(ConsoleState.CLOSED)


class Emulator:
    """Takes what it is fed when the test lets it."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.may.set()
        self.began = threading.Event()
        self.fed = b""
        self.broken = False
        self.closed = threading.Event()

    def feed(self, data: bytes) -> bytes:
        self.began.set()
        assert self.may.wait(PATIENCE_S)
        if self.broken:
            raise ValueError("no such sequence")
        self.fed += data
        return b""

    def close(self) -> None:
        self.closed.set()


class Recorded:
    """A recording between the two."""

    def __init__(self) -> None:
        self.emulator = Emulator()
        host: Any = SimpleNamespace(name="srv1")
        emulator: Any = self.emulator
        ref = Ref("srv1", Kind.DOMAIN, "uuid")
        self.session = Recording(host, ref, "web-01", "serial0", emulator=emulator)
        console: Any = self.session._console
        self.console: Console = console
        self._changed = threading.Condition()
        self.session.on_change = self._tell

    def _tell(self) -> None:
        self.session.seen()
        with self._changed:
            self._changed.notify_all()

    def until(self, true: Callable[[], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, PATIENCE_S)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    monkeypatch.setattr(recording, "Console", Console)
    one = Recorded()
    yield one
    one.emulator.may.set()
    one.session.close()
    assert one.emulator.closed.wait(PATIENCE_S)


def test_a_log_that_ends_in_a_flood_is_closed_by_nobody_who_is_still_writing_to_it(
    recorded: Recorded, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    recorded.session.start_log(str(log))
    recorded.emulator.may.clear()
    recorded.console.says(b"first\n" + b"x" * recording.FEED_BYTES + b"\nlast\n")
    assert recorded.emulator.began.wait(PATIENCE_S)
    assert recorded.session.stop_log() == ""
    ended = log.read_text()
    recorded.emulator.may.set()
    recorded.until(lambda: recorded.emulator.fed.endswith(b"last\n"))
    assert log.read_text() == ended


def test_the_reading_is_stopped_while_much_waits_and_goes_on_after_it(recorded: Recorded) -> None:
    recorded.emulator.may.clear()
    recorded.console.says(b"x" * (recording.HIGH_BYTES + 1))
    recorded.console.says(b"y")
    assert recorded.console.reads == [False]
    recorded.emulator.may.set()
    recorded.until(lambda: recorded.console.reads == [False, True])


def test_what_breaks_the_emulator_is_told_and_what_comes_after_it_is_shown(
    recorded: Recorded,
) -> None:
    recorded.emulator.broken = True
    recorded.console.says(b"odd")
    recorded.until(lambda: "no such sequence" in recorded.session.trouble)
    recorded.emulator.broken = False
    recorded.session.send(b"x")
    assert recorded.session.trouble == ""
    recorded.console.says(b"even")
    recorded.until(lambda: recorded.emulator.fed == b"even")


def test_nothing_that_was_typed_waits_for_the_next_guest(recorded: Recorded) -> None:
    recorded.console.takes = 0
    assert recorded.session.send(b"halt\r")
    recorded.console.becomes(ConsoleState.GUEST_OFF)
    assert not recorded.session.send(b"rm -r /\r")
    recorded.console.takes = 100
    recorded.console.becomes(ConsoleState.OPEN)
    assert recorded.session.send(b"x")
    assert recorded.console.typed == b"x"


def test_a_text_that_was_cut_short_is_told_until_something_is_typed(recorded: Recorded) -> None:
    recorded.console.queued = 1  # Nothing is taken: the first piece is all that is sent.
    assert recorded.session.send_slowly(b"x" * 100, "notes.txt")
    recorded.until(lambda: recorded.console.typed)
    recorded.console.becomes(ConsoleState.GUEST_OFF)
    recorded.until(lambda: recorded.session.sending is None)
    assert recorded.session.trouble == "notes.txt was cut short: 16 of 100 bytes were sent"
    recorded.console.becomes(ConsoleState.OPEN)
    recorded.session.send(b"x")
    assert recorded.session.trouble == ""
