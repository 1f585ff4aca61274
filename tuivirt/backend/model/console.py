"""A console that is open: what it is doing, and what a screen can do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from .ref import Ref
from .terminal import Emulator


class ConsoleState(StrEnum):
    """What a console is doing."""

    OPENING = "opening"
    OPEN = "open"
    GUEST_OFF = "waiting for the guest"
    HOST_AWAY = "waiting for the host"
    HELD = "held by another"
    """Somebody else has it open; opening it by force takes it over."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ConsoleStatus:
    """A state, with the sentence that explains it."""

    state: ConsoleState
    text: str = ""
    error: Exception | None = None
    """Why it is held or closed, when that was not asked for; a TuivirtError."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How far a text is that is being sent at the pace that the guest takes it."""

    sent: int
    total: int
    """Both in bytes."""
    what: str


class ConsoleSession(Protocol):
    """A console that records what its guest prints, whether anybody looks or not.

    All calls return at once and are for any thread.
    """

    ref: Ref
    """The domain."""
    name: str
    """The domain's name."""
    device: str
    """The alias of its port, as in ``serial0``."""
    on_change: Callable[[], None] | None
    """Called, on any thread, when there is something new; not again before ``seen``."""

    @property
    def emulator(self) -> Emulator:
        """The terminal that shows what was printed."""

    @property
    def status(self) -> ConsoleStatus:
        """What the connection to the guest is doing."""

    @property
    def received(self) -> int:
        """Bytes that the guest has printed since it was opened."""

    @property
    def sending(self) -> Sending | None:
        """A paste that is under way."""

    @property
    def log_path(self) -> str:
        """The file that what is printed is written to; empty while it is not."""

    @property
    def trouble(self) -> str:
        """What went wrong beside the console itself: a log that cannot be written; until something
        is typed, a paste that was cut short and what could not be shown."""

    def seen(self) -> None:
        """What is new is about to be drawn: tell of what comes after it."""

    def send(self, data: bytes) -> bool:
        """Type; False when nobody is there to read it: then nothing is kept for later."""

    def send_slowly(self, data: bytes, what: str) -> bool:
        """Type at the pace at which a serial port without flow control loses nothing."""

    def stop_sending(self) -> None:
        """What was not sent yet is dropped."""

    def open(self, *, force: bool = False) -> None:
        """Try again; by force it is taken from whoever has it."""

    def start_log(self, path: str | None = None) -> str:
        """Write what is printed from now on to a file too; its path. Raises TuivirtError.

        None: where ``tuivirt log`` finds it.
        """

    def stop_log(self) -> str:
        """Write no more; why something is missing in the file, or ''."""

    def follow(self, host: Any, ref: Ref) -> None:
        """The guest runs on another host now (a ``backend.host.Host``): go on there."""

    def let_go(self) -> None:
        """Give the console back for now; what was printed is kept, and ``open`` goes on."""

    def close(self) -> None:
        """Give the console back; what was printed is forgotten."""
