"""Virtual networks: start, stop, autostart."""

from __future__ import annotations

from typing import Annotated

from tuivirt.backend.model.resources import Network

from .registry import Option, Run, action


def _is_active(network: Network) -> str:
    return f"network {network.name} is active already" if network.active else ""


def _is_inactive(network: Network) -> str:
    return "" if network.active else f"network {network.name} is not active"


def _is_transient(network: Network) -> str:
    return "" if network.persistent else f"network {network.name} is transient"


def _lost_with_network(network: Network) -> str:
    said = [] if network.persistent else ["It is transient: its configuration is lost as well."]
    if network.users:
        said.append(f"Domains with an interface on it: {', '.join(network.users)}.")
    return " ".join(said)


@action(
    "network",
    title="Start",
    key="s",
    virsh="virsh net-start {name}",
    api="virNetworkCreate",
    unavailable=_is_active,
)
def net_start(run: Run, network: Network) -> str:
    """Start a network that is not active."""
    from tuivirt.backend import networks as verbs

    return verbs.start(run.host, network.uuid)


@action(
    "network",
    title="Stop",
    key="ctrl+k",
    virsh="virsh net-destroy {name}",
    api="virNetworkDestroy",
    destructive=True,
    confirm="Stop {name}? The guests on it run on, without their connection.",
    losses=_lost_with_network,
    unavailable=_is_inactive,
)
def net_destroy(run: Run, network: Network) -> str:
    """Stop a network; the guests on it run on, but lose their connection."""
    from tuivirt.backend import networks as verbs

    return verbs.stop(run.host, network.uuid)


@action(
    "network",
    title="Start with the host",
    key="o",
    virsh="virsh net-autostart {name}[disable? --disable]",
    api="virNetworkSetAutostart",
    unavailable=_is_transient,
)
def net_autostart(
    run: Run,
    network: Network,
    *,
    disable: Annotated[bool, Option("do not start it with the host any more")] = False,
) -> str:
    """Have the network started with the host, or no longer."""
    from tuivirt.backend import networks as verbs

    return verbs.autostart(run.host, network.uuid, not disable)
