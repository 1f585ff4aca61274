"""How a console that had the terminal, or was a pipe, came to its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .console import ConsoleStatus
from .errors import TuivirtError


class Ended(StrEnum):
    """Why the terminal was given back."""

    LEFT = "left"
    """The operator pressed ``ctrl+]``."""
    CLOSED = "closed"
    """The console closed, or is held by another: ``Parting.status`` says why."""
    OFF = "off"
    """The guest was off from the first, and this was a pipe."""
    STOPPED = "stopped"
    """The guest stopped, and this was a pipe."""
    LOST = "lost"
    """The connection to the host broke, and this was a pipe."""
    END = "end"
    """The end of the input was reached and the guest has been silent since."""
    UNHEARD = "unheard"
    """Nobody reads the output any more."""
    FAILED = "failed"
    """Input or output could not be read or written: ``Parting.error`` says why."""
    SIGNAL = "signal"
    """The program was told to end."""


@dataclass(frozen=True, slots=True)
class Parting:
    """How it ended."""

    how: Ended
    signal: int = 0
    """The number of the signal, when it was one: the exit status is 128 and this."""
    status: ConsoleStatus | None = None
    """What the console said last."""
    unsent: int = 0
    """Bytes of the input that were read and that the guest did not get."""
    was_open: bool = False
    error: TuivirtError | None = None
