"""What a call that failed has done all the same: read again, as its connection may have broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from ..backup.job import is_away
from ..block_jobs.images import real
from ..block_jobs.read import busy_with, chains_of
from ..errors import NotFound, TuivirtError, from_libvirt
from ..lifecycle import state_of
from ..model.domain import DomainState
from ..model.record import record
from ..waiters import Waiter

if TYPE_CHECKING:
    from ..host import Host

COMES_BACK_S = 20.0
"""How long a connection that broke meanwhile is waited for."""


@record(frozen=True, slots=True)
class Now:
    """A domain as libvirt tells of it now."""

    state: DomainState | None = None
    """None: there is no such domain any more, or it is not known."""
    images: frozenset[str] = frozenset()
    """What its disks lie on, by both configurations; paths without links."""
    busy: str = ""
    """The job of the whole domain that runs still, a clause; ''."""
    unknown: str = ""
    """Why it could not be read; '': it was."""

    @property
    def active(self) -> bool:
        return self.state is not None and self.state.active

    @property
    def words(self) -> str:
        """A sentence's end: ``, and off``."""
        if self.unknown:
            return f"; whether it runs could not be read ({self.unknown})"
        if self.state is None:
            return ", and gone"
        if self.state is DomainState.SHUTOFF:
            return ", and off"
        return f", and {self.state.name.lower()}" + (f" ({self.busy} still)" if self.busy else "")


def look(host: Host, uuid: str) -> Now:
    """How it is, once the connection stands again; never raises for what cannot be read."""
    found, failures = [Now()], 0

    def told() -> bool:
        nonlocal failures
        try:
            found.append(_read(host, uuid))
        except NotFound:
            found.append(Now())
        except TuivirtError as error:
            found[0] = Now(unknown=str(error))
            # Once may have been the connection before this one.
            failures += not is_away(host)
            return failures > 1
        return True

    with Waiter(host, lambda _event: False) as waiter:
        waiter.until(told, COMES_BACK_S)
    return found[-1]


def _read(host: Host, uuid: str) -> Now:
    domain = host.domain(uuid)
    try:
        state = state_of(domain)
        if state is None:
            return Now()
        sides = [chains_of(domain)]
        if domain.isPersistent():
            sides.append(chains_of(domain, saved=True))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot read how {domain.name()} is now") from error
    paths = {path for chains in sides for chain in chains.values() for path in chain.paths}
    return Now(
        state,
        frozenset(real(host, path) for path in paths),
        busy_with(domain) if state.active else "",
    )
