"""Where a domain is after a migration, well ended or not: both hosts are asked again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import TuivirtError, is_gone
from ..model.domain import DomainState
from ..model.record import record
from .gather import ask

if TYPE_CHECKING:
    from ..host import Host

COMES_BACK_S = 20.0
"""How long a host whose connection broke meanwhile is waited for."""
POSTCOPY_FAILED = getattr(libvirt, "VIR_DOMAIN_PAUSED_POSTCOPY_FAILED", 12)


@record(frozen=True, slots=True)
class Side:
    """What one host has of a domain."""

    host: str
    known: bool = True
    why: str = ""
    """Why it cannot be told."""
    there: bool = False
    active: bool = False
    persistent: bool = False
    state: DomainState = DomainState.NOSTATE
    reason: int = 0
    moving: bool = False
    """libvirt still moves it: the program's line broke, the daemons' did not."""

    @property
    def runs(self) -> bool:
        return self.active and self.state in (DomainState.RUNNING, DomainState.BLOCKED)

    @property
    def broken(self) -> bool:
        """Stopped in the middle of post-copy: its memory lies on both hosts."""
        return self.state is DomainState.PAUSED and self.reason == POSTCOPY_FAILED

    @property
    def words(self) -> str:
        """What is true of it on this host, a clause without its name."""
        if not self.known:
            return f"{self.host} cannot be asked ({self.why})"
        if not self.there:
            return f"it is not on {self.host}"
        if not self.active:
            return f"it is off on {self.host}, and defined there"
        kept = "" if self.persistent else ", not defined there"
        if self.broken:
            return f"it is stopped on {self.host} in the middle of post-copy{kept}"
        if self.runs:
            return f"it runs on {self.host}{kept}"
        return f"it is {self.state.word} on {self.host}{kept}"


def look(host: Host, uuid: str, aborted: threading.Event | None = None) -> Side:
    """What the host has of the domain now; a broken connection is given time to come back."""
    deadline = time.monotonic() + COMES_BACK_S
    while True:
        try:
            return ask(host, lambda: _look(host, uuid))
        except TuivirtError as error:
            why = error.why or error.what
        if time.monotonic() > deadline or (aborted is not None and aborted.is_set()):
            return Side(host.name, known=False, why=why)
        host.refresh()
        time.sleep(0.5)  # Nobody tells of a host that cannot be reached.


def _look(host: Host, uuid: str) -> Side:
    try:
        domain = host.conn.lookupByUUIDString(uuid)
        state, reason = domain.state(0)
        return Side(
            host.name,
            there=True,
            active=bool(domain.isActive()),
            persistent=bool(domain.isPersistent()),
            state=DomainState(state) if state in set(DomainState) else DomainState.NOSTATE,
            reason=reason,
            moving=_moving(domain),
        )
    except libvirt.libvirtError as error:
        if is_gone(error):
            return Side(host.name)
        raise


def _moving(domain: Any) -> bool:
    try:
        stats = domain.jobStats(0)
    except libvirt.libvirtError:
        return False  # It is off, or its driver has no jobs.
    return bool(stats.get("type")) and stats.get(libvirt.VIR_DOMAIN_JOB_OPERATION) in (
        libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN,
        libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT,
    )


def look_at_both(
    source: Host, target: Host, uuid: str, aborted: threading.Event, tell: Callable[[str], None]
) -> tuple[Side, Side]:
    """Both, once libvirt does not move it any more, or nobody wants to know that."""
    while True:
        here, there = look(source, uuid, aborted), look(target, uuid, aborted)
        if not (here.moving and here.known) or aborted.is_set():
            return here, there
        tell(f"the daemons still move it: {both(here, there)}")
        time.sleep(1.0)  # Its events go to whoever asked for it, on a line that is gone.


def both(here: Side, there: Side) -> str:
    """What is true of the domain on both hosts, a sentence's end."""
    if not there.there and there.known and here.known and here.there:
        if here.runs:
            return f"it goes on running on {here.host}, and nothing of it is on {there.host}"
        return f"{here.words}, and nothing of it is on {there.host}"
    return f"{here.words}; {there.words}"


def advice(name: str, here: Side, there: Side) -> str:
    """What to do about it."""
    if here.broken or there.broken:
        return (
            "its memory lies on both hosts: mend the line, then take it up again"
            f" (virsh migrate {name} --postcopy-resume)"
        )
    if here.active and there.active:
        return (
            f"it must run on one of them only: if it runs on {here.host}, force it off on"
            f" {there.host}"
        )
    if here.known and here.state is DomainState.PAUSED and here.active:
        return f"resume it on {here.host}: tuivirt resume {name}"
    if there.known and there.state is DomainState.PAUSED and there.active and not here.active:
        return f"it may be resumed on {there.host} if its memory came over whole; look there first"
    if not (here.known and there.known):
        return "look again when both hosts answer, before you start it anywhere"
    return ""
