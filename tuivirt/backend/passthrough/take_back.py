"""A host device taken from a domain, and given back to the host's driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..detaching import Detaching, DetachOutcome
from ..errors import Aborted, BadInput, NotConnected, TuivirtError, from_libvirt
from ..lifecycle import Progress, domain_to_change, touch
from ..model.device import Device, DomainConfig
from ..model.resources import NodeDevice
from ..model.when import When
from ..settling import LET_GO_S
from ..sides import Sides, read_sides
from ..waiters import Waiter, domain_event
from .bound import VFIO, driver_now, give_back
from .find import find_device, givable
from .group import choose
from .judge import called

if TYPE_CHECKING:
    from ..host import Host

_FAMILIES = ("device-removed", "device-removal-failed", "lifecycle")


@dataclass(frozen=True, slots=True)
class _Taken:
    """One ``<hostdev>`` that is taken away."""

    name: str
    """What the operator calls it."""
    now: Device | None
    then: Device | None
    node: NodeDevice | None
    """None: the host has it no more."""


def take_back(
    host: Host,
    uuid: str,
    wanted: str,
    when: str = When.AUTO,
    *,
    alone: bool = False,
    keep: bool = False,
    timeout_s: float = LET_GO_S,
    progress: Progress | None = None,
    aborted: threading.Event | None = None,
    chose: Callable[[When], None] | None = None,
) -> DetachOutcome:
    """Take a device, with the functions that were given with it, from a domain.

    ``wanted`` is as `find_device` takes it, or the device's alias in the domain. Once the
    running guest has let go, the host's drivers get back what they had, unless ``keep``. A
    guest that has not let go after ``timeout_s`` is followed. Raises BadInput with nothing
    changed. Source: virDomainDetachDeviceFlags, virNodeDeviceReAttach.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    sides = read_sides(domain, f"cannot take {wanted} from {name}")
    taken = _choose(host, sides, wanted, alone)
    live, saved = sides.choose(when)
    if when == When.AUTO:
        live = live and any(each.now is not None for each in taken)
        saved = saved and any(each.then is not None for each in taken)
    if live and taken[0].now is None:
        raise BadInput(
            f"the running {name} does not have {taken[0].name}",
            advice="Take it away for the next boot",
        )
    if saved and taken[0].then is None:
        raise BadInput(
            f"the saved configuration of {name} does not have {taken[0].name}",
            advice="Take it away now only",
        )
    if chose is not None:
        chose(When.BOTH if live and saved else When.NOW if live else When.NEXT_BOOT)
    names = " and ".join(each.name for each in taken)
    done: list[str] = []
    if saved:
        for each in taken:
            if each.then is not None:
                _detach(domain, each, each.then, libvirt.VIR_DOMAIN_AFFECT_CONFIG, done)
                done.append(f"{each.name} is gone from the saved configuration")
        touch(host, uuid)
    if not live:
        return DetachOutcome(f"{names} {_are(taken)} taken from {name}{sides.words(live, saved)}")
    nodes = _nodes_behind(host, taken)
    ending = f"{names} {_are(taken)} taken from {name}{sides.words(live, saved)}"
    pending: list[DetachOutcome] = []
    until = time.monotonic() + timeout_s
    for each in taken:
        if each.now is None:
            continue
        if progress is not None:
            progress(f"waiting until the guest lets go of {each.name}", None)
        left = max(0.0, until - time.monotonic())
        outcome = _from_running(host, domain, each, left, aborted, done)
        if outcome is not None:
            pending.append(outcome)
    if not pending:
        return DetachOutcome(ending + ("" if keep else _given_back(host, nodes)))
    return _follow(host, pending, ending, () if keep else nodes, done)


def devices_of(host: Host, uuid: str) -> tuple[NodeDevice, ...]:
    """What a domain has of its host, now or at its next boot. Raises TuivirtError."""
    domain = host.domain(uuid)
    sides = read_sides(domain, f"cannot look at the devices of {domain.name()}")
    return tuple(
        node
        for node in givable(host.snapshot.devices)
        if any(_find(config, node, "") for config in sides.configs())
    )


def take_from_running(host: Host, domain: Any, device: NodeDevice) -> None:
    """Take a device from a running domain and wait until it is gone. Raises TuivirtError."""
    what = f"cannot take {called(device)} back"
    sides = read_sides(domain, what)
    now = _find(sides.live, device, "")
    if now is None:
        return
    taken = _Taken(called(device), now, None, device)
    if _from_running(host, domain, taken, LET_GO_S, None, []) is not None:
        raise TuivirtError(what, "the guest has not let go of it yet")


def _choose(host: Host, sides: Sides, wanted: str, alone: bool) -> list[_Taken]:
    """What is taken: the device first, then what of its slot and group the domain has too."""
    devices = host.snapshot.devices
    try:
        node: NodeDevice | None = find_device(devices, wanted)
    except BadInput:
        node = None
        if not any(_find(config, None, wanted) for config in sides.configs()):
            raise
    now, then = _find(sides.live, node, wanted), _find(sides.saved, node, wanted)
    if now is None and then is None:
        has = ", ".join(_called(each) for each in _hostdevs(sides)) or "no host device"
        raise BadInput(f"{sides.name} does not have {wanted}", f"it has {has}")
    if node is None:
        place = (now or then or Device("")).node_device
        node = next((each for each in devices.values() if each.address == place and place), None)
    first = _Taken(called(node) if node else wanted, now, then, node)
    taken = [first]
    if node is not None and not alone:
        given, held = choose(node, devices)
        for each in (*given[1:], *held):
            now, then = _find(sides.live, each, ""), _find(sides.saved, each, "")
            if now is not None or then is not None:
                taken.append(_Taken(called(each), now, then, each))
    return taken


