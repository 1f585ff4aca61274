"""Devices of any kind, added, changed and removed: now, for the next boot, or both.

What the hypervisor cannot do to a running guest is known from the catalogue and refused before
it is tried. What is said at the end is what was read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from . import saved_configuration
from .blocks import refuse_in_use
from .capabilities import machine, refuse_kind, refuse_lacking
from .detaching import Detaching, DetachOutcome
from .device_meant import choose
from .errors import BadInput, TuivirtError, from_libvirt
from .lifecycle import Progress, domain_to_change, touch
from .macs import check_mac, make_mac
from .model.device import DomainConfig
from .model.when import When
from .passthrough.virtual import refuse_in_use as refuse_function
from .room import NEXT_BOOT, check_room
from .settling import LET_GO_S
from .sides import Sides, affecting, read_sides, verify
from .unplugging import Unplug
from .xml import edit
from .xml.catalog import Kind, kinds
from .xml.errors import XmlError
from .xml.field import FieldType, Value
from .xml.found import Found, found, pairs, twin
from .xml.tree import attribute, parse, to_text

if TYPE_CHECKING:
    from .host import Host
    from .model.machine import Machine


@dataclass(frozen=True, slots=True)
class DeviceOutcome:
    """What is true after a device was added or changed."""

    text: str
    label: str
    """What the operator can call it from now on."""
    alias: str = ""
    """Its alias in the running domain; empty when only the saved configuration has it."""


def attach_device(
    host: Host,
    uuid: str,
    kind_name: str,
    values: Mapping[str, object],
    when: str = When.AUTO,
    progress: Progress | None = None,
) -> DeviceOutcome:
    """Add a device. Raises BadInput for what cannot be right, with nothing changed.

    ``values`` are fields of its declaration; what they leave open is what a new device of its
    kind gets, or libvirt's choice. Source: virDomainAttachDeviceFlags, virDomainDefineXML.
    """
    kind = kinds()[kind_name]
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    what = f"cannot add {kind.one} to {name}"
    before = read_sides(domain, what)
    live, saved = before.choose(when)
    xml, whole = _built(host, kind, values, machine(host, before.side(live)), what)
    if whole.get("type") == "hostdev" and whole.get("pci"):
        refuse_function(host, str(whole["pci"]), name)
    if live:
        _refuse_live(what, kind.live_refusal(whole), saved=before.saved is not None)
        check_room(before.live, kind, whole, what)
    for config, changed in ((before.live, live), (before.saved, saved)):
        if changed and not kind.several and found(config, kind):
            raise BadInput(what, "it has one already", "change that one, or remove it first")
    if progress is not None:
        progress(f"adding {kind.one}", None)
    try:
        if live:
            with host.defining[uuid] if saved else nullcontext():
                domain.attachDeviceFlags(xml, affecting(live, saved))
        else:
            saved_configuration.add(host, domain, xml)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        touch(host, uuid)
    after = read_sides(domain, f"cannot tell whether the {kind.noun} is added to {name}")
    known = {each.alias for each in found(before.live, kind)}
    new = [each for each in found(after.live, kind) if each.alias not in known]
    then = found(after.saved, kind)
    verify(
        f"the {kind.noun} is not added",
        name,
        live_bad=live and not new,
        saved_bad=saved and len(then) <= len(found(before.saved, kind)),
        live=live,
    )
    one = new[0] if live else then[-1]
    return DeviceOutcome(
        f"{kind.called(one.label)} is added to {name}{before.words(live, saved)}",
        one.label,
        one.alias if live else "",
    )


def update_device(
    host: Host,
    uuid: str,
    kind_name: str,
    which: str,
    changes: Mapping[str, object],
    when: str = When.AUTO,
) -> DeviceOutcome:
    """Change fields of a device; None takes one out. ``which`` as `pick` takes it.

    Raises BadInput with nothing changed. Source: virDomainUpdateDeviceFlags,
    virDomainSetBlockIoTune, virDomainDefineXML.
    """
    kind = kinds()[kind_name]
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    what = f"cannot change the {kind.called(which)} of {name}"
    before = read_sides(domain, what)
    meant = choose(before, kind, which, when, what, loosely=True)
    live, saved, now, then = meant.live, meant.saved, meant.now, meant.then
    if not changes:
        raise BadInput(what, "nothing is to be changed", "say what")
    differing: dict[str, Value] = {}
    changed_xml = ""
    try:
        wanted = kind.declaration.check(changes)
        one = now or then
        new = _differing(one, wanted) if one is not None else {}
        if new and one is not None:
            place = machine(host, before.side(live))
            refuse_lacking(place, kind, new, {**one.values, **new}, what)
            if kind.name == "disk" and new.get("source"):
                refuse_in_use(host, uuid, str(new["source"]))
        if live and now is not None:
            differing = _differing(now, wanted)
            _refuse_live(what, kind.update_refusal(differing), saved=before.saved is not None)
            changed_xml = _changed(domain, now, wanted)
        if saved and then is not None:
            saved_configuration.changed(domain, then, wanted)
    except XmlError as error:
        raise BadInput(what, str(error)) from error
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    done = ""
    try:
        if now is not None and differing:
            if kind.name == "disk":
                domain.setBlockIoTune(now.identity, _limits(differing), affecting(True, False))
            else:
                domain.updateDeviceFlags(changed_xml, affecting(True, False))
            done = f"the running {name} is changed"
        if saved and then is not None:
            saved_configuration.change(host, domain, then, wanted)
    except (libvirt.libvirtError, XmlError) as error:
        told = _told(error, what)
        told.done = done
        raise told from error
    finally:
        touch(host, uuid)
    after = read_sides(domain, f"cannot tell whether the {kind.noun} of {name} is changed")
    verify(
        f"the {kind.noun} is not changed",
        name,
        live_bad=live and _as_before(now, found(after.live, kind), wanted),
        saved_bad=saved and _as_before(then, found(after.saved, kind), wanted),
        live=live,
    )
    label = meant.label
    return DeviceOutcome(
        f"{kind.called(label)} of {name} is changed{before.words(live, saved)}",
        label,
        now.alias if live and now is not None else "",
    )


def detach_device(
    host: Host,
    uuid: str,
    kind_name: str,
    which: str = "",
    when: str = When.AUTO,
    *,
    timeout_s: float = LET_GO_S,
    aborted: threading.Event | None = None,
    chose: Callable[[When], None] | None = None,
) -> DetachOutcome:
    """Remove a device, and wait up to ``timeout_s`` seconds until the guest has let go.

    If it has not by then, the outcome is pending and followed. ``which`` as `pick` takes it;
    ``chose`` is told which configurations it is taken from. Raises BadInput with nothing
    changed. Source: virDomainDetachDeviceFlags, virDomainDefineXML.
    """
    kind = kinds()[kind_name]
    domain = domain_to_change(host, uuid)
    name, uuid = domain.name(), domain.UUIDString()
    what = f"cannot remove the {kind.called(which)} from {name}"
    # Held until it is known which is which: others may be removed at the same time.
    with host.defining[uuid]:
        before = read_sides(domain, what)
        # A copy: for other domains it changes meanwhile, without this lock.
        leaving = {alias for owner, alias in host.leaving.copy() if owner == uuid}
        known = host.snapshot.domains.get(uuid)
        if known is not None:
            leaving.update(known.leaving)
        meant = choose(before, kind, which, when, what, leaving=leaving)
        live, saved, now, then = meant.live, meant.saved, meant.now, meant.then
        label = meant.label
        if live and now is not None:
            why = kind.leave_refusal(now.values, _hypervisor(host))
            _refuse_live(what, why, saved=then is not None)
            if now.alias in leaving:
                raise BadInput(
                    f"{name} has already been asked to let go of {label}",
                    "the guest has not done so yet",
                    "forcing the guest off settles it",
                )
        if chose is not None:
            chose(When.BOTH if live and saved else When.NOW if live else When.NEXT_BOOT)
        if saved and then is not None:
            _remove_saved(host, domain, before, then, what)
        if live and now is not None:
            host.leaving.add((uuid, now.alias))
    ending = f"{kind.called(label)} is removed from {name}{before.words(live, saved)}"
    if not live or now is None:
        return DetachOutcome(ending)
    one = now

    def is_there(config: DomainConfig) -> bool:
        # By its address too: meanwhile another may have been given the same alias.
        devices = config.interfaces if kind.name == "interface" else config.devices
        return any(
            (each.alias, each.address) == (one.alias, one.address)
            and getattr(each, "kind", kind.name) == kind.name
            for each in devices
        )

    detaching = Detaching(host, domain, label, one.alias, is_there)
    unplug = Unplug(host, domain, detaching, what, timeout_s, aborted)
    try:
        return unplug.carry_out(
            one.xml,
            live=True,
            saved=False,
            check_saved=lambda: None,
            done=f"{label} is gone from {name}'s saved configuration" if saved else "",
            ending=ending,
        )
    finally:
        host.leaving.discard((uuid, one.alias))


def _remove_saved(host: Host, domain: Any, before: Sides, then: Found, what: str) -> None:
    try:
        saved_configuration.remove(host, domain, then)
    except (libvirt.libvirtError, XmlError) as error:
        raise _told(error, what) from error
    finally:
        touch(host, domain.UUIDString())
    rest = found(read_sides(domain, what).saved, then.kind)
    bad = len(rest) >= len(found(before.saved, then.kind))
    noun, name = then.kind.noun, domain.name()
    verify(f"the {noun} is not removed", name, live_bad=False, saved_bad=bad, live=False)


def _told(error: libvirt.libvirtError | XmlError, what: str) -> TuivirtError:
    """libvirt's error, or that another program has taken the device out meanwhile."""
    if isinstance(error, XmlError):
        return TuivirtError(what, str(error))
    return from_libvirt(error, what)


