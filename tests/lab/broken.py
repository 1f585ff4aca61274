"""Cases that go wrong, each in its way: what the lab says of them is tested."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.lab import sysfs
from tests.lab.case import case
from tests.support.lab import hardware
from tests.support.libvirtd import alive, until
from tests.support.needs import missing


@case()
def is_wrong() -> None:
    seen = "what it saw"
    print("what it printed")
    raise AssertionError(f"not {len(seen)}")


@case()
def hangs() -> None:
    print("waiting", flush=True)
    signal.pause()


@case()
def dies() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@case()
def lacks_something() -> None:
    missing("no such hardware")


@case()
def talks_too_much() -> None:
    print("x" * 200_000)
    raise AssertionError


@case()
def leaves_a_card_without_a_driver() -> None:
    card = sysfs.behind(hardware.SPARE_CARD)
    (sysfs.PCI / card / "driver" / "unbind").write_text(card)


@case()
def puts_the_card_back() -> None:
    card = sysfs.behind(hardware.SPARE_CARD)
    (sysfs.PCI.parent / "drivers_probe").write_text(card)


@case()
def kills_libvirtd() -> None:
    pid = int(Path("/run/libvirtd.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), "its end")
