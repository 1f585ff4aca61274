"""What is said of a guest that stands still over a disk, whatever its hypervisor tells of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tests.ui import factory
from tuivirt.backend import lanes, standing
from tuivirt.backend.block_jobs import left
from tuivirt.backend.errors import NotConnected, NotFound
from tuivirt.backend.events import DomainEvent, Event, NetworkEvent, Noticed
from tuivirt.backend.host import Host
from tuivirt.backend.model.domain import Domain, DomainState

XML = (
    "<domain><devices><disk><source file='/images/a'/><target dev='vda'/></disk>"
    "<disk><source file='/images/b'/><target dev='vdb'/></disk></devices></domain>"
)
FULL, FAILED = libvirt.VIR_DOMAIN_DISK_ERROR_NO_SPACE, libvirt.VIR_DOMAIN_DISK_ERROR_UNSPEC
STANDS = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
RUNS = [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED]
STOPPED = {"event": libvirt.VIR_DOMAIN_EVENT_SUSPENDED, "detail": 2}
COMMON: dict[str, Any] = {"host": "srv1", "what": "", "name": "web", "key": "u"}


def domain(errors: dict[str, int], *states: Sequence[int]) -> Any:
    """One that is in these states one after the other, and stays in the last."""
    left = list(states or (STANDS,))
    return SimpleNamespace(
        name=lambda: "web",
        diskErrors=lambda: errors,
        XMLDesc=lambda _flags: XML,
        state=lambda _flags: left.pop(0) if len(left) > 1 else left[0],
    )


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ({"vda": FULL}, "no room is left for /images/a (vda). Make room there, then resume it"),
        ({"vda": FULL, "vdb": FULL}, "no room is left for /images/a (vda), /images/b (vdb)."),
        ({"vdb": FAILED}, "/images/b (vdb) could not be read or written. See to its storage"),
        ({"vda": FULL, "vdb": FAILED}, "/images/b (vdb), /images/a (vda) could not be read"),
        ({"sda": FAILED}, "web stands still: sda could not be read or written."),
    ],
)
def test_the_disk_and_the_way_out_are_said(errors: dict[str, int], said: str) -> None:
    assert said in standing.said(domain(errors))


@pytest.mark.parametrize(
    "states", [(RUNS,), (STANDS, RUNS), ([libvirt.VIR_DOMAIN_PAUSED, 1],)], ids=str
)
def test_nothing_is_said_of_one_that_stands_still_no_more(states: tuple[list[int], ...]) -> None:
    assert standing.said(domain({"vda": FULL}, *states)) == ""


def test_nothing_is_added_where_no_disk_is_told() -> None:
    assert standing.said(domain({})) == ""


class Place:
    """A host whose domains are these, and what it is told."""

    def __init__(self, look_up: Callable[[], Any], names: Sequence[str]) -> None:
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self.host = Host("srv1", "test:///default", publish=self._take)
        vars(self.host)["domain"] = lambda _uuid: look_up()
        each = [
            factory.domain(number, name, DomainState.PAUSED, reason=STANDS[1])
            for number, name in enumerate(names)
        ]
        self.domains: dict[str, Domain] = {one.uuid: one for one in each}
        self.host._snapshot = replace(self.host.snapshot, domains=self.domains)

    def _take(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    @property
    def told(self) -> list[str]:
        return [event.text for event in self._events if isinstance(event, Noticed)]

    def hears(self, count: int) -> list[str]:
        """So many notices, once they have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, 10), self.told
            return self.told


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (domain({"vda": FULL}), 1),
        (domain({"vda": FULL}, RUNS), 0),
        (NotFound("it is gone"), 0),
        (NotConnected("away"), 1),
    ],
    ids=["there", "resumed", "gone", "away"],
)
def test_one_that_is_gone_is_not_told_of_and_one_that_cannot_be_asked_is(
    found: Any, count: int
) -> None:
    def look_up() -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    place = Place(look_up, ())
    standing.tell(place.host, "uuid")
    assert len(place.told) == count


