"""A host device handed to a domain: the plan carried out, and undone when a step fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, TuivirtError, from_libvirt
from ..lifecycle import Progress, domain_to_change, touch
from ..lookups import configs_of, users_of_devices
from ..model.passthrough import Plan, Task, Weight
from ..model.resources import NodeDevice
from ..model.when import When
from ..sides import Sides, read_sides
from ..uses import networks_of_devices
from ..xml.hostdev import HOSTDEV
from .bound import driver_now, give_back, read_again, unbind
from .find import find_device
from .group import choose
from .judge import called
from .plan import has, make_plan
from .take_back import take_from_running

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asked for."""

    device: str
    """As `find_device` takes it."""
    when: str = When.AUTO
    alone: bool = False
    """Not the functions that belong to it."""
    by_identity: bool = False
    """A USB device by vendor and product, whichever port it is in."""


def plan_for(host: Host, uuid: str, wish: Wish) -> Plan:
    """How it would be done; nothing is changed. Raises BadInput."""
    _domain, _sides, plan = _look(host, host.domain(uuid), wish)
    return plan


def hand_over(
    host: Host,
    uuid: str,
    wish: Wish,
    *,
    force: bool = False,
    progress: Progress | None = None,
    aborted: threading.Event | None = None,
) -> str:
    """Hand a device to a domain. ``force``: though the plan names risks.

    Raises BadInput for what is refused, with nothing changed; TuivirtError when a step failed,
    after those before it were undone. Source: virNodeDeviceDetachFlags,
    virDomainAttachDeviceFlags.
    """
    domain, sides, plan = _look(host, domain_to_change(host, uuid), wish)
    what = f"cannot hand {called(plan.given[0])} to {plan.domain}"
    refuse(plan, what, force)
    done = _Undo()
    try:
        for number, step in enumerate(plan.steps):
            if aborted is not None and aborted.is_set():
                raise Aborted(what, "it was aborted")
            if progress is not None:
                progress(step.text, number / len(plan.steps))
            if step.task is Task.UNBIND:
                driver = driver_now(host, step.device)
                unbind(host, step.device)
                said = f"{called(step.device)} is with {driver or 'no driver'} again"
                done.add(said, partial(give_back, host, step.device))
            else:
                xml = device_xml(step.device, by_identity=wish.by_identity)
                _add(domain, xml, plan, what)
                done.add(
                    f"{called(step.device)} is taken from {plan.domain} again",
                    partial(_remove, host, domain, step.device, xml, plan),
                )
        _verify(domain, plan, what)
    except TuivirtError as error:
        raise done.undo(error) from error
    finally:
        touch(host, domain.UUIDString())
    names = " and ".join(called(device) for device in plan.given)
    verb = "are" if len(plan.given) > 1 else "is"
    return f"{names} {verb} handed to {plan.domain}{sides.words(plan.live, plan.saved)}"


def refuse(plan: Plan, what: str, force: bool) -> None:
    """Raise BadInput where the plan may not be carried out."""
    refused, risks = plan.of(Weight.REFUSED), plan.of(Weight.RISK)
    if refused:
        raise BadInput(what, "; ".join(each.text for each in refused), refused[0].advice)
    if risks and not force:
        advice = [each.advice for each in risks if each.advice][:1]
        raise BadInput(
            what,
            "; ".join(each.text for each in risks),
            ". ".join([*advice, "With --force it is done all the same"]),
        )


def device_xml(device: NodeDevice, *, by_identity: bool = False) -> str:
    """The ``<hostdev>`` that hands a device over."""
    values: dict[str, object]
    if device.capability == "mdev":
        model = "vfio-pci"
        values = {"type": "mdev", "model": model, "mdev": device.mdev_uuid}
    elif device.capability == "pci":
        values = {"type": "pci", "managed": True, "pci": device.address}
    elif device.capability == "scsi":
        adapter, bus, target, unit = device.address.split(":")
        values = {
            "type": "scsi",
            "adapter": f"scsi_host{adapter}",
            "scsi_bus": int(bus),
            "scsi_target": int(target),
            "scsi_unit": int(unit),
        }
    elif by_identity:
        values = {
            "type": "usb",
            "managed": True,
            "vendor": f"0x{device.vendor_id}",
            "product": f"0x{device.product_id}",
        }
    else:
        bus, _, number = device.address.partition(":")
        values = {
            "type": "usb",
            "managed": True,
            "usb_bus": int(bus),
            "usb_device": int(number),
        }
    return HOSTDEV.build({"mode": "subsystem", **values})


