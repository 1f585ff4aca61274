"""The domains' configurations: read once after each change, those in view first.

From them come the marks and links of the lists: what waits for the next boot, which addresses
a domain has, who uses a network or a device. Read on a thread of its own that takes only a
part of the time, and never in a periodic pass: a call per domain is paid once per change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import NotConnected, is_gone
from .events import Noticed
from .known import Known, slim
from .model.domain import UNLABELLED
from .model.host import Link
from .rates import BALLOON_PERIOD_S
from .turns import turn
from .xml.errors import XmlError

if TYPE_CHECKING:
    from .host import Host

SHARE, CORE_SHARE = 0.25, 0.15
"""The part of the time that reading may take: of each host's daemon, and of this processor's
core for all hosts together."""
REST_MOST_S = 2.0
"""What took long once (a first import, what follows for a thousand) is not paid back in full."""
GATHER_S = 0.3
"""How long to wait before reading, so that the first picture is not delayed."""
TELL_EVERY_S, USERS_EVERY_S = 0.5, 5.0
"""How often, while more is being read, it is told what follows of those that were, and who uses
what."""


class Configs:
    """What is known of the domains' XML on one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._condition = threading.Condition()
        self._wanted: dict[str, None] = {}
        self._hurried: frozenset[str] = frozenset()
        self._known: dict[str, Known] = {}
        self._before: dict[str, Known] = {}
        """What was known of those that are to be read again: they use something all the same."""
        self._reading: str | None = None
        """Whose XML is being read; none any more once that one was forgotten meanwhile."""
        self._balloons: dict[str, int] = {}
        """The run in which a domain's balloon period was looked at."""
        self._arm: dict[str, None] = {}
        self._armed: dict[str, int] = {}
        self._generation = -1
        self._seen: set[str] = set()
        """Of those nothing is looked for that a program before this one left behind."""
        self._fresh: dict[str, Known] = {}
        """Those that were read, and of which nothing was told since."""
        self._anew = False
        """What was told of any of them may be otherwise by now."""
        self._users_old = False
        self._told_due = self._users_due = 0.0
        self._stopping = False
        self._thread: threading.Thread | None = None

    # -- wishes, from any thread --------------------------------------------------------------

    def forget(self, uuid: str) -> None:
        """It changed: read it again when it is listed next."""
        with self._condition:
            known = self._known.pop(uuid, None)
            self._fresh.pop(uuid, None)
            if known is not None:
                self._before[uuid] = known
                self._wanted[uuid] = None
            elif uuid == self._reading:
                self._reading = None
                self._wanted[uuid] = None

    def hurry(self, uuids: frozenset[str]) -> None:
        """These are in view: read them first."""
        with self._condition:
            self._hurried = uuids

    def reconcile(self) -> None:
        """The list of domains was read again: want what is new, drop what is gone."""
        host = self._host
        if not host.sampling:
            return
        domains = host.snapshot.domains
        with self._condition:
            if self._generation != host.generation:
                self._generation = host.generation
                self._before |= self._known
                self._known.clear()
                self._fresh.clear()
                self._reading = None
                self._balloons.clear()
                self._armed.clear()
            for read in (self._known, self._before, self._fresh):
                for uuid in read.keys() - domains.keys():
                    del read[uuid]
            for uuid, domain in domains.items():
                known = self._known.get(uuid)
                if known is None or not known.fits(domain):
                    self._wanted[uuid] = None
            self._anew = self._users_old = True
            self._start()

    def leases_changed(self) -> None:
        """Addresses must be told apart anew."""
        with self._condition:
            self._anew = True
            self._start()

    def consider_balloon(self, uuid: str, record: Mapping[str, Any]) -> None:
        """Have the balloon's period set where a running guest's figures are never refreshed."""
        if "balloon.rss" not in record or record.get("balloon.last-update"):
            return
        domain = self._host.snapshot.domains.get(uuid)
        if domain is None or domain.id is None or self._host.readonly:
            return
        with self._condition:
            if self._balloons.get(uuid) != domain.id:
                self._balloons[uuid] = domain.id
                self._arm[uuid] = None
                self._start()

    def stop(self) -> None:
        """End; the periods that were set are given back by `disarm`, when there is time."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def known(self) -> dict[str, Known]:
        """What was read so far, by UUID."""
        with self._condition:
            return dict(self._known)

    # -- the reading --------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(
                target=self._run, name=f"{self._host.name}-configs", daemon=True
            )
            self._thread.start()
        self._condition.notify_all()

    def _run(self) -> None:
        try:
            idle = True
            while self._wait_for_work(gather=idle):
                _reading.add(self)
                started, worked = time.monotonic(), time.thread_time()
                self._work()
                took, worked = time.monotonic() - started, time.thread_time() - worked
                with self._condition:
                    idle = self._is_idle
                    if idle:
                        _reading.discard(self)
                    # Who has read all leaves the rest of the core to the others.
                    readers = 1 if idle else len(_reading)
                    self._condition.wait_for(lambda: self._stopping, rest_s(took, worked, readers))
        finally:
            _reading.discard(self)

    @property
    def _is_idle(self) -> bool:
        """Whether there is nothing to be read."""
        return not self._wanted and not self._arm

    def _wait_for_work(self, *, gather: bool) -> bool:
        """Until there is some, and with ``gather`` a bit longer; False: it is to end."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopping or not self._is_idle or self._news)
            if gather:
                self._condition.wait_for(lambda: self._stopping, GATHER_S)
            return not self._stopping

    def _work(self) -> None:
        """Read one, and tell what follows from those read, now and then, and after the last."""
        try:
            with self._host.traffic.job():
                self._read_next()
            if self._is_idle or time.monotonic() >= self._told_due:
                self._derive()
                self._told_due = time.monotonic() + TELL_EVERY_S
        except (libvirt.libvirtError, NotConnected) as error:
            if self._host.snapshot.link in (Link.CONNECTED, Link.STALLED):
                self._host.defect(error)
            # Once the host is back its lists are read again, and with them these.
            with self._condition:
                self._wanted.clear()
                self._arm.clear()
        except Exception as error:
            # A defect of ours must not be told three times a second.
            self._host.defect(error)
            with self._condition:
                self._wanted.clear()
                self._arm.clear()

    @property
    def _news(self) -> bool:
        """Whether something is to be told that nobody was told yet."""
        return bool(self._fresh) or self._anew or self._users_old

    def _next(self, wishes: dict[str, None]) -> str | None:
        with self._condition:
            if self._stopping or not wishes:
                return None
            uuid = next((u for u in self._hurried if u in wishes), None) or next(iter(wishes))
            del wishes[uuid]
            return uuid

    def _read_next(self) -> None:
        uuid = self._next(self._wanted)
        if uuid is not None:
            self._read(uuid)
            return
        uuid = self._next(self._arm)
        if uuid is not None:
            # Elsewhere: a guest that hangs would keep all others from being read.
            self._host.chores.submit(partial(self._arm_balloon, uuid))

    def _read(self, uuid: str) -> None:
        from .xml.chain import NAMESPACE
        from .xml.domain import skim_domain

        handle = self._host.handles.get(uuid)
        domain = self._host.snapshot.domains.get(uuid)
        if handle is None or domain is None:
            return
        with self._condition:
            self._reading = uuid
        live = saved = None
        try:
            both = domain.id is not None and domain.persistent
            if domain.id is not None:
                text = handle.XMLDesc(0)
                with turn:
                    live = skim_domain(text, compared=both)
            if domain.persistent or live is None:
                text = handle.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
                with turn:
                    saved = skim_domain(text, compared=both)
            if uuid not in self._seen and NAMESPACE in text:
                from .block_jobs.left import tell

                self._host.remarks.submit(partial(tell, self._host, uuid), uuid)
            self._seen.add(uuid)
            waits: tuple[str, ...] = ()
            if live is not None and saved is not None:
                from .xml.pending import pending

                with turn:
                    waits = pending(live, saved)
        except (libvirt.libvirtError, XmlError) as error:
            if isinstance(error, libvirt.libvirtError):
                if is_gone(error):
                    return
                if not self._host.conn.isAlive():
                    raise
            # Of this one only: the others are read, and this one again when it changes.
            text = f"cannot read the configuration of {domain.name}: {error}"
            self._host.tell(Noticed(host=self._host.name, text=text, target=domain.ref))
            live, saved, waits = None, None, ()
        now = live or saved
        labels = UNLABELLED if now is None else now.labels
        live, saved = slim(live), slim(saved)
        if live == saved:
            saved = live  # As nearly always: one record in place of two.
        known = Known(domain.id, domain.persistent, live, saved, waits, labels)
        with self._condition:
            if self._reading == uuid:
                self._known[uuid] = self._fresh[uuid] = known
                self._before.pop(uuid, None)
                self._users_old = True

    # -- what follows from it -----------------------------------------------------------------

    def _derive(self) -> None:
        """Tell what follows from what was read since.

        Of the domains that were read, as long as nothing changed for all; who uses what takes a
        look at all that is known, and is told seldom as long as more is to come.
        """
        from .derived import tell_domains, tell_users

        with self._condition:
            of, self._fresh = self._fresh, {}
            if self._anew:
                self._anew, of = False, dict(self._known)
        if of:
            with turn:
                tell_domains(self._host, of)
        now = time.monotonic()
        with self._condition:
            if not self._users_old or (self._wanted and now < self._users_due):
                return
            self._users_old = False
            self._users_due = now + USERS_EVERY_S
            known = self._before | self._known
        with turn:
            tell_users(self._host, known)

    # -- the balloon --------------------------------------------------------------------------

    def _arm_balloon(self, uuid: str) -> None:
        """Ask a guest's balloon driver for figures, when nobody has set how often.

        Source: virDomainSetMemoryStatsPeriod, live only: nothing is saved.
        """
        from .xml.belongings import balloon_period

        handle = self._host.handles.get(uuid)
        domain = self._host.snapshot.domains.get(uuid)
        if handle is None or domain is None or domain.id is None:
            return
        try:
            if balloon_period(handle.XMLDesc(0)) != 0:
                return
            handle.setMemoryStatsPeriod(BALLOON_PERIOD_S, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except libvirt.libvirtError:
            return  # No balloon, or a guest on its way out: its memory is shown as unknown.
        else:
            with self._condition:
                self._armed[uuid] = domain.id

    def disarm(self, deadline: float) -> None:
        """Set the periods that were set here back to 0, until monotonic ``deadline``."""
        with self._condition:
            armed, self._armed = dict(self._armed), {}
        for uuid, run in armed.items():
            handle = self._host.handles.get(uuid)
            domain = self._host.snapshot.domains.get(uuid)
            if handle is None or domain is None or domain.id != run:
                continue
            if time.monotonic() > deadline:
                return
            try:
                handle.setMemoryStatsPeriod(0, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            except libvirt.libvirtError as error:
                if not is_gone(error):
                    return  # The host goes away as we do; a period costs it next to nothing.


_reading: set[Configs] = set()
"""Those that read now, of all hosts; a set's own methods are whole to all threads."""


def rest_s(took: float, worked: float, readers: int) -> float:
    """How long to wait after a reading that took so many seconds, in ``worked`` of which this
    processor did something; so many hosts are read at the same time."""
    paid = max(took * (1 / SHARE - 1), worked * (readers / CORE_SHARE - 1))
    return min(REST_MOST_S, paid)
