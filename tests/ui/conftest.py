"""What all tests of the screens share."""

from __future__ import annotations

import pytest

from tuivirt.widgets.guard import Guard


@pytest.fixture(autouse=True)
def an_operator_who_reads_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pilot answers a question in the moment it is asked."""
    monkeypatch.setattr(Guard, "QUIET_S", 0.0)
