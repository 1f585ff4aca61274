"""Every device but disks and interfaces: its kind, one line that says what it is, who backs it."""

from __future__ import annotations

from ..model.device import Device
from .facts import facts_of
from .say import words
from .tree import Element, address_of, attribute, to_text


def read_device(element: Element, *, told: bool = True, compared: bool = True) -> Device:
    """The record of any device element; never raises for what libvirt writes.

    Unless ``told``, it is without its summary, which takes half of the time; unless it is to be
    ``compared``, without its facts.
    """
    kind = element.tag
    node_device, identity = host_device(element) if kind == "hostdev" else ("", "")
    return Device(
        kind=kind,
        summary=_summary(element) if told else "",
        alias=attribute(element, "alias", "name"),
        address=address_of(element.find("address")),
        xml=to_text(element),
        node_device=node_device,
        vendor_product=identity,
        facts=facts_of(element) if compared else frozenset(),
    )


def host_device(element: Element) -> tuple[str, str]:
    """What of the host a ``<hostdev>`` takes, as `place_and_identity` has it."""
    from .hostdev import HOSTDEV, place_and_identity  # 0.05 MB: few domains have one.

    return place_and_identity(HOSTDEV.parse(element))


def _summary(element: Element) -> str:
    """One line that says what it is; what is declared says it by itself."""
    from .catalog import kinds  # 3 ms and 0.4 MB, which the lists do without.

    kind = kinds().get(element.tag)
    if kind is not None and kind.declaration.summary is not None:
        return kind.declaration.summary(kind.declaration.parse(element))
    if element.tag == "lease":
        return words(element.findtext("lockspace"), element.findtext("key"))
    return words(element.get("model"), element.get("type"), attribute(element, "model", "name"))
