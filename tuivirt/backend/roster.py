"""The hosts of a run, while it goes on: more of them, fewer, others; connected or only known."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from .board import NOT_THERE, not_there
from .errors import Aborted, BadInput, NotFound, TuivirtError
from .events import HostsChanged, Publish
from .host import Host
from .inquiry import passed_on
from .lanes import Lane
from .model.entry import HostEntry, wrong_colour, wrong_group, wrong_name, wrong_tag, wrong_uri
from .model.host import HostSnapshot, Link
from .uri import shown

ANSWER_S = 30.0
"""How long a host may take to connect before its action ends; the trying goes on."""
LOOK_S = 0.2
"""How often it is looked whether that is still wanted."""
ROUND_TRIPS = 5
"""A test takes the quickest of so many: one may have met with something else under way."""

Make = Callable[[str, str, HostEntry | None], Host]
"""(name, whole URI, what the settings say of it) → a host that is not connected yet."""


class Book(Protocol):
    """Where hosts are kept from one run to the next. Its calls raise TuivirtError."""

    def put(self, entry: HostEntry, before: str, *, keep_uri: bool) -> None:
        """Write a host, in place of the one called ``before`` where there is one."""

    def drop(self, name: str) -> bool:
        """Take one out; False when it was not there."""


class Desk:
    """Where is done what is about no host yet: it has lanes, as a host has."""

    name = ""

    def __init__(self) -> None:
        self.snapshot = HostSnapshot("", "", link=Link.CLOSED)
        self.actions = Lane("desk-actions", 2)
        self.lookups = Lane("desk-lookups", 1)

    def require_write(self) -> None:
        """What is done here changes no host."""

    def close(self) -> None:
        for lane in (self.actions, self.lookups):
            lane.close()


class Roster:
    """Adds, changes, connects and takes away the hosts in ``hosts``, and tells of it.

    ``uris`` are the whole ones by name, ``lasts`` is whether anything stays connected behind an
    action. All calls are for any thread, and may take as long as a file or a connection takes.
    """

    def __init__(
        self,
        hosts: list[Host],
        uris: dict[str, str],
        book: Book,
        make: Make,
        publish: Publish,
        *,
        lasts: bool,
    ) -> None:
        self.desk = Desk()
        self._hosts = hosts
        self._uris = uris
        self._book = book
        self._make = make
        self._publish = publish
        self._lasts = lasts
        self._lock = threading.RLock()

    @property
    def hosts(self) -> Mapping[str, Host]:
        """Those of now, by name."""
        with self._lock:
            return {host.name: host for host in self._hosts}

    def host(self, name: str) -> Host:
        """Raises NotFound."""
        found = self.hosts.get(name)
        if found is None:
            known = ", ".join(self.hosts) or "none"
            raise NotFound(f"there is no host {name}", f"there is {known}")
        return found

    def close(self) -> None:
        """End what is not a host's."""
        self.desk.close()

    # -- what is known ------------------------------------------------------------------------

    def add(self, entry: HostEntry) -> str:
        """Keep a new host, and connect it where that is wanted. Raises TuivirtError."""
        check(entry)
        without_password(entry.uri)
        with self._lock:
            self._free(entry.name)
            self._book.put(entry, "", keep_uri=False)
            same = self._same(entry.uri)
            host = self._make(entry.name, entry.uri, entry)
            self._uris[entry.name] = entry.uri
            first = not any(each.snapshot.entry for each in self._hosts)
            forgotten = [each.name for each in self._hosts if each.snapshot.entry is None]
            self._hosts.append(host)
            self._begin(host, connect=entry.connect and self._lasts)
        said = f"{entry.name} was added{same}"
        if first and entry.connect and forgotten and self._lasts:
            # What was a matter of course until now is no longer.
            they = "it" if len(forgotten) == 1 else "they"
            said += (
                f"; at its next start tuivirt connects to the hosts that are kept, so edit "
                f"{', '.join(forgotten)} too if {they} shall be among them"
            )
        return said

    def change(self, name: str, entry: HostEntry) -> str:
        """Keep it as ``entry`` says; a URI as it is shown stays what it is. Raises TuivirtError."""
        check(entry)
        with self._lock:
            old = self.host(name)
            whole = self._uris[name]
            stays = entry.uri == shown(whole)
            if not stays:
                without_password(entry.uri)
            if entry.name != name:
                self._free(entry.name)
            kept = old.snapshot.entry is not None
            self._book.put(entry, name if kept else "", keep_uri=stays and kept)
            uri = whole if stays else entry.uri
            del self._uris[name]
            same = "" if stays else self._same(uri)
            self._uris[entry.name] = uri
            fresh = self._make(entry.name, uri, entry)
            if stays and entry.name == name and fresh.readonly == old.readonly:
                old.update(entry=entry)
                return f"{name} was changed"
            self._replace(old, fresh)
        again = "; it is connected anew" if fresh.snapshot.link is not Link.CLOSED else ""
        return f"{entry.name} was changed{again}{same}"

    def remove(self, name: str) -> str:
        """Forget a host: it, its guests and all that is on it stay what they are."""
        with self._lock:
            old = self.host(name)
            was_there = self._book.drop(name)
            self._hosts.remove(old)
            del self._uris[name]
            self._tell()
        _end(old)
        gone = "" if was_there else "; the settings did not have it any more"
        return f"{name} was removed from the hosts{gone}"

    # -- connections --------------------------------------------------------------------------

    def connect(self, name: str, aborted: threading.Event) -> str:
        """Connect, and wait for it at most ANSWER_S. Raises TuivirtError.

        The trying goes on whatever becomes of the waiting, until it is disconnected.
        """
        self._require_lasting(name)
        with self._lock:
            host = self.host(name)
            closed = host.snapshot.link is Link.CLOSED
            begun = {"link": Link.CONNECTING, "reason": "", "advice": "", "retry_at": None}
            if host.update_where(NOT_THERE, **begun):
                if closed:
                    host.start()
                else:
                    host.refresh()
        found = _answer_of(host, aborted)
        many = len(found.domains)
        return f"{name} is connected: {many} domain{'s' * (many != 1)}"

    def disconnect(self, name: str) -> str:
        """End its connection, and try no more. Raises TuivirtError."""
        self._require_lasting(name)
        with self._lock:
            old = self.host(name)
            entry = old.snapshot.entry
            fresh = self._make(name, self._uris[name], entry)
            self._replace(old, fresh, connect=False)
        return f"{name} is not connected any more"

    def test(self, name: str, progress: Callable[[str], None], aborted: threading.Event) -> str:
        """Connect beside what there is, and say what answers and how fast. Raises TuivirtError."""
        host = self.host(name)
        began = time.monotonic()
        progress("connecting …")

        heard = passed_on(host)
        probe = Host(name, self._uris[name], readonly=host.readonly, publish=heard, sampling=False)
        probe.start(aside=True)
        try:
            found = _answer_of(probe, aborted)
            opened_s = time.monotonic() - began
            quickest_s = min(_round_trip(probe) for _ in range(ROUND_TRIPS))
        finally:
            _end(probe)
        info = found.info
        what = ""
        if info is not None:
            what = f"{info.hypervisor} {info.hypervisor_version}".strip()
            what += f", libvirt {info.libvirt_version}" if info.libvirt_version else ""
            what += f" on {info.hostname}" if info.hostname else ""
        many = len(found.domains)
        return (
            f"{name} answers: {what}, {many} domain{'s' * (many != 1)}; a round trip takes "
            f"{quickest_s * 1000:.1f} ms, to connect and list took {opened_s * 1000:.0f} ms"
        )

    # -- inside -------------------------------------------------------------------------------

    def _require_lasting(self, name: str) -> None:
        if not self._lasts:
            raise BadInput(
                "nothing stays connected when a verb has ended",
                advice=f"tuivirt host-edit {name} --autoconnect yes connects it at the start",
            )

    def _same(self, uri: str) -> str:
        """What is to be said where another host has this URI."""
        names = [name for name, known in self._uris.items() if known == uri]
        both = "has the same URI: while both are connected, what is there is listed twice"
        return f"; {names[0]} {both}" if names else ""

    def _free(self, name: str) -> None:
        if name in self.hosts:
            raise BadInput(f"there is a host {name} already", advice="choose another name")

    def _begin(self, host: Host, *, connect: bool) -> None:
        # Told before anything of it is: nobody knows it yet.
        if not connect:
            host.rest()
        self._tell()
        if connect:
            host.start()

    def _replace(self, old: Host, fresh: Host, *, connect: bool | None = None) -> None:
        """``fresh`` in place of ``old``, which ends; connected as that was, unless said."""
        wanted = old.snapshot.link is not Link.CLOSED if connect is None else connect
        self._hosts[self._hosts.index(old)] = fresh
        _end(old)
        self._begin(fresh, connect=wanted)

    def _tell(self) -> None:
        self._publish(HostsChanged(host="", hosts=self.hosts))


