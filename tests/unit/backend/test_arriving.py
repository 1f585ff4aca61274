"""The half of a migration that comes in, told from the one that goes out."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from tuivirt.backend.inventory import read_domain, read_domains
from tuivirt.backend.model.domain import Domain, DomainState

UUID = "00000000-0000-4000-8000-000000000001"
PAUSED = libvirt.VIR_DOMAIN_PAUSED
WAITS = (PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION)


class OneDomain:
    """A connection with a domain, in the state that the test says."""

    def __init__(self, state: tuple[int, int], *, number: int = 7, persistent: bool) -> None:
        self._state = state
        self._number = number
        self._persistent = persistent

    # The connection

    def lookupByUUIDString(self, _uuid: str) -> OneDomain:
        return self

    def getAllDomainStats(self, _groups: int, _flags: int) -> list[Any]:
        state, reason = self._state
        return [(self, {"state.state": state, "state.reason": reason})]

    def listAllDomains(self, flags: int) -> list[OneDomain]:
        transient = flags == libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT
        return [self] if transient and not self._persistent else []

    # The domain

    def UUIDString(self) -> str:
        return UUID

    def name(self) -> str:
        return "web-01"

    def ID(self) -> int:
        return self._number

    def state(self) -> tuple[int, int]:
        return self._state

    def info(self) -> list[int]:
        return [self._state[0], 1024, 1024, 1, 0]

    def autostart(self) -> int:
        return 0

    def isPersistent(self) -> int:
        return int(self._persistent)

    def hasManagedSaveImage(self, _flags: int) -> int:
        return 0

    def snapshotNum(self, _flags: int) -> int:
        return 0


def before(state: DomainState, reason: int = 0, **more: Any) -> Domain:
    return Domain("h", UUID, "web-01", 7 if state.active else None, state, reason, **more)


OFF = before(DomainState.SHUTOFF)
STARTING = before(DomainState.PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP)


@pytest.mark.parametrize(
    ("state", "persistent", "old", "arrives"),
    [
        (WAITS, False, None, True),
        (WAITS, False, STARTING, True),
        (WAITS, False, before(DomainState.PAUSED, WAITS[1], arriving=True), True),
        (WAITS, True, OFF, True),
        (WAITS, False, before(DomainState.RUNNING), False),
        (WAITS, False, before(DomainState.PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER), False),
        (WAITS, False, before(DomainState.PAUSED, WAITS[1]), False),
        (WAITS, True, None, False),
        (WAITS, True, before(DomainState.RUNNING), False),
        ((PAUSED, libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED), False, None, False),
        ((PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER), False, None, False),
        (
            (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_MIGRATED),
            False,
            before(DomainState.PAUSED, WAITS[1], arriving=True),
            False,
        ),
    ],
    ids=[
        "new",
        "started for it",
        "it waits still",
        "defined here from before",
        "transient, going",
        "transient, paused, going",
        "transient, still going",
        "defined, never read",
        "defined, going",
        "post-copy failed",
        "paused by somebody",
        "it has arrived",
    ],
)
def test_what_comes_in_waits_for_a_migration_and_was_not_here_before(
    state: tuple[int, int], persistent: bool, old: Domain | None, arrives: bool
) -> None:
    conn = OneDomain(state, persistent=persistent)
    found = read_domain(conn, "h", UUID, old)
    assert found is not None
    assert found[0].arriving is arrives
    domains, _handles = read_domains(conn, "h", {} if old is None else {UUID: old})
    assert domains[UUID].arriving is arrives
