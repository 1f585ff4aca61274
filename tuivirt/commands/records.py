"""The objects as the command line's JSON has them: plain dictionaries that stay as they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tuivirt.backend.model.domain import Domain, DomainState
from tuivirt.backend.model.resources import HostInterface, Network, NodeDevice, Pool, Volume

STATE_WORDS = {
    DomainState.NOSTATE: "no state",
    DomainState.RUNNING: "running",
    DomainState.BLOCKED: "idle",
    DomainState.PAUSED: "paused",
    DomainState.SHUTDOWN: "in shutdown",
    DomainState.SHUTOFF: "shut off",
    DomainState.CRASHED: "crashed",
    DomainState.PMSUSPENDED: "pmsuspended",
}
"""As virsh prints them."""

Record = dict[str, Any]


def state_word(domain: Domain) -> str:
    """What virsh says of its state; of one that still runs on another host, that it arrives."""
    return "arriving" if domain.arriving else STATE_WORDS[domain.state]


def domain_record(domain: Domain) -> Record:
    return {
        "name": domain.name,
        "uuid": domain.uuid,
        "id": domain.id,
        "state": state_word(domain),
        "host": domain.host,
        "autostart": domain.autostart,
        "persistent": domain.persistent,
        "managed_save": domain.managed_save,
        "has_snapshots": domain.has_snapshots,
        "vcpus": domain.vcpus,
        "memory_kib": domain.memory_kib,
        "memory_max_kib": domain.memory_max_kib,
        "addresses": list(domain.addresses),
        "tags": list(domain.tags),
        "group": domain.group,
        "note": domain.note,
    }


def network_record(network: Network) -> Record:
    return {
        "name": network.name,
        "uuid": network.uuid,
        "state": "active" if network.active else "inactive",
        "host": network.host,
        "autostart": network.autostart,
        "persistent": network.persistent,
        "mode": network.mode,
        "bridge": network.bridge,
        "device": network.device,
        "addresses": [address.cidr for address in network.addresses],
        "dhcp_ranges": [
            {"start": r.start, "end": r.end} for a in network.addresses for r in a.ranges
        ],
    }


def pool_record(pool: Pool) -> Record:
    return {
        "name": pool.name,
        "uuid": pool.uuid,
        "state": pool.state,
        "host": pool.host,
        "autostart": pool.autostart,
        "persistent": pool.persistent,
        "type": pool.type,
        "path": pool.path,
        "capacity_bytes": pool.capacity_bytes,
        "allocation_bytes": pool.allocation_bytes,
        "available_bytes": pool.available_bytes,
    }


def volume_record(volume: Volume) -> Record:
    return {
        "name": volume.name,
        "key": volume.key,
        "pool": volume.pool,
        "host": volume.host,
        "path": volume.path,
        "type": volume.type,
        "format": volume.format,
        "capacity_bytes": volume.capacity_bytes,
        "allocation_bytes": volume.allocation_bytes,
        "backing": volume.backing,
        "users": list(volume.users),
        "users_unsure": volume.unsure,
    }


def device_record(device: NodeDevice) -> Record:
    state = "active" if device.active else "inactive"
    return {"state": state, **_listed(asdict(device)), "used_by": list(device.used_by)}


def interface_record(interface: HostInterface) -> Record:
    return {"state": "active" if interface.active else "inactive", **_listed(asdict(interface))}


def _listed(record: Record) -> Record:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in record.items()}
