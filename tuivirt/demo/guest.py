"""What the demo remembers of a guest beyond libvirt's test driver: its clock and live devices."""

from __future__ import annotations

import math
import time
import zlib
from typing import TYPE_CHECKING

import libvirt

from .devices import LiveDevices
from .guests import GuestSpec
from .load import PROFILES, Profile

if TYPE_CHECKING:
    from .migrating import Move


class Guest:
    """The running clock of one guest. Not locked: the host's lock covers it."""

    def __init__(self, uuid: str, name: str, spec: GuestSpec | None) -> None:
        self.uuid = uuid
        self.name = name
        self.spec = spec or GuestSpec(name, uptime_s=0.0)
        self.phase = (zlib.crc32(name.encode()) % 6283) / 1000.0
        self.state = -1
        self.boots = 0
        """Rises with each start and reset, so a delayed deed knows that it came too late."""
        self.live: LiveDevices | None = None
        self.detaching: set[str] = set()
        """Aliases of devices which the guest has been asked to let go."""
        self.pins: dict[tuple[str, int | None], frozenset[int]] = {}
        """Where threads of it may run that were pinned while it runs."""
        self.closing = False
        """It has been asked to shut down and is about to."""
        self.move: Move | None = None
        """It is being moved to another host."""
        self.completed_move = False
        """It came from another host."""
        self.speed_mib_s = 0
        """The most that moving it may take of the line; 0: no limit of its own."""
        self._ran = self.spec.uptime_s
        self._since: float | None = None
        self._wall_stopped = time.time()
        self._kept = True

    @property
    def profile(self) -> Profile:
        return PROFILES[self.spec.profile]

    @property
    def active(self) -> bool:
        return self.state not in (-1, libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_NOSTATE)

    @property
    def running(self) -> bool:
        return bool(self.state == libvirt.VIR_DOMAIN_RUNNING)

    def sync(self, state: int, now: float, saved: bool = False) -> bool:
        """Take note of libvirt's state; true when the guest has just stopped for good."""
        before, was_active = self.state, self.active
        if state == before:
            return False
        self.state = state
        if self._since is not None:
            self._ran += now - self._since
            self._since = None
            self._wall_stopped = time.time()
        if self.active and not was_active:
            if not self._kept:
                self._ran = 0.0
            self._kept = False
            self.boots += 1
            self.closing = False
            self.detaching.clear()
        if state == libvirt.VIR_DOMAIN_RUNNING:
            self._since = now
        if not self.active:
            self._kept = saved or before == -1
            self.live = None
            self.detaching.clear()
            self.pins.clear()
            self.closing = False
        return was_active and not self.active

    def take_over(self, other: Guest) -> None:
        """It is ``other``, which came from another host: it goes on where that was."""
        self.spec, self.phase = other.spec, other.phase
        self._ran, self._kept = other.ran(time.monotonic()), True

    def forget(self) -> None:
        """Its saved memory was thrown away: it starts from nothing."""
        self._kept = False

    def ran(self, now: float) -> float:
        """Seconds that it has run since its start, pauses left out."""
        return self._ran + (now - self._since if self._since is not None else 0.0)

    def balloon_wall(self) -> float:
        """The wall clock as the guest's balloon driver last could see it."""
        return time.time() if self._since is not None else self._wall_stopped

    def cpu_seconds(self, now: float, vcpus: int) -> list[float]:
        """CPU seconds that each vCPU used."""
        t, wave = self.ran(now), self.profile.cpu
        return [wave.total(t, self.phase + 0.35 * number) for number in range(vcpus)]

    def memory_used(self, now: float) -> float:
        """Part of its memory in use, 0 to 1."""
        warm = 1 - math.exp(-self.ran(now) / 8)
        return min(0.99, self.profile.memory.rate(self.ran(now), self.phase)) * (0.4 + 0.6 * warm)
