"""Keeps a host's connection open and its lists true.

One thread: open (again and again, with back-off and jitter), read the lists, then follow the
events: each names an object to read again. Many at once, and the whole list is read instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from . import standing
from .connection import let_go, open_connection
from .cut_off import look
from .errors import TuivirtError, Unanswered
from .events import LibvirtEvent, Noticed
from .families import QUIET, Registrations
from .info import read_info
from .inventory import (
    Calls,
    Together,
    in_turn,
    read_device,
    read_devices,
    read_domain,
    read_domains,
    read_interfaces,
    read_networks,
    read_pools,
)
from .model.host import Link
from .model.ref import Kind, Ref
from .opening import Line, cut, explain, line_of, sockets, unexpected, watched
from .spread import spread
from .uri import transport
from .xml.errors import XmlError

if TYPE_CHECKING:
    from .admission import Admission
    from .host import Host
    from .model.resources import NodeDevice

RECONCILE_S = 60.0
"""How often, about, the lists are read again without an event."""
GATHER_S = 0.04
"""For how long events are gathered before their objects are read."""
BURST = 8
"""From how many changed domains on the whole list is read instead of each."""
KEEPALIVE_S, KEEPALIVE_COUNT = 5, 5
FIRST_DELAY_S, LONGEST_DELAY_S, LONGEST_HERE_S, STEADY_S = 0.5, 30.0, 5.0, 10.0
"""A try by a socket of this machine costs next to nothing."""
SLOW_TURN_S, TURNS_TO_OPEN = 0.01, 5
"""From which time there and back on calls are made at the same time, which takes threads."""


class Lost(Exception):
    """The connection is gone."""


def _at_once(conn: Any) -> Together:
    """Makes calls on this connection at the same time."""
    from .together import together  # Hosts that are near do without its threads.

    def made(calls: Calls) -> list[Any]:
        return together(calls, conn.getLibVersion)

    return made


class Keeper:
    """The thread that holds one host's connection. ``uri`` is whole: it may hold a password."""

    def __init__(self, host: Host, uri: str) -> None:
        self._host = host
        self._uri = uri
        self._condition = threading.Condition()
        self._dirty: set[Ref] = set()
        self._all = False
        self._lost: str | None = None
        self._closing = False
        self._opened = 0
        """How many connections there have been."""
        self._registrations: Registrations | None = None
        self._admission: Admission | None = None
        """The way in where the operator may be asked something."""
        self._line: Line | None = None
        """The connection's socket, where it is known: its silence is looked after here then."""
        self._silent = False
        self._together: Together = in_turn
        self._thread = threading.Thread(target=self._run, name=f"{host.name}-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop, without waiting for a call that hangs."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._admission is not None:
            self._admission.close()

    def want(self, ref: Ref) -> None:
        """Read one object again, soon."""
        with self._condition:
            self._dirty.add(ref)
            self._condition.notify_all()

    def want_all(self) -> None:
        """Read everything again, soon; or try the connection now."""
        with self._condition:
            self._all = True
            self._condition.notify_all()

    def cut(self) -> None:
        """Give a connection up that has been silent for too long; it is opened again."""
        self._silent = self._line is not None
        cut(self._line)

    # -- the connection -------------------------------------------------------------------------

    def _run(self) -> None:
        delay, longest = FIRST_DELAY_S, LONGEST_DELAY_S if transport(self._uri) else LONGEST_HERE_S
        while not self._closing:
            began = time.monotonic()
            try:
                before = sockets()
                conn = self._open()
            except TuivirtError as error:
                problem = error
            except Exception as error:  # This thread alone finds the host again.
                problem = unexpected(error, self._host.uri)
            else:
                if self._closing:
                    # Nobody waits for it any more, and a closed host must not come to life.
                    let_go(conn, None, self._host.traffic)
                    return
                ssh = self._admission.ssh if self._admission is not None else None
                self._line, self._silent = line_of(self._uri, before, ssh), False
                opened = time.monotonic()
                problem = self._hold(conn, opened - began >= TURNS_TO_OPEN * SLOW_TURN_S)
                # One that broke at once is tried as one that could not be opened.
                if time.monotonic() - opened > min(2 * delay, STEADY_S):
                    delay = FIRST_DELAY_S
            if self._closing:
                return
            # Who was asked and did not answer is not asked again until they want that.
            on_demand = isinstance(problem, Unanswered)
            wait = None if on_demand else spread(delay)
            delay = FIRST_DELAY_S if on_demand else min(longest, 2 * delay)
            self._host.drop(
                Link.LOST if self._opened else Link.FAILED,
                problem.why or problem.what,
                problem.advice,
                None if wait is None else time.monotonic() + wait,
            )
            with self._condition:
                self._all = False
                self._condition.wait_for(lambda: self._closing or self._all, wait)
                self._all = False

    def _open(self) -> Any:
        """A connection. Raises TuivirtError."""
        if self._admission is None:
            if not transport(self._uri):
                try:
                    with watched(self._host, self._uri):
                        return open_connection(self._uri, self._host.readonly, self._asked)
                except libvirt.libvirtError as error:
                    if self._admission is None:
                        raise explain(error, self._host.uri) from error
            else:
                self._admitted()
        return self._admitted().open()

    def _asked(self, _wanted: Any, _opaque: Any) -> int:
        """libvirt asks for something on a way that seldom does: once more, by somebody who can."""
        self._admitted()
        return -1

    def _admitted(self) -> Admission:
        if self._admission is None:
            from .admission import Admission  # Most hosts ask nothing.

            self._admission = Admission(self._host, self._uri)
            if self._closing:
                self._admission.close()
        return self._admission

    def _hold(self, conn: Any, slow: bool) -> TuivirtError:
        """Live with an open connection until it is gone; says why it is."""
        host = self._host
        try:
            self._prepare(conn, slow)
            host.adopt(conn)
            self._fill(conn, first=True)
            self._follow(conn)
        except Lost as lost:
            said = self._admission.said() if self._admission is not None else ""
            why = f"{lost}: {said}" if said else str(lost)
            problem = TuivirtError(f"lost the connection to {host.name}", why)
        except libvirt.libvirtError as error:
            problem = explain(error, host.uri)
        except Exception as error:
            # A defect of ours in reading this host: show it, and begin again with back-off.
            host.defect(error)
            problem = TuivirtError("reading the host failed", f"{type(error).__name__}: {error}")
        else:
            problem = TuivirtError(f"closed {host.name}")
        if self._silent:
            why = "it gave no sign of life, and was given up"
            problem = TuivirtError(f"lost the connection to {host.name}", why)
        registrations, self._registrations = self._registrations, None
        line, self._line = self._line, None
        # Each of them keeps the connection open, whatever is closed.
        host.handles = {}
        # On a thread of its own: what is left of a connection may hang, and the next try not.
        threading.Thread(
            target=let_go,
            args=(conn, registrations, host.traffic, line, host.snapshot.link is Link.STALLED),
            daemon=True,
        ).start()
        return problem

    def _prepare(self, conn: Any, slow: bool) -> None:
        with self._condition:
            self._opened += 1
            self._lost = None
            mine = self._opened

        def closed(_conn: Any, reason: int, _opaque: Any) -> None:
            words = ("I/O error", "the daemon closed it", "no sign of life", "closed by us")
            with self._condition:
                if mine != self._opened:
                    return  # Late news of an older connection.
                self._lost = words[reason] if 0 <= reason < len(words) else f"reason {reason}"
                self._condition.notify_all()

        def ask(call: Callable[..., Any], *words: Any) -> None:
            try:
                call(*words)
            except libvirt.libvirtError:
                # Local drivers have neither, and a connection that cannot be cut needs none.
                if not conn.isAlive():
                    raise

        # Before the lists are read, so that no change falls between.
        self._registrations = Registrations(conn, self._host.name, self._told)
        self._together = _at_once(conn) if slow else in_turn
        began = time.monotonic()
        self._together(
            (
                partial(ask, conn.registerCloseCallback, closed, None),
                partial(ask, conn.setKeepAlive, KEEPALIVE_S, KEEPALIVE_COUNT),
                partial(self._registrations.register_all, together=self._together),
            )
        )
        if time.monotonic() - began < SLOW_TURN_S:
            self._together = in_turn  # What took its time was not the line.

    def _told(self, event: LibvirtEvent) -> None:
        """An event of libvirt, on its event thread."""
        if (type(event), event.family) not in QUIET:
            self._host.touch(event.ref)
        self._host.tell(event)
        standing.heed(self._host, event)

    # -- the lists ------------------------------------------------------------------------------

    def _fill(self, conn: Any, *, first: bool = False) -> None:
        host, together = self._host, self._together
        missing: list[str] = list(self._registrations.refused if self._registrations else ())
        # The sampler takes those of all that run; else nobody does, of those that answer.
        sized: int | None = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        if host.sampling:
            sized = sized | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE if first else None
        calls: list[Callable[[], Any]] = [
            lambda: read_domains(
                conn, host.name, host.snapshot.domains, sized=sized, together=together
            )
        ]
        if first:
            calls.append(lambda: read_info(conn, host.readonly, together))
        (domains, handles), *told = together(calls)
        if told:
            host.update(info=told[0])
        host.listed(domains, handles)
        if first and host.sampling:
            if self._line is not None:
                conn.setKeepAlive(0, 0)  # From now on the sampler sees silence; `cut` is safer.
            # The domains are what everyone waits for; the rest comes in behind.
            host.filled()
        sections: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("networks", lambda: read_networks(conn, host.name, together)),
            ("pools", lambda: read_pools(conn, host.name, together)),
            ("devices", lambda: read_devices(conn, host.name, together)),
            ("interfaces", lambda: read_interfaces(conn, host.name, together)),
        )
        for section, read in sections:
            try:
                found = read()
            except (libvirt.libvirtError, XmlError) as error:
                if not conn.isAlive():
                    raise
                missing.append(f"{section} ({error})")
                continue
            host.relist(section, found)
        info = host.snapshot.info
        if info is not None and info.missing != tuple(missing):
            host.update(info=replace(info, missing=tuple(missing)))
        if first and not host.sampling:
            host.filled()
        elif first:
            look(host)
            standing.tell_all(host)
        host.configs.reconcile()

    def _follow(self, conn: Any) -> None:
        """Read again what events name, until the connection is gone or closing."""
        due = time.monotonic() + spread(RECONCILE_S)
        while True:
            with self._condition:
                self._condition.wait_for(
                    lambda: self._closing or self._lost or self._all or self._dirty,
                    max(0.0, due - time.monotonic()),
                )
                if self._lost is not None:
                    raise Lost(self._lost)
                if self._closing:
                    return
                if self._dirty and not self._all:
                    self._condition.wait_for(
                        lambda: self._closing or self._lost is not None, GATHER_S
                    )
                dirty, self._dirty = self._dirty, set()
                everything, self._all = self._all, False
            with self._host.traffic.job():
                if time.monotonic() >= due or everything:
                    self._fill(conn)
                    due = time.monotonic() + spread(RECONCILE_S)
                else:
                    self._read_again(conn, dirty)

    def _read_again(self, conn: Any, dirty: set[Ref]) -> None:
        host, together = self._host, self._together
        by_kind: dict[Kind, set[str]] = {}
        for ref in dirty:
            by_kind.setdefault(ref.kind, set()).add(ref.key)
        try:
            uuids, known = by_kind.get(Kind.DOMAIN, set()), host.snapshot.domains
            if len(uuids) > BURST:
                host.listed(*read_domains(conn, host.name, known, together=together))
            else:
                reads = [
                    partial(read_domain, conn, host.name, uuid, known.get(uuid), together)
                    for uuid in uuids
                ]
                for uuid, found in zip(uuids, together(reads), strict=True):
                    host.listed_one(uuid, found)
            if Kind.NETWORK in by_kind:
                host.relist("networks", read_networks(conn, host.name, together))
            if Kind.POOL in by_kind:
                host.relist("pools", read_pools(conn, host.name, together))
            if Kind.DEVICE in by_kind:
                self._read_devices(conn, by_kind[Kind.DEVICE])
        except (libvirt.libvirtError, XmlError) as error:
            if not conn.isAlive():
                raise Lost(str(error)) from error
            host.tell(Noticed(host=host.name, text=f"cannot read the lists again: {error}"))
        if by_kind.keys() & {Kind.DOMAIN, Kind.NETWORK, Kind.DEVICE}:
            # Who uses a network or a device that is new follows from the configurations too.
            host.configs.reconcile()

    def _read_devices(self, conn: Any, names: set[str]) -> None:
        host = self._host
        if len(names) > BURST:
            host.relist("devices", read_devices(conn, host.name, self._together))
            return
        devices = dict(before := host.snapshot.devices)

        def read(name: str) -> NodeDevice | None:
            found = read_device(conn, host.name, name)
            if found is None:
                devices.pop(name, None)
            else:
                devices[name] = found
            return found or before.get(name)

        # How many more its parent can make changes with a mediated device, and no event tells.
        read_now = [read(name) for name in names]
        parents = {each.parent for each in read_now if each and each.capability == "mdev"}
        for name in parents - names:
            read(name)
        host.relist("devices", devices)
