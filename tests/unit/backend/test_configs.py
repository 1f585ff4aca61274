"""The domains' configurations are read again after each change, however it falls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import libvirt
import pytest

from tuivirt.backend import configs, derived
from tuivirt.backend.configs import CORE_SHARE, REST_MOST_S, SHARE, Configs, rest_s
from tuivirt.backend.events import Event, Noticed
from tuivirt.backend.host import Host
from tuivirt.backend.known import Known
from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.xml.chain import NAMESPACE

T = TypeVar("T")
WEB = Domain("t", "uuid-web", "web", None, DomainState.SHUTOFF)
DB = Domain("t", "uuid-db", "db", None, DomainState.SHUTOFF)


class Handle:
    """A domain of libvirt's that can be made to wait while its XML is read."""

    def __init__(self, xml: str) -> None:
        self.xml = xml
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def XMLDesc(self, _flags: int) -> str:
        xml = self.xml
        self.asked.set()
        assert self.go_on.wait(10)
        return xml


def xml(name: str, source: str = "") -> str:
    disk = f"<disk type='file'><source file='{source}'/><target dev='vda'/></disk>"
    return f"<domain type='test'><name>{name}</name><devices>{disk}</devices></domain>"


class Place:
    """A host that lists what it is told to, and its configurations."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.host = Host("t", "test:///default", publish=self.events.append)
        self.configs: Configs = self.host.configs

    def has(self, domains: dict[Domain, Any]) -> None:
        self.host.listed({d.uuid: d for d in domains}, {d.uuid: h for d, h in domains.items()})
        self.configs.reconcile()

    def known(self, domain: Domain, source: str) -> Known:
        """What is known of a domain once its saved configuration has a disk with this source."""

        def known() -> Known | None:
            found = self.configs.known().get(domain.uuid)
            if found is None or found.saved is None or not found.saved.disks:
                return None
            return found if found.saved.disks[0].source == source else None

        return until(known)


def until(look: Callable[[], T | None]) -> T:
    """What ``look`` finds at last: nothing is told when a configuration has been read."""
    tick = threading.Event()
    for _ in range(500):
        found = look()
        if found is not None:
            return found
        tick.wait(0.02)
    raise AssertionError("it never came")


def recorded(monkeypatch: pytest.MonkeyPatch, teller: str) -> list[set[str]]:
    """Of which domains that function of `derived` is told, each time; it tells nobody."""
    told: list[set[str]] = []

    def tell(_host: Host, known: Mapping[str, Known]) -> None:
        told.append(set(known))

    monkeypatch.setattr(derived, teller, tell)
    return told


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.configs.stop()


def test_a_change_while_the_xml_is_read_has_it_read_again(place: Place) -> None:
    handle = Handle(xml("web", "old"))
    handle.go_on.clear()
    place.has({WEB: handle})
    assert handle.asked.wait(10)
    handle.xml = xml("web", "new")
    place.configs.forget(WEB.uuid)
    handle.go_on.set()
    assert place.known(WEB, "new")


def test_what_was_read_of_a_guest_that_was_off_does_not_stand_for_its_run(place: Place) -> None:
    handle = Handle(xml("web", "same"))
    place.has({WEB: handle})
    assert place.known(WEB, "same").live is None
    place.has({replace(WEB, id=7, state=DomainState.RUNNING): handle})
    until(lambda: place.configs.known()[WEB.uuid].live)


def test_a_configuration_that_cannot_be_read_is_told_and_costs_the_others_nothing(
    place: Place,
) -> None:
    place.host.adopt(object())
    place.has({WEB: Handle("<domain>"), DB: Handle(xml("db", "fine"))})
    assert place.known(DB, "fine")
    assert place.configs.known()[WEB.uuid].configs == ()
    told = [event for event in place.events if isinstance(event, Noticed)]
    assert [event.target for event in told] == [WEB.ref]


def test_guests_that_hang_as_it_is_looked_what_broken_jobs_left_keep_no_look_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Semaphore(0), threading.Event()

    def hang(_host: Host, _uuid: str) -> None:
        asked.release()
        assert go_on.wait(60)

    monkeypatch.setattr("tuivirt.backend.block_jobs.left.tell", hang)
    noted = f"<metadata><begun xmlns='{NAMESPACE}'/></metadata>"
    both = [Handle(xml(name).replace("<devices>", f"{noted}<devices>")) for name in ("web", "db")]
    try:
        place.has(dict(zip((WEB, DB), both, strict=True)))
        assert asked.acquire(timeout=10)
        assert asked.acquire(timeout=10)
        assert place.host.lookups.submit(lambda: "answered").result(10) == "answered"
    finally:
        go_on.set()


class Both(Handle):
    """A running domain, whose two configurations say different things."""

    def __init__(self, live: str, saved: str) -> None:
        super().__init__(live)
        self._saved = saved

    def XMLDesc(self, flags: int) -> str:
        return self._saved if flags & libvirt.VIR_DOMAIN_XML_INACTIVE else self.xml


def test_a_domain_waits_for_its_next_boot_whichever_field_of_a_device_differs(
    place: Place,
) -> None:
    def holding(rate: str) -> str:
        backend = f"<rng model='virtio'>{rate}<backend model='builtin'/></rng>"
        return f"<domain><name>web</name><devices>{backend}</devices></domain>"

    running = replace(WEB, id=1, state=DomainState.RUNNING)
    place.has({running: Both(holding(""), holding("<rate bytes='9'/>"))})

    def waits() -> tuple[str, ...] | None:
        return place.host.snapshot.domains[WEB.uuid].pending or None

    assert until(waits) == ("random number generator: at most default → 9",)
    known = place.configs.known()[WEB.uuid]
    assert known.live is not None
    assert not any(device.facts for config in known.configs for device in config.devices)


@pytest.mark.parametrize(("worked", "readers"), [(0.002, 1), (0.002, 50), (0.0001, 50), (0.01, 4)])
def test_neither_a_daemon_nor_this_machine_is_kept_busy_by_reading(
    worked: float, readers: int
) -> None:
    took = 0.01
    whole = took + rest_s(took, worked, readers)
    assert took / whole <= SHARE + 1e-9
    assert readers * worked / whole <= CORE_SHARE + readers * 1e-9


def test_what_took_long_once_is_not_waited_on_for_as_long_as_many_hosts_would_have_it() -> None:
    assert rest_s(0.1, 0.1, 50) == REST_MOST_S


def test_one_that_is_read_again_uses_what_it_used_until_then(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recorded(monkeypatch, "tell_users")
    monkeypatch.setattr(configs, "USERS_EVERY_S", 0.0)
    monkeypatch.setattr(configs, "TELL_EVERY_S", 0.0)
    held = Handle(xml("web", "a"))
    place.has({WEB: held, DB: Handle(xml("db", "b"))})
    until(lambda: told[-1:] == [{WEB.uuid, DB.uuid}] or None)
    told.clear()
    held.asked.clear()
    held.go_on.clear()
    place.configs.forget(DB.uuid)
    place.configs.forget(WEB.uuid)
    place.configs.leases_changed()
    assert held.asked.wait(10), "the other one was read, and this one is being read"
    assert told == [{WEB.uuid, DB.uuid}]
    held.go_on.set()


def test_what_follows_from_one_that_was_read_is_told_of_that_one_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recorded(monkeypatch, "tell_domains")
    place.has({WEB: Handle(xml("web", "a")), DB: Handle(xml("db", "b"))})
    until(lambda: len(told) == 2 or None)
    assert told == [{WEB.uuid}, {DB.uuid}]
    place.configs.leases_changed()
    until(lambda: len(told) == 3 or None)
    assert told[-1] == {WEB.uuid, DB.uuid}, "of all, once an address may be another's"


def test_what_was_read_of_an_earlier_run_says_nothing_of_this_one() -> None:
    place = Place()
    now = replace(WEB, id=8, state=DomainState.RUNNING)
    place.host.listed({WEB.uuid: now}, {})
    derived.tell_domains(place.host, {WEB.uuid: Known(7, now.persistent, pending=("memory",))})
    assert place.host.snapshot.domains[WEB.uuid].pending == ()
    derived.tell_domains(place.host, {WEB.uuid: Known(8, now.persistent, pending=("memory",))})
    assert place.host.snapshot.domains[WEB.uuid].pending == ("memory",)
