"""Virtual networks: start, stop, autostart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt

from .errors import from_libvirt, is_unsupported
from .model.ref import Kind
from .switching import Switch
from .xml.belongings import port_owner

if TYPE_CHECKING:
    from .host import Host


def start(host: Host, uuid: str) -> str:
    """Start a network. Source: virNetworkCreate."""
    network = _network(host, uuid)
    network.turn(f"cannot start {network.label}", network.handle.create, active=True)
    return f"{network.label} is active"


def stop(host: Host, uuid: str) -> str:
    """Stop a network; guests on it stay up but lose it. Source: virNetworkDestroy.

    The sentence returned, or the error, names the running domains that were on it.
    """
    network = _network(host, uuid)
    label = network.label
    users = running_users(host, uuid)
    what = f"cannot stop {label}"
    if users:
        what += f", which {_list(users)} use{'s' if len(users) == 1 else ''}"
    network.turn(what, network.handle.destroy, active=False)
    if users:
        return f"{label} is stopped; cut off: {_list(users)}"
    return f"{label} is stopped"


def autostart(host: Host, uuid: str, on: bool) -> str:
    """Have the network started with the host, or not. Source: virNetworkSetAutostart."""
    return _network(host, uuid).autostart(on)


def running_users(host: Host, uuid: str) -> tuple[str, ...]:
    """Names of the running domains attached to a network, sorted: who loses it when it stops.

    Source: its ports (virNetworkListAllPorts, one call and one for each port); where the driver
    has none, the users that the inventory knows.
    """
    network = host.network(uuid)
    try:
        ports = network.listAllPorts(0)
        owners = {port_owner(port.XMLDesc(0)) for port in ports}
        return tuple(sorted(owner for owner in owners if owner))
    except libvirt.libvirtError as error:
        if not is_unsupported(error):
            raise from_libvirt(error, f"cannot tell who uses network {network.name()}") from error
    snapshot = host.snapshot
    known = snapshot.networks.get(network.UUIDString())
    active = {domain.name for domain in snapshot.domains.values() if domain.active}
    return tuple(sorted(name for name in (known.users if known else ()) if name in active))


def _network(host: Host, uuid: str) -> Switch:
    host.require_write()
    return Switch(host, Kind.NETWORK, host.network(uuid))


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
