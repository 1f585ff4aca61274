"""Counters derived from time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuivirt.demo.load import PROFILES, Wave

_times = st.floats(0, 1e7, allow_nan=False)


@given(_times, _times, st.floats(0, 6.28), st.sampled_from(sorted(PROFILES)))
def test_a_counter_never_goes_backwards(a: float, b: float, phase: float, name: str) -> None:
    first, last = sorted((a, b))
    for wave in (PROFILES[name].cpu, PROFILES[name].read, PROFILES[name].tx):
        assert wave.total(last, phase) >= wave.total(first, phase) - 1e-6 * wave.total(last, phase)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_vcpu_is_never_busier_than_all_of_the_time(name: str) -> None:
    wave = PROFILES[name].cpu
    assert all(0 <= wave.rate(t / 2, 1.0) <= 1.0 for t in range(2000))


def test_a_total_is_the_area_under_the_rate() -> None:
    wave = Wave(1.0, ((2.0, 10.0),), ((5.0, 8.0, 0.25),))
    step = 0.001
    area = sum(wave.rate((n + 0.5) * step, 0.7) * step for n in range(20_000))
    assert wave.total(20.0, 0.7) == pytest.approx(area, rel=1e-3)