def test_only_a_domain_that_stops_over_an_error_is_told_of_with_its_disk_afterwards() -> None:
    place = Place(lambda: domain({"vda": FULL}), ())
    for kind, family, detail in (
        (NetworkEvent, "lifecycle", STOPPED),
        (DomainEvent, "io-error", STOPPED),
        (DomainEvent, "lifecycle", {**STOPPED, "detail": 0}),
    ):
        standing.heed(place.host, kind(**COMMON, family=family, detail=detail))
    assert place.told == []
    standing.heed(place.host, DomainEvent(**COMMON, family="lifecycle", detail=STOPPED))
    first, second = place.hears(2)
    assert first.startswith("web stands still: a disk could not be read or written. See to its")
    assert second.startswith("web stands still: no room is left for /images/a (vda).")


@pytest.fixture
def stuck() -> Iterator[Callable[[], Any]]:
    """Looks up a domain whose monitor does not answer until the test ends."""
    go_on = threading.Event()
    one = domain({})

    def hang() -> dict[str, int]:
        assert go_on.wait(60)
        return {}

    one.diskErrors = hang
    yield lambda: one
    go_on.set()


def test_guests_whose_monitors_hang_are_told_of_at_once_and_keep_no_look_up(
    stuck: Callable[[], Any],
) -> None:
    place = Place(stuck, ("db", "web"))
    standing.heed(place.host, DomainEvent(**COMMON, family="lifecycle", detail=STOPPED))
    standing.heed(place.host, DomainEvent(**COMMON, family="lifecycle", detail=STOPPED))
    standing.tell_all(place.host)
    assert place.host.lookups.submit(lambda: "answered").result(10) == "answered"
    assert len(place.told) == 3
    assert place.told[-1].startswith("2 domains stand still, as a disk of each could not be")
    assert "written: db, web. See to their storage" in place.told[-1]


def test_the_others_are_not_kept_by_one_that_is_known_to_hang(stuck: Callable[[], Any]) -> None:
    place = Place(lambda: domain({"vda": FULL}), ("db", "web"))
    silent = next(iter(place.domains))
    place.host.change_domains({silent: lambda domain: replace(domain, stalled_since=1.0)})
    others = place.host.domain
    vars(place.host)["domain"] = lambda uuid: stuck() if uuid == silent else others(uuid)
    standing.tell_all(place.host)
    assert place.hears(2)[1].startswith("web stands still: no room is left for /images/a (vda).")


def test_two_that_are_not_known_to_hang_yet_keep_back_no_others(
    stuck: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do they when each is told of again and again, as a guest that is resumed in vain is."""
    monkeypatch.setattr(lanes, "HUNG_S", 0.05)
    place = Place(lambda: domain({"vda": FULL}), ("app", "db", "web"))
    *silent, _web = place.domains
    others = place.host.domain
    vars(place.host)["domain"] = lambda uuid: stuck() if uuid in silent else others(uuid)
    for _time in range(5):
        for uuid in silent:
            event = DomainEvent(**{**COMMON, "key": uuid}, family="lifecycle", detail=STOPPED)
            standing.heed(place.host, event)
    standing.tell_all(place.host)
    assert place.hears(12)[-1].startswith("web stands still: no room is left for /images/a (vda).")


def test_what_jobs_have_left_on_others_is_told_though_two_hang(
    stuck: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "HUNG_S", 0.05)
    place = Place(stuck, ("app", "db", "web"))
    *silent, web = place.domains
    monkeypatch.setattr(left, "left_of", lambda *_: (left.Left("vda", "a copy", "do it again"),))
    others = {uuid: domain({}) for uuid in silent}
    vars(place.host)["domain"] = lambda uuid: domain({}) if uuid == web else others[uuid]
    for each in others.values():
        each.name = lambda: stuck().diskErrors()
    for uuid in place.domains:
        place.host.remarks.submit(partial(left.tell, place.host, uuid), uuid)
    assert place.hears(1) == ["web: a copy: do it again"]


def test_of_one_that_is_known_to_hang_it_is_told_that_nobody_knows(
    stuck: Callable[[], Any],
) -> None:
    place = Place(stuck, ("web",))
    (uuid,) = place.domains
    place.host.change_domains({uuid: lambda domain: replace(domain, stalled_since=1.0)})
    left.tell(place.host, uuid)
    (said,) = place.told
    assert said.startswith("whether jobs on disks of web were broken off cannot be told now")