def devices_of_kind(host: Host, uuid: str, kind_name: str) -> list[tuple[str, str]]:
    """A domain's devices of a kind: what each is called, and what it is. Raises TuivirtError."""
    kind = kinds()[kind_name]
    domain = host.domain(uuid)
    sides = read_sides(domain, f"cannot look at the devices of {domain.name()}")
    nows = found(sides.live, kind)
    # Of one that both have, the running domain's name is told.
    thens = found(sides.saved, kind)
    paired = [one.number for one in pairs(nows, thens) if one is not None]
    later = [each for each in thens if each.number not in paired]
    say = kind.declaration.summary
    return [(each.label, say(each.values) if say else each.identity) for each in (*nows, *later)]


def _hypervisor(host: Host) -> str:
    info = host.snapshot.info
    return "" if info is None else info.hypervisor_version


def _refuse_live(what: str, why: str, *, saved: bool) -> None:
    if why:
        raise BadInput(what, why, NEXT_BOOT if saved else "")


def _built(
    host: Host, kind: Kind, values: Mapping[str, object], place: Machine, what: str
) -> tuple[str, dict[str, Value]]:
    declaration = kind.declaration
    try:
        given = {n: v for n, v in declaration.check(values).items() if v is not None}
        if kind.name == "interface":
            mac = given.get("mac")
            given["mac"] = check_mac(host, str(mac)) if mac else make_mac(host)
        whole = {**declaration.proposal(given, place), **given}
        refuse_kind(place, kind, what)
        refuse_lacking(place, kind, whole, whole, what)
        xml = declaration.build(whole)
        return xml, declaration.parse(parse(xml))
    except XmlError as error:
        raise BadInput(what, str(error)) from error


