"""A thousand guests that scripts start and stop while somebody looks on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import libvirt
import pytest

from tests.e2e.operator import Operator
from tests.support.libvirtd import PrivateLibvirtd, until

Sit = Callable[..., Operator]

GUESTS, SCRIPTS = 1000, 4
DOMAIN = (
    "<domain type='test'><name>vm-{:04}</name><memory>1024</memory><os><type>hvm</type></os>"
    "</domain>"
)
WORDS = {
    libvirt.VIR_DOMAIN_RUNNING: "run",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTOFF: "off",
}


class Script:
    """Starts and stops its part of the guests, on a connection of its own."""

    def __init__(self, uri: str, part: int, enough: threading.Event) -> None:
        self._conn: Any = libvirt.open(uri)
        self._guests = [
            self._conn.defineXML(DOMAIN.format(number)) for number in range(part, GUESTS, SCRIPTS)
        ]
        self._enough = enough
        self.done = 0
        """How many guests it has started or stopped."""
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            while not self._enough.is_set():
                for guest in self._guests:
                    guest.create()
                    self.done += 1
                for guest in self._guests:
                    guest.destroy()
                    self.done += 1
            for number, guest in enumerate(self._guests):
                if number % 3:
                    guest.create()
                if number % 3 == 2:
                    guest.suspend()
        except BaseException as error:
            self.failure = error

    def close(self) -> None:
        self._enough.set()
        if self.thread.ident is not None:
            self.thread.join()
        self._conn.close()


def _done(scripts: list[Script]) -> int:
    return sum(each.done for each in scripts)


@pytest.fixture
def uri(private_libvirtd: PrivateLibvirtd) -> Iterator[str]:
    """libvirt's test driver, by a daemon: scripts in other processes change the same guests."""
    uri = f"test+unix:///default?socket={private_libvirtd.folder / 'run' / 'libvirt-sock'}"
    with closing(libvirt.open(uri)):  # Its guests last as long as somebody has it open.
        yield uri


def test_a_thousand_guests_come_and_go_keys_are_answered_and_the_list_is_true_in_the_end(
    operator: Sit, uri: str
) -> None:
    enough = threading.Event()
    scripts = [Script(uri, part, enough) for part in range(SCRIPTS)]
    try:
        at = operator("-c", uri, size=(160, 50))
        at.sees(f"Domains {GUESTS + 1} of {GUESTS + 1}")
        at.press("N", "g")
        at.sees("^▌ +run +test ")
        for each in scripts:
            each.thread.start()
        at.sees(r"run +vm-\d+")
        before = 0
        # Each key's effect is seen while more and more guests are changed.
        for key, seen in (
            ("j", "^▌.* vm-0000 "),
            ("j", "^▌.* vm-0001 "),
            ("k", "^▌.* vm-0000 "),
            ("G", "^▌.* vm-0999 "),
            ("k", "^▌.* vm-0998 "),
            ("Enter", "Overview"),
            ("Escape", "^▌.* vm-0998 "),
            ("?", "What can be done"),
            ("Escape", "^▌.* vm-0998 "),
            ("g", "^▌.* test "),
        ):
            at.press(key)
            at.sees(seen)
            # A quick key may come between two changes, but not behind the last.
            until(lambda than=before: _done(scripts) > than, "the burst goes on")  # type: ignore[misc]
            before = _done(scripts)
        enough.set()
        for each in scripts:
            each.thread.join()
            assert each.failure is None
        _is_true(at, uri)
    finally:
        for each in scripts:
            each.close()


def _is_true(at: Operator, uri: str) -> None:
    """The list's rows and all of its counts, against libvirt's own."""
    with closing(libvirt.open(uri)) as conn:
        true = {each.name(): WORDS[each.state()[0]] for each in conn.listAllDomains()}
    counts = Counter(true.values())
    assert len(true) == GUESTS + 1
    for word, count in counts.items():
        at.type("/")
        at.press("C-u")
        at.type(word)
        at.press("Enter")
        at.sees(rf"Domains {count} of {GUESTS + 1}\b")
    at.type("/")
    at.press("C-u", "Enter")
    at.sees(f"Domains {GUESTS + 1} of {GUESTS + 1}")
    for key, last in (("g", "test"), ("G", "vm-0999")):
        at.press(key)
        at.sees(f"^▌.* {last} ")
        rows = [words for line in at.text.splitlines() if (words := line.strip("▌ ").split())]
        shown = {row[1]: row[0] for row in rows if row[0] in counts and len(row) > 1}
        assert len(shown) > 40
        assert shown == {name: true[name] for name in shown}
    at.go_to("hosts")
    told = at.sees(r"connected +local .*")[0]
    for word, count in counts.items():
        assert f"{count} {word[:3]}" in told  # The last of them may be cut short.
