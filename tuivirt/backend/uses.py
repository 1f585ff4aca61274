"""Who uses what: domains' configurations held against networks, devices and leases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .model.device import DomainConfig
from .model.resources import Network, NodeDevice

Configs = Mapping[str, Iterable[DomainConfig]]
"""By domain name: its live and saved configurations, as far as there are any."""


def addresses_of(config: DomainConfig, by_mac: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The leased addresses of a domain's interfaces; ``by_mac`` has lower-case keys."""
    return tuple(
        address
        for interface in config.interfaces
        for address in by_mac.get(interface.mac.lower(), ())
    )


def users_of_networks(configs: Configs) -> dict[str, tuple[str, ...]]:
    """By network name: the domains with an interface on it."""
    users: dict[str, set[str]] = {}
    for name, each in configs.items():
        for config in each:
            for interface in config.interfaces:
                if interface.type == "network":
                    users.setdefault(interface.source, set()).add(name)
    return {network: tuple(sorted(names)) for network, names in users.items()}


def networks_of_devices(
    networks: Iterable[Network], devices: Mapping[str, NodeDevice]
) -> dict[str, tuple[str, ...]]:
    """By node device name: the networks that hand it, or its like, to the guests on them.

    Which guest has which of a pool libvirt chooses as the guest starts; no configuration says so.
    """
    found: dict[str, tuple[str, ...]] = {}
    cards = {each.net_name: each for each in devices.values() if each.net_name}
    for network in networks:
        handed = set(network.hands_out)
        for name in network.hands_out:
            # A card and the function that it is are one to whoever gives either away.
            card = cards.get(name.removeprefix("pf:"))
            parent = devices.get(card.parent) if card is not None else None
            if parent is not None:
                functions = parent.virtual_functions
                handed |= set(functions) if name.startswith("pf:") else {parent.address}
        for name, each in devices.items():
            if handed & {each.address, each.net_name} - {""}:
                found[name] = (*found.get(name, ()), network.name)
    return found


def users_of_devices(
    configs: Configs, devices: Mapping[str, NodeDevice]
) -> dict[str, tuple[str, ...]]:
    """By node device name: the domains that have it, by address, identity, disk path or net."""
    by_address: dict[str, set[str]] = {}
    by_identity: dict[str, set[str]] = {}
    by_path: dict[str, set[str]] = {}
    for name, each in configs.items():
        for config in each:
            for device in config.devices:
                if device.kind != "hostdev":
                    continue
                if device.node_device:
                    by_address.setdefault(device.node_device, set()).add(name)
                if device.vendor_product:
                    by_identity.setdefault(device.vendor_product.lower(), set()).add(name)
            for disk in config.disks:
                if disk.source_type == "block" and disk.source:
                    by_path.setdefault(disk.source, set()).add(name)
            for interface in config.interfaces:
                if interface.type == "direct" and interface.source:
                    by_path.setdefault(f"net:{interface.source}", set()).add(name)
                elif interface.type == "hostdev" and interface.source:
                    by_address.setdefault(interface.source, set()).add(name)
    found = {}
    for device_name, node in devices.items():
        names: set[str] = set()
        for address in (node.address, node.mdev_uuid):
            if address:
                names |= by_address.get(address, set())
        if node.capability == "usb_device" and node.vendor_id:
            names |= by_identity.get(f"{node.vendor_id}:{node.product_id}".lower(), set())
        for path in (node.block_path, *node.devnodes):
            if path:
                names |= by_path.get(path, set())
        if node.net_name:
            names |= by_path.get(f"net:{node.net_name}", set())
        if names:
            found[device_name] = tuple(sorted(names))
    # A SCSI device and the disk that the host sees in it are one.
    for seen in devices.values():
        above = devices.get(seen.parent)
        if above is not None and above.capability == "scsi" and seen.block_path:
            both = {*found.get(seen.name, ()), *found.get(above.name, ())}
            if both:
                found[seen.name] = found[above.name] = tuple(sorted(both))
    return found
