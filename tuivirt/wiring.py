"""Which hosts there are: those that were given, those of the settings, libvirt's default, or the
demo."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tuivirt.backend.cut_off import tell_begun
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import Event, EventHub, SnapshotChanged
from tuivirt.backend.host import Host
from tuivirt.backend.model.host import Link

if TYPE_CHECKING:
    from tuivirt.backend.model.entry import HostEntry
    from tuivirt.backend.roster import Roster

DEMO_URI = "demo:///"
CLOSE_S = 2.0
"""How long the hosts may take to close, all together; each promises less."""
TOLD_S = 0.5
"""How long is waited for where something was cut off: it may lie on a dead server."""
SETTLE_S = 2.0
"""How long the default host may take to open or fail; one that hangs is shown as it is."""


@dataclass
class Wiring:
    """The hosts of this run, connecting already, and the hub where their events meet."""

    hub: EventHub
    hosts: list[Host] = field(default_factory=list)
    """Those that are not connected among them; the roster changes it."""
    notice: str = ""
    """Why this is the demo though nobody asked for it."""
    given: bool = True
    """The operator said which hosts."""
    make: Callable[[str, str, HostEntry | None], Host] | None = None
    """Makes one more host, as those of this run were made: its name, its URI, its settings."""
    uris: dict[str, str] = field(default_factory=dict)
    """The whole URIs of the hosts, by name."""
    lasts: bool = True
    """It goes on until somebody leaves; a verb of the command line ends by itself."""

    @property
    def begun(self) -> list[Host]:
        """Those that are connected, or were begun to be."""
        return [host for host in self.hosts if host.snapshot.link is not Link.CLOSED]

    @cached_property
    def roster(self) -> Roster:
        """What changes the hosts of this run, and those of the settings."""
        from tuivirt.roster import roster_of  # Few runs change their hosts.

        return roster_of(self)

    def close(self) -> None:
        """End all connections, at once: a host that takes its time costs no other any."""
        if "roster" in self.__dict__:
            self.roster.close()
        closing = [
            threading.Thread(target=host.close, name=f"{host.name}-closing", daemon=True)
            for host in self.hosts
        ]
        for thread in closing:
            thread.start()
        deadline = time.monotonic() + CLOSE_S
        for thread in closing:
            thread.join(max(0.0, deadline - time.monotonic()))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A host of a run."""

    name: str
    uri: str
    entry: HostEntry | None = None
    """What the settings say of it; None: they do not know it."""
    connect: bool = True


def choose(
    words: Sequence[str], entries: Sequence[HostEntry] = (), *, demo: bool = False
) -> list[Chosen]:
    """The hosts of a run, the settings' own that are not to be connected among them.

    ``words`` are URIs and names of the settings' hosts. Without any those are connected that the
    settings want to be; where they want none, the default (see ``default_uri``).
    """
    by_name = {entry.name: entry for entry in entries}
    by_uri = {entry.uri: entry for entry in reversed(entries)}
    uris = [DEMO_URI, *words] if demo else list(words)
    if not uris:
        uris = [entry.name for entry in entries if entry.connect] or [default_uri()]
    known = {uri: by_name.get(uri) or by_uri.get(uri) for uri in uris}
    wanted = {entry.name for entry in known.values() if entry is not None}
    others = named([uri for uri, entry in known.items() if entry is None], by_name)
    names = {uri: name for name, uri in others}
    chosen = [
        Chosen(names[uri], uri) if entry is None else Chosen(entry.name, entry.uri, entry)
        for uri, entry in known.items()
    ]
    chosen = list({each.name: each for each in chosen}.values())
    rest = [] if demo else [entry for entry in entries if entry.name not in wanted]
    return chosen + [Chosen(entry.name, entry.uri, entry, connect=False) for entry in rest]


def connect(
    hub: EventHub,
    uris: Sequence[str] = (),
    *,
    demo: bool = False,
    readonly: bool = False,
    sampling: bool = True,
    interval: float = 2.0,
    entries: Sequence[HostEntry] = (),
    only: Collection[str] | None = None,
) -> Wiring:
    """Begin to connect to what ``choose`` finds, in the background.

    ``only``: the names of those that are connected, whatever else is known.
    """

    def make(name: str, uri: str, entry: HostEntry | None) -> Host:
        if uri.startswith("demo:"):
            from tuivirt.demo import register

            register()
        return Host(
            name,
            uri,
            readonly=readonly or (entry is not None and entry.readonly),
            publish=hub.publish,
            interval=interval,
            sampling=sampling,
            entry=entry,
        )

    given = bool(uris) or demo or bool(entries) or "LIBVIRT_DEFAULT_URI" in os.environ
    chosen = choose(uris, entries, demo=demo)
    wiring = Wiring(hub, given=given, make=make, lasts=sampling)
    wiring.uris.update({each.name: each.uri for each in chosen})
    wiring.hosts += [make(each.name, each.uri, each.entry) for each in chosen]
    for host, each in zip(wiring.hosts, chosen, strict=True):
        if each.connect if only is None else each.name in only:
            host.start()
        else:
            host.rest()
    return wiring


