"""Small words that several screens use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypeVar

from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.widgets.columns import Column
from tuivirt.widgets.text import age
from tuivirt.widgets.tones import Cell, Toned


def active(on: bool) -> Cell:
    """The state of a network, a pool, an interface."""
    return Toned("active", "good") if on else Toned("off", "dim")


R = TypeVar("R")

_STATES = {
    DomainState.RUNNING: "good",
    DomainState.BLOCKED: "good",
    DomainState.CRASHED: "bad",
    DomainState.SHUTOFF: "dim",
    DomainState.NOSTATE: "dim",
}


def state_cell(domain: Domain, host: HostSnapshot | None = None) -> Toned:
    """The state of a domain in a title, in full words; with its host's silence, where given."""
    since = domain.silent_since
    if since is None and host is not None and host.link is not Link.CONNECTED:
        since = host.data_at
    if since is not None and domain.active:
        return Toned(f"stalled for {age(time.monotonic() - since)}", "bad")
    if domain.arriving:
        return Toned("arriving from another host", "warn")
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


def for_hosts(columns: Sequence[Column[R]], hosts: int) -> tuple[Column[R], ...]:
    """The columns without the host's, where there is only one host."""
    return tuple(column for column in columns if hosts > 1 or column.id != "host")


def place(path: str) -> Cell:
    """A path with its last part first: of many that begin alike the end tells. A URI as it is."""
    folder, slash, name = path.rpartition("/")
    if not slash or not name or not folder or "://" in path:
        return path
    return (Toned(name), Toned(f"  in {folder}", "dim"))
