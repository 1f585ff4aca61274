"""vCPUs, memory, pins and I/O threads of the demo's guests, live and saved in one call.

libvirt's test driver has most of these calls, but takes one configuration at a time, pins vCPUs
in the running one alone, and puts each vCPU on the host's last CPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

from ..backend.model.cpuset import parse_cpuset, write_cpuset
from .errors import failure
from .hotplug import which

if TYPE_CHECKING:
    from .domain import DemoDomain
    from .machines import Machines

LIVE: int = libvirt.VIR_DOMAIN_AFFECT_LIVE
SAVED: int = libvirt.VIR_DOMAIN_AFFECT_CONFIG
_VCPU_RUNNING = 1
_NAMED = {"vcpupin": "vcpu", "emulatorpin": "", "iothreadpin": "iothread"}
"""The elements of pins, in libvirt's order, and the attribute that says whose."""

Thread = tuple[str, int | None]
"""The element of its pin, and its number where there are several."""


def in_each(domain: DemoDomain, flags: int, call: Callable[[int], object]) -> int:
    """Make the driver's call for each configuration that ``flags`` mean."""
    rest = flags & ~(LIVE | SAVED)
    live, saved = which(domain, flags & (LIVE | SAVED))
    for wanted, flag in ((live, LIVE), (saved, SAVED)):
        if wanted:
            call(rest | flag)
    return 0


def set_memory(host: Machines, domain: DemoDomain, real: Any, kib: int, flags: int) -> int:
    """virDomainSetMemoryFlags; the guest's balloon follows at once, and its event tells."""
    live, _ = which(domain, flags & (LIVE | SAVED))
    most = libvirt.VIR_DOMAIN_MEM_MAXIMUM
    if live and not flags & most and kib > real.info()[1]:
        raise failure(libvirt.VIR_ERR_INVALID_ARG, "cannot set memory higher than max memory")
    in_each(domain, flags, lambda one: real.setMemoryFlags(kib, one))
    if live and not flags & most:
        host.domain_events.emit(libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, domain, kib)
    return 0


def pin(
    host: Machines,
    domain: DemoDomain,
    real: Any,
    thread: Thread,
    mask: Sequence[bool],
    flags: int,
) -> int:
    """virDomainPinVcpuFlags, virDomainPinEmulator and virDomainPinIOThread.

    The running half is kept beside the driver's, whose own host ends at eight CPUs.
    """
    cpus = frozenset(cpu for cpu, on in enumerate(mask) if on and cpu < host.world.cpus)
    if not cpus:
        raise failure(libvirt.VIR_ERR_INVALID_ARG, "Empty cpu list for pinning")
    live, saved = which(domain, flags)
    if live:
        _check(etree.fromstring(real.XMLDesc(0)), thread, "live")
    root: Any = etree.fromstring(_saved(domain)) if saved else None
    if saved:
        _check(root, thread, "persistent")
        _put(root, thread, cpus)
    with host.lock:
        if live:
            host.guest(real).pins[thread] = cpus
        if saved:
            host.save_configuration(real.UUIDString(), etree.tostring(root, encoding="unicode"))
    return 0


def show_pins(root: Any, pins: Mapping[Thread, frozenset[int]]) -> None:
    """Put the running guest's pins into its XML."""
    for thread, cpus in pins.items():
        _put(root, thread, cpus)


def vcpus(host: Machines, real: Any) -> tuple[list[tuple[int, ...]], list[tuple[bool, ...]]]:
    """virDomainGetVcpus: each vCPU stays for a few seconds on a CPU that it may run on."""
    guest = host.guest(real)
    now, there = time.monotonic(), host.world.cpus
    seconds = guest.cpu_seconds(now, real.info()[3])
    root: Any = etree.fromstring(real.XMLDesc(0))
    show_pins(root, guest.pins)
    pins = {
        int(pin.get("vcpu")): parse_cpuset(pin.get("cpuset"))
        for pin in root.iterfind("cputune/vcpupin")
    }
    runs: list[tuple[int, ...]] = []
    masks: list[tuple[bool, ...]] = []
    for number, used in enumerate(seconds):
        may = sorted(pins.get(number, frozenset(range(there))))
        cpu = may[(number * 3 + int(guest.ran(now) / 4)) % len(may)]
        runs.append((number, _VCPU_RUNNING, int(used * 1_000_000_000), cpu))
        masks.append(tuple(at in may for at in range(there)))
    return runs, masks


def _saved(domain: DemoDomain) -> str:
    return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))


def _check(root: Any, thread: Thread, of: str) -> None:
    tag, number = thread
    if tag == "vcpupin" and number is not None and number >= int(root.findtext("vcpu") or 1):
        raise failure(
            libvirt.VIR_ERR_INVALID_ARG,
            f"vcpu {number} is out of range of {of} cpu count {root.findtext('vcpu')}",
        )
    if tag == "iothreadpin" and not root.xpath("iothreadids/iothread[@id=$n]", n=str(number)):
        raise failure(libvirt.VIR_ERR_INVALID_ARG, f"iothread {number} not found")


def _put(root: Any, thread: Thread, cpus: frozenset[int]) -> None:
    tag, number = thread
    tune = root.find("cputune")
    if tune is None:
        tune = etree.Element("cputune")
        before = [root.find(name) for name in ("vcpu", "vcpus", "iothreads", "iothreadids")]
        next(e for e in reversed(before) if e is not None).addnext(tune)
    name = _NAMED[tag]
    for old in tune.findall(tag):
        if number is None or old.get(name) == str(number):
            tune.remove(old)
    # As libvirt writes them: by kind, and by number.
    order = list(_NAMED)

    def place(each: Any) -> tuple[int, int]:
        named = _NAMED.get(each.tag)
        kind = order.index(each.tag) if each.tag in order else len(order)
        return kind, int(each.get(named, "0")) if named else 0

    made = etree.Element(tag, {name: str(number)} if number is not None else {})
    made.set("cpuset", write_cpuset(cpus))
    tune.insert(sum(place(each) <= place(made) for each in tune), made)
