"""A host that stalls, dies and comes back: what is shown stays true and nothing hangs."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import libvirt
import pytest

from tests.support.guests import Guest, idle_guest
from tests.support.libvirtd import PrivateLibvirtd
from tuivirt.backend import mute, opening, sampler
from tuivirt.backend.errors import NotConnected, ReadOnly, TuivirtError
from tuivirt.backend.events import Event, LinkChanged, SnapshotChanged
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import DomainState
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.backend.view import View

PATIENCE_S = 40.0


class Watched:
    """A host whose snapshots and events can be awaited."""

    def __init__(self, uri: str, *, readonly: bool = False, interval: float = 0.5) -> None:
        self._changed = threading.Condition()
        self.events: list[Event] = []
        self.host = Host("lab", uri, readonly=readonly, publish=self._publish, interval=interval)
        self.host.start()

    def _publish(self, event: Event) -> None:
        with self._changed:
            if not isinstance(event, SnapshotChanged):
                self.events.append(event)
            self._changed.notify_all()

    def until(self, true: Callable[[HostSnapshot], object], what: str) -> HostSnapshot:
        with self._changed:
            if not self._changed.wait_for(lambda: true(self.host.snapshot), PATIENCE_S):
                raise AssertionError(f"never: {what}; last: {self.host.snapshot}")
            return self.host.snapshot


@pytest.fixture
def watch(private_libvirtd: PrivateLibvirtd) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def make(uri: str = private_libvirtd.uri, **options: object) -> Watched:
        watched = Watched(uri, **options)  # type: ignore[arg-type]
        made.append(watched)
        return watched

    yield make
    for watched in made:
        watched.host.close()


def connected(snapshot: HostSnapshot) -> bool:
    return snapshot.filled and snapshot.link is Link.CONNECTED


def qemu_pid(name: str) -> int:
    """The process of a guest, as this machine numbers it."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith(b"/usr/bin/qemu") and f"guest={name},".encode() in line:
                return int(process.name)
    raise AssertionError(f"no QEMU of {name}")


@pytest.fixture
def pair(private_libvirtd: PrivateLibvirtd, images: Path) -> Iterator[tuple[Guest, Guest]]:
    one = idle_guest(private_libvirtd.uri, images)
    two = idle_guest(private_libvirtd.uri, images)
    yield one, two
    one.remove()
    two.remove()


def test_a_daemon_that_is_killed_is_shown_as_lost_and_found_again(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched], pair: tuple[Guest, Guest]
) -> None:
    watched = watch()
    before = watched.until(connected, "connected")
    private_libvirtd.kill()
    lost = watched.until(lambda s: s.link is Link.LOST, "lost")
    assert lost.reason
    assert lost.domains.keys() == before.domains.keys(), "what was known is kept, marked by link"
    with pytest.raises(NotConnected):
        _ = watched.host.conn
    private_libvirtd.start()
    watched.until(connected, "found again")
    # Events are registered again: a change made elsewhere is seen.
    for guest in pair:
        guest.reconnect()
    pair[0].destroy()
    watched.until(lambda s: any(d.state is DomainState.SHUTOFF for d in s.domains.values()), "off")


def test_a_stopped_daemon_is_marked_stalled_with_the_age_of_its_data_and_goes_on(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched], pair: tuple[Guest, Guest]
) -> None:
    watched = watch()
    watched.until(lambda s: connected(s) and s.domain_stats, "figures")
    private_libvirtd.sigstop()
    try:
        stalled = watched.until(lambda s: s.link is Link.STALLED, "stalled")
        assert stalled.data_at is not None
        assert time.monotonic() - stalled.data_at > 1.0
        assert stalled.domains, "the list is still there"
    finally:
        private_libvirtd.sigcont()
    resumed = watched.until(connected, "goes on")
    at = resumed.data_at or 0.0
    watched.until(lambda s: (s.data_at or 0.0) > at, "fresh figures")
    stats = watched.host.snapshot.domain_stats.values()
    assert all(s.cpu_guest_percent is None or s.cpu_guest_percent <= 100 for s in stats)


