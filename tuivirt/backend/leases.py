"""DHCP leases of libvirt's networks: how addresses are known without asking a guest."""

from __future__ import annotations

from typing import Any

import libvirt

from .errors import is_gone, is_unsupported
from .model.resources import Lease, Network


def read_leases(conn: Any, network: Network | None) -> tuple[Lease, ...] | None:
    """The leases of a network, in one call; None when it is gone or has no such thing.

    Source: virNetworkGetDHCPLeases.
    """
    if network is None or not any(address.ranges for address in network.addresses):
        return None
    try:
        # libvirt takes the handle by its UUID; making one costs no call only from a list, so
        # the look-up is the price of not holding handles of networks.
        found = conn.networkLookupByUUIDString(network.uuid).DHCPLeases()
    except libvirt.libvirtError as error:
        if is_gone(error) or is_unsupported(error):
            return None
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return None  # It was stopped in between.
        raise
    return tuple(
        Lease(
            network=network.name,
            mac=lease.get("mac") or "",
            address=lease.get("ipaddr") or "",
            prefix=int(lease.get("prefix") or 0),
            hostname=lease.get("hostname") or "",
            expires=float(lease.get("expirytime") or 0),
        )
        for lease in found
    )
