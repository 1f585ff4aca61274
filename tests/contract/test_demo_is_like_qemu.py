"""The demo refuses what libvirt's QEMU driver refuses, with the same code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libvirt
import pytest

from tests.support.guests import Guest
from tuivirt.demo.connection import open_demo

LIVE, SAVED = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


def _disk(target: str, path: str = "/nowhere/disk") -> str:
    return (
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
        f"<source file='{path}'/><target dev='{target}' bus='virtio'/></disk>"
    )


@pytest.fixture
def demo_guest() -> Iterator[Any]:
    connection = open_demo("demo:///?life=0", False)
    yield connection.lookupByName("web-01")
    connection.close()


@pytest.fixture
def real_guest(idle_guest: Guest) -> Any:
    """Running, with a disk vda and a console, as the demo's web-01."""
    return idle_guest.domain


def _console_twice(domain: Any) -> None:
    streams = [domain.connect().newStream(libvirt.VIR_STREAM_NONBLOCK) for _ in range(2)]
    for stream in streams:
        domain.openConsole(None, stream, 0)


REFUSED: dict[str, Callable[[Any], object]] = {
    "start one that runs": lambda d: d.create(),
    "resume one that runs": lambda d: d.resume(),
    "a target twice, now": lambda d: d.attachDeviceFlags(_disk("vda"), LIVE),
    "a target twice, saved": lambda d: d.attachDeviceFlags(_disk("vda"), SAVED),
    "a file that is not there": lambda d: d.attachDeviceFlags(_disk("vdc"), LIVE),
    "no XML": lambda d: d.attachDeviceFlags("<disk", LIVE),
    "no device": lambda d: d.attachDeviceFlags("<zork/>", LIVE),
    "a disk without a target": lambda d: d.attachDeviceFlags(
        "<disk type='file'><source file='/x'/></disk>", LIVE
    ),
    "detach what is not there, now": lambda d: d.detachDeviceFlags(_disk("vdz"), LIVE),
    "detach what is not there, saved": lambda d: d.detachDeviceFlags(_disk("vdz"), SAVED),
    "detach an alias that is not there": lambda d: d.detachDeviceAlias("zork", LIVE),
    "another source for a disk": lambda d: d.updateDeviceFlags(_disk("vda"), LIVE),
    "two consoles": _console_twice,
    "a console that is not there": lambda d: d.openConsole(
        "zork", d.connect().newStream(libvirt.VIR_STREAM_NONBLOCK), 0
    ),
    "suspend one that is off": lambda d: (d.destroy(), d.suspend()),
    "attach to one that is off": lambda d: (
        d.destroy() if d.isActive() else None,
        d.attachDeviceFlags(_disk("vdc"), LIVE),
    ),
    "a domain that is not there": lambda d: d.connect().lookupByName("zork"),
    "groups of stats that nobody knows": lambda d: d.connect().getAllDomainStats(
        1 << 20, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
    ),
}


def _refusal(call: Callable[[Any], object], domain: Any) -> libvirt.libvirtError:
    with pytest.raises(libvirt.libvirtError) as refused:
        call(domain)
    return refused.value


@pytest.mark.qemu
def test_both_refuse_the_same_things_with_the_same_codes(real_guest: Any, demo_guest: Any) -> None:
    told = {
        what: (_refusal(call, real_guest).err[0], _refusal(call, demo_guest).err[0])
        for what, call in REFUSED.items()
    }
    assert {what: codes for what, codes in told.items() if codes[0] != codes[1]} == {}