def test_one_stuck_guest_is_marked_and_the_others_go_on(
    watch: Callable[..., Watched], pair: tuple[Guest, Guest]
) -> None:
    watched = watch()
    snapshot = watched.until(lambda s: connected(s) and len(s.domain_stats) == 2, "figures")
    watched.host.watch(View(frozenset(snapshot.domains)))
    stuck, free = (guest.uuid for guest in pair)
    pid = qemu_pid(pair[0].name)
    os.kill(pid, signal.SIGSTOP)
    try:
        watched.until(lambda s: s.domains[stuck].stalled_since is not None, "marked")
        at = watched.host.snapshot.domain_stats[free].block_at or 0.0
        now = watched.until(
            lambda s: (s.domain_stats[free].block_at or 0.0) > at + 2, "the other goes on"
        )
        assert now.link is Link.CONNECTED
        assert now.domains[free].stalled_since is None
    finally:
        os.kill(pid, signal.SIGCONT)
    watched.until(lambda s: s.domains[stuck].stalled_since is None, "answers again")


def test_a_guest_that_was_stuck_on_the_connection_before_is_not_taken_for_stuck_on_the_next(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched], pair: tuple[Guest, Guest]
) -> None:
    watched = watch()
    watched.until(lambda s: connected(s) and len(s.domain_stats) == 2, "figures")
    stuck = pair[0].uuid
    pid = qemu_pid(pair[0].name)
    os.kill(pid, signal.SIGSTOP)
    try:
        watched.until(lambda s: s.domains[stuck].stalled_since is not None, "marked")
        private_libvirtd.kill()
        watched.until(lambda s: s.link is Link.LOST, "lost")
    finally:
        os.kill(pid, signal.SIGCONT)
    private_libvirtd.start()
    watched.until(
        lambda s: connected(s) and s.domains[stuck].stalled_since is None, "answers again"
    )
    for guest in pair:
        guest.reconnect()


def test_a_host_that_never_answered_gives_its_reason_and_is_tried_for_ever(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched]
) -> None:
    private_libvirtd.kill()
    watched = watch()
    failed = watched.until(lambda s: s.link is Link.FAILED, "failed")
    assert failed.reason
    assert "start the daemon" in failed.advice
    assert failed.retry_at is not None
    with pytest.raises(TuivirtError, match="cannot connect"):
        watched.host.wait_filled(5)
    private_libvirtd.start()
    watched.until(connected, "connected at last")


def test_changes_made_elsewhere_are_seen_through_events(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched], images: Path
) -> None:
    watched = watch()
    watched.until(connected, "connected")
    guest = idle_guest(private_libvirtd.uri, images, start=False)
    uuid = guest.uuid
    off = watched.until(lambda s: uuid in s.domains, "defined")
    assert off.domains[uuid].state is DomainState.SHUTOFF
    guest.start()
    watched.until(lambda s: s.domains[uuid].state is DomainState.RUNNING, "started")
    watched.until(lambda s: uuid in s.domain_stats, "measured")
    guest.destroy()
    watched.until(lambda s: s.domains[uuid].state is DomainState.SHUTOFF, "stopped")
    guest.remove()
    watched.until(lambda s: uuid not in s.domains, "undefined")


def test_a_read_only_connection_shows_all_and_refuses_changes(
    watch: Callable[..., Watched], pair: tuple[Guest, Guest]
) -> None:
    watched = watch(readonly=True)
    snapshot = watched.until(connected, "connected")
    assert snapshot.info is not None
    assert snapshot.info.readonly
    assert len(snapshot.domains) == 2
    with pytest.raises(ReadOnly, match="nothing was changed"):
        watched.host.require_write()


