"""A line that dies without a word: told by its silence, given up, and tried again for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.bench.proxy import CountingProxy
from tests.contract.test_connection import Watched, connected
from tests.support.guests import idle_guest
from tests.support.libvirtd import PrivateLibvirtd
from tuivirt.backend import keeper, mute, opening, sampler
from tuivirt.backend.connection import open_connection
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.host import Link

TRIES = 3
LEAST, MOST = 0.7, 1.3
"""What a wait may be of what is due: no two hosts keep in step."""
LATE_S = 0.5
"""For so long a busy machine may take to begin a try."""


class Tries:
    """Each try to connect: when it began, and when it had ended."""

    def __init__(self, really: Callable[..., Any], during: Callable[[], None]) -> None:
        self._really = really
        self._during = during
        self._changed = threading.Condition()
        self.times: list[tuple[float, float]] = []
        self.under_way = 0
        self.most_at_once = 0

    def __call__(self, uri: str, *words: Any) -> Any:
        with self._changed:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        began = time.monotonic()
        try:
            self._during()
            return self._really(uri, *words)
        finally:
            with self._changed:
                self.under_way -= 1
                self.times.append((began, time.monotonic()))
                self._changed.notify_all()

    def wait_for(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.times) >= number, 60), self.times


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes minutes takes seconds."""
    monkeypatch.setattr(sampler, "SILENT_S", 3.0)
    monkeypatch.setattr(opening, "STILL_S", 0.1)
    monkeypatch.setattr(mute, "GIVE_UP_S", 0.3)
    monkeypatch.setattr(keeper, "FIRST_DELAY_S", 0.25)


@pytest.fixture
def line(private_libvirtd: PrivateLibvirtd, tmp_path: Path) -> Iterator[CountingProxy]:
    socket = private_libvirtd.folder / "run" / "libvirt-sock"
    with CountingProxy(tmp_path / "line", socket) as line:
        yield line


@pytest.mark.usefixtures("impatient")
def test_a_line_that_dies_silently_is_given_up_tried_by_one_at_a_time_and_found_again(
    private_libvirtd: PrivateLibvirtd,
    line: CountingProxy,
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        one, two = (idle_guest(private_libvirtd.uri, images) for _ in range(2))
        near = Watched(private_libvirtd.uri)
        stack.callback(near.host.close)
        far = Watched(f"qemu+unix:///system?socket={line.path}")
        stack.callback(far.host.close)
        for each in (near, far):
            each.until(lambda s: connected(s) and len(s.domains) == 2, "filled")
        # Nobody who presses ctrl+r makes a second try beside the one under way.
        tries = Tries(open_connection, far.host.refresh)
        monkeypatch.setattr(keeper, "open_connection", tries)

        line.die()
        stalled = far.until(lambda s: s.link is Link.STALLED, "stalled")
        assert stalled.data_at is not None
        lost = far.until(lambda s: s.link is Link.LOST, "given up")
        assert "no sign of life" in lost.reason
        assert len(lost.domains) == 2, "what was known is kept"
        one.destroy()
        near.until(
            lambda s: s.domains[one.uuid].state is DomainState.SHUTOFF, "the other is followed"
        )
        told = far.until(lambda s: s.reason == mute.NO_ANSWER, "why there is none")
        assert told.domains[one.uuid].state is DomainState.RUNNING
        tries.wait_for(TRIES)
        assert far.host.snapshot.link is not Link.CONNECTED

        line.live()
        found = far.until(connected, "found again")
        assert found.domains[one.uuid].state is DomainState.SHUTOFF
        two.domain.suspend()
        far.until(lambda s: s.domains[two.uuid].state is DomainState.PAUSED, "events are heard")
        assert tries.most_at_once == 1
        # Each wait is about twice the one before, up to the longest.
        due = keeper.FIRST_DELAY_S
        for (_began, ended), (began, _ended) in pairwise(tries.times[:TRIES]):
            due = min(keeper.LONGEST_HERE_S, 2 * due)
            assert LEAST * due <= began - ended <= MOST * due + LATE_S, tries.times
        for guest in (one, two):
            guest.conn.close()
