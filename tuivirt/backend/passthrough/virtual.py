"""What of a host's network a guest's interface could be, or be connected to.

Source: node devices, host interfaces, the domains' configurations, and of this machine
/sys/class/net.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..lookups import configs_of, users_of_devices
from ..model.functions import VirtualFunction
from ..model.passthrough import DeviceFacts, NetUse
from ..model.resources import NodeDevice
from .facts import gather

if TYPE_CHECKING:
    from ..host import Host

_NETWORK = "02"
"""What the PCI class of a network card begins with."""


def network_functions(host: Host, root: Path = Path("/")) -> tuple[VirtualFunction, ...]:
    """All of a host's, those that are free first. Raises TuivirtError.

    ``root``: where /sys and /proc of this machine are looked for.
    """
    known = host.snapshot.devices
    found = [
        device
        for device in known.values()
        if device.physical_function and device.pci_class.startswith(_NETWORK)
    ]
    if not found:
        return ()
    by_address = {each.address: each for each in known.values() if each.capability == "pci"}
    users = users_of_devices(configs_of(host), known)
    facts = gather(host.snapshot, found, root).devices
    functions = [
        _offered(
            device,
            by_address.get(device.physical_function),
            list(known.values()),
            [
                *(f"{user} has it" for user in users.get(device.name, ())),
                *(f"the network {network} hands it out" for network in device.networks),
                *_on_host(facts[device.name]),
            ],
        )
        for device in found
    ]
    return tuple(sorted(functions, key=lambda each: (bool(each.uses), each.address)))


def refuse_in_use(host: Host, address: str, domain: str, root: Path = Path("/")) -> None:
    """Raises BadInput when another domain, or the host's own network, has the PCI function.

    ``domain`` is the one that asks. For a function of a network card alone: others go another way.
    """
    known = host.snapshot.devices
    device = next(
        (each for each in known.values() if each.capability == "pci" and each.address == address),
        None,
    )
    if device is None or not device.pci_class.startswith(_NETWORK):
        return
    others = [
        u for u in users_of_devices(configs_of(host), known).get(device.name, ()) if u != domain
    ]
    facts = gather(host.snapshot, [device], root).devices[device.name]
    uses = [
        *(f"{user} has it" for user in others),
        *(f"the network {network} hands it out" for network in device.networks),
        *_on_host(facts),
    ]
    if uses:
        raise BadInput(
            f"{address} is in use",
            "; ".join(uses),
            "choose another function, or take this one away there first",
        )


def links_of(host: Host, *, bridges: bool) -> list[tuple[str, str]]:
    """The host's network interfaces by name, and what each is; or its bridges alone.

    As libvirt knows them: its own networks' bridges, host interfaces, node devices.
    """
    now = host.snapshot
    found = {
        each.name: " ".join(("bridge", *each.addresses))
        for each in now.interfaces.values()
        if each.type == "bridge"
    }
    found |= {
        network.bridge: f"of network {network.name}"
        for network in now.networks.values()
        if network.bridge
    }
    if not bridges:
        found = {
            each.net_name: " ".join(word for word in (each.net_mac, each.net_state) if word)
            for each in now.devices.values()
            if each.net_name and each.net_name != "lo" and each.net_name not in found
        }
    return sorted(found.items())


def _offered(
    device: NodeDevice, card: NodeDevice | None, known: list[NodeDevice], uses: list[str]
) -> VirtualFunction:
    nets = [each.net_name for each in known if card is not None and each.parent == card.name]
    words = (card.vendor, card.product) if card is not None else (device.vendor, device.product)
    return VirtualFunction(
        address=device.address,
        parent=device.physical_function,
        interface=next((net for net in nets if net), ""),
        what=" ".join(word for word in words if word),
        uses=tuple(uses),
    )


def _on_host(facts: DeviceFacts) -> Iterator[str]:
    """What the host itself has it for."""
    for net in facts.nets:
        yield from (f"{net.name} on the host {use}" for use in _net_uses(net))


def _net_uses(net: NetUse) -> Iterator[str]:
    if net.this_session:
        yield "carries this session"
    if net.above:
        yield f"is a part of {', '.join(net.above)}"
    if net.default_route:
        yield "has the default route"
    if net.addresses:
        yield f"has {', '.join(net.addresses)}"
