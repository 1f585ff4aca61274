"""What screens and the command line ask for, besides what the snapshot holds.

Each is called as ``function(host, …)`` on the host's look-ups lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuivirt.backend.errors import NotFound
from tuivirt.backend.lookups import (
    configs_of,
    disk_sizes,
    domain_detail,
    leases,
    users_of_devices,
    volumes,
    xml_of,
)
from tuivirt.backend.model.resources import NodeDevice
from tuivirt.backend.networks import running_users
from tuivirt.backend.undefine import Belongings, belongings

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.block_job import Running
    from tuivirt.backend.model.blocks import BlockDevice
    from tuivirt.backend.model.checkpoint import Backups
    from tuivirt.backend.model.forms import FormFacts
    from tuivirt.backend.model.functions import VirtualFunction
    from tuivirt.backend.model.passthrough import DeviceFacts
    from tuivirt.backend.model.processors import HostTopology, Processing
    from tuivirt.backend.model.resources import MdevType
    from tuivirt.backend.model.snapshot import Snapshot, Snapshots
    from tuivirt.backend.snapshots.judge import Facts

__all__ = [
    "Belongings",
    "all_snapshots",
    "backups",
    "belongings",
    "block_devices",
    "block_jobs",
    "checkpoint_sizes",
    "configs_of",
    "destinations",
    "device_facts",
    "devices_of",
    "devices_of_kind",
    "disk_sizes",
    "domain_detail",
    "form_facts",
    "givable",
    "host_topology",
    "kinds_lacking",
    "labels_in_use",
    "leases",
    "links",
    "mdev_types",
    "network_functions",
    "never_given",
    "part_xml",
    "processing",
    "running_users",
    "secrets",
    "sizes_of_snapshots",
    "snapshot_facts",
    "snapshot_sizes",
    "snapshots",
    "users_of_devices",
    "volumes",
    "xml_of",
]


def givable(host: Host) -> Sequence[NodeDevice]:
    """What a domain could be handed of this host, GPUs first."""
    from tuivirt.backend.passthrough.find import givable as found

    return found(host.snapshot.devices)


def labels_in_use(host: Host) -> tuple[Sequence[str], Sequence[str]]:
    """The tags and the groups that domains of this host have."""
    from tuivirt.backend.labels import in_use

    return in_use(host)


def never_given(device: NodeDevice) -> str:
    """Why no domain can ever have this device; '' for one that can be asked for."""
    from tuivirt.backend.passthrough.find import never_given as found

    return found(device)


def devices_of(host: Host, key: str) -> Sequence[NodeDevice]:
    """What a domain has of its host, now or at its next boot. Raises TuivirtError."""
    from tuivirt.backend.passthrough.take_back import devices_of as found

    return found(host, key)


def devices_of_kind(host: Host, key: str, kind: str) -> list[tuple[str, str]]:
    """A domain's devices of a kind: what each is called, and what it is. Raises TuivirtError."""
    from tuivirt.backend.devices import devices_of_kind as found

    return found(host, key, kind)


def mdev_types(host: Host, key: str) -> Sequence[MdevType]:
    """The kinds of mediated devices that a device can make, read now. Raises TuivirtError."""
    from tuivirt.backend.mdevs import types_of

    return types_of(host, key)


def processing(host: Host, key: str) -> Processing:
    """A domain's processors and memory, and where its vCPUs are. Raises TuivirtError."""
    from tuivirt.backend.processors import processing as read

    return read(host, key)


def host_topology(host: Host) -> HostTopology:
    """The host's CPUs by NUMA node. Raises TuivirtError."""
    from tuivirt.backend.processors import host_topology as read

    return read(host)


def form_facts(host: Host, key: str, kind: str) -> FormFacts:
    """What a form for a domain's device of that kind needs to know. Raises TuivirtError."""
    from tuivirt.backend.device_forms import form_facts as found

    return found(host, key, kind)


def kinds_lacking(host: Host, key: str) -> Mapping[str, str]:
    """By kind of device: why a domain's host offers none, a clause. Raises TuivirtError."""
    from tuivirt.backend.device_forms import kinds_lacking as found

    return found(host, key)


