"""The two lines of the consoles' screen: which there are, and how this one and its guest do."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from tuivirt.backend.model.console import ConsoleSession, ConsoleState
from tuivirt.backend.model.fleet import Fleet
from tuivirt.widgets.text import NONE, percent, rate, size_bytes
from tuivirt.widgets.tones import Toned

from .console_slot import Slot

Sides = tuple[list[Toned], list[Toned]]
"""What stands on the left, and on the right."""

FRESH_S = 8.0
"""So long a notice stands before what else there is to say: a file was not saved, for instance."""

_TONES = {"error": "bad", "warning": "warn", "information": ""}


def tabs(
    sessions: Sequence[ConsoleSession],
    current: ConsoleSession | None,
    new: Mapping[ConsoleSession, int],
    rang: Collection[ConsoleSession],
    prefix: str,
    fleet: Fleet,
    shown: Sequence[ConsoleSession] = (),
) -> Sides:
    """Each console: ``●`` it is written to a file, ``◦2 k`` new output, ``♪`` its bell rang.

    ``shown``: those in the panes, from the left. Several come first, in that order and with a
    line between, so that it is plain whose pane is which.
    """
    beside = shown if len(shown) > 1 else ()
    sessions = [*beside, *(session for session in sessions if session not in beside)]
    pieces: list[Toned] = [Toned(" ")]
    names = [session.name for session in sessions]
    for session in sessions:
        here = session is current
        name = session.name
        if fleet.several and names.count(name) > 1:
            name += f"@{session.ref.host}"
        marks = ""
        if session.log_path:
            marks += " ● rec"
        if not here and session in rang:
            marks += " ♪"
        if not here and new.get(session):
            marks += f" ◦{size_bytes(new[session]).replace(' B', '')}"
        if session.status.state not in (ConsoleState.OPEN, ConsoleState.OPENING):
            marks += f" ({_short(session)})"
        label = f"{name} {session.device}{marks}"
        if session in beside[1:]:
            pieces.append(Toned("│", "dim"))
        pieces.append(Toned(f"[{label}]" if here else f" {label} ", "accent" if here else ""))
    host = f"host {current.ref.host}   " if current is not None and fleet.several else ""
    return pieces, [Toned(f"{host}{prefix} menu ", "dim")]


def _short(session: ConsoleSession) -> str:
    return {
        ConsoleState.GUEST_OFF: "off",
        ConsoleState.HOST_AWAY: "host away",
        ConsoleState.HELD: "held",
        ConsoleState.CLOSED: "closed",
    }.get(session.status.state, "")


def status(
    slot: Slot, fleet: Fleet, notice: tuple[str, str], prefix: str, fresh: bool = False
) -> Sides:
    """What stands in the way, a notice, or the guest's figures; where it is in what is kept.

    ``fresh``: the notice is new, and comes before all that can be read afterwards too.
    """
    session = slot.session
    if session is None:
        text, severity = notice
        if fresh and severity != "information":
            return [Toned(f" {text}", _TONES[severity])], []
        return [Toned(" opening …", "dim")], []
    sending = session.sending
    text, severity = notice
    left: list[Toned]
    if text and fresh and (severity != "information" or not session.trouble):
        left = [Toned(f" {text}", _TONES[severity])]
    elif sending is not None:
        done = f"{size_bytes(sending.sent)} of {size_bytes(sending.total)}"
        left = [Toned(f" sending {sending.what}: {done}   {prefix} ctrl+c stops", "accent")]
    elif (waits := _waits(session, prefix)) is not None:
        left = [waits]
    elif session.trouble:
        left = [Toned(f" {session.trouble}", "bad")]
    elif text:
        left = [Toned(f" {text}", _TONES[severity])]
    else:
        left = [Toned(f" {_figures(session, fleet)}")]
        return left, [Toned(_where(slot), "dim")]
    # A sentence needs the room more than where one is.
    return left, [Toned(_where(slot).rpartition("   ")[2], "dim")]


def _waits(session: ConsoleSession, prefix: str) -> Toned | None:
    """Why nothing can be typed, and what to do."""
    status = session.status
    advice = _advice(status.state, prefix)
    if status.state is ConsoleState.OPEN:
        return None
    if status.state is ConsoleState.OPENING:
        return Toned(f" {status.text} …", "dim")
    if status.state is ConsoleState.HELD:
        # What to do first: libvirt's own words may be long.
        return Toned(f" {advice}: {status.text}", "warn")
    return Toned(f" {status.text}{f'; {advice}' if advice else ''}", "warn")


def _advice(state: ConsoleState, prefix: str) -> str:
    return {
        ConsoleState.GUEST_OFF: f"{prefix} S starts it",
        ConsoleState.HELD: f"{prefix} t takes it over",
        ConsoleState.CLOSED: f"{prefix} t tries again, {prefix} x closes",
    }.get(state, "")


class Notices:
    """Tells a notice that nobody can have read yet; ``known`` was there before."""

    def __init__(self, known: tuple[str, str]) -> None:
        self._last = known
        self._since = -FRESH_S

    def is_fresh(self, notice: tuple[str, str]) -> bool:
        """Whether it came a moment ago."""
        now = time.monotonic()
        if notice is not self._last:
            self._last, self._since = notice, now
        return now - self._since < FRESH_S


def why_not_sent(session: ConsoleSession, prefix: str) -> str:
    """Why a key did not reach the guest, and what to do."""
    status = session.status
    if status.state is ConsoleState.OPEN:
        return "the guest takes no more of what is typed; it was dropped"
    advice = _advice(status.state, prefix)
    return f"not sent{f'; {advice}' if advice else ''}: {status.text}"


def _figures(session: ConsoleSession, fleet: Fleet) -> str:
    domain, stats = fleet.domain(session.ref), fleet.stats(session.ref)
    if domain is None or stats is None or not domain.active:
        return ""
    memory = NONE
    total = domain.memory_kib or stats.memory_available_kib
    if stats.memory_used_kib is not None and total:
        memory = percent(100 * stats.memory_used_kib / total)
    disk = _together(stats.read_bytes_per_s, stats.write_bytes_per_s)
    net = _together(stats.rx_bytes_per_s, stats.tx_bytes_per_s)
    return f"CPU {percent(stats.cpu_percent)} %  MEM {memory} %  disk {rate(disk)}  net {rate(net)}"


def _together(one: float | None, two: float | None) -> float | None:
    return None if one is None and two is None else (one or 0.0) + (two or 0.0)


def _where(slot: Slot) -> str:
    frame = slot.pane.frame
    if frame is None:
        return ""
    scroll = frame.scroll
    parts = []
    if slot.searched:
        found = slot.found
        number = f"{found.selected + 1} of " if found.selected is not None else ""
        parts.append(f"{number}{found.total} found")
    rows, columns = slot.pane.hidden
    if rows or columns:
        hidden, what = (rows, "row") if rows else (columns, "column")
        parts.append(f"{hidden} {what}{'' if hidden == 1 else 's'} hidden")
    if frame.alternate:
        parts.append("full-screen program")
    elif not scroll.at_end:
        parts.append(f"line {scroll.offset + scroll.shown} of {scroll.total}")
    else:
        parts.append(f"line {scroll.total}" if scroll.total > frame.lines else "")
    parts.append(f"{frame.columns}×{frame.lines} ")
    return "   ".join(filter(None, parts))


def history(hint: str, slot: Slot) -> Sides:
    """While the keys move in what was printed."""
    where = _where(slot).rpartition("   ")[0]  # Its size matters less than where one is.
    return [Toned(f" {hint}", "accent")], [Toned(f"{where} ", "dim")]
