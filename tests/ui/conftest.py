"""What all tests of the screens share."""

from __future__ import annotations

import pytest

from tuivirt.actions import lookups
from tuivirt.widgets.guard import Guard


@pytest.fixture(autouse=True)
def an_operator_who_reads_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pilot answers a question in the moment it is asked."""
    monkeypatch.setattr(Guard, "QUIET_S", 0.0)


@pytest.fixture(autouse=True)
def no_jobs_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands where a host stands has no domains to be asked; a test of jobs says its own."""
    monkeypatch.setattr(lookups, "block_jobs", lambda _host, *_args: ())