def block_devices(host: Host, key: str) -> Sequence[BlockDevice]:
    """The host's block devices for a domain's disk, free ones first. Raises TuivirtError."""
    from tuivirt.backend.blocks import block_devices as found

    return found(host, key)


def links(host: Host, _key: str, *, bridges: bool = False) -> list[tuple[str, str]]:
    """The host's network interfaces, or its ``bridges``, that a guest's may be connected to.

    By name, and what each is; as far as libvirt tells of them.
    """
    from tuivirt.backend.passthrough.virtual import links_of

    return links_of(host, bridges=bridges)


def secrets(host: Host, _key: str) -> list[tuple[str, str, str]]:
    """libvirt's secrets on the host: UUID, what for, usage name. Raises TuivirtError."""
    from tuivirt.backend.secrets import secrets as found

    return [(each.uuid, each.kind, each.usage) for each in found(host)]


def snapshots(host: Host, key: str) -> tuple[Snapshot, ...]:
    """A domain's snapshots, oldest first. Raises TuivirtError."""
    from tuivirt.backend.snapshots.read import snapshots_of

    return snapshots_of(host, key)


def all_snapshots(host: Host) -> tuple[Snapshots, ...]:
    """The snapshots of all domains of the host, by domain. Raises TuivirtError."""
    from tuivirt.backend.snapshots.everywhere import snapshots_on

    return snapshots_on(host)


def snapshot_facts(host: Host, key: str) -> Facts:
    """What decides about a domain's snapshots now. Raises TuivirtError."""
    from tuivirt.backend.snapshots.offered import facts_of

    return facts_of(host, key)


def snapshot_sizes(host: Host, key: str) -> Mapping[str, int]:
    """By name the bytes that a domain's snapshots take, of those of which it is known.

    Raises TuivirtError.
    """
    from tuivirt.backend.snapshots.read import snapshots_of
    from tuivirt.backend.snapshots.sizes import sizes_of

    return sizes_of(host, snapshots_of(host, key))


def sizes_of_snapshots(host: Host, known: Sequence[Snapshot]) -> Mapping[str, int]:
    """The same of snapshots that were read already: libvirt is not asked for them again."""
    from tuivirt.backend.snapshots.sizes import sizes_of

    return sizes_of(host, known)


def backups(host: Host, key: str) -> Backups:
    """A domain's checkpoints, and the backup of it that is under way. Raises TuivirtError."""
    from tuivirt.backend.backup.known import backups_of

    return backups_of(host, key)


def checkpoint_sizes(host: Host, key: str) -> Mapping[str, Mapping[str, int]]:
    """By checkpoint and target: the bytes written since, as far as libvirt tells.

    Raises TuivirtError.
    """
    from tuivirt.backend.backup.known import sizes_of

    return sizes_of(host, key)


def part_xml(host: Host, key: str, part: str, name: str) -> str:
    """The XML of a domain's ``snapshot`` or ``checkpoint`` of that name. Raises TuivirtError."""
    if part == "checkpoint":
        from tuivirt.backend.backup import checkpoints

        return checkpoints.xml_of(host, key, name)
    from tuivirt.backend.snapshots import records

    return records.xml_of(host, key, name)


def block_jobs(host: Host, uuids: frozenset[str] | None = None) -> Sequence[Running]:
    """The jobs on domains' disks, whoever began them; of these domains, or of all.

    Raises TuivirtError.
    """
    from tuivirt.backend.block_jobs.under_way import under_way

    return under_way(host, uuids)


def network_functions(host: Host, _key: str) -> Sequence[VirtualFunction]:
    """The virtual functions of the host's network cards, free ones first. Raises TuivirtError."""
    from tuivirt.backend.passthrough.virtual import network_functions as found

    return found(host)


def destinations(host: Host, _key: str) -> Sequence[tuple[str, str]]:
    """The other hosts that a domain may be moved to: name, and what there is to say of each."""
    from tuivirt.backend.migration.destination import offered

    return offered(host)


def device_facts(host: Host, key: str) -> DeviceFacts:
    """What the host does with a device; of a local host it is read now."""
    from tuivirt.backend.passthrough.facts import gather

    device = host.snapshot.devices.get(key)
    if device is None:
        raise NotFound(f"there is no host device {key} any more")
    return gather(host.snapshot, [device]).devices[key]
