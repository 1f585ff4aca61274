"""One connection after another, and no news of an older one taken for the newer one's."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import libvirt
import pytest

from tuivirt.backend.connection import register_scheme
from tuivirt.backend.errors import TuivirtError
from tuivirt.backend.events import Event, LinkChanged, ListChanged
from tuivirt.backend.host import Host
from tuivirt.backend.model.host import Link
from tuivirt.backend.model.ref import Kind

NETWORK = "<network><name>new</name><bridge name='virbr77'/></network>"


class Connection:
    """libvirt's test driver, with the close callback that only remote drivers have."""

    def __init__(self) -> None:
        self.real = libvirt.open("test:///default")
        self.closed: Callable[[Any, int, Any], None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def registerCloseCallback(self, closed: Callable[[Any, int, Any], None], _: object) -> None:
        self.closed = closed

    def unregisterCloseCallback(self) -> None:
        """The test calls it all the same, as libvirt does when it was under way already."""


class Place:
    def __init__(self) -> None:
        self.opened: list[Connection] = []
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.may_open = threading.Event()
        self.may_open.set()
        self.asked = threading.Event()
        register_scheme("keeper", self._open)
        self.host = Host("t", "keeper:///", publish=self.events.put, sampling=False)

    def _open(self, _uri: str, _readonly: bool) -> Connection:
        self.asked.set()
        assert self.may_open.wait(10)
        self.opened.append(Connection())
        return self.opened[-1]

    def wait(self, wanted: Callable[[Event], bool]) -> Event:
        while True:
            event = self.events.get(timeout=20)
            if wanted(event):
                return event


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.host.close()


def test_a_connection_is_not_lost_by_late_news_of_the_one_before(place: Place) -> None:
    place.host.start()
    place.host.wait_filled(20)
    first = place.opened[0]
    assert first.closed is not None
    first.closed(first, 0, None)
    place.wait(lambda e: isinstance(e, LinkChanged) and e.link == Link.LOST)
    place.wait(lambda e: isinstance(e, LinkChanged) and e.link == Link.CONNECTED)
    first.closed(first, 2, None)
    place.opened[1].networkDefineXML(NETWORK)
    place.host.refresh()
    told = place.wait(
        lambda e: isinstance(e, LinkChanged) or (isinstance(e, ListChanged) and bool(e.new))
    )
    assert isinstance(told, ListChanged)
    assert told.kind is Kind.NETWORK


@pytest.mark.parametrize(
    "uri", ["qemu+tls://h:99999/system", "qemu+ssh://root:secret@[::1/system", "qemu+tcp://h:1x/"]
)
def test_a_uri_that_cannot_be_read_is_a_reason_and_is_tried_again(uri: str) -> None:
    host = Host("t", uri, publish=lambda _event: None, sampling=False)
    host.start()
    with pytest.raises(TuivirtError, match="cannot connect") as failed:
        host.wait_filled(20)
    assert "secret" not in str(failed.value)
    assert host.snapshot.retry_at is not None
    host.close()


def test_a_host_that_is_closed_while_it_connects_stays_closed(place: Place) -> None:
    place.may_open.clear()
    place.host.start()
    assert place.asked.wait(10)
    place.host.close()
    place.may_open.set()
    keeper = next(t for t in threading.enumerate() if t.name == "t-keeper")
    keeper.join(10)
    assert not keeper.is_alive()
    assert place.host.snapshot.link is Link.CLOSED
