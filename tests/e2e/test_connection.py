"""A daemon that hangs, dies or was never there: the screen is alive and says what is so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.cli import tuivirt
from tests.e2e.operator import Operator
from tests.support.guests import Guest, idle_guest
from tests.support.libvirtd import PrivateLibvirtd
from tests.support.needs import need_programs, need_root
from tests.support.tmux import TUIVIRT

Size = tuple[int, int]
Sit = Callable[..., Operator]

ANSWERS_WITHIN_S = 1.0
"""A key whose effect takes longer waited for something; on a screen that does not, it is 10 ms."""

NOWHERE = "qemu+unix:///system?socket=/nowhere/sock"


@pytest.fixture
def guests(daemon: PrivateLibvirtd, images: Path) -> Iterator[list[Guest]]:
    """Four running guests of a daemon that may be ill-treated; they end with it."""
    made = [idle_guest(daemon.uri, images, f"guest-{n}") for n in range(4)]
    yield made
    for guest in made:
        guest.conn.close()


def test_a_killed_daemon_is_told_as_lost_and_found_again(
    operator: Sit, daemon: PrivateLibvirtd, guests: list[Guest], size: Size
) -> None:
    at = operator("-c", daemon.uri, size=size)
    at.sees("Domains 4 of 4")
    at.sees(r"run +guest-0")
    daemon.kill()
    at.sees(r"connection lost, next try in \d+ s")
    at.sees(r"✗ local: connection lost: .*(socket|refused|End of file|closed)")
    # What was known is kept, and told from what is known now.
    at.sees(r"stalled +guest-0 +\d+ (s|m|min) ago")
    at.press("Enter")
    at.sees("Overview")
    at.press("Escape")
    at.sees("Domains 4 of 4")
    at.go_to("hosts")
    at.sees(r"lost +local")
    at.go_to("domains")
    at.press("s")  # Nothing to do it with: said, not hung.
    at.sees("✗|⚠")
    daemon.start()
    at.sees(r"run +guest-0")
    at.sees("↻ 2 s")
    assert not at.now("connection lost")


def test_a_guest_that_ended_while_the_line_was_lost_is_off_afterwards(
    operator: Sit, daemon: PrivateLibvirtd, guests: list[Guest]
) -> None:
    at = operator("-c", daemon.uri)
    at.sees(r"run +guest-0")
    daemon.kill()
    at.sees("connection lost")
    daemon.start()
    guests[0].reconnect()
    guests[0].destroy()
    at.sees(r"off +guest-0")
    at.sees(r"run +guest-1")


def test_keys_are_answered_while_the_daemon_is_stopped_and_it_goes_on_after(
    operator: Sit, daemon: PrivateLibvirtd, guests: list[Guest]
) -> None:
    at = operator("-c", daemon.uri)
    at.sees(r"run +guest-3")
    at.press("N", "g")  # By name, so that rows stay where they are.
    at.sees(r"^▌ +run +guest-0")
    daemon.sigstop()
    slowest = 0.0
    for number in (1, 2, 3, 2, 1, 0) * 6:
        row = int(at.sees(r"^▌.*guest-(\d)")[1])
        began = time.monotonic()
        at.press("j" if number > row else "k")
        at.sees(rf"^▌.*guest-{number}", timeout=ANSWERS_WITHIN_S)
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < ANSWERS_WITHIN_S
    first = int(at.sees(r"stalled, no answer for (\d+) s")[1])
    at.sees(r"^▌ +stalled +guest-0 +\d+ s ago")
    # Its age is counted on, and every screen still opens.
    at.sees(rf"stalled, no answer for (?!{first} s)\d+ s")
    at.press("Enter")
    at.sees(r"guest-0 +stalled")
    at.press("Escape")
    at.sees("Domains 4 of 4")
    at.press("x")
    at.answer("Ask guest-0 to shut down", "y")  # Asked, and not waited for by the screen.
    at.go_to("tasks")
    at.sees(r"waits +guest-0 +Shut down")
    at.sees(r"no answer for \d+ s: waits for host local")
    at.go_to("domains")
    daemon.sigcont()
    at.sees("↻ 2 s")
    at.sees(r"^▌ +(run|shut\w*) +guest-0")


def test_a_uri_that_cannot_be_opened_is_told_with_the_reason_and_what_to_try(operator: Sit) -> None:
    at = operator("-c", NOWHERE, first="is not connected")
    at.sees(r"not connected, next try in \d+ s")
    at.sees("Failed to connect socket to '/nowhere/sock'")
    at.go_to("hosts")
    at.sees(r"failed +local")
    assert not at.now("DEMO")


def test_a_uri_with_a_typo_is_told_beside_a_host_that_answers(operator: Sit) -> None:
    at = operator("-c", "test:///default", "-c", "qemuu:///system", size=(160, 50))
    at.sees(r"run +test")
    at.sees("2 hosts")
    at.sees("not connected")
    at.go_to("hosts")
    at.sees(r"failed +local-qemuu")


@pytest.mark.parametrize("uri", [NOWHERE, "qemuu:///system", "not a uri"])
def test_on_the_command_line_a_uri_that_cannot_be_opened_is_status_1_and_a_reason(
    uri: str,
) -> None:
    for verb in (("list", "domains"), ("start", "web-01"), ("stats", "--count", "1")):
        ran = tuivirt("-c", uri, *verb)
        assert ran.status == 1, (verb, ran)
        assert ran.err.strip(), verb
        assert "Traceback" not in ran.err


def test_bad_usage_is_status_2() -> None:
    assert tuivirt("no-such-verb").status == 2
    assert tuivirt("--demo", "start").status == 2
    assert tuivirt("--demo", "stats", "--interval", "often").status == 2


def test_where_no_libvirt_answers_and_none_was_named_it_is_the_demo_and_marked(
    operator: Sit, size: Size
) -> None:
    need_root()
    need_programs("unshare")
    # A mount namespace of its own, where no daemon has left a socket.
    hide = 'mount --make-rprivate / && mount -t tmpfs tmpfs /run/libvirt && exec env -u "$@"'
    argv = ["unshare", "-m", "sh", "-c", hide, "sh", "LIBVIRT_DEFAULT_URI", *TUIVIRT]
    at = operator(argv=argv, size=size)
    at.sees("DEMO")
    at.sees("no libvirt answers at qemu:///system")
    at.sees("Domains 16 of 16")
    for room in ("networks", "pools", "devices", "hosts"):
        at.go_to(room)
        at.sees(rf"{room.capitalize()} \d+ of \d+|Devices")
        at.sees("DEMO")


def test_where_libvirt_answers_it_is_not_the_demo(operator: Sit, qemu_uri: str) -> None:
    at = operator(env={"LIBVIRT_DEFAULT_URI": ""})
    at.sees(rf"local {qemu_uri}")
    assert not at.now("DEMO")


def test_read_only_every_change_is_refused_with_the_reason_and_nothing_changes(
    operator: Sit, shared_guest: Guest, size: Size
) -> None:
    before = shared_guest.domain.XMLDesc()
    at = operator("--readonly", "-c", shared_guest.uri, size=size)
    at.sees("READ-ONLY")
    at.pick(shared_guest.name)
    at.sees_row(shared_guest.name, "run +{name}")
    for key in ("x", "r", "C-t", "C-k", "p", "m", "o", "C-d", "+", "-", "c"):
        at.press(key)
        at.sees(r"⚠ [^╭]*read-only")
        assert not at.now("╭"), f"{key} opened a dialog"
        at.press("C-c")  # Another notice, so that the next one is a new one.
        at.sees("ctrl\\+q leaves")
    at.press("a")
    at.sees("Shut down .*read-only")
    at.press("Escape")
    at.sees_no("Actions for")
    at.press("y")  # Looking is free.
    at.sees("<domain type='qemu'")
    assert shared_guest.active
    assert shared_guest.domain.XMLDesc() == before


@pytest.mark.parametrize(
    "words",
    [("shutdown",), ("destroy",), ("suspend",), ("attach-disk", "/dev/null"), ("console",)],
    ids=lambda words: str(words[0]),
)
def test_read_only_the_command_line_refuses_too(
    shared_guest: Guest, words: tuple[str, ...]
) -> None:
    verb, rest = words[0], words[1:]
    ran = tuivirt("--readonly", "-c", shared_guest.uri, verb, shared_guest.name, *rest)
    assert ran.status == 1
    assert "read-only" in ran.err
    assert shared_guest.domain.state()[0] == 1
