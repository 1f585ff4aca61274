"""Hosts that were opened together do not stay in step."""

from __future__ import annotations

from tuivirt.backend.spread import spread


def test_fifty_hosts_are_not_read_again_in_the_same_second() -> None:
    times = [spread(60) for _ in range(50)]
    assert all(42 <= each <= 78 for each in times)
    most = max(sum(each <= other < each + 1 for other in times) for each in times)
    assert most <= 12  # One or two of them, mostly.