def _differing(one: Found, wanted: Mapping[str, Value]) -> dict[str, Value]:
    declaration = one.kind.declaration
    return {
        name: value
        for name, value in wanted.items()
        if one.values[name] != (declaration[name].nothing if value is None else value)
    }


def _changed(domain: Any, now: Found, wanted: Mapping[str, Value]) -> str:
    """The running device's XML, changed; with its secrets, which would go otherwise."""
    text = str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))
    element = parse(edit.device_xml(text, now.selector))
    if attribute(element, "alias", "name") != now.alias:
        # Another was taken away meanwhile, and its neighbour stands in its place.
        raise TuivirtError(
            f"cannot change the {now.kind.called(now.label)} of {domain.name()}",
            "its devices have changed since they were read",
            "look at them again, then do this again",
        )
    source = element.find("source")
    if now.kind.name == "interface" and attribute(element, "source", "network"):
        # It is told by the bridge that its network stands for; what was asked for is the network.
        element.set("type", "network")
        source.attrib.pop("bridge", None)
        source.attrib.pop("portid", None)
    now.kind.declaration.apply(element, wanted)
    return to_text(element)


def _limits(wanted: Mapping[str, Value]) -> dict[str, Value]:
    """A disk's limits as libvirt's own call for them takes them: 0 is none."""
    names = {"limit_group": libvirt.VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME}
    return {names.get(name, name): value or 0 for name, value in wanted.items()}


def _as_before(one: Found | None, after: tuple[Found, ...], wanted: Mapping[str, Value]) -> bool:
    """Whether a field that was to be changed still says what it said."""
    if one is None or one.number >= len(after):
        return True
    same = twin(one, after) or after[one.number]
    declaration = one.kind.declaration
    return any(
        same.values[name] == one.values[name]
        for name in _differing(one, wanted)
        if declaration[name].type is not FieldType.SECRET
    )
