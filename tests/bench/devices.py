"""How soon a device that is plugged in stands on the screen, in a domain that has sixty."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import libvirt

from tests.bench.figure import Figure, bounded, quantile, say
from tests.bench.stage import Stage
from tests.bench.terminal import Ended, Program
from tests.support import guests
from tuivirt.backend import eventloop

DEVICES = 60
ROUNDS = 30
PAUSE_S = (0.3, 0.6)
"""Between two of them, drawn anew each time so that no tick is in step with them."""
_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE


def _channel(name: str) -> str:
    return f"<channel type='null'><target type='virtio' name='{name}'/></channel>"


@contextlib.contextmanager
def _domain(stage: Stage) -> Iterator[Any]:
    """A running domain without a system, with sixty devices and ports for more."""
    with guests.image_folder() as folder:
        disk = guests.Disk(guests.make_sleeper(folder / "sleeper.img"), "vda")
        room = "".join(f"<controller type='virtio-serial' index='{n}'/>" for n in range(4))
        # libvirt makes a controller of each kind and the rest of a machine beside them.
        many = "".join(_channel(f"org.bench.{number}") for number in range(DEVICES - 15))
        xml = guests.domain_xml(
            guests.unique_name("sixty"),
            memory_mib=32,
            disks=[disk],
            kernel=False,
            serial=False,
            extra_devices=f"{room}{many}{_channel('added.first')}",
        )
        with guests.Guest.define(stage.uri, xml) as guest:
            guest.start()
            count = guest.domain.XMLDesc(0).count("<alias name=")
            if count < DEVICES:
                raise RuntimeError(f"it has {count} devices, not {DEVICES}")
            yield guest.domain


class _Came:
    """Tells when libvirt's event of a device that was added arrived in this process."""

    def __init__(self, domain: Any) -> None:
        self._conn = domain.connect()
        self.at = 0.0
        self.seen = threading.Event()
        number = libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED
        self._watch = self._conn.domainEventRegisterAny(domain, number, self._came, None)

    def _came(self, _conn: Any, _domain: Any, _alias: str, _opaque: Any) -> None:
        self.at = time.monotonic()
        self.seen.set()

    def close(self) -> None:
        self._conn.domainEventDeregisterAny(self._watch)


def measure(stage: Stage) -> Iterator[Figure]:
    """From the event, in another client of the same daemon, to the bytes of the row."""
    say(f"{ROUNDS} devices into a domain of {DEVICES}")
    eventloop.start()
    pauses = random.Random(3)
    found = []
    with _domain(stage) as domain, stage.tuivirt() as program, ThreadPoolExecutor(1) as other:
        _open(program, domain.name())
        came = _Came(domain)
        for number in range(ROUNDS):
            name = f"added.{number:04}"
            program.run(pauses.uniform(*PAUSE_S))
            came.seen.clear()
            seen = len(program.arrived)
            attached = other.submit(domain.attachDeviceFlags, _channel(name), _LIVE)
            drawn = _drawn(program, seen, name.encode())
            attached.result()
            if not came.seen.wait(5):
                raise Ended("libvirt told of no device that was added")
            found.append((drawn - came.at) * 1000)
            other.submit(domain.detachDeviceFlags, _channel(name), _LIVE).result()
        came.close()
    middle, late = quantile(found, 0.5), quantile(found, 0.99)
    told = f"the target; p50 {middle:.1f} ms, {ROUNDS} devices, one after the other"
    yield bounded(f"device added to a domain of {DEVICES}: event to row, p99", late, "ms", 50, told)


def _open(program: Program, name: str) -> None:
    """The domain's devices, those alone that are added."""
    program.wait_for("Domains ")
    program.run(4)
    program.write(f":dom /{name}\r".encode())
    program.run(1)
    program.write(b"\r")
    program.run(2)
    program.write(b"4")
    program.wait_for("org.bench.1")
    program.write(b"/added\r")
    program.wait_for("added.first")
    program.run(2)


def _drawn(program: Program, seen: int, wanted: bytes) -> float:
    """When the bytes of the row had come."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        program.pump(0.2)
        if wanted in b"".join(data for _, data in program.arrived[seen:]):
            return program.arrived[-1][0]
    raise Ended(f"{wanted!r} was not drawn; its last words: {program.text[-500:]!r}")
