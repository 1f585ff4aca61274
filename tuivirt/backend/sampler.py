"""The live figures: a tick every few seconds, of one to three calls however many domains.

The worker that calls libvirt is watched by another thread, so that a call that hangs is seen.
When one does, a cheap probe tells whether the host or a guest is stuck. A stuck guest is marked
and left out (its call stays open and tells when it answers again); the rest goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, Protocol

import libvirt

from .askable import Askable
from .errors import NotConnected, is_gone, is_unsupported
from .lanes import Lane
from .model.domain import Domain
from .model.host import HostSnapshot, Sampling
from .model.stats import DomainStats
from .plan import Ask, Planner
from .rates import Meter
from .silence import Silence
from .ticker import Round, Ticker
from .traffic import Traffic
from .turns import turn
from .view import View

CALLS = 3
"""libvirt calls a tick, at most."""
SIDE_CALLS = 2
"""A host's own figure takes two: libvirt's Python asks how many there are, then for them."""
FIRST_AGAIN_S = 0.2
"""A rate takes two samples: the first of what is in view are taken so soon after one another."""
SILENT_S = 30.0  # Then the connection to a host that does not answer is opened again.
_ABANDONED_MOST = 3
"""A client may have five calls open at a daemon (its default); some are left for the rest."""


@dataclass(slots=True)
class Answer:
    """What one bulk call gave."""

    ask: Ask
    records: list[tuple[Any, Mapping[str, Any]]]
    started: float
    took: float


class SampledHost(Protocol):
    """What the sampler needs of a host."""

    name: str
    traffic: Traffic

    @property
    def conn(self) -> Any: ...
    @property
    def snapshot(self) -> HostSnapshot: ...
    @property
    def handles(self) -> Mapping[str, Any]: ...
    @property
    def view(self) -> View: ...
    @property
    def generation(self) -> int: ...
    def sampled(
        self,
        stats: Mapping[str, DomainStats],
        records: list[tuple[str, Mapping[str, Any]]],
        sampling: Sampling,
    ) -> None: ...
    def stalled(self, since: float | None) -> None: ...
    def domains_stalled(self, since: Mapping[str, float | None]) -> None: ...
    def side_calls(self) -> list[Callable[[Any], None]]: ...
    def cut(self) -> None: ...
    def defect(self, error: BaseException) -> None: ...


class Sampler:
    """One host's figures."""

    def __init__(self, host: SampledHost, interval: float) -> None:
        self._host = host
        self.interval = min(60.0, max(0.5, interval))
        self._planner = Planner(interval=self.interval)
        self._meters: dict[str, Meter] = {}
        self._askable = Askable()
        self._swept: Mapping[str, Domain] = {}
        """The domains by which the meters were gone through last."""
        self._generation = -1
        self._bulk = True
        self._round_trip: float | None = None
        self._side_turn = 0
        self._reset_workers()
        self._ticker: Ticker[Ask | None] = Ticker(
            f"{host.name}-sampler",
            interval=self.interval,
            limit=self._limit,
            lane=self._current_lane,
            tick=self._tick,
            stuck=self._stuck,
            failed=self._failed,
        )

    def _reset_workers(self) -> None:
        self._lane = self._new_lane()
        self._abandoned: dict[Future[Any], frozenset[str]] = {}
        self._avoid: dict[str, float] = {}
        now = self._host.snapshot
        # QEMU's guests all have a monitor; of other drivers not every record tells so much.
        qemu = now.info is not None and now.info.hypervisor == "QEMU"
        self._silence = Silence(self._limit, qemu, now.domains)

    def start(self) -> None:
        self._ticker.start()

    def stop(self) -> None:
        self._ticker.stop()
        self._lane.close()
        # It has libvirt's handles, and each of those keeps the connection open.
        self._askable = Askable()

    def wake(self) -> None:
        """The view changed, or the host was opened: tick now."""
        self._ticker.wake()

    def _new_lane(self) -> Lane:
        return Lane(f"{self._host.name}-sampling")

    def _failed(self, error: Exception) -> None:
        # The keeper sees a connection that is gone; any other error is told.
        gone = isinstance(error, libvirt.libvirtError) and (is_gone(error) or not self._connected())
        if not gone and not isinstance(error, NotConnected):
            self._host.defect(error)

    def _connected(self) -> bool:
        snapshot = self._host.snapshot
        return snapshot.filled and snapshot.link in ("connected", "stalled")

    def _current_lane(self) -> Lane | None:
        if not self._connected():
            return None
        if self._generation != self._host.generation:
            self._generation = self._host.generation
            self._bulk = True
            self._round_trip = None
            self._lane.close()
            self._reset_workers()
        return self._lane

    def _tick(self, lane: Lane, under_way: Round[Ask | None]) -> None:
        self._collect_abandoned()
        with self._host.traffic.job():
            self._round(self._host.conn, lane, under_way.steps)

    def _round(self, conn: Any, lane: Lane, progress: list[Ask | None]) -> None:
        """A tick's calls and what follows from them; ``progress`` tells which call is under way."""
        # All on the worker's thread: to hand the records to another costs as much as reading them.
        domains = self._host.snapshot.domains
        handles = self._host.handles
        asks = self._asks(domains, handles)
        side = self._host.side_calls()
        # One a tick: they are small, but none of them is worth a call each time.
        fits = side and len(asks) + SIDE_CALLS <= CALLS
        chosen = [side[self._side_turn % len(side)]] if fits else []
        self._side_turn += len(chosen)
        answers: list[Answer] = []
        for ask in asks:
            progress.append(ask)
            if (answer := self._call(conn, ask, handles)) is not None:
                answers.append(answer)
        progress.append(None)
        heard = False
        try:
            for call in chosen:
                started = time.monotonic()
                call(conn)
                took = time.monotonic() - started
                # The shortest call there was is taken for the line's own delay.
                self._round_trip = min(took, self._round_trip or took)
            # A connection that is being let go of has no handles any more, and says nothing.
            heard = bool(chosen or handles or not domains)
        finally:
            # What the domains said counts, whatever became of the host's own figure.
            # A worker that was given up comes too late: another has taken its place.
            if (heard or answers) and lane is self._lane:
                self._integrate(answers, len(asks) + SIDE_CALLS * len(chosen), domains)

    @property
    def _limit(self) -> float:
        """Seconds without an answer after which something is held to be stuck."""
        return max(2.0, 2 * self.interval)

    def _asks(self, domains: Mapping[str, Domain], handles: Mapping[str, Any]) -> list[Ask]:
        if not self._bulk:
            return []
        view = self._host.view
        if len(self._abandoned) >= _ABANDONED_MOST:
            return []  # One more call could hang too, and the actions need the daemon's ear.
        askable = self._askable
        askable.update(domains, handles, frozenset(self._avoid))
        fresh = askable.fresh | self._silence.silent
        return self._planner.plan(askable.uuids, view.domains, view.focus, fresh)

    def _call(self, conn: Any, ask: Ask, handles: Mapping[str, Any]) -> Answer | None:
        doms = [dom for dom in map(handles.get, ask.uuids) if dom is not None]
        if not doms:
            return None
        started = time.monotonic()
        try:
            # NOWAIT: a guest that is busy with another job does not delay the others.
            records = conn.domainListGetStats(
                doms, ask.groups, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            )
        except libvirt.libvirtError as error:
            if is_unsupported(error):
                self._bulk = False
                return None
            raise
        return Answer(ask, records, started, time.monotonic() - started)

    def _integrate(self, answers: list[Answer], calls: int, domains: Mapping[str, Domain]) -> None:
        with turn:
            self._take_in(answers, calls, domains)

    def _take_in(self, answers: list[Answer], calls: int, domains: Mapping[str, Domain]) -> None:
        figures: dict[str, DomainStats] = {}
        seen: list[tuple[str, Mapping[str, Any]]] = []
        focus = self._host.view.focus
        info = self._host.snapshot.info
        host_cpus = info.cpus if info else 1
        meters, note = self._meters, self._silence.note
        view, unrated = self._host.view.domains, False
        spent = 0.0
        for answer in answers:
            count = len(answer.records)
            daemon = max(0.0, answer.took - (self._round_trip or 0.0))
            spent += daemon
            # A call that had to wait for the daemon was answered at its end, not all along.
            span = min(answer.took, 1.5 * self._planner.expected(answer.ask) + 0.02)
            ended = answer.started + answer.took
            self._planner.learn(answer.ask, daemon, count)
            # The daemon asks one guest after the other, so each was asked a bit later.
            step = span / count if count else 0.0
            at = ended - span
            groups = answer.ask.groups
            sized = groups & libvirt.VIR_DOMAIN_STATS_BALLOON
            for dom, record in answer.records:
                at += step
                domain = domains.get(dom.UUIDString())
                if domain is None or (run := domain.id) is None:
                    continue
                # One string object in all dictionaries: what else they hold is not looked at.
                uuid = domain.uuid
                meter = meters.get(uuid)
                if meter is None:
                    meter = meters[uuid] = Meter()
                vcpus = record.get("vcpu.current") or domain.vcpus or 1
                figures[uuid] = meter.feed(
                    record, at, run=run, vcpus=vcpus, host_cpus=host_cpus, focus=uuid == focus
                )
                unrated |= meter.is_unrated and uuid in view
                note(uuid, run, record, groups, at)
                if sized and "balloon.current" in record:
                    seen.append((uuid, record))
                    self._askable.complete(uuid, run)
        if unrated:
            self._ticker.soon(FIRST_AGAIN_S)
        self._planner.spent(spent)
        now = time.monotonic()
        if domains is not self._swept:
            self._swept = domains
            for uuid in list(meters):
                domain = domains.get(uuid)
                if domain is None:
                    del meters[uuid]
                elif not domain.active and meters[uuid].stats.cpu_at is not None:
                    figures[uuid] = meters[uuid].stop(now)
        news = self._silence.changes(now, self._askable.active)
        if news:
            self._host.domains_stalled(news)
        share, age_s = self._planner.share, self._planner.background_age_s
        sampling = Sampling(self.interval, calls, share, age_s, round_trip_s=self._round_trip)
        self._host.sampled(figures, seen, sampling)

    # -- when something hangs ---------------------------------------------------------------

    def _stuck(self, future: Future[Any], under_way: Round[Ask | None]) -> None:
        since, ask = under_way.started, under_way.step
        if self._generation != self._host.generation:
            return  # It hangs in a connection that was given up.
        self._lane.close()
        self._lane = self._new_lane()
        if not self._host_answers(since, future):
            return
        if ask is None:
            return  # It answers again, and no guest can have been the reason.
        self._abandoned[future] = frozenset(ask.uuids)
        self._find_stuck(ask, since)

    def _probe(self, call: Callable[[], Any]) -> Future[Any]:
        def counted() -> Any:
            with self._host.traffic.job():
                return call()

        return self._lane.submit(counted)

    def _host_answers(self, since: float, future: Future[Any]) -> bool:
        """Probe the host; while it is silent it is marked stalled. False: it was lost."""
        host = self._host
        conn = host.conn
        probe = self._probe(conn.getLibVersion)
        try:
            probe.result(self._limit)
            return True
        except FutureTimeout:
            host.stalled(since)
        while not self._ticker.stopping and self._generation == host.generation:
            try:
                probe.result(0.25)
            except FutureTimeout:
                if not self._connected():
                    return False
                if time.monotonic() - since > SILENT_S:
                    host.cut()
                continue
            host.stalled(None)
            # The call that hung ends too, now that the host answers; if a guest holds it, the
            # next tick finds that out.
            try:
                future.result(self._limit)
            except FutureTimeout:
                return True
            return False
        return False

    def _find_stuck(self, ask: Ask, since: float) -> None:
        """Ask the domains of a stuck call again: those whose job is held do not answer."""
        suspects = tuple(u for u in ask.uuids if u not in self._avoid)
        if len(self._abandoned) >= _ABANDONED_MOST:
            self._mark(frozenset(suspects), since)
            return
        found: list[Answer] = []
        conn, handles = self._host.conn, self._host.handles
        groups = libvirt.VIR_DOMAIN_STATS_BALLOON

        def work() -> None:
            answer = self._call(conn, Ask(suspects, groups), handles)
            if answer is not None:
                found.append(answer)

        probe = self._probe(work)
        try:
            probe.result(self._limit)
        except FutureTimeout:
            # Another guest is stuck too: this probe holds it. Those that hold neither answer
            # the next probe.
            self._abandoned[probe] = frozenset(suspects)
            self._lane.close()
            self._lane = self._new_lane()
            self._find_stuck(ask, since)
            return
        answering = {
            dom.UUIDString()
            for answer in found
            for dom, record in answer.records
            if "balloon.rss" in record
        }
        stuck = frozenset(suspects) - answering
        self._mark(stuck, since)
        for call, held in self._abandoned.items():
            self._abandoned[call] = held & (stuck | frozenset(self._avoid))

    def _mark(self, uuids: frozenset[str], since: float) -> None:
        if uuids:
            self._avoid.update(dict.fromkeys(uuids, since))
            self._host.domains_stalled(dict.fromkeys(uuids, since))

    def _collect_abandoned(self) -> None:
        """Calls that came back after all: their guests answer again."""
        back = [future for future in self._abandoned if future.done()]
        if not back:
            return
        freed: set[str] = set()
        for future in back:
            freed |= self._abandoned.pop(future)
        still = frozenset().union(*self._abandoned.values()) if self._abandoned else frozenset()
        freed -= still
        for uuid in freed:
            self._avoid.pop(uuid, None)
        self._host.domains_stalled(dict.fromkeys(freed, None))
