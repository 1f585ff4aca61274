"""A guest moved from the screen between two real daemons, its console open all the while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.e2e.operator import PANE, PROMPT, Operator
from tests.support.guests import Disk, Guest, make_image, unique_name
from tests.support.libvirtd import PrivateLibvirtd

Sit = Callable[..., Operator]

IMAGES = Path("/var/lib/libvirt/images")
"""Each daemon has a folder of its own there: storage that is not shared."""


@pytest.fixture
def disk() -> Iterator[Disk]:
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = make_image(IMAGES / f"{unique_name('move')}.img", "8M")
    yield Disk(path)
    path.unlink()


def move(at: Operator, *, bandwidth: int | None = None) -> None:
    """Fill in the form of a move, read its plan, and have it done."""
    at.type(":migrate")
    at.press("Enter")
    at.sees("Move to another host: ")
    at.sees("Images copied")
    at.press("Tab", "Tab")
    if bandwidth:
        at.type(str(bandwidth))
    at.press("Tab", "Tab", "Enter", "Tab")
    at.sees("▸ Memory goes to")
    at.type("tcp://127.0.0.1")
    at.press("C-s")
    at.sees(r"move the running")
    at.press("Tab")
    at.answer("move the running", "Enter")


def test_a_guest_moves_with_its_disk_and_its_console_goes_on(
    operator: Sit, define: Callable[..., Guest], private_libvirtd: PrivateLibvirtd, disk: Disk
) -> None:
    guest = define(disks=[disk])
    guest.boot().close()
    at = operator("-c", guest.uri, "-c", private_libvirtd.uri)
    at.pick(guest.name)
    at.open_pane()
    at.type("clear; cd /tmp; echo from here | dd of=/dev/vda conv=fsync 2>/dev/null")
    at.press("Enter")
    at.type("echo kept $((40 + 2))")
    at.press("Enter")
    at.sees("kept 42")
    at.leave_pane()

    # Half-way: 8 MiB of disk and what the guest has of memory last for minutes at 1 MiB/s.
    move(at, bandwidth=1)
    at.go_to("tasks")
    at.sees(r"running .*Move to")
    at.sees(r"(images|memory): \d+ MiB left")
    at.press("C-k")
    at.answer("Abort: ", "y")
    at.sees(r"goes on\s+running\s+on\s+local")
    at.sees(r"removed\s+again")
    at.press("q")
    assert guest.active

    move(at)
    there = libvirt.open(private_libvirtd.uri)
    try:
        at.sees(r"runs on \S+ now")
        at.sees_no(rf"{guest.name} .* local$")
        at.press("c")
        at.sees(PANE)
        at.type("clear; pwd; head -c 9 /dev/vda; echo; echo moved $((40 + 3))")
        at.press("Enter")
        at.sees(rf"^/tmp\nfrom here\nmoved 43\n{PROMPT}$")
        moved = there.lookupByUUIDString(guest.uuid)
        assert moved.isActive()
        assert moved.isPersistent()
    finally:
        for domain in there.listAllDomains():
            domain.destroy()
            domain.undefine()
        there.close()
