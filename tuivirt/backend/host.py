"""One host: its connection, its lists, its figures; one frozen snapshot of all of it.

Who works here: the keeper (opens, lists, follows events), the sampler (figures), the lanes
(actions and look-ups). They meet on the board, which holds the snapshot.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from . import eventloop
from .board import Board
from .configs import Configs
from .errors import BadInput, NotConnected, NotFound, ReadOnly, from_libvirt, is_gone
from .events import Event, EventHub, LinkChanged, Noticed, Publish
from .hoststats import HostMeter
from .inventory import with_sizes
from .keeper import Keeper
from .lanes import Lane
from .leases import read_leases
from .model.domain import Domain
from .model.host import Link, Sampling
from .model.ref import Kind, Ref, looks_like_uuid
from .model.stats import DomainStats
from .sampler import Sampler
from .traffic import Traffic
from .uri import shown
from .view import View

if TYPE_CHECKING:
    from .model.entry import HostEntry

SORTED_S = 0.5
"""A change of view this soon after a tick is that tick's doing: its figures sorted the rows."""
MOVES_AT_ONCE = 2
"""How many migrations leave a host at the same time, unless somebody asks for more."""
_started: list[Host] = []
LEASES_EVERY_S = 15.0
"""How old the DHCP leases of the host's networks may get, times their number."""


