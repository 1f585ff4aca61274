"""What all tests are given: a daemon, guests, folders for images, a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import libvirt
import pytest

from tests.support import guests, libvirtd
from tests.support.guests import Guest
from tests.support.libvirtd import PrivateLibvirtd, system_daemon
from tests.support.needs import need_programs
from tests.support.tmux import ROOT, TUIVIRT, Terminal
from tests.support.watchdog import Watchdog

# libvirt prints each error that it also raises.
libvirt.registerErrorHandler(lambda _context, _error: None, None)


ON_OTHERS = ("contract", "e2e", "lab", "ui")
"""Folders of tests that wait for other processes, or for a screen that is drawn in its own time."""
RERUNS_MOST = 5
SAID_LINES = 12
"""Of why one was tried again."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Emulated guests on two busy cores: what fails is tried once more, and the summary tells."""
    for item in items:
        if item.path.relative_to(ROOT / "tests").parts[0] in ON_OTHERS:
            item.add_marker(pytest.mark.flaky(reruns=1))


def _rerun(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("rerun", []) if reporter is not None else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """More than a few are a defect of the program or of a test."""
    if len(_rerun(session.config)) > RERUNS_MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(config: pytest.Config) -> None:
    for report in _rerun(config):
        print(f"tried again: {report.nodeid} ({report.when})")
        print("\n".join(report.longreprtext.splitlines()[-SAID_LINES:]))
    if (count := len(_rerun(config))) > RERUNS_MOST:
        print(f"{count} tests were tried again; more than {RERUNS_MOST} is a failure")
    if _watchdog.bites:
        print(f"a test hung, and its connections were cut: {_watchdog.bites} times")
    if libvirtd.crashes:
        print(f"libvirtd crashed and was started again: {', '.join(libvirtd.crashes)}")


@pytest.fixture(scope="session")
def qemu_uri() -> Iterator[str]:
    """A URI at which a real libvirt with QEMU answers."""
    need_programs("qemu-system-x86_64", "qemu-img")
    with system_daemon() as uri:
        yield uri


_watchdog = Watchdog()
_states = itertools.count()


@pytest.fixture(autouse=True)
def _daemon() -> Iterator[None]:
    """A crash of libvirtd, or a call that hangs, is one test's trouble, not that of all others."""
    _watchdog.feed()
    guests.survive()
    libvirtd.revive_private()
    yield
    _watchdog.feed()


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test leaves begun is not told in another; nor does it see what the operator left."""
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_states)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))


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
