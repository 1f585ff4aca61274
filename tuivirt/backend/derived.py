"""What follows from the domains' configurations, told to their host's snapshot.

Of a domain: its addresses, what waits for its next boot, its labels. Of networks and devices: who
uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .uses import addresses_of, users_of_devices, users_of_networks

if TYPE_CHECKING:
    from .host import Host
    from .known import Known
    from .model.domain import Domain


def tell_domains(host: Host, known: Mapping[str, Known]) -> None:
    """What is to be seen of these domains themselves, by UUID."""
    by_mac: dict[str, list[str]] = {}
    for network in host.snapshot.networks.values():
        for lease in network.leases:
            by_mac.setdefault(lease.mac.lower(), []).append(lease.address)

    def changer(each: Known) -> Callable[[Domain], Domain]:
        addresses = addresses_of(each.live, by_mac) if each.live is not None else ()
        found = addresses, each.pending, each.labels

        def change(domain: Domain) -> Domain:
            told = domain.addresses, domain.pending, domain.labels
            if told == found or not each.fits(domain):  # Another run: it is being read again.
                return domain
            return replace(domain, addresses=addresses, pending=each.pending, labels=each.labels)

        return change

    host.change_domains({uuid: changer(each) for uuid, each in known.items()})


def tell_users(host: Host, known: Mapping[str, Known]) -> None:
    """Who uses the networks and devices; ``known`` are all domains of which that is known."""
    snapshot = host.snapshot
    configs = {
        snapshot.domains[uuid].name: each.configs
        for uuid, each in known.items()
        if uuid in snapshot.domains
    }
    host.set_users(users_of_networks(configs), users_of_devices(configs, snapshot.devices))
