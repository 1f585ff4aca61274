"""What all tests of the screens share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.scrollbar import ScrollBar, ScrollBarRender

from tuivirt.actions import lookups
from tuivirt.widgets.compositing import ExactCompositor
from tuivirt.widgets.guard import Guard
from tuivirt.widgets.sparkline import show_bars
from tuivirt.widgets.text import spell_out


@pytest.fixture(autouse=True)
def an_operator_who_reads_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pilot answers a question in the moment it is asked."""
    monkeypatch.setattr(Guard, "QUIET_S", 0.0)


@pytest.fixture(autouse=True)
def looks_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that draws in ASCII or slowly leaves none of that to the next."""
    monkeypatch.setattr(ExactCompositor, "sent", None)
    monkeypatch.setattr(ScrollBar, "renderer", ScrollBarRender)  # And back, when ASCII changed it.
    yield
    show_bars(True)
    spell_out(False)


@pytest.fixture(autouse=True)
def no_jobs_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands where a host stands has no domains to be asked; a test of jobs says its own."""
    monkeypatch.setattr(lookups, "block_jobs", lambda _host, *_args: ())