def or_demo(wiring: Wiring, *, sampling: bool = True, interval: float = 2.0) -> Wiring:
    """The demo in place of a default host that could not be opened, where none was asked for.

    Waits until that is known, at most SETTLE_S; a host that hangs is kept.
    """
    if wiring.given:
        return wiring
    host = wiring.hosts[0]
    settled = threading.Event()

    def heard(event: Event) -> None:
        if isinstance(event, SnapshotChanged) and _known(event.snapshot.link, event.snapshot.info):
            settled.set()

    forget = wiring.hub.subscribe(heard, waited=False)
    try:
        if not _known(host.snapshot.link, host.snapshot.info):
            settled.wait(SETTLE_S)
    finally:
        forget()
    if host.snapshot.link is not Link.FAILED:
        return wiring
    reason, readonly = host.snapshot.reason, host.readonly
    host.close()
    shown = connect(wiring.hub, demo=True, readonly=readonly, sampling=sampling, interval=interval)
    shown.notice = f"no libvirt answers at {host.uri} ({reason}): this is the demo"
    return shown


def _known(link: Link, info: object) -> bool:
    return link is not Link.CONNECTING or info is not None


def default_uri() -> str:
    """LIBVIRT_DEFAULT_URI, else ``uri_default`` of libvirt.conf, else the system's QEMU.

    Unlike libvirt, an ordinary user gets the system's daemon too: that is where a server's
    guests are.
    """
    from tuivirt.backend import default_uri as default

    return default.told() or default.SYSTEM


def named(uris: Sequence[str], taken: Container[str] = ()) -> list[tuple[str, str]]:
    """(name, URI) of each, the names unique: the URI's host, ``local``, or ``demo``.

    Of two with one host the later is told apart by its socket's folder, its path (session) or its
    driver, then by a number; so are those whose names are ``taken``.
    """
    found: dict[str, str] = {}
    drivers: set[tuple[str, str]] = set()
    for uri in dict.fromkeys(uris):
        driver, host, path, socket = _parts(uri)
        base = host or ("demo" if driver == "demo" else "local")
        # What only this one has comes first.
        other = driver if (base, driver) not in drivers else ""
        drivers.add((base, driver))
        words = [socket, other, path, driver]
        names = [base, *(f"{base}-{word}" for word in words if word)]
        names += [f"{names[-1]}-{number}" for number in range(2, len(uris) + 2)]
        while all(name in found or name in taken for name in names):
            names.append(f"{names[-1]}-2")
        name = next(name for name in names if name not in found and name not in taken)
        found[name] = uri
    return list(found.items())


def _parts(uri: str) -> tuple[str, str, str, str]:
    """(driver without its transport, host, path's end, what tells its socket from others).

    An alias of libvirt.conf is its own host.
    """
    match = re.match(
        r"([\w.-]+)(?:\+\w+)?://(?:[^@/?]*@)?(\[[^\]]*\]|[^:/?]*)(?::\d*)?/?([^?]*)", uri
    )
    if match is None:
        return uri, uri, "", ""
    socket = re.search(r"[?&]socket=([^&]*)", uri)
    parts = [part for part in socket[1].split("/") if part not in _EVERY_SOCKET] if socket else []
    path = match[3].rpartition("/")[2]
    return match[1], match[2], _word(path), _word(parts[-1] if parts else "")


_EVERY_SOCKET = frozenset(
    ("", "var", "run", "tmp", "libvirt", "libvirt-sock", "libvirt-sock-ro", "virtqemud-sock")
)
"""Parts of a socket's path that tell nothing."""


def _word(text: str) -> str:
    """A part of a name from a part of a URI."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-")


def fill(
    hosts: Sequence[Host], timeout: float
) -> tuple[list[Host], list[tuple[Host, TuivirtError]]]:
    """Wait until the hosts' lists are read: those that are, and why the others are not.

    What was cut off before is told then.
    """
    ready: list[Host] = []
    failed: list[tuple[Host, TuivirtError]] = []
    for host in hosts:
        try:
            host.wait_filled(timeout)
        except TuivirtError as error:
            failed.append((host, error))
        else:
            ready.append(host)
    for host in ready:
        tell_begun(host, TOLD_S)
    return ready, failed
