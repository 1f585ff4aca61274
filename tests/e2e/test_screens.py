"""Every screen at the smallest size that must do, and while the terminal changes its size."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.operator import Operator
from tests.support.guests import Guest

Size = tuple[int, int]
Sit = Callable[..., Operator]

ROOMS = {
    "domains": r"Domains \d+ of \d+",
    "networks": r"Networks \d+ of \d+",
    "pools": r"[Pp]ools \d+ of \d+",
    "volumes": r"Volumes \d+ of \d+",
    "devices": r"[Dd]evices \d+ of \d+",
    "hosts": r"Hosts 1 of 1",
    "snapshots": r"Snapshots \d+ of \d+",
    "events": r"Events \d+ of \d+",
    "tasks": r"Tasks \d+ of \d+",
    "help": "What can be done",
}


def fits(at: Operator, cols: int, rows: int) -> None:
    """The header is on top, the hints are below, and nothing is wider than the terminal."""
    at.sees(rf"\A (demo|local) .*(\n.*){{{rows - 2}}}\n.{{{cols - 9}}} *q (back|leave)\Z")


def test_every_room_opens_and_every_key_hint_has_its_place(operator: Sit, size: Size) -> None:
    at = operator("--demo", size=size)
    for room, shown in ROOMS.items():
        at.go_to(room)
        at.sees(shown)
        fits(at, *size)
    at.press("q", "q")
    at.sees(ROOMS["domains"])


def test_every_room_opens_on_the_machines_own_libvirt(
    operator: Sit, shared_guest: Guest, size: Size
) -> None:
    at = operator("-c", shared_guest.uri, size=size)
    for room, shown in ROOMS.items():
        at.go_to(room)
        at.sees(shown)
        fits(at, *size)


@pytest.mark.parametrize(
    ("room", "opened"),
    [
        ("networks", "(?i)leases"),
        ("pools", r"Volumes \d+ of \d+"),
        ("devices", "below it"),
        ("hosts", "(?i)libvirt +9|QEMU|version"),
    ],
)
def test_what_lies_in_a_room_opens_and_closes(operator: Sit, room: str, opened: str) -> None:
    at = operator("--demo")
    at.go_to(room)
    at.sees(ROOMS[room])
    at.press("Enter")
    at.sees(opened)
    fits(at, 80, 24)
    at.press("Escape")
    at.sees(ROOMS[room])


def test_every_tab_of_a_domain_fits_the_smallest_terminal(
    operator: Sit, shared_guest: Guest
) -> None:
    at = operator("-c", shared_guest.uri)
    at.pick(shared_guest.name)
    at.press("Enter")
    tabs = (
        "Overview",
        r"Disks \d+",
        r"Net\w* \d+",
        r"Dev \d+",
        "CPU",
        r"XML \w+",
        "Events",
        "Snap",
        "Bkup",
    )
    for number, tab in enumerate(tabs, start=1):
        at.press(str(number))
        at.sees(rf"\[{tab}\]")
        fits(at, 80, 24)


def test_the_form_of_an_action_fits_the_smallest_terminal(operator: Sit) -> None:
    at = operator("--demo")
    # Another row is the first one when the first figures have come.
    at.pick("db-01")
    at.press("+")
    at.sees(r"\[ attach a disk \]")
    at.press("Escape")
    at.sees_no("Attach a disk: ")
    at.press("C-d")
    at.sees(r"Undefine: ")
    at.sees(r"\[ no \]")


def test_the_screen_follows_the_terminals_size(operator: Sit) -> None:
    at = operator("--demo", size=(80, 24))
    at.sees(r"STATE +NAME .* DISK +NET$")
    at.terminal.resize(160, 50)
    at.sees(r"STATE +NAME .* READ +WRITE +RX +TX +ADDRESS")
    fits(at, 160, 50)
    at.press("G")
    at.terminal.resize(80, 12)
    at.sees(r"^▌")  # The cursor's row is kept in sight.
    at.sees(r"NAME .* DISK +NET$")
    fits(at, 80, 12)
    at.terminal.resize(40, 8)
    at.sees("NAME")
    at.terminal.resize(80, 24)
    at.sees(r"NAME .* DISK +NET$")
    fits(at, 80, 24)
    at.press("Enter")
    at.sees("Overview")
    for cols, rows in ((160, 50), (80, 24), (120, 30)):
        at.terminal.resize(cols, rows)
        at.sees(rf"^.{{{cols - 7}}}q back$")
        fits(at, cols, rows)


def test_a_dialog_stays_usable_while_the_terminal_changes_its_size(operator: Sit) -> None:
    at = operator("--demo", size=(160, 50))
    at.pick("web-01")
    at.press("C-k")
    at.sees("as if its power were cut")
    at.terminal.resize(80, 24)
    at.sees(r"\[ n no \]")
    at.answer("as if its power were cut", "n")


def test_filter_sort_and_marks_work_by_keys_alone(operator: Sit) -> None:
    at = operator("--demo")
    at.press("N")
    at.sees("sorted by NAME ▲")
    at.type("/web|db")
    at.press("Enter")
    at.sees(r"Domains 2 of 16")
    at.press("g", "Space", "Space")
    at.sees(r"^.✓ .*db-01")
    at.sees(r"^.✓ .*web-01")
    at.press("p")
    at.answer("Suspend each of them", "y")
    at.sees(r"paused +db-01")
    at.sees(r"paused +web-01")
    at.press("u")
    at.sees(r"run +db-01")
    at.sees(r"run +web-01")
    at.press("Escape")
    at.sees_no("marked")
    at.press("Escape")
    at.sees(r"Domains 16 of 16")
