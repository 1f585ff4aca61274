"""How busy a demo guest is: rates with closed-form integrals, so counters cost no state.

A counter is the integral of a rate that is never negative, taken over the time a guest has
run. So it never goes backwards, it stands while the guest is paused, and asking for it twice as
often changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_TAU = 2 * math.pi


@dataclass(frozen=True, slots=True)
class Wave:
    """A rate over time: a base, swings (sines lifted above zero) and bursts (square waves)."""

    base: float = 0.0
    swings: tuple[tuple[float, float], ...] = ()
    """(amplitude, period in seconds): adds between 0 and twice the amplitude."""
    bursts: tuple[tuple[float, float, float], ...] = ()
    """(height, period in seconds, part of the period in which it is on)."""

    def rate(self, t: float, phase: float = 0.0) -> float:
        """The rate at ``t`` seconds."""
        value = self.base
        for amplitude, period in self.swings:
            value += amplitude * (1 + math.sin(_TAU * t / period + phase))
        for height, period, duty in self.bursts:
            if (t + phase * period / _TAU) % period < duty * period:
                value += height
        return value

    def total(self, t: float, phase: float = 0.0) -> float:
        """The integral of the rate from 0 to ``t`` seconds."""
        value = self.base * t
        for amplitude, period in self.swings:
            wave = math.cos(phase) - math.cos(_TAU * t / period + phase)
            value += amplitude * (t + wave * period / _TAU)
        for height, period, duty in self.bursts:
            offset = phase * period / _TAU
            value += height * (_on_time(t + offset, period, duty) - _on_time(offset, period, duty))
        return value


def _on_time(t: float, period: float, duty: float) -> float:
    cycles, rest = divmod(t, period)
    return cycles * duty * period + min(rest, duty * period)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of guest does with its devices."""

    cpu: Wave
    """Part of one vCPU, 0 to 1."""
    read: Wave = Wave()
    """Bytes per second over all its disks."""
    write: Wave = Wave()
    rx: Wave = Wave()
    """Bytes per second over all its network interfaces."""
    tx: Wave = Wave()
    memory: Wave = Wave(0.3)
    """Part of its memory in use, 0 to 1."""


_K = 1000.0
_M = 1000_000.0
_DAY = 86400.0

PROFILES: dict[str, Profile] = {
    "web": Profile(
        cpu=Wave(0.30, ((0.12, 41.0), (0.15, 293.0), (0.02, _DAY))),
        read=Wave(1 * _M, ((2 * _M, 37.0), (3 * _M, 211.0))),
        write=Wave(0.2 * _M, ((0.1 * _M, 29.0),), ((2 * _M, 60.0, 0.1),)),
        rx=Wave(0.2 * _M, ((0.3 * _M, 41.0), (0.4 * _M, 293.0))),
        tx=Wave(0.5 * _M, ((0.4 * _M, 41.0), (0.5 * _M, 293.0))),
        memory=Wave(0.40, ((0.04, 180.0),)),
    ),
    "database": Profile(
        cpu=Wave(0.18, ((0.08, 23.0), (0.08, 401.0)), ((0.25, 90.0, 0.15),)),
        read=Wave(20 * _M, ((15 * _M, 31.0), (18 * _M, 307.0))),
        write=Wave(4 * _M, ((3 * _M, 19.0),), ((60 * _M, 120.0, 0.12),)),
        rx=Wave(80 * _K, ((60 * _K, 23.0),)),
        tx=Wave(120 * _K, ((90 * _K, 23.0),)),
        memory=Wave(0.84, ((0.02, 333.0),)),
    ),
    "batch": Profile(
        cpu=Wave(0.02, (), ((0.93, 150.0, 0.55),)),
        read=Wave(0.0, (), ((25 * _M, 150.0, 0.2),)),
        write=Wave(10 * _K, (), ((14 * _M, 75.0, 0.3),)),
        rx=Wave(2 * _K, (), ((1.5 * _M, 150.0, 0.1),)),
        tx=Wave(1 * _K),
        memory=Wave(0.2, ((0.2, 150.0),)),
    ),
    "training": Profile(
        cpu=Wave(0.93, ((0.03, 13.0),)),
        read=Wave(0.0, (), ((180 * _M, 200.0, 0.1),)),
        rx=Wave(20 * _K, ((0.4 * _M, 61.0),)),
        tx=Wave(10 * _K, ((0.1 * _M, 61.0),)),
        memory=Wave(0.93, ((0.01, 77.0),)),
    ),
    "bursts": Profile(
        cpu=Wave(0.03, ((0.02, 17.0),), ((0.5, 45.0, 0.2), (0.3, 130.0, 0.1))),
        read=Wave(0.0, (), ((3 * _M, 45.0, 0.1),)),
        write=Wave(4 * _K, (), ((1 * _M, 45.0, 0.2),)),
        rx=Wave(50 * _K, ((40 * _K, 11.0),), ((9 * _M, 45.0, 0.2),)),
        tx=Wave(50 * _K, ((40 * _K, 11.0),), ((9 * _M, 45.0, 0.2),)),
        memory=Wave(0.35, ((0.05, 45.0),)),
    ),
    "idle": Profile(
        cpu=Wave(0.004, ((0.004, 53.0),), ((0.06, 300.0, 0.02),)),
        write=Wave(0.0, (), ((40 * _K, 30.0, 0.1),)),
        rx=Wave(200.0, ((300.0, 21.0),)),
        tx=Wave(60.0),
        memory=Wave(0.22, ((0.01, 600.0),)),
    ),
    "stuck": Profile(cpu=Wave(1.0), memory=Wave(0.9)),
}
