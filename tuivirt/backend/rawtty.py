"""Joins a console to the terminal or the pipe that the program runs in, and says how it ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .console import Console, ConsoleState
from .console_ports import chosen
from .consolepump import Pump, Way
from .errors import BadInput, TuivirtError
from .parting import Ended, Parting
from .settling import LINGER_S

if TYPE_CHECKING:
    from .console_log import ConsoleLog
    from .host import Host
    from .xml.belongings import ConsolePort

PACE_BYTES_PER_S = 11_520.0
"""What a real line of 115,200 baud carries: a guest's serial port has no flow control, and what
comes faster than its system reads is lost there. A virtio console has, and needs no pace."""
USUAL = "default"
"""In place of a log's file: where ``tuivirt log`` finds it."""
ESCAPE = "^]"

_CONTROL = re.compile(r"(?:\^|ctrl\+)([@-_a-z])", re.IGNORECASE)


def attach_terminal(
    console: Console,
    stdin_fd: int = 0,
    stdout_fd: int = 1,
    stderr_fd: int = 2,
    *,
    linger_s: float | None = LINGER_S,
    tidy: bool = True,
) -> Parting:
    """Open ``console`` on the terminal and come back when it is over; the console is closed.

    The terminal is restored whatever happens. ``linger_s=None`` prints until the guest stops.
    ``tidy=False`` leaves the terminal's modes as the guest set them, for a caller that resets
    it all the same.
    """
    way = Way(stdin_fd, stdout_fd, stderr_fd, linger_s=linger_s, tidy=tidy)
    return Pump(console, way).run()


def attach(
    host: Host,
    uuid: str,
    *,
    devname: str | None = None,
    force: bool = False,
    safe: bool = False,
    escape: str = ESCAPE,
    log: str | None = None,
    linger_s: float | None = LINGER_S,
    pace_bytes_per_s: float | None = None,
) -> str:
    """Hand the program's standard input and output to a domain's console; how it ended, or ''
    for a pipe at its end.

    ``log`` is a file, or USUAL. ``pace_bytes_per_s`` bounds what a pipe sends: None for
    PACE_BYTES_PER_S where the port needs it, 0 for as fast as it is taken.

    Raises TuivirtError when the console cannot be had. A signal that ended it is raised again
    once the terminal is restored.
    """
    key = escape_byte(escape)
    name = host.domain(uuid).name()
    port = chosen(host, uuid, devname)
    if pace_bytes_per_s is None and port.model != "virtio":
        pace_bytes_per_s = PACE_BYTES_PER_S
    with _log_of(host, name, port, log) as kept, _input() as stdin:
        if sys.stdout is None:
            raise TuivirtError("cannot write to standard output", "it is closed")
        way = Way(
            stdin=stdin,
            escape=key,
            linger_s=linger_s,
            pace_bytes_per_s=pace_bytes_per_s,
            name=f"{name} {port.name}",
            log=kept,
        )
        console = Console(host, uuid, devname=devname, force=force, safe=safe)
        parting = Pump(console, way).run()
    return _told(name, parting)


def escape_byte(text: str) -> int:
    """The byte of the key that leaves: ``^]`` or ``ctrl+]``, or a character. Raises BadInput."""
    control = _CONTROL.fullmatch(text)
    if control is not None:
        return ord(control[1].upper()) ^ 0x40
    if len(text) == 1 and text.isascii():
        return ord(text)
    raise BadInput(
        f"no key {text!r} can leave a console", "it is one like ^] or ^a, or a single character"
    )


def _told(name: str, parting: Parting) -> str:
    """How it ended, as a sentence or an error."""
    status = parting.status
    match parting.how:
        case Ended.SIGNAL:
            signal.raise_signal(signal.Signals(parting.signal))
        case Ended.UNHEARD:
            # As any other tool whose reader has left.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.raise_signal(signal.SIGPIPE)
        case Ended.OFF:
            raise TuivirtError(f"{name} is off", advice="start it first")
        case Ended.LOST:
            why = "the connection to the host broke"
            raise TuivirtError(f"lost the console of {name}", why, "what it printed since is lost")
        case Ended.STOPPED if parting.unsent:
            why = f"it stopped, and {parting.unsent} bytes of the input or more were not sent"
            raise TuivirtError(f"lost the console of {name}", why)
        case Ended.STOPPED:
            return f"{name} stopped"
        case Ended.END:
            return ""
        case Ended.FAILED if parting.error is not None:
            raise parting.error
        case Ended.CLOSED:
            raise _why_closed(name, parting)
    state = status.state if status is not None else None
    waited = " (the guest is off)" if state is ConsoleState.GUEST_OFF else ""
    return f"left the console of {name}{waited}"


def _why_closed(name: str, parting: Parting) -> Exception:
    status = parting.status
    if status is None or status.error is None:
        return TuivirtError(f"the console of {name} closed", status.text if status else "")
    if status.state is ConsoleState.HELD and parting.was_open:
        return TuivirtError(
            f"lost the console of {name}",
            "somebody else took it over",
            "take it back (force) if they are done",
        )
    return status.error


@contextlib.contextmanager
def _log_of(
    host: Host, name: str, port: ConsolePort, log: str | None
) -> Iterator[ConsoleLog | None]:
    if log is None:
        yield None
        return
    from .console_log import open_log

    kept = open_log(host.name, name, port.name, None if log == USUAL else log)
    try:
        yield kept
    finally:
        kept.close()


@contextlib.contextmanager
def _input() -> Iterator[int]:
    """Standard input; where that is closed its number may be anything's, and it is at its end."""
    if sys.stdin is not None:
        yield 0
        return
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        yield nothing
    finally:
        os.close(nothing)
