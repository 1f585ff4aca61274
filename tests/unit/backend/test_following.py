"""What a guest has not done yet is followed until it has, or until it cannot any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue
from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tuivirt.backend import following
from tuivirt.backend.errors import NotConnected, TuivirtError
from tuivirt.backend.events import DomainEvent, Event, LinkChanged
from tuivirt.backend.following import Following
from tuivirt.backend.model.host import Link

UUID = "u" * 32


class FakeDomain:
    """Runs until it is told otherwise."""

    def __init__(self) -> None:
        self.active = True

    def name(self) -> str:
        return "web-01"

    def UUIDString(self) -> str:
        return UUID

    def isActive(self) -> bool:
        return self.active


class FakeHost:
    """Looks at once, on a thread of its own as the look-ups lane does."""

    name = "h"
    snapshot = SimpleNamespace(link=Link.CONNECTED)

    def __init__(self) -> None:
        self.domain = FakeDomain()
        self.subscribers: list[Callable[[Event], None]] = []
        self.connected = True
        self.alive = 1
        self.closed = False
        self.lookups = self

    @property
    def conn(self) -> Any:
        if not self.connected:
            raise NotConnected("host h is not connected")
        return SimpleNamespace(
            lookupByUUIDString=lambda _uuid: self.domain, isAlive=lambda: self.alive
        )

    def submit(self, work: Callable[[], None]) -> None:
        if self.closed:
            raise RuntimeError("closed")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def subscribe(self, subscriber: Callable[[Event], None]) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def touch(self, _ref: object) -> None: ...

    def tell(self, event: Event) -> None:
        for subscriber in list(self.subscribers):
            subscriber(event)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def changed(uuid: str = UUID) -> DomainEvent:
    return DomainEvent(host="h", family="balloon-change", what="", name="web-01", key=uuid)


def followed(host: FakeHost, look: Callable[[Any], str]) -> tuple[Following, Queue[Any]]:
    ended: Queue[Any] = Queue()
    one = Following(host, host.domain, "not done yet", "wait", look)  # type: ignore[arg-type]
    one.on_settled(ended.put)
    return one, ended


def test_what_was_done_before_it_was_followed_is_told_at_once(host: FakeHost) -> None:
    one, ended = followed(host, lambda _domain: "done")
    assert ended.get(timeout=5) == "done"
    assert not one.pending
    assert one.asked
    assert host.subscribers == []


def test_an_event_of_the_domain_has_it_looked_at_and_others_do_not(host: FakeHost) -> None:
    looks: list[str] = []
    said = [""]

    def look(_domain: Any) -> str:
        looks.append("")
        return said[0]

    one, ended = followed(host, look)
    assert one.pending
    host.tell(changed("v" * 32))
    assert len(looks) == 1
    said[0] = "done"
    host.tell(changed())
    assert ended.get(timeout=5) == "done"


def test_without_any_event_it_is_looked_at_again(
    host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.01)
    answers = iter(["", "", "done"])
    _one, ended = followed(host, lambda _domain: next(answers))
    assert ended.get(timeout=5) == "done"


def test_a_domain_that_stops_never_does_it(host: FakeHost) -> None:
    _one, ended = followed(host, lambda _domain: "")
    host.domain.active = False
    host.tell(changed())
    end = ended.get(timeout=5)
    assert isinstance(end, TuivirtError)
    assert "web-01 stopped before it had done it: not done yet" in str(end)


def test_while_the_host_is_away_it_waits_and_looks_when_it_is_back(host: FakeHost) -> None:
    said = [""]
    one, ended = followed(host, lambda _domain: said[0])
    host.connected = False
    host.tell(changed())
    assert one.pending
    host.connected, said[0] = True, "done"
    host.tell(LinkChanged(host="h", link=Link.CONNECTED))
    assert ended.get(timeout=5) == "done"


def test_a_connection_that_breaks_while_it_is_looked_at_ends_nothing(
    host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.01)

    def look(_domain: Any) -> str:
        host.alive = 1 - host.alive  # It breaks; the next one is sound.
        if not host.alive:
            raise libvirt.libvirtError("connection reset by peer")
        return "done"

    _one, ended = followed(host, look)
    assert ended.get(timeout=5) == "done"


def test_what_libvirt_cannot_tell_is_told(host: FakeHost) -> None:
    def look(_domain: Any) -> str:
        raise libvirt.libvirtError("the monitor hangs")

    _one, ended = followed(host, look)
    end = ended.get(timeout=5)
    assert isinstance(end, TuivirtError)
    assert "cannot follow web-01: not done yet: the monitor hangs" in str(end)


def test_it_is_not_followed_for_ever(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOWED_FOR_S", -1.0)
    _one, ended = followed(host, lambda _domain: "")
    assert str(ended.get(timeout=5)) == "not done yet: it is no longer followed"


def test_a_host_that_is_closed_ends_it(host: FakeHost) -> None:
    _one, ended = followed(host, lambda _domain: "")
    host.closed = True
    host.tell(changed())
    assert isinstance(ended.get(timeout=5), NotConnected)
