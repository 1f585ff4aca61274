"""Small words that several screens use."""

from __future__ import annotations

import time

from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.widgets.text import age
from tuivirt.widgets.tones import Cell, Toned


def active(on: bool) -> Cell:
    """The state of a network, a pool, an interface."""
    return Toned("active", "good") if on else Toned("off", "dim")


_STATES = {
    DomainState.RUNNING: "good",
    DomainState.BLOCKED: "good",
    DomainState.CRASHED: "bad",
    DomainState.SHUTOFF: "dim",
    DomainState.NOSTATE: "dim",
}


def state_cell(domain: Domain) -> Toned:
    """The state of a domain in a title, in full words."""
    if domain.stalled_since is not None and domain.active:
        return Toned(f"stalled for {age(time.monotonic() - domain.stalled_since)}", "bad")
    word = {"run": "running"}.get(domain.state.word, domain.state.word)
    if domain.managed_save and not domain.active:
        word = "off, memory saved"
    return Toned(word, _STATES.get(domain.state, "warn"))


def auto(on: bool) -> str:
    """Started together with the daemon."""
    return "auto" if on else ""


def clock(at: float) -> str:
    """Wall-clock seconds as the time of day, or the date when it is not today's."""
    then, now = time.localtime(at), time.localtime()
    today = (then.tm_year, then.tm_yday) == (now.tm_year, now.tm_yday)
    return time.strftime("%H:%M:%S" if today else "%d %b %H:%M", then)


def count(number: int, word: str) -> str:
    """``1 lease``, ``3 leases``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
