"""A little life of the demo's own: gentle, and the same for each seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import libvirt

from .errors import failure

if TYPE_CHECKING:
    from .connection import DemoConnection
    from .domain import DemoDomain

RESTARTED = "ci-runner"
"""The guest that starts afresh now and then."""
BREATH_S = (15.0, 40.0)
"""Between two happenings, at least and at most."""


class Life:
    """Something happens every half minute or so, on the event loop's thread."""

    def __init__(self, host: DemoConnection) -> None:
        self._host = host
        self._chance = random.Random(host.world.seed)
        self._next()

    def _next(self) -> None:
        self._host.clock.after(self._chance.uniform(*BREATH_S), self._breathe)

    def _breathe(self) -> None:
        try:
            happening = self._chance.choice((self._restart, self._balloon, self._agent))
            happening()
        except libvirt.libvirtError as error:
            # The operator undefined or stopped the guest in that very moment: nothing to do.
            if error.get_error_code() not in (
                libvirt.VIR_ERR_NO_DOMAIN,
                libvirt.VIR_ERR_OPERATION_INVALID,
            ):
                raise
        finally:
            self._next()

    def _running(self, name: str) -> DemoDomain:
        domain = self._host.lookupByName(name)
        if domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING:
            raise failure(libvirt.VIR_ERR_OPERATION_INVALID, "domain is not running")
        return domain

    def _restart(self) -> None:
        domain = self._running(RESTARTED)
        if self._host.readonly:  # What changes the driver's own state needs a connection that may.
            self._host.domain_events.emit(libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, domain)
            return
        domain.destroy()
        domain.create()

    def _balloon(self) -> None:
        domain = self._running("db-01")
        kib = domain.info()[2] - self._chance.choice((0, 256, 512)) * 1024
        self._host.domain_events.emit(libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, domain, kib)

    def _agent(self) -> None:
        domain = self._running("web-01")
        emit, agent = self._host.domain_events.emit, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE
        reason = libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL
        for state in (
            libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
            libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED,
        ):
            emit(agent, domain, state, reason)
