"""What all tests are given: a daemon, guests, folders for images, a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import libvirt
import pytest

from tests.support import guests
from tests.support.guests import Guest
from tests.support.libvirtd import PrivateLibvirtd, system_daemon
from tests.support.needs import need_programs
from tests.support.tmux import TUIVIRT, Terminal

# libvirt prints each error that it also raises.
libvirt.registerErrorHandler(lambda _context, _error: None, None)


@pytest.fixture(scope="session")
def qemu_uri() -> Iterator[str]:
    """A URI at which a real libvirt with QEMU answers."""
    need_programs("qemu-system-x86_64", "qemu-img")
    with system_daemon() as uri:
        yield uri


@pytest.fixture
def private_libvirtd() -> Iterator[PrivateLibvirtd]:
    """A daemon that the test may kill and stop."""
    with PrivateLibvirtd() as daemon:
        yield daemon


@pytest.fixture
def images() -> Iterator[Path]:
    """An empty folder for disk images that QEMU may read; make them with guests.make_image."""
    with guests.image_folder() as folder:
        yield folder


@pytest.fixture
def define(qemu_uri: str) -> Iterator[Callable[..., Guest]]:
    """Defines a guest from guests.domain_xml's arguments; all are removed at the end."""
    made: list[Guest] = []

    def make(name: str = "", **options: object) -> Guest:
        xml = guests.domain_xml(name or guests.unique_name(), **options)  # type: ignore[arg-type]
        made.append(Guest.define(qemu_uri, xml))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def guest(define: Callable[..., Guest]) -> Guest:
    """A fresh guest with a shell on both of its serial ports; serial0 is free for the test.

    Its first console in the list, serial1, is the test's own eye.
    """
    one = define(serials=2)
    one.boot("serial1")
    return one


@pytest.fixture(scope="module")
def shared_guest(qemu_uri: str) -> Iterator[Guest]:
    """As ``guest``, one for all tests of a module: they must leave it running and unplugged."""
    with Guest.define(qemu_uri, guests.domain_xml(guests.unique_name("shared"), serials=2)) as one:
        one.boot("serial1")
        yield one


@pytest.fixture
def idle_guest(qemu_uri: str, images: Path) -> Iterator[Guest]:
    """A running guest without an operating system."""
    with guests.idle_guest(qemu_uri, images) as one:
        yield one


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts a program (tuivirt) in a terminal: ``terminal("--demo", cols=120)``."""
    opened: list[Terminal] = []

    def start(
        *arguments: str,
        cols: int = 80,
        rows: int = 24,
        argv: Sequence[str] = TUIVIRT,
        env: Mapping[str, str] | None = None,
    ) -> Terminal:
        opened.append(Terminal(cols, rows, [*argv, *arguments], env))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