def _look(host: Host, domain: Any, wish: Wish) -> tuple[Any, Sides, Plan]:
    devices = host.snapshot.devices
    device = find_device(devices, wish.device)
    if wish.by_identity:
        _refuse_twins(device, [each for each in devices.values() if each is not device])
    sides = read_sides(domain, f"cannot hand {called(device)} to {domain.name()}")
    live, saved = sides.choose(wish.when)
    given, held = choose(device, devices, alone=wish.alone)
    # The list follows by events; what is judged is read now.
    known = {**devices, **{each.name: read_again(host, each) for each in (*given, *held)}}
    users = users_of_devices(configs_of(host), known)
    networks = networks_of_devices(host.snapshot.networks.values(), known)
    known = {
        name: replace(each, users=users.get(name, ()), networks=networks.get(name, ()))
        for name, each in known.items()
    }
    device = known[device.name]
    plan = make_plan(
        replace(host.snapshot, devices=known),
        sides,
        device,
        live=live,
        saved=saved,
        alone=wish.alone,
        by_identity=wish.by_identity,
    )
    return domain, sides, plan


def _refuse_twins(device: NodeDevice, others: list[NodeDevice]) -> None:
    if device.capability != "usb_device":
        raise BadInput(
            f"{called(device)} has no vendor and product to be given by", "it is no USB device"
        )
    identity = (device.vendor_id, device.product_id)
    twins = [
        each
        for each in others
        if each.capability == "usb_device" and (each.vendor_id, each.product_id) == identity
    ]
    if twins:
        places = ", ".join(each.address for each in (device, *twins))
        raise BadInput(
            f"{called(device)} cannot be given by vendor and product",
            f"{len(twins) + 1} devices are equal in these, at {places}",
            "Give it by its place",
        )


def _flags(plan: Plan) -> int:
    flags = libvirt.VIR_DOMAIN_AFFECT_LIVE if plan.live else 0
    return int(flags | (libvirt.VIR_DOMAIN_AFFECT_CONFIG if plan.saved else 0))


def _add(domain: Any, xml: str, plan: Plan, what: str) -> None:
    try:
        domain.attachDeviceFlags(xml, _flags(plan))
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error


def _remove(host: Host, domain: Any, device: NodeDevice, xml: str, plan: Plan) -> None:
    if plan.saved:
        try:
            domain.detachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        except libvirt.libvirtError as error:
            raise from_libvirt(error, f"cannot take {called(device)} back") from error
    if plan.live:
        take_from_running(host, domain, device)


def _verify(domain: Any, plan: Plan, what: str) -> None:
    after = read_sides(domain, what)
    for asked, config, word in (
        (plan.live, after.live, "the running domain"),
        (plan.saved, after.saved, "the saved configuration"),
    ):
        missing = [each for each in plan.given if config is None or not has(config, each)]
        if asked and missing:
            raise TuivirtError(
                what, f"{word} does not have {called(missing[0])}, though libvirt told no error"
            )


class _Undo:
    """What was done, newest last, and how each is undone."""

    def __init__(self) -> None:
        self._done: list[tuple[str, Callable[[], Any]]] = []

    def add(self, said: str, undo: Callable[[], Any]) -> None:
        """``said``: what is true once it was undone."""
        self._done.append((said, undo))

    def undo(self, error: TuivirtError) -> TuivirtError:
        """Undo everything; the error to be told, with what came of it."""
        undone, left = [], []
        for said, undo in reversed(self._done):
            try:
                undo()
            except TuivirtError as other:
                left.append(str(other))
            else:
                undone.append(said)
        told = "; ".join(undone)
        error.why = f"{error.why}. Undone: {told}" if told else error.why
        if left:
            error.done = "; ".join(left)
        elif not error.advice:
            error.advice = "Nothing is left of it: the host and the domain are as they were"
        return error