def _hostdevs(sides: Sides) -> list[Device]:
    found: dict[str, Device] = {}
    for config in sides.configs():
        for each in config.devices:
            if each.kind == "hostdev":
                found.setdefault(_called(each), each)
    return list(found.values())


def _called(device: Device) -> str:
    return device.node_device or device.vendor_product or device.alias


def _find(config: DomainConfig | None, node: NodeDevice | None, wanted: str) -> Device | None:
    """The hostdev of a configuration that is this device, or is called so."""
    place = "" if node is None else node.mdev_uuid or node.address
    identity = "" if node is None else f"{node.vendor_id}:{node.product_id}"
    hostdevs = [d for d in (config.devices if config else ()) if d.kind == "hostdev"]
    for each in hostdevs:
        if node is None:
            if wanted and wanted in (each.node_device, each.alias, each.vendor_product):
                return each
        elif each.node_device:
            if each.node_device == place:
                return each
        elif node.capability == "usb_device" and each.vendor_product == identity:
            return each
    return None


def _detach(domain: Any, each: _Taken, device: Device, flags: int, done: list[str]) -> None:
    try:
        domain.detachDeviceFlags(device.xml, flags)
    except libvirt.libvirtError as error:
        told = from_libvirt(error, f"cannot take {each.name} from {domain.name()}")
        told.done = "; ".join(done)
        raise told from error


def _from_running(
    host: Host,
    domain: Any,
    each: _Taken,
    timeout_s: float,
    aborted: threading.Event | None,
    done: list[str],
) -> DetachOutcome | None:
    """Ask the running guest to let go; what is followed when it has not, else None."""
    assert each.now is not None
    device, uuid = each.now, domain.UUIDString()

    def is_there(config: DomainConfig) -> bool:
        return any(
            (other.alias, other.node_device) == (device.alias, device.node_device)
            for other in config.devices
        )

    detaching = Detaching(host, domain, each.name, device.alias, is_there)
    until = time.monotonic() + timeout_s
    with Waiter(host, domain_event(uuid, *_FAMILIES)) as waiter:
        _detach(domain, each, device, libvirt.VIR_DOMAIN_AFFECT_LIVE, done)
        touch(host, uuid)
        said = "; ".join(done)
        try:
            gone = waiter.until(
                lambda: detaching.is_settled(waiter.events, said),
                until - time.monotonic(),
                aborted=aborted,
            )
        except Aborted:
            gone = False
        if not gone:
            return detaching.follow(said)
    done.append(f"{each.name} is gone from the running domain")
    return None


def _nodes_behind(host: Host, taken: list[_Taken]) -> tuple[NodeDevice, ...]:
    """The PCI devices that the host's drivers get back: those taken, and those of their groups."""
    found: dict[str, NodeDevice] = {}
    for each in taken:
        if each.node is not None and each.node.capability == "pci":
            for node in (each.node, *choose(each.node, host.snapshot.devices)[1]):
                found.setdefault(node.name, node)
    return tuple(found.values())


def _given_back(host: Host, nodes: tuple[NodeDevice, ...]) -> str:
    """Bind them to the host's drivers; what came of it, to be said after a sentence."""
    said: list[str] = []
    for node in nodes:
        try:
            # libvirt has done it already for a managed device that had a driver before.
            driver = (
                give_back(host, node) if driver_now(host, node) == VFIO else driver_now(host, node)
            )
        except TuivirtError as error:
            error.done = "; ".join(["the domain has it no more", *said])
            raise
        said.append(f"{node.address} is with {driver or 'no driver'} again")
    return f"; {', '.join(said)}" if said else ""


def _follow(
    host: Host,
    pending: list[DetachOutcome],
    ending: str,
    nodes: tuple[NodeDevice, ...],
    done: list[str],
) -> DetachOutcome:
    """One outcome for all that the guest has not let go of yet."""
    text = "; ".join([each.text for each in pending][:1] + done)
    whole = DetachOutcome(text, pending=True, advice=pending[0].advice)
    lock = threading.Lock()
    waiting = set(range(len(pending)))

    def finish() -> None:
        try:
            whole.settle(ending + _given_back(host, nodes))
        except TuivirtError as error:
            whole.settle(error)

    def settled(number: int, end: str | BaseException) -> None:
        if isinstance(end, BaseException):
            whole.settle(end)
            return
        with lock:
            waiting.discard(number)
            last = not waiting
        if not last:
            return
        try:
            host.actions.submit(finish)
        except RuntimeError:
            whole.settle(NotConnected(f"host {host.name} was closed", done=ending))

    for number, each in enumerate(pending):
        each.on_settled(partial(settled, number))
    return whole


def _are(taken: list[_Taken]) -> str:
    return "are" if len(taken) > 1 else "is"