def check(entry: HostEntry) -> None:
    """Raises BadInput where the settings could not hold it."""
    for what, said, wrong in (
        ("the name", entry.name, wrong_name(entry.name)),
        ("the URI", shown(entry.uri), wrong_uri(entry.uri)),
        ("the group", entry.group, wrong_group(entry.group)),
        ("the colour", entry.colour, wrong_colour(entry.colour)),
        *(("the tag", tag, wrong_tag(tag)) for tag in entry.tags),
    ):
        if wrong:
            raise BadInput(f"{what} cannot be {said!r}", wrong)


def without_password(uri: str) -> None:
    """Raises BadInput for a URI that holds one; as it is shown it holds none."""
    if shown(uri) != uri:
        raise BadInput(
            "a password in a URI is not kept",
            "the settings are a plain file",
            "leave it out: it is asked for when the host wants it",
        )


def _end(host: Host) -> None:
    """Close it; what of it hangs and comes free later is told to nobody."""
    host.close()
    host.silence()


def _answer_of(host: Host, aborted: threading.Event) -> HostSnapshot:
    """Its first snapshot with all lists; the time that a question stands open does not count."""
    left = ANSWER_S
    while True:
        if aborted.is_set():
            raise Aborted(f"{host.name} is not waited for any more")
        began = time.monotonic()
        snapshot = host.snapshot
        # One that was lost has its lists of then all the same.
        if snapshot.link in (Link.CONNECTED, Link.STALLED):
            return snapshot
        if snapshot.link in NOT_THERE:
            raise not_there(snapshot)
        if left <= 0:
            raise TuivirtError(
                f"{host.name} did not answer within {ANSWER_S:.0f} s",
                advice="is its daemon stopped or very busy? is the line cut?",
            )
        host.wait_changed(LOOK_S)
        if snapshot.question is None:
            left -= time.monotonic() - began


def _round_trip(host: Host) -> float:
    """Seconds that the smallest of calls takes."""
    began = time.perf_counter()
    host.conn.getLibVersion()
    return time.perf_counter() - began


def as_entry(snapshot: HostSnapshot) -> HostEntry:
    """What is kept of a host, or would be if it were."""
    if snapshot.entry is not None:
        return snapshot.entry
    readonly = snapshot.info is not None and snapshot.info.readonly
    return replace(HostEntry(snapshot.name, snapshot.uri), readonly=readonly)