def _shifted(real: Callable[[], float], days: int) -> float:
    return real() + days * 86400


def _later(last: float, snapshot: HostSnapshot) -> bool:
    return snapshot.data_at is not None and snapshot.data_at > last + 1


def test_a_clock_that_is_set_stops_nothing_and_makes_no_figure_wrong(
    watch: Callable[..., Watched], pair: tuple[Guest, Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch()
    real = time.time
    for days in (1, -1):
        last = watched.until(lambda s: connected(s) and s.domain_stats, "figures").data_at or 0.0
        monkeypatch.setattr(time, "time", partial(_shifted, real, days))
        told = watched.until(partial(_later, last), "figures go on")
        assert connected(told)
        for stats in told.domain_stats.values():
            assert stats.cpu_percent is None or 0 <= stats.cpu_percent < 250
    pair[0].domain.suspend()
    watched.until(lambda s: s.domains[pair[0].uuid].state is DomainState.PAUSED, "events are heard")


def test_calls_to_a_daemon_that_is_silent_for_too_long_all_end_and_it_is_found_again(
    private_libvirtd: PrivateLibvirtd,
    watch: Callable[..., Watched],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # libvirt's own keepalive leaves calls waiting, and what comes for them later ends the program.
    monkeypatch.setattr(sampler, "SILENT_S", 3.0)
    watched = watch()
    watched.until(connected, "connected")
    private_libvirtd.sigstop()
    try:
        calls = [watched.host.lookups.submit(lambda: watched.host.conn.getHostname())]
        calls += [watched.host.actions.submit(lambda: watched.host.conn.getHostname())]
        lost = watched.until(lambda now: now.link is Link.LOST, "given up")
        assert "no sign of life" in lost.reason
        for call in calls:
            with pytest.raises((libvirt.libvirtError, NotConnected)):
                call.result(PATIENCE_S)
    finally:
        private_libvirtd.sigcont()
    watched.until(connected, "connected again")


def test_closing_does_not_wait_for_a_daemon_that_hangs(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched]
) -> None:
    watched = watch()
    watched.until(connected, "connected")
    private_libvirtd.sigstop()
    try:
        closing = threading.Thread(target=watched.host.close, daemon=True)
        closing.start()
        closing.join(5)
        assert not closing.is_alive()
    finally:
        private_libvirtd.sigcont()
    assert any(isinstance(e, LinkChanged) for e in watched.events)


def test_a_connection_that_was_lost_leaves_no_open_file_behind(
    private_libvirtd: PrivateLibvirtd, watch: Callable[..., Watched]
) -> None:
    watched = watch()
    watched.until(connected, "connected")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(4):
        private_libvirtd.kill()
        watched.until(lambda s: s.link is Link.LOST, "lost")
        private_libvirtd.start()
        watched.until(connected, "found again")
    assert len(os.listdir("/proc/self/fd")) <= before + 2


def test_a_socket_behind_which_nobody_answers_is_told_given_up_and_tried_again(
    watch: Callable[..., Watched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "STILL_S", 0.1)
    monkeypatch.setattr(mute, "GIVE_UP_S", 0.4)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "mute"))
        listening.listen()
        listening.settimeout(PATIENCE_S)
        other = socket.socket(socket.AF_UNIX)
        other.connect(str(tmp_path / "mute"))
        others, _ = listening.accept()
        watched = watch(f"qemu+unix:///system?socket={tmp_path / 'mute'}")
        first, _ = listening.accept()
        told = watched.until(lambda s: s.reason, "the reason")
        assert told.link is Link.CONNECTING
        told = watched.until(lambda s: s.link is Link.FAILED, "given up")
        assert (told.reason, told.advice) == (mute.NO_ANSWER, mute.ADVICE)
        second, _ = listening.accept()
        others.send(b"!")
        assert other.recv(1) == b"!", "somebody else's connection was cut"
        for each in (first, second, other, others):
            each.close()