class Host(Board):
    """One host.

    ``uri`` is told to libvirt alone; all else has it without a password. ``publish`` gets every
    event of it, on whichever thread it comes from. ``interval`` is the
    sampler's tick in seconds, 0.5 to 60; ``sampling=False`` is for the command line, which
    reads lists once. ``entry`` is what the settings say of it.
    """

    def __init__(
        self,
        name: str,
        uri: str,
        *,
        readonly: bool = False,
        publish: Publish,
        interval: float = 2.0,
        sampling: bool = True,
        entry: HostEntry | None = None,
    ) -> None:
        eventloop.start()
        super().__init__(name, shown(uri), publish)
        if entry is not None:
            self._snapshot = replace(self._snapshot, entry=replace(entry, uri=shown(entry.uri)))
        self.readonly = readonly
        self.traffic = Traffic(f"{name}-traffic", self._nudge)
        self.actions = Lane(f"{name}-actions", 8, self.traffic.job)
        self.lookups = Lane(f"{name}-lookups", 2, self.traffic.job, spare=2)
        self.chores = Lane(f"{name}-chores", 1, self.traffic.job)
        self.moves = Lane(f"{name}-moves", MOVES_AT_ONCE)
        self.answers = Lane(f"{name}-answers", 4, self.traffic.job)
        """What verbs of other hosts ask of this one; it asks nobody, and so none waits for ever."""
        self.remarks = Lane(f"{name}-remarks", 2, self.traffic.job, spare=6)
        """What nobody has asked for is found out here: a guest that hangs keeps no look-up."""
        self.defining: defaultdict[str, Any] = defaultdict(threading.RLock)
        """By domain: held while its saved configuration is read, changed and perhaps defined."""
        self.leaving: set[tuple[str, str]] = set()
        """Domain and alias of what a guest was asked to let go of, until it has or will not."""
        self.sampling = sampling
        self.generation = 0
        """Counts the connections: handles of an older one are worthless."""
        self.view = View()
        self.configs = Configs(self)
        self._hub = EventHub(self.defect)
        self._conn: Any = None
        self._meter: HostMeter | None = None
        self._leases_due: dict[str, float] = {}
        self._keeper = Keeper(self, uri)
        self._sampler = Sampler(self, interval) if sampling else None

    # -- life ---------------------------------------------------------------------------------

    def start(self, *, aside: bool = False) -> None:
        """Connect in the background, for ever, with back-off. ``aside``: others do not see it."""
        if not aside:
            _started.append(self)
            self.ended.pop(self.name, None)
        self._keeper.start()
        if self._sampler is not None:
            self._sampler.start()

    def rest(self) -> None:
        """Not connect: it is only known, until ``start``."""
        self.update(link=Link.CLOSED)

    def close(self) -> None:
        """End everything, within 0.6 s; a call that hangs is left to its daemon thread."""
        with contextlib.suppress(ValueError):
            _started.remove(self)
            self.ended[self.name] = self._snapshot.pools
        if self._sampler is not None:
            self._sampler.stop()
        self.configs.stop()
        if self._snapshot.link is Link.CONNECTED:
            # In the background: the daemon may be about to hang, and leaving must not.
            done = self.chores.submit(lambda: self.configs.disarm(time.monotonic() + 0.5))
            with contextlib.suppress(FutureTimeout):
                done.result(0.6)
        self._keeper.close()
        lanes = self.actions, self.lookups, self.chores, self.moves, self.answers, self.remarks
        for lane in lanes:
            lane.close()
        self.traffic.close()
        with self._lock:
            self._conn = None
        self.update(link=Link.CLOSED)

    def started(self) -> tuple[Host, ...]:
        """The hosts of this program that are not closed, itself unless it is ``aside``."""
        return tuple(_started)

    def _nudge(self) -> None:
        conn = self._conn
        if conn is not None:
            # Whether it fails does not matter: those beside it will be told the same.
            with contextlib.suppress(libvirt.libvirtError):
                conn.getLibVersion()

    # -- what others ask of it ----------------------------------------------------------------

    @property
    def conn(self) -> Any:
        """The open libvirt connection. Raises NotConnected."""
        conn = self._conn
        if conn is None:
            reason = self._snapshot.reason
            raise NotConnected(f"host {self.name} is not connected", reason, "it is tried again")
        return conn

    def require_write(self) -> None:
        """Raises ReadOnly when this connection may change nothing."""
        if self.readonly:
            raise ReadOnly(
                f"the connection to {self.name} is read-only, nothing was changed",
                advice=self._how_to_write,
            )

    @property
    def _how_to_write(self) -> str:
        entry = self._snapshot.entry
        if entry is not None and entry.readonly:
            return f"the settings say so: tuivirt host-edit {self.name} --access full"
        return "start tuivirt without --readonly to change things"

    def domain(self, key: str) -> Any:
        """libvirt's domain of that UUID or name. Raises NotFound, NotConnected."""
        return self._find(key, "domain", "lookupByUUIDString", "lookupByName")

    def network(self, key: str) -> Any:
        """libvirt's network of that UUID or name. Raises NotFound, NotConnected."""
        return self._find(key, "network", "networkLookupByUUIDString", "networkLookupByName")

    def pool(self, key: str) -> Any:
        """libvirt's storage pool of that UUID or name. Raises NotFound, NotConnected."""
        return self._find(
            key, "storage pool", "storagePoolLookupByUUIDString", "storagePoolLookupByName"
        )

    def _name_of(self, key: str) -> str:
        """What a person calls it: a UUID says nothing, and leaves no room for the reason."""
        now = self.snapshot
        for things in (now.domains, now.networks, now.pools):
            if key in things:
                return things[key].name
        return key

    def _find(self, key: str, kind: str, by_uuid: str, by_name: str) -> Any:
        if not key or "\0" in key:
            raise BadInput(f"no {kind} can have that name", repr(key))
        conn = self.conn
        for lookup in (by_uuid, by_name) if looks_like_uuid(key) else (by_name,):
            try:
                return getattr(conn, lookup)(key)
            except libvirt.libvirtError as error:
                if not is_gone(error):
                    raise from_libvirt(
                        error, f"cannot look up {kind} {self._name_of(key)}"
                    ) from error
                last = error
        name = self._name_of(key)
        gone = name != key
        raise NotFound(
            f"host {self.name} has no {kind} {name!r}{' any more' * gone}",
            # It tells the key, which is not what the object was called.
            "" if gone else last.get_error_message() or "",
            f"see: tuivirt list {'pools' if kind == 'storage pool' else kind + 's'}",
            code=last.get_error_code(),
        )

    def subscribe(self, subscriber: Callable[[Event], None]) -> Callable[[], None]:
        """Hear this host's events, on the thread they come from, until the returned is called."""
        return self._hub.subscribe(subscriber, waited=False)

    def refresh(self) -> None:
        """Read all lists again, soon; when the connection is down, try it now."""
        self._keeper.want_all()
        if self._sampler is not None:
            self._sampler.wake()

    def touch(self, ref: Ref) -> None:
        """Read this object again, soon."""
        if ref.kind is Kind.DOMAIN:
            self.configs.forget(ref.key)
        self._keeper.want(ref)

    def watch(self, view: View) -> None:
        """Say what is in view: its figures are taken with every tick."""
        before, self.view = self.view, view
        self.configs.hurry(view.domains)
        if self._sampler is not None and self._is_worth_a_tick(before, view):
            self._sampler.wake()

    def _is_worth_a_tick(self, before: View, view: View) -> bool:
        """Whether what came into view should be asked for now, not with the next tick.

        Rows that a tick's own figures brought up wait, or each tick would cause another.
        """
        if view.focus is not None and view.focus != before.focus:
            return True
        fresh = view.domains - before.domains
        if not fresh:
            return False
        now = self._snapshot
        if now.data_at is None or time.monotonic() - now.data_at > SORTED_S:
            return True
        known = now.domain_stats
        return any(
            (domain := now.domains.get(uuid)) is not None
            and domain.active
            and (uuid not in known or known[uuid].block_at is None)
            for uuid in fresh
        )

    def set_detaching(self, uuid: str, name: str, alias: str, on: bool) -> None:
        """Show, or no longer, that the guest has not let go of ``name`` yet."""

        def change(domain: Domain) -> Domain:
            names = tuple(each for each in domain.detaching if each != name)
            aliases = tuple(each for each in domain.leaving if each != alias)
            if on:
                names, aliases = (*names, name), (*aliases, alias)
            return replace(domain, detaching=names, leaving=aliases)

        self.change_domains({uuid: change})

    # -- for the keeper -----------------------------------------------------------------------

    def adopt(self, conn: Any) -> None:
        """A connection was opened."""
        with self._lock:
            self._conn = conn
            self.generation += 1
            self.handles = {}

    def drop(self, link: Link, reason: str, advice: str, retry_at: float | None) -> None:
        """The connection was lost, or could not be opened; no ``retry_at``: on demand only."""
        with self._lock:
            self._conn = None
            self.handles = {}
        self.update(link=link, reason=reason, advice=advice, retry_at=retry_at)
        self.tell(LinkChanged(host=self.name, link=link, reason=reason))

    def filled(self) -> None:
        """All lists were read for the first time on this connection."""
        info = self._snapshot.info
        tick_s = self._sampler.interval if self._sampler is not None else 0.0
        self._meter = HostMeter(info.cpus if info else 1, bool(info and info.local), tick_s)
        self.update(
            link=Link.CONNECTED,
            reason="",
            advice="",
            retry_at=None,
            filled=True,
            data_at=time.monotonic(),
        )
        self.tell(LinkChanged(host=self.name, link=Link.CONNECTED))
        if self._sampler is not None:
            self._sampler.wake()

    def tell(self, event: Event) -> None:
        """Hand an event on: to this host's waiters first, then to everyone."""
        self._hub.publish(event)
        self._publish(event)

    def defect(self, error: BaseException) -> None:
        """Something went wrong that no action of the operator caused: say so."""
        self.tell(
            Noticed(host=self.name, text=f"{type(error).__name__}: {error}", severity="error")
        )

    # -- for the sampler ----------------------------------------------------------------------

    def sampled(
        self,
        stats: Mapping[str, DomainStats],
        records: list[tuple[str, Mapping[str, Any]]],
        sampling: Sampling,
    ) -> None:
        """Take in the figures of a tick."""
        with self._lock:
            old = self._snapshot
            changes: dict[str, Any] = {"sampling": sampling, "data_at": time.monotonic()}
            known = {**old.domain_stats, **stats}
            if not known.keys() <= old.domains.keys():  # Some of them are gone.
                known = {u: s for u, s in known.items() if u in old.domains}
            changes["domain_stats"] = known
            resized = {}
            for uuid, record in records:
                domain = old.domains.get(uuid)
                if domain is not None:
                    now = with_sizes(domain, record)
                    if now is not domain:
                        resized[uuid] = now
            if resized:
                changes["domains"] = {**old.domains, **resized}
            if self._meter is not None and self._meter.stats is not old.stats:
                changes["stats"] = self._meter.stats
            if old.link is Link.STALLED:
                changes.update(link=Link.CONNECTED, reason="")
            self.update(**changes)
        for uuid, record in records:
            self.configs.consider_balloon(uuid, record)

    def stalled(self, since: float | None) -> None:
        """The daemon does not answer since then, or (None) it answers again."""
        link = Link.CONNECTED if since is None else Link.STALLED
        with self._lock:
            if self._snapshot.link not in (Link.CONNECTED, Link.STALLED) or (
                self._snapshot.link is link
            ):
                return
            reason = "" if since is None else "the daemon does not answer"
            self.update(link=link, reason=reason)
        self.tell(LinkChanged(host=self.name, link=link, reason=reason))

    def cut(self) -> None:
        """Give the connection up: nobody has answered for too long."""
        self._keeper.cut()

    def domains_stalled(self, since: Mapping[str, float | None]) -> None:
        """These guests do not answer since then, or (None) answer again."""

        def marker(at: float | None) -> Callable[[Domain], Domain]:
            return lambda domain: replace(domain, stalled_since=at)

        self.change_domains({uuid: marker(at) for uuid, at in since.items()})

    def side_calls(self) -> list[Callable[[Any], None]]:
        """What the sampler may ask besides, one call each: host figures, a network's leases."""
        now = time.monotonic()
        calls = self._meter.calls(now) if self._meter is not None else []
        for uuid, network in self._snapshot.networks.items():
            if network.active and now >= self._leases_due.get(uuid, 0.0):
                calls.append(lambda conn, uuid=uuid: self._read_leases(conn, uuid))  # type: ignore[misc]
                break
        return calls

    def _read_leases(self, conn: Any, uuid: str) -> None:
        self._leases_due[uuid] = time.monotonic() + LEASES_EVERY_S
        found = read_leases(conn, self._snapshot.networks.get(uuid))
        if found is None:
            return
        with self._lock:
            network = self._snapshot.networks.get(uuid)
            if network is None or network.leases == found:
                return
            networks = {**self._snapshot.networks, uuid: replace(network, leases=found)}
            self.update(networks=networks)
        self.configs.leases_changed()
