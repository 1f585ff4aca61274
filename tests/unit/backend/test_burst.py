"""A thousand guests that a script starts: read together, and the list is true in the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.support.libvirtd import until
from tuivirt.backend.connection import register_scheme
from tuivirt.backend.events import DomainEvent, Event, ListChanged
from tuivirt.backend.host import Host
from tuivirt.backend.keeper import BURST
from tuivirt.backend.model.domain import DomainState

GUESTS = 1000
DOMAIN = (
    "<domain type='test'><name>vm-{}</name><memory>1024</memory><os><type>hvm</type></os></domain>"
)


class Asked:
    """libvirt's test driver, and how often each of its calls was made."""

    def __init__(self, node: Path) -> None:
        self.real = libvirt.open(f"test://{node}")
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self.real, name)


class Crowd:
    """A host, what the script that starts its guests has, and what was told of it."""

    def __init__(self, node: Path) -> None:
        self.asked = Asked(node)
        self.lists: list[Event] = []
        self.started: set[str] = set()
        register_scheme("crowd", lambda _uri, _readonly: self.asked)
        self.host = Host("t", "crowd:///", publish=self._hear, sampling=False)
        self.host.start()
        self.host.wait_filled(30)

    def _hear(self, event: Event) -> None:
        if isinstance(event, ListChanged):
            self.lists.append(event)
        elif isinstance(event, DomainEvent) and event.what.startswith("started"):
            self.started.add(event.name)

    @property
    def shown(self) -> dict[str, DomainState]:
        return {each.name: each.state for each in self.host.snapshot.domains.values()}

    @property
    def true(self) -> dict[str, DomainState]:
        found = self.asked.real.listAllDomains()
        return {each.name(): DomainState(each.state()[0]) for each in found}


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    node = tmp_path / "node.xml"
    node.write_text("<node/>")
    crowd = Crowd(node)
    yield crowd
    crowd.host.close()


def test_a_thousand_guests_that_are_started_by_a_script_are_read_together_and_none_is_lost(
    crowd: Crowd,
) -> None:
    real = crowd.asked.real
    guests = [real.defineXML(DOMAIN.format(number)) for number in range(GUESTS)]
    until(lambda: crowd.shown == crowd.true, "all are listed, off")
    crowd.asked.calls.clear()
    crowd.lists.clear()

    def work(mine: list[Any]) -> None:
        for number, guest in enumerate(mine):
            guest.create()
            if number % 3 == 0:
                guest.destroy()
            elif number % 3 == 1:
                guest.suspend()

    scripts = [threading.Thread(target=work, args=(guests[part::4],)) for part in range(4)]
    for each in scripts:
        each.start()
    for each in scripts:
        each.join()
    until(lambda: crowd.shown == crowd.true, "what is shown is what is true")
    until(lambda: len(crowd.started) == GUESTS, "each of them is told of")
    assert Counter(crowd.shown.values()) == {
        DomainState.SHUTOFF: 336,
        DomainState.PAUSED: 332,
        DomainState.RUNNING: 332,
    }
    # Not one by one, and the list is not told anew for each.
    assert crowd.asked.calls["lookupByUUIDString"] <= 10 * BURST
    assert len(crowd.lists) < GUESTS / 20
