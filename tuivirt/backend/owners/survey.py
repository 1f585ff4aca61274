"""One host looked through: what its domains have, and its pools; others are asked on a lane."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import libvirt

from ..errors import Silent, TuivirtError, is_gone
from ..model.host import Link
from ..model.resources import Volume
from ..storage import slow
from ..storage.read import volumes_in
from ..storage.slow import refresh
from ..xml.pool import parse_pool
from .below import Below
from .kept import kept_by, under
from .named import Named, heard_at, named_by
from .names import Names

if TYPE_CHECKING:
    from ..host import Host

T = TypeVar("T")
ANSWER_S = 10.0
"""How long another host that is asked what its domains have may say nothing at all."""
MOST_S = 60.0
"""How long the other hosts have to tell all of it, all of them together."""
OF_FILES = frozenset(("dir", "fs", "netfs"))
"""Types of pools whose volumes are files in a folder."""


@dataclass(frozen=True, slots=True)
class Having:
    """What a domain names, with all that lies below it."""

    named: Named
    below: tuple[str, ...]
    unsure: tuple[str, ...]
    """What is not known of that, clauses after ``what … lies on``."""


@dataclass(frozen=True, slots=True)
class PoolNow:
    """A pool as it is now."""

    host: Host
    handle: Any
    name: str
    type: str
    path: str
    source: str
    active: bool

    def volumes(self, *, fresh: bool) -> tuple[list[Volume], str]:
        """What is in it, and why that may not be all. Raises libvirtError.

        ``fresh``: have libvirt look again at what is there first.
        """
        old = ""
        if fresh and self.type in OF_FILES:
            try:
                refresh(self.host, self.handle, limit_s=slow.LOOK_S)
            except Silent as error:
                return [], str(error)  # To ask for the volumes would hang with it.
            except libvirt.libvirtError as error:
                old = error.get_error_message() or "libvirt says no more"
        return volumes_in(self.host, self.handle), old


def pools_of(host: Host, aborted: threading.Event | None = None) -> list[PoolNow]:
    """All pools, active or not. Source: listAllStoragePools, each's XML.

    libvirt answers for none while one hangs with its server. Raises Aborted, Silent, libvirtError.
    """
    found: list[PoolNow] = slow.call_for_pool(
        lambda: _pools_of(host),
        f"the listing of the pools of host {host.name}",
        "",
        aborted,
        None,
        slow.LOOK_S,
        key=("pools", host.name),
    )
    return found


def _pools_of(host: Host) -> list[PoolNow]:
    found = []
    for handle in host.conn.listAllStoragePools(0):
        try:
            active, xml = bool(handle.isActive()), handle.XMLDesc(0)
        except libvirt.libvirtError as error:
            if is_gone(error):
                continue
            raise
        pool = parse_pool(host.name, xml, active=active, autostart=False, persistent=True)
        found.append(
            PoolNow(host, handle, pool.name, pool.type, pool.path, pool.source, pool.active)
        )
    return found


def having_of(host: Host, below: Below) -> list[Having]:
    """What its domains have, and what their snapshots keep. Raises libvirtError."""
    found = []
    whole: set[tuple[str, str]] = set()
    names = named_by(host)
    for named in names:
        same = (named.uuid, named.path)
        if named.whole:
            whole.add(same)
        if named.disk and named.path and (same not in whole or below.readable(named.path)):
            # Where libvirt is told no format it takes raw.
            lower, unsure = below.under(named.path, named.form or "raw", named.below)
            # A running domain's own word comes first, and is enough.
            found.append(Having(named, lower, () if same in whole else unsure))
        else:
            found.append(Having(named, named.below, ()))
    return found + [Having(each, under(each, below), ()) for each in kept_by(host, names)]


def survey(host: Host, names: Names, readable: Callable[[str], bool]) -> list[Having]:
    """What the domains of another host have. Raises libvirtError, TuivirtError."""
    if host.snapshot.link is Link.CONNECTING:
        host.wait_filled(ANSWER_S)
    return having_of(host, Below(host.conn, names, readable))


def ask(hosts: Iterable[Host], call: Callable[[Host], T]) -> tuple[dict[Host, T], dict[Host, str]]:
    """What the call gives for each host, and why it gives nothing for the others.

    Each is asked on a lane of its own, and waited for as long as it tells one thing after the
    other, thousands of snapshots too, up to `MOST_S` in all. A host that hangs is told as one that
    does not answer, after `ANSWER_S`, and holds up nobody. Nothing is taken of one that has told
    a part.
    """
    found: dict[Host, T] = {}
    failed: dict[Host, str] = {}
    asked: dict[Host, Future[T]] = {}
    for host in hosts:
        link = host.snapshot.link
        failed[host] = "does not answer" if link is Link.STALLED else "is not connected"
        if link in (Link.CONNECTED, Link.CONNECTING):
            # It may be closed just now, and its lane with it.
            with contextlib.suppress(RuntimeError):
                asked[host] = host.answers.submit(lambda host=host: call(host))  # type: ignore[misc]
                del failed[host]
    began = time.monotonic()
    for host, future in asked.items():
        try:
            found[host] = _awaited(future, host, began)
        except FutureTimeout:
            future.cancel()
            silent = heard_at(host) < began
            failed[host] = (
                f"has not answered within {ANSWER_S:g} s"
                if silent
                else f"has not told all within {time.monotonic() - began:.0f} s"
            )
        except (libvirt.libvirtError, TuivirtError) as error:
            failed[host] = f"cannot tell ({error})"
    return found, failed


def _awaited(future: Future[T], host: Host, began: float) -> T:
    """Raises FutureTimeout once the host is silent, or has told for too long."""
    while True:
        until = min(max(began, heard_at(host)) + ANSWER_S, began + MOST_S)
        try:
            return future.result(max(until - time.monotonic(), 0.0))
        except FutureTimeout:
            if min(heard_at(host) + ANSWER_S, began + MOST_S) <= time.monotonic():
                raise
