"""Virtual networks: start, stop, autostart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import TuivirtError, from_libvirt, is_gone, is_unsupported
from .lifecycle import CONFIRM_TIMEOUT_S
from .model.ref import Kind, Ref
from .waiters import Waiter, network_event
from .xml.belongings import port_owner

if TYPE_CHECKING:
    from .host import Host


def start(host: Host, uuid: str) -> str:
    """Start a network. Source: virNetworkCreate."""
    network = _network(host, uuid)
    name = network.name()
    _act(host, network, f"cannot start network {name}", network.create, active=True)
    return f"network {name} is active"


def stop(host: Host, uuid: str) -> str:
    """Stop a network; guests on it stay up but lose it. Source: virNetworkDestroy.

    The sentence returned, or the error, names the running domains that were on it.
    """
    network = _network(host, uuid)
    name = network.name()
    users = running_users(host, uuid)
    what = f"cannot stop network {name}"
    if users:
        what += f", which {_list(users)} use{'s' if len(users) == 1 else ''}"
    _act(host, network, what, network.destroy, active=False)
    if users:
        return f"network {name} is stopped; cut off: {_list(users)}"
    return f"network {name} is stopped"


def autostart(host: Host, uuid: str, on: bool) -> str:
    """Have the network started with the host, or not. Source: virNetworkSetAutostart."""
    network = _network(host, uuid)
    name = network.name()
    try:
        network.setAutostart(1 if on else 0)
        now = bool(network.autostart())
    except libvirt.libvirtError as error:
        raise from_libvirt(error, f"cannot change the autostart of network {name}") from error
    finally:
        _touch(host, network)
    if now != on:
        raise TuivirtError(f"the autostart of network {name} has not changed")
    return f"network {name} {'starts' if on else 'does not start'} with the host"


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


def _network(host: Host, uuid: str) -> Any:
    host.require_write()
    return host.network(uuid)


def _touch(host: Host, network: Any) -> None:
    host.touch(Ref(host.name, Kind.NETWORK, network.UUIDString()))


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _act(host: Host, network: Any, what: str, call: Callable[[], object], *, active: bool) -> None:
    with Waiter(host, network_event(network.UUIDString())) as waiter:
        try:
            call()
        except libvirt.libvirtError as error:
            raise from_libvirt(error, what) from error
        finally:
            _touch(host, network)

        def is_true() -> bool:
            try:
                return bool(network.isActive()) == active
            except libvirt.libvirtError as error:
                if is_gone(error):
                    return not active  # A transient network that stopped is gone.
                raise from_libvirt(error, what) from error

        if not waiter.until(is_true, CONFIRM_TIMEOUT_S):
            raise TuivirtError(what, "libvirt took the call, but it has not happened")
