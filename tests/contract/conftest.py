"""Where the contract holds: libvirt's own test driver, the demo, and real QEMU guests.

``anywhere`` is each of them in turn, for what all can do; ``full`` are those with consoles and
hot-plug: the demo and QEMU.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import libvirt
import pytest

import tuivirt.demo
from tests.contract.pool import TestPool
from tests.contract.talk import Talk
from tests.support import guests
from tests.support.initramfs import PROMPT
from tests.support.small import small_folder
from tuivirt.backend.events import DomainEvent, Event, Noticed
from tuivirt.backend.host import Host

PROMPT_OF_DEMO = "\x1b[1;32mroot@ci-runner\x1b[0m:~# "


class Heard:
    """The events of a host, and waiting for one of them."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def lifecycle(self, uuid: str, number: int, timeout: float = 20) -> DomainEvent:
        """Wait for that life cycle event of that domain, since the last ``forget``."""
        found: list[DomainEvent] = []

        def is_there() -> bool:
            found[:] = [
                event
                for event in self._events
                if isinstance(event, DomainEvent)
                and event.key == uuid
                and event.family == "lifecycle"
                and event.detail.get("event") == number
            ]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(is_there, timeout), f"no event {number} of {uuid}"
            return found[0]

    def of_family(self, family: str, timeout: float = 20) -> DomainEvent:
        """Wait for a domain's event of that family, since the last ``forget``."""
        found: list[DomainEvent] = []

        def is_there() -> bool:
            found[:] = [
                event
                for event in self._events
                if isinstance(event, DomainEvent) and event.family == family
            ]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(is_there, timeout), f"no event {family}"
            return found[0]

    def notice(self, words: str, timeout: float = 20) -> str:
        """Wait for what the operator is told with these words, since the last ``forget``."""

        def found() -> str:
            told = (each.text for each in self._events if isinstance(each, Noticed))
            return next((text for text in told if words in text), "")

        with self._changed:
            assert self._changed.wait_for(found, timeout), f"nobody is told: {words}"
            return found()

    def forget(self) -> None:
        with self._changed:
            self._events.clear()


@dataclass
class Place:
    """A host and a guest on it, whichever the hypervisor is."""

    kind: str
    host: Host
    uuid: str
    heard: Heard
    prompt: str = PROMPT
    make_image: Callable[[str], str] = str
    """A source for a disk, from a name."""
    free: str = "vda"
    """The name that the next disk gets."""
    _closing: ExitStack = field(default_factory=ExitStack)

    @property
    def name(self) -> str:
        return str(self.host.domain(self.uuid).name())

    def xml(self, *, saved: bool = False) -> str:
        """The guest's XML, to be held against a later one."""
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE if saved else 0
        return str(self.host.domain(self.uuid).XMLDesc(flags))

    @property
    def running(self) -> bool:
        return bool(self.host.domain(self.uuid).isActive())

    def talk(self, devname: str | None = None, **options: bool) -> Talk:
        """A console of the guest, closed at the test's end."""
        talk = Talk(self.host, self.uuid, devname, prompt=self.prompt, **options)
        self._closing.callback(talk.close)
        return talk

    def run(self, verb: Callable[..., object], *args: object, **options: object) -> str:
        """Run a verb where it runs in the program: on the host's actions lane."""
        outcome = self.host.actions.submit(lambda: verb(self.host, self.uuid, *args, **options))
        result = outcome.result(60)
        return str(getattr(result, "text", result))


def started(uri: str, heard: Heard, *, readonly: bool = False) -> Host:
    """A host with its lists read."""
    host = Host("here", uri, readonly=readonly, publish=heard, sampling=False)
    host.start()
    host.wait_filled(30)
    return host


@pytest.fixture(scope="module")
def host(qemu_uri: str) -> Iterator[Host]:
    """A connection to the real QEMU host, one for all tests of a module."""
    one = started(qemu_uri, Heard())
    yield one
    one.close()


@pytest.fixture
def pool(host: Host, images: Path) -> Iterator[TestPool]:
    """A pool of the files in ``images``."""
    one = TestPool(host, images)
    yield one
    one.close()


@pytest.fixture
def place(images: Path) -> Path:
    """A folder for backups, which QEMU's user may write to."""
    folder = images / "backups"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def small(images: Path) -> Iterator[Path]:
    """A folder that has room for 8 MiB."""
    with small_folder(images / "small") as folder:
        yield folder


@pytest.fixture(scope="module")
def qemu(qemu_uri: str) -> Iterator[Place]:
    """A booted QEMU guest, one for all tests of a module."""
    heard = Heard()
    with ExitStack() as stack:
        folder = stack.enter_context(guests.image_folder())
        cd = (
            "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
            "<target dev='sda' bus='sata'/><readonly/></disk>"
        )
        xml = guests.domain_xml(guests.unique_name("contract"), serials=2, extra_devices=cd)
        guest = stack.enter_context(guests.Guest.define(qemu_uri, xml))
        guest.boot("serial1").close()
        host = started(qemu_uri, heard)
        stack.callback(host.close)

        def image(name: str) -> str:
            return str(guests.make_image(folder / name, "8M"))

        yield Place("qemu", host, guest.uuid, heard, make_image=image)


@pytest.fixture(scope="module")
def test_driver() -> Iterator[Place]:
    """libvirt's test driver with its one domain, ``test``."""
    heard = Heard()
    host = started("test:///default", heard)
    yield Place("test", host, host.domain("test").UUIDString(), heard)
    host.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[Place]:
    """The demo's host, on which nothing happens by itself, with one of its guests."""
    tuivirt.demo.register()
    heard = Heard()
    host = started("demo:///?life=0", heard)
    uuid = host.domain("ci-runner").UUIDString()
    pool = "<pool type='dir'><name>contract</name><target><path>/contract</path></target></pool>"
    host.conn.storagePoolCreateXML(pool, 0)

    def image(name: str) -> str:
        xml = (
            f"<volume><name>{escape(name)}</name><capacity unit='MiB'>8</capacity>"
            "<target><format type='raw'/></target></volume>"
        )
        host.pool("contract").createXML(xml, 0)
        return f"contract/{name}"

    yield Place("demo", host, uuid, heard, prompt=PROMPT_OF_DEMO, make_image=image, free="vdb")
    host.close()


@pytest.fixture(params=["test_driver", "demo", "qemu"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each place in turn, its guest running."""
    yield from _visit(request, request.param)


@pytest.fixture(params=["demo", "qemu"])
def full(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each place with consoles and hot-plug in turn, its guest running."""
    yield from _visit(request, request.param)


def _visit(request: pytest.FixtureRequest, fixture: str) -> Iterator[Place]:
    place: Place = request.getfixturevalue(fixture)
    place.heard.forget()
    yield place
    place._closing.close()
    domain = place.host.domain(place.uuid)
    if not domain.isActive():
        domain.create()
        if place.kind == "qemu":
            talk = place.talk("serial1").open()
            talk.expect(place.prompt)
            place._closing.close()
